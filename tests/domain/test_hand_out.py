"""The hand-out of 1 January 2025 in full: lots, pools, and what is said of allocations."""

from __future__ import annotations

from typing import Any

import pytest

from domain.book import Book
from domain.days import day_of
from domain.decisions import PolicyElected
from domain.exact import money, quantity
from domain.facts import AllocatedLot, BasisAllocation, Buy
from domain.portfolio import Portfolio
from tests.domain.make import Json, buy, sell
from tests.domain.records import all_told, folded, issue, told
from tests.domain.replay import Said
from tests.domain.test_portfolio import START, asset

UNIVERSAL: Json = {"policy": {"pool": "universal_before_2025"}}
MEND = "record a basis_allocation as of 2025-01-01 (Rev. Proc. 2024-28)"
UNFIT = (
    "the allocation does not give every wallet exactly the units that it held, from open basis; "
    "it was left aside"
)
TOO_LATE = "basis was kept per wallet already when this allocation was made"


def coin(id: str, day: str, qty: str, amount: str, account: str = "A") -> Json:
    return buy(id, day, qty, amount, asset="Y", account=account)


def plan(*parts: tuple[str, str, str], id: str = "plan", **more: str) -> Json:
    """An allocation of (account, lot, units) or, without parts, by a method."""
    stated = [{"account": account, "lot": lot, "qty": qty} for account, lot, qty in parts]
    return {"id": id, "type": "basis_allocation", "date": "2025-01-01", "asset": "Y",
            "method": "", "allocations": stated} | more  # fmt: skip


def lifo(**more: str) -> Json:
    return plan(method="global_lifo", **more)


def note(ref: str, code: str, says: str) -> dict[str, Any]:
    return issue(ref, code, says, MEND, blocking=False)


COINS = coin("b1", "2023-01-03", "2", "20", "B"), coin("b2", "2023-02-03", "4", "80")
FITS = plan(("A", "b1", "2"), ("A", "b2", "2"), ("B", "b2", "2"), id="fits")
TOO_SHORT = plan(("A", "b1", "2"), id="short")


def held(book: Book) -> dict[tuple[str, str], str]:
    """Units of each lot in each account, as whole numbers."""
    return {(lot.ref, lot.account.id): str(lot.quantity // quantity("1"))
            for lot in book.open_lots()}  # fmt: skip


EARLIEST_FIRST = {("b1", "A"): "2", ("b2", "A"): "2", ("b2", "B"): "2"}
LATEST_FIRST = {("b2", "A"): "4", ("b1", "B"): "2"}


def test_a_lot_that_moves_is_whole_and_its_parts_add_up() -> None:
    """b1 goes from B to A whole; two of b2 stay in A, where its broker covers them, two leave."""
    book = folded(*COINS, FITS, **UNIVERSAL)
    rest = {
        "asset": "Y", "quantity": quantity("2"), "used": False, "picked": False, "offset": 0,
        "inherited": False, "loss_basis": -1, "gift_day": 0, "covered": False,
    }  # fmt: skip
    first, second = day_of("2023-01-03"), day_of("2023-02-03")
    b1 = rest | {"ref": "b1", "order": 0, "basis": money("20"), "acquired": first, "origin": first}
    b2 = rest | {"ref": "b2", "order": 1, "basis": money("40"), "acquired": second,
                 "origin": second}  # fmt: skip
    lots = [{name: value for name, value in each.items() if name != "serial"}
            for each in all_told(book.open_lots())]  # fmt: skip
    assert sorted(lots, key=lambda each: (each["ref"], each["account"])) == [
        b1 | {"account": "A"},
        b2 | {"account": "A", "covered": True},
        b2 | {"account": "B", "offset": quantity("2")},
    ]
    assert {lot.serial for lot in book.touched} >= {lot.serial for lot in book.open_lots()}


def test_after_the_hand_out_each_wallet_has_a_pool_of_its_own() -> None:
    book = folded(*COINS, FITS, **UNIVERSAL)
    assert (book.is_handed_out, book.shared) == (True, {})
    pools = {key: (pool.quantity, pool.wallets) for key, pool in book.pools.items()}
    assert pools == {("A", "Y"): (quantity("4"), None), ("B", "Y"): (quantity("2"), None)}
    assert book.issues == []


@pytest.mark.parametrize(("until", "is_done"), [("2024-12-31", False), ("2025-01-01", True)])
def test_a_view_of_new_years_day_of_2025_has_what_nothing_happened_to_since_handed_out(
    until: str, is_done: bool
) -> None:
    portfolio = Portfolio(until_day=day_of(until))
    for said in facts(Buy(effective_at="2023-01-03", account="A", asset="Y", quantity="2",
                          amount="20")):  # fmt: skip
        portfolio.add(*said)
    portfolio.settle()
    book = portfolio.books["Y"]
    assert isinstance(book, Book)
    assert (book.is_handed_out, bool(book.shared)) == (is_done, not is_done)
    assert [lot.ref for lot in book.open_lots()] == ["f0"]


def facts(*told: Any, source: str = "") -> list[Said]:
    """Facts f0, f1 ... of a source, with what they need declared."""
    policy = PolicyElected(effective_at=START, pool="universal_before_2025")
    named = [(f"{source}f{at}", fact) for at, fact in enumerate(told)]
    return [asset("Y"), ("policy", policy), *named]


@pytest.mark.parametrize("year", ["", "2025:"])
def test_an_allocation_of_a_source_names_lots_with_the_source_or_without(year: str) -> None:
    """The source ends at the first colon; what its own ids are made of is its business."""

    def coins(account: str, day: str) -> Buy:
        return Buy(effective_at=day, account=account, asset="Y", quantity="2", amount="20")

    parts = (AllocatedLot("B", f"books:{year}f0", "2"), AllocatedLot("A", f"{year}f1", "2"))
    allocation = BasisAllocation(effective_at="2025-01-01", asset="Y", method="", allocations=parts)
    portfolio = Portfolio()
    story = (coins("A", "2023-01-03"), coins("B", "2023-02-03"), allocation)
    for said in facts(*story, source=f"books:{year}"):
        portfolio.add(*said)
    portfolio.settle()
    (book,) = portfolio.books.values()
    assert [(lot.ref, lot.account.id) for lot in book.open_lots()] == [
        (f"books:{year}f0", "B"), (f"books:{year}f1", "A"),
    ]  # fmt: skip
    assert book.issues == []


def test_an_allocation_that_does_not_fit_is_named_and_the_next_one_is_tried() -> None:
    book = folded(*COINS, TOO_SHORT, lifo(), **UNIVERSAL)
    assert held(book) == LATEST_FIRST
    assert all_told(book.issues) == [note("short", "allocation_inadequate", UNFIT)]


def test_of_two_that_fit_the_first_stands() -> None:
    book = folded(*COINS, lifo(), FITS, **UNIVERSAL)
    assert (held(book), book.issues) == (LATEST_FIRST, [])


@pytest.mark.parametrize(
    "unfit",
    [
        plan(method="by_the_moon"),
        plan(("A", "b1", "2"), ("A", "b2", "2"), ("B", "b2", "1")),
        plan(("A", "b1", "2"), ("A", "b2", "2"), ("B", "b2", "3")),
        plan(("A", "b1", "2"), ("A", "b2", "2"), ("B", "b1", "2")),
        plan(("A", "b1", "1"), ("A", "b2", "2"), ("A", "b1", "2"), ("B", "b2", "2")),
        plan(("A", "b1", "2"), ("A", "b2", "2"), ("B", "b2", "2"), ("M", "b2", "1")),
    ],
    ids=["an unknown rule", "a unit too few", "a unit too many", "a lot given twice",
         "a wallet given too much", "a wallet that held none"],
)  # fmt: skip
def test_an_allocation_that_leaves_or_takes_too_much_is_inadequate(unfit: Json) -> None:
    book = folded(*COINS, unfit, **UNIVERSAL)
    assert held(book) == EARLIEST_FIRST
    assert all_told(book.issues) == [note("plan", "allocation_inadequate", UNFIT)]


def test_one_wallet_may_get_a_lot_in_several_parts() -> None:
    parts = ("A", "b1", "1"), ("A", "b2", "2"), ("A", "b1", "1"), ("B", "b2", "2")
    book = folded(*COINS, plan(*parts), **UNIVERSAL)
    assert sorted((lot.ref, lot.account.id, lot.quantity) for lot in book.open_lots()) == [
        ("b1", "A", quantity("1")), ("b1", "A", quantity("1")),
        ("b2", "A", quantity("2")), ("b2", "B", quantity("2")),
    ]  # fmt: skip
    assert book.issues == []


def test_without_an_allocation_the_last_lot_of_the_shared_pool_is_named() -> None:
    book = folded(*COINS, **UNIVERSAL)
    says = "no allocation of Y is recorded; the earliest lots went to the wallets in their order"
    assert held(book) == EARLIEST_FIRST
    assert all_told(book.issues) == [note("b2", "allocation_missing", says)]


def test_of_one_wallet_nothing_is_asked_though_another_held_units_once() -> None:
    moved = {"id": "t", "type": "transfer", "date": "2024-02-01", "asset": "Y", "from": "B",
             "to": "A", "qty": "2"}  # fmt: skip
    book = folded(*COINS, moved, **UNIVERSAL)
    assert held(book) == {("b1", "A"): "2", ("b2", "A"): "4"}
    assert book.issues == []


IN_TIME: list[Json] = [
    coin("e", "2025-02-03", "1", "9"),
    coin("e", "2025-02-03", "1", "9") | {"type": "income"},
    coin("e", "2025-02-03", "1", "9") | {"type": "inherit"},
    coin("e", "2025-02-03", "1", "9") | {"type": "gift_in", "donor_basis": "9",
                                         "donor_acquired": "2024-02-01"},
    sell("e", "2024-12-31", "1", "9", asset="Y"),
    buy("e", "2025-02-03", "1", "9", asset="W"),
    lifo(id="e"),
]  # fmt: skip
MOVE: Json = {"id": "e", "type": "transfer", "date": "2025-02-03", "asset": "Y", "from": "A",
              "to": "B", "qty": "1"}  # fmt: skip
TOO_LATE_AFTER: list[Json] = [
    sell("e", "2025-01-01", "1", "9", asset="Y", time="00:00"),
    sell("e", "2025-02-03", "1", "9", asset="Y"),
    MOVE,
    {"id": "e", "type": "convert", "date": "2025-02-03", "account": "A",
     "out": {"asset": "Y", "qty": "1"}, "in": {"asset": "W", "qty": "1"}},
    {"id": "e", "type": "convert", "date": "2025-02-03", "account": "A",
     "out": {"asset": "W", "qty": "1"}, "in": {"asset": "Y", "qty": "1"}},
]  # fmt: skip
TWO_ASSETS: Json = {"assets": [{"id": name, "class": "crypto", "group": "Y"} for name in "YW"]}
BEFORE = *COINS, buy("w", "2023-03-03", "2", "9", asset="W")
LATE_PLAN = lifo() | {"date": "2025-03-03"}


def said_of_the_plan(event: Json) -> list[dict[str, Any]]:
    book = folded(*BEFORE, event, LATE_PLAN, **UNIVERSAL, **TWO_ASSETS)
    return [told(each) for each in book.issues if each.ref == "plan"]


@pytest.mark.parametrize("event", IN_TIME, ids=lambda event: event["type"])
def test_what_takes_no_basis_leaves_time_for_an_allocation(event: Json) -> None:
    """Rev. Proc. 2024-28, 5.02: before the first disposal or transfer of 2025."""
    assert said_of_the_plan(event) == []


@pytest.mark.parametrize("event", TOO_LATE_AFTER, ids=lambda event: event["type"])
def test_the_first_disposal_or_move_of_2025_ends_the_time_of_an_allocation(event: Json) -> None:
    assert said_of_the_plan(event) == [note("plan", "allocation_inadequate", TOO_LATE)]


def test_coins_bought_with_coins_leave_time_for_an_allocation_of_what_came_in() -> None:
    swap = {"id": "e", "type": "swap", "date": "2025-02-03", "account": "A", "amount": "9",
            "out": {"asset": "W", "qty": "1"}, "in": {"asset": "Y", "qty": "1"}}  # fmt: skip
    assert said_of_the_plan(swap) == []


def test_a_global_rule_fills_the_wallets_of_one_owner_from_the_lots_of_that_owner() -> None:
    """Each from the latest: M has b3 and gets it, B two of b2."""
    book = folded(*COINS, coin("b3", "2023-03-03", "3", "60", "M"), lifo(), **UNIVERSAL)
    assert held(book) == LATEST_FIRST | {("b3", "M"): "3"}
    assert book.issues == []


def test_a_retirement_plan_is_in_no_shared_pool_and_keeps_its_own() -> None:
    """R holds Y, of which there is a shared pool, and W, of which there is none."""
    planned = coin("r1", "2022-01-03", "1", "5", "R"), coin("r2", "2022-01-04", "1", "5", "R")
    book = folded(*COINS, planned[0], planned[1] | {"asset": "W"}, FITS, **UNIVERSAL, **TWO_ASSETS)
    assert held(book) == EARLIEST_FIRST | {("r1", "R"): "1", ("r2", "R"): "1"}
    assert {key[1]: pool.quantity for key, pool in book.pools.items() if key[0] == "R"} == {
        "Y": quantity("1"), "W": quantity("1"),
    }  # fmt: skip
    assert book.issues == []

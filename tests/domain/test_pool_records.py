"""What a book of pools keeps of every event: rows, departures, lots, steps, with every field."""

from __future__ import annotations

from typing import Any

import pytest

from domain.days import day_of
from domain.exact import ONE_DOLLAR, ONE_UNIT
from domain.policy import Policy
from domain.pool_books.book import PoolBook
from domain.pool_books.reading import Reading
from domain.pool_books.steps import Ring, timeline
from domain.rules.registry import rule_set
from tests.domain.pool_books.records import REST_OF_A_LOT, REST_OF_A_ROW, book_of, folded, plain
from tests.domain.pool_books.told import Json, answer, buy, sell

LAWS = (("UK", "s104"), ("CA", "average_cost"))
WEI = "0.000000000000000001"
OWN, WIFE = Ring("self", False, "X"), Ring("spouse", False, "X")


def event(kind: str, day: str, qty: str = "", account: str = "A", **more: Any) -> Json:
    stated = {"qty": qty} if qty else {}
    return {"type": kind, "date": day, "account": account, "asset": "X"} | stated | more


def moved(day: str, qty: str, from_: str, to: str, **more: Any) -> Json:
    return {"type": "transfer", "date": day, "from": from_, "to": to, "asset": "X", "qty": qty,
            } | more  # fmt: skip


def converted(day: str, gives: tuple[str, str], gets: tuple[str, str]) -> Json:
    return {"type": "convert", "date": day, "account": "A",
            "out": {"asset": gives[1], "qty": gives[0]},
            "in": {"asset": gets[1], "qty": gets[0]}}  # fmt: skip


@pytest.mark.parametrize(("law", "rule"), LAWS)
def test_a_row_of_the_return_names_its_rule_and_the_day_the_pool_filled(
    law: str, rule: str
) -> None:
    """10 for 100; 4 sold for 80, 1 for 30. A pool has no term and no lot of origin."""
    book = book_of(law, buy("2020-01-06", 10, 100), sell("2024-03-01", 4, 80),
                   sell("2024-06-03", 1, 30, account="A"))  # fmt: skip
    rows = [
        {"serial": 0, "ref": "e2", "sold": "2024-03-01", "quantity": "4", "proceeds": "80",
         "own_basis": "40", "order": 0},
        {"serial": 1, "ref": "e3", "sold": "2024-06-03", "quantity": "1", "proceeds": "30",
         "own_basis": "10", "order": 1},
    ]  # fmt: skip
    same = {"lot": rule, "chosen_by": rule, "account": "A", "asset": "X"}
    days = {"acquired": "2020-01-06", "origin": "2020-01-06"}
    assert [plain(row) for row in book.disposals] == [
        REST_OF_A_ROW | row | same | days for row in rows
    ]


@pytest.mark.parametrize("law", ["UK", "CA"])
def test_each_account_shows_its_share_of_the_pool_as_a_lot(law: str) -> None:
    """15 units cost 300 since 6 January; the account that is empty again shows nothing."""
    book = book_of(law, buy("2020-01-06", 10, 100), buy("2020-02-03", 5, 200, account="B"),
                   buy("2020-03-02", 1, 20, account="own"),
                   sell("2024-03-01", 1, 25, account="own"))  # fmt: skip
    same = {"ref": "pool", "asset": "X", "acquired": "2020-01-06", "origin": "2020-01-06"}
    lots = [
        {"account": "A", "quantity": "10", "basis": "200", "order": 1, "serial": 1},
        {"account": "B", "quantity": "5", "basis": "100", "order": 2, "serial": 2},
    ]
    assert [plain(lot) for lot in book.open_lots()] == [REST_OF_A_LOT | same | lot for lot in lots]
    assert {key: held.quantity for key, held in book.pools.items()} == {
        ("A", "X"): 10 * ONE_UNIT, ("B", "X"): 5 * ONE_UNIT, ("own", "X"): 0,
    }  # fmt: skip


@pytest.mark.parametrize("law", ["UK", "CA"])
def test_a_new_book_holds_nothing_whatever_it_is_asked(law: str) -> None:
    rules = rule_set(law)
    book: PoolBook = rules.books.new(Policy(rules), {}, day_of("2025-01-01"), ())
    assert (book.disposals, book.departures, book.incomes, book.issues) == ([], [], [], [])
    assert (book.touched, book.rewound, book.records) == ([], None, [])
    assert (book.washes, book.weights, book.pools, book.pots) == ({}, {}, {}, {})
    assert (book.matches(), book.open_lots(), book.scales.parts) == ([], [], {})


@pytest.mark.parametrize(("law", "rule"), LAWS)
def test_what_a_spouse_sells_leaves_without_a_row_on_this_return(law: str, rule: str) -> None:
    book = book_of(law, buy("2020-01-06", 10, 100, account="wife"),
                   sell("2024-03-01", 4, 80, account="wife"))  # fmt: skip
    assert book.disposals == []
    assert [plain(gone) for gone in book.departures] == [
        {"kind": "not_reported", "ref": "e2", "lot": rule, "asset": "X", "quantity": "4",
         "basis": "40"}
    ]  # fmt: skip


@pytest.mark.parametrize("law", ["UK", "CA"])
@pytest.mark.parametrize(
    ("position", "kinds", "sold"),
    [
        ("nothing", ["abandoned"], []),
        ("ordinary", ["ordinary_loss"], []),
        ("capital", [], [(0, 40 * ONE_DOLLAR)]),
    ],
)
def test_units_given_up_follow_the_position_taken(
    law: str, position: str, kinds: list[str], sold: list[tuple[int, int]]
) -> None:
    book = book_of(law, buy("2020-01-06", 10, 100), event("abandon", "2024-03-01", "4"),
                   policy={"jurisdiction": law, "abandonment": position})  # fmt: skip
    rest = {"ref": "e2", "lot": "pool", "asset": "X", "quantity": "4", "basis": "40"}
    assert [plain(gone) for gone in book.departures] == [{"kind": kind} | rest for kind in kinds]
    assert [(row.proceeds, row.own_basis) for row in book.disposals] == sold
    assert [(pot.units, pot.cost) for pot in book.pots.values()] == [
        (6 * ONE_UNIT, 60 * ONE_DOLLAR)
    ]


@pytest.mark.parametrize("law", ["UK", "CA"])
def test_capital_returned_is_a_departure_of_cost_and_what_is_over_a_row(law: str) -> None:
    """Cost 100: 70 come back, then 50, of which 20 are gain. No unit leaves."""
    book = book_of(law, buy("2020-01-06", 10, 100),
                   event("return_of_capital", "2021-01-04", amount="70"),
                   event("return_of_capital", "2022-01-04", amount="50"))  # fmt: skip
    returned = {"kind": "returned", "lot": "pool", "asset": "X", "quantity": "0"}
    assert [plain(gone) for gone in book.departures] == [
        returned | {"ref": "e2", "basis": "70"}, returned | {"ref": "e3", "basis": "30"},
    ]  # fmt: skip
    rule = "return_of_capital"
    assert [plain(row) for row in book.disposals] == [
        REST_OF_A_ROW
        | {"serial": 0, "ref": "e3", "lot": rule, "chosen_by": rule, "account": "A", "asset": "X",
           "quantity": "0", "proceeds": "20", "own_basis": "0", "acquired": "2020-01-06",
           "origin": "2020-01-06", "sold": "2022-01-04", "order": 0}
    ]  # fmt: skip


def test_capital_comes_back_on_the_smallest_holding() -> None:
    book = book_of("UK", buy("2020-01-06", WEI, 100),
                   event("return_of_capital", "2021-01-04", amount="70"))  # fmt: skip
    assert book.issues == []
    assert book.pots[OWN].cost == 30 * ONE_DOLLAR


def test_units_that_go_to_a_spouse_and_come_back_on_the_day_of_their_sale_change_nothing() -> None:
    """Same-day matching takes them first, so the pool owes them until they are back."""
    book = book_of("UK", buy("2024-03-01", 5, 50), moved("2024-03-01", "5", "A", "wife"),
                   moved("2024-03-01", "5", "wife", "A"), sell("2024-03-01", 5, 80))  # fmt: skip
    assert [(row.lot, row.proceeds, row.own_basis) for row in book.disposals] == [
        ("same_day", 80 * ONE_DOLLAR, 50 * ONE_DOLLAR)
    ]
    assert {ring: (pot.units, pot.cost) for ring, pot in book.pots.items()} == {
        OWN: (0, 0), WIFE: (0, 0)
    }  # fmt: skip


def test_a_pool_of_assets_of_several_ratios_is_counted_in_units_of_the_group() -> None:
    """A half and a ten beside a one: 2 + 3/2 + 20 units."""
    more = {"id": "XH", "class": "crypto", "group": "X", "ratio": "0.5"}
    assets = [{"id": "X", "class": "crypto", "group": "X"}, more,
              {"id": "X10", "class": "crypto", "group": "X", "ratio": "10"}]  # fmt: skip
    events = [buy("2020-01-06", 2, 20), buy("2020-01-07", 3, 30, asset="XH"),
              buy("2020-01-08", 2, 40, asset="X10")]  # fmt: skip
    assert answer("UK", events, assets=assets)["uk_pool"] == {
        "asset": "X", "qty": "23.5", "cost": "90",
    }  # fmt: skip
    assert answer("UK", events[1:2], assets=assets)["uk_pool"]["qty"] == "3"


def steps_of(*events: Json) -> list[Json]:
    made = folded("CA", list(events))
    book = next(iter(made.books.values()))
    assert isinstance(book, PoolBook)
    return [
        plain(step) | {"entry": step.entry.ref} for step in Reading(book.policy, book.entries).steps
    ]


def test_a_move_or_a_conversion_is_a_step_to_another_ring_without_an_amount() -> None:
    """One X10 is ten X; a split by three of the smallest unit by two leaves half of one."""
    step = {"amount": "0", "to": None, "to_units": 0}
    assert steps_of(
        buy("2020-01-06", 3, 30, fee="2"),
        moved("2021-01-04", "1", "A", "wife"),
        converted("2021-02-01", ("1", "X"), ("0.1", "X10")),
        sell("2021-03-01", 1, 15, fee="4"),
    ) == [
        step | {"kind": "in", "entry": "e1", "ring": OWN, "units": 3 * ONE_UNIT, "scale": 1,
                "quantity": "3", "amount": "32"},
        step | {"kind": "move", "entry": "e2", "ring": OWN, "units": ONE_UNIT, "scale": 1,
                "quantity": "1", "to": WIFE, "to_units": ONE_UNIT},
        step | {"kind": "move", "entry": "e3", "ring": OWN, "units": ONE_UNIT, "scale": 1,
                "quantity": "1", "to": OWN, "to_units": ONE_UNIT},
        step | {"kind": "out", "entry": "e4", "ring": OWN, "units": ONE_UNIT, "scale": 1,
                "quantity": "1", "amount": "11"},
    ]  # fmt: skip


def test_what_a_split_rounds_away_is_a_step_that_loses_it() -> None:
    """Three of the smallest unit, one new for two old: half a new one is lost."""
    split = {"type": "split", "date": "2021-01-04", "asset": "X", "num": "1", "den": "2"}
    bought, lost = steps_of(buy("2020-01-06", "0.000000000000000003", 30), split)
    assert (bought["units"], bought["scale"]) == (3, 1)
    assert lost == {"kind": "lose", "entry": "e2", "ring": OWN, "units": 1, "scale": 2,
                    "quantity": "0", "amount": "0", "to": None, "to_units": 0}  # fmt: skip


def test_the_timeline_of_a_ring_has_one_entry_a_day() -> None:
    book = book_of("CA", buy("2020-01-06", 3, 30), sell("2020-01-06", 1, 10),
                   buy("2020-01-06", 4, 40), moved("2020-01-07", "2", "A", "wife"))  # fmt: skip
    first, second = day_of("2020-01-06"), day_of("2020-01-07")
    assert timeline(Reading(book.policy, book.entries).steps) == {
        OWN: [(first, 6 * ONE_UNIT), (second, 4 * ONE_UNIT)], WIFE: [(second, 2 * ONE_UNIT)],
    }  # fmt: skip

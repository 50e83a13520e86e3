"""One pool of coins until 2024 and its hand-out to the wallets (Rev. Proc. 2024-28; 0009)."""

from __future__ import annotations

import pytest

from domain.decisions import Bust
from tests.domain.make import Json, cells, result, scenario
from tests.domain.make import buy as bought
from tests.domain.make import sell as sold
from tests.domain.replay import portfolio_of, state

LOT = ("lot", "account", "qty", "basis")
UNIVERSAL = {"pool": "universal_before_2025"}


def buy(id: str, date: str, qty: str, amount: str, account: str) -> Json:
    return bought(id, date, qty, amount, account=account, asset="Y")


def sell(id: str, date: str, qty: str, amount: str, account: str, **more: object) -> Json:
    return sold(id, date, qty, amount, account=account, asset="Y", **more)


def allocated(*parts: tuple[str, str, str], date: str = "2025-01-01", method: str = "") -> Json:
    """An allocation of (account, lot, units)."""
    return {
        "id": "plan", "type": "basis_allocation", "date": date, "asset": "Y", "method": method,
        "allocations": [{"account": a, "lot": lot, "qty": qty} for a, lot, qty in parts],
    }  # fmt: skip


def answered(*events: Json, **policy: str) -> Json:
    """The answer where coins share one pool until 2024."""
    return result(*events, policy=UNIVERSAL | policy)


COINS = (
    buy("b1", "2023-01-03", "2", "20", "B"),
    buy("b2", "2023-02-03", "4", "80", "A"),
    buy("b3", "2023-03-03", "2", "60", "B"),
)


def test_a_sale_takes_the_first_lot_of_the_pool_from_whatever_wallet() -> None:
    answer = answered(*COINS, sell("s", "2024-05-06", "3", "99", "A"))
    assert cells(answer["disposals"], "lot", "qty", "basis") == [
        ("b1", "2", "20"),
        ("b2", "1", "20"),
    ]


def test_each_wallet_still_has_to_hold_the_units() -> None:
    answer = answered(*COINS, sell("s", "2024-05-06", "5", "99", "A"))
    assert answer["error"] == "insufficient_units"


@pytest.mark.parametrize(
    ("method", "lots"),
    [
        ("", [("b1", "A", "2", "20"), ("b2", "A", "2", "40"), ("b2", "B", "2", "40"),
              ("b3", "B", "2", "60")]),
        ("global_fifo", [("b1", "A", "2", "20"), ("b2", "A", "2", "40"), ("b2", "B", "2", "40"),
                         ("b3", "B", "2", "60")]),
        ("global_lifo", [("b1", "B", "2", "20"), ("b2", "A", "2", "40"), ("b2", "B", "2", "40"),
                         ("b3", "A", "2", "60")]),
        ("global_hifo", [("b1", "B", "2", "20"), ("b2", "A", "2", "40"), ("b2", "B", "2", "40"),
                         ("b3", "A", "2", "60")]),
    ],
)  # fmt: skip
def test_without_stated_lots_the_wallets_are_filled_in_their_order(
    method: str, lots: list[tuple[str, ...]]
) -> None:
    plan = [allocated(method=method)] if method else []
    answer = answered(*COINS, *plan)
    assert sorted(cells(answer["open_lots"], *LOT)) == lots
    assert "error" not in answer


def test_a_stated_allocation_is_carried_out() -> None:
    plan = allocated(("A", "b3", "2"), ("A", "b2", "2"), ("B", "b2", "2"), ("B", "b1", "2"))
    answer = answered(*COINS, plan, sell("s", "2025-05-06", "3", "99", "A"))
    assert cells(answer["disposals"], "lot", "qty", "basis") == [
        ("b2", "2", "40"),
        ("b3", "1", "30"),
    ]
    assert sorted(cells(answer["open_lots"], *LOT)) == [
        ("b1", "B", "2", "20"), ("b2", "B", "2", "40"), ("b3", "A", "1", "30"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "parts",
    [
        [("A", "b2", "4"), ("B", "b1", "2")],
        [("A", "b1", "3"), ("A", "b2", "1"), ("B", "b2", "2"), ("B", "b3", "2")],
        [("A", "b2", "4"), ("B", "b1", "2"), ("B", "b3", "2"), ("M", "b2", "1")],
        [("A", "nothing", "4"), ("B", "b1", "2"), ("B", "b3", "2")],
        [],
    ],
    ids=["a wallet too short", "more than there is", "a stranger", "no such lot", "nothing at all"],
)
def test_an_allocation_that_does_not_fit_gives_way_to_the_earliest_first(
    parts: list[tuple[str, str, str]],
) -> None:
    answer = answered(*COINS, allocated(*parts))
    assert sorted(cells(answer["open_lots"], *LOT)) == [
        ("b1", "A", "2", "20"), ("b2", "A", "2", "40"), ("b2", "B", "2", "40"),
        ("b3", "B", "2", "60"),
    ]  # fmt: skip


def test_a_lot_of_one_wallet_alone_is_nothing_to_allocate_and_one_of_none_is_nothing() -> None:
    """Nothing is said of a pool that one wallet holds, and what is sold out is not handed out."""
    alone = answered(COINS[0])
    assert cells(alone["open_lots"], *LOT) == [("b1", "B", "2", "20")]
    gone = answered(COINS[0], sell("s", "2024-05-06", "2", "99", "B"))
    assert gone["open_lots"] == []


@pytest.mark.parametrize("first", ["M", "A"])
def test_the_lots_of_one_owner_are_handed_out_though_the_other_has_sold_all(first: str) -> None:
    """What nothing happened to since 2024, too; both pools are of one asset."""
    other = "A" if first == "M" else "M"
    spouses = [{"id": "M", "owner": "spouse"}, {"id": "N", "owner": "spouse"}]
    wallets = {"A": "B", "M": "N"}
    answer = result(
        buy("gone", "2022-01-03", "2", "10", first),
        buy("b1", "2023-01-03", "2", "20", wallets[other]),
        buy("b2", "2023-02-03", "2", "60", other),
        sell("s", "2024-05-06", "2", "99", first),
        policy=UNIVERSAL,
        accounts=[{"id": "A"}, {"id": "B"}, *spouses],
    )
    assert sorted(cells(answer["open_lots"], *LOT)) == [
        ("b1", other, "2", "20"), ("b2", wallets[other], "2", "60"),
    ]  # fmt: skip


def test_pieces_of_one_lot_are_allocated_in_their_order() -> None:
    """A lot that took a loss with three of its ten units goes to two wallets by name."""
    answer = answered(
        buy("old", "2024-01-03", "3", "300", "A"),
        sell("loss", "2024-11-04", "3", "240", "A"),
        buy("r", "2024-11-05", "10", "800", "A"),
        {"id": "t", "type": "transfer", "date": "2024-12-01", "from": "A", "to": "B",
         "asset": "Y", "qty": "5"},
        allocated(("B", "r", "5"), ("A", "r", "5")),
        wash_sale="conservative",
    )  # fmt: skip
    assert sorted(cells(answer["open_lots"], *LOT, "acquired")) == [
        ("r", "A", "5", "400", "2024-11-05"), ("r", "B", "2", "160", "2024-11-05"),
        ("r", "B", "3", "300", "2024-01-04"),
    ]  # fmt: skip


def test_two_owners_have_two_pools() -> None:
    """The spouse's lots never go to the taxpayer's wallets, whichever are first."""
    answer = answered(
        buy("m1", "2022-01-03", "2", "10", "M"),
        *COINS,
        allocated(
            ("M", "m1", "2"), ("A", "b2", "4"), ("B", "b1", "2"), ("B", "b3", "2"),
        ),
        sell("s", "2025-05-06", "4", "99", "A"),
    )  # fmt: skip
    assert cells(answer["disposals"], "lot", "qty", "basis") == [("b2", "4", "80")]
    assert ("m1", "M", "2", "10") in cells(answer["open_lots"], *LOT)


def test_a_stated_lot_of_the_other_owner_does_not_fit() -> None:
    answer = answered(
        buy("m1", "2022-01-03", "2", "10", "M"), buy("b1", "2023-01-03", "2", "20", "B"),
        allocated(("M", "b1", "2"), ("B", "m1", "2")),
    )  # fmt: skip
    assert sorted(cells(answer["open_lots"], *LOT)) == [
        ("b1", "B", "2", "20"), ("m1", "M", "2", "10"),
    ]  # fmt: skip


def test_an_asset_is_handed_out_once_and_conversions_hand_out_both() -> None:
    """The first fact since the transition may be one of two assets."""
    answer = result(
        *COINS,
        bought("w", "2023-05-03", "1", "9", account="A", asset="W"),
        {"id": "c1", "type": "convert", "date": "2025-03-03", "account": "A",
         "out": {"asset": "Y", "qty": "3"}, "in": {"asset": "W", "qty": "3"}},
        {"id": "c2", "type": "convert", "date": "2025-03-04", "account": "A",
         "out": {"asset": "Y", "qty": "1"}, "in": {"asset": "W", "qty": "1"}},
        policy=UNIVERSAL,
        assets=[
            {"id": "Y", "class": "crypto", "group": "Y"},
            {"id": "W", "class": "crypto", "group": "W"},
        ],
    )  # fmt: skip
    assert sorted(cells(answer["open_lots"], "lot", "asset", "account", "qty", "basis")) == [
        ("b1", "W", "A", "2", "20"), ("b2", "W", "A", "2", "40"), ("b2", "Y", "B", "2", "40"),
        ("b3", "Y", "B", "2", "60"), ("w", "W", "A", "1", "9"),
    ]  # fmt: skip


def test_a_late_fact_of_before_the_transition_is_handed_out_with_the_rest() -> None:
    late = buy("b0", "2022-01-03", "1", "7", "A")
    sale = sell("s", "2025-05-06", "1", "99", "A")
    in_order, in_arrival = answered(late, *COINS, sale), answered(*COINS, sale, late)
    assert in_order == in_arrival
    assert cells(in_order["disposals"], "lot", "basis") == [("b0", "7")]


def test_a_late_sale_of_2025_ends_the_time_of_an_allocation_known_before() -> None:
    plan = allocated(method="global_lifo", date="2025-03-01")
    early, sale = sell("s1", "2025-02-03", "1", "9", "A"), sell("s2", "2025-05-06", "1", "9", "A")
    in_order, in_arrival = (
        portfolio_of(scenario(*events, policy=UNIVERSAL), settle_each=True)
        for events in ((*COINS, early, plan, sale), (*COINS, plan, sale, early))
    )
    assert state(in_order, "2025-12-31") == state(in_arrival, "2025-12-31")
    assert [(each.ref, each.code) for each in in_arrival.all_issues()] == [
        ("b3", "allocation_missing"),
        ("plan", "allocation_inadequate"),
    ]


def test_a_busted_allocation_leaves_what_would_be_without_it() -> None:
    sale = sell("s", "2025-05-06", "1", "9", "A")
    portfolio = portfolio_of(
        scenario(*COINS, allocated(method="global_lifo"), sale, policy=UNIVERSAL)
    )
    assert [row.lot for row in portfolio.books["Y"].disposals] == ["b2"]
    portfolio.add("plan", Bust(effective_at="2025-01-01"))
    portfolio.settle()
    assert [row.lot for row in portfolio.books["Y"].disposals] == ["b1"]


def test_after_the_transition_self_custody_can_be_one_pool() -> None:
    """Then wallets share again, and a move between them leaves the basis where it is."""
    answer = result(
        *COINS,
        sell("s", "2025-05-06", "3", "99", "A"),
        {"id": "t", "type": "transfer", "date": "2025-06-01", "from": "B", "to": "A",
         "asset": "Y", "qty": "4"},
        sell("s2", "2025-07-01", "5", "99", "A"),
        policy=UNIVERSAL | {"self_custody_pool": "one"},
        accounts=[{"id": "A", "custody": "self"}, {"id": "B", "custody": "self"}],
    )  # fmt: skip
    assert cells(answer["disposals"], "event", "lot", "qty", "basis") == [
        ("s", "b1", "2", "20"), ("s", "b2", "1", "20"), ("s2", "b2", "3", "60"),
        ("s2", "b3", "2", "60"),
    ]  # fmt: skip


def test_a_reverse_split_keeps_the_total_of_the_pool_and_of_its_wallets() -> None:
    """Five units in two wallets, one for two: 2.5 in all, wallet by wallet in their order."""
    answer = answered(
        buy("b1", "2023-01-03", "3", "30", "A"),
        buy("b2", "2023-02-03", "2", "40", "B"),
        {"id": "half", "type": "split", "date": "2023-05-01", "asset": "Y", "num": "1", "den": "2"},
        sell("s", "2024-05-06", "1", "99", "B"),
    )  # fmt: skip
    assert cells(answer["disposals"], "lot", "qty", "basis") == [("b1", "1", "20")]
    assert sorted(cells(answer["open_lots"], *LOT)) == [
        ("b1", "A", "0.5", "10"), ("b2", "A", "1", "40"),
    ]  # fmt: skip

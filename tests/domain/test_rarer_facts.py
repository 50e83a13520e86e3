"""Rarer facts: what they leave, and what they do where there is nothing to do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.decisions import PolicyElected
from domain.elections import default_policy, elect
from domain.exact import format_money, format_quantity
from domain.portfolio import Portfolio
from domain.rules.registry import rule_set
from services import statement
from tests.domain.make import Json, buy, cells, result, sell
from tests.domain.test_identified_units import folded

ALL_ASSETS = [
    {"id": "X", "group": "X", "class": "stock"},
    {"id": "Y", "group": "Y", "class": "crypto"},
    {"id": "N", "group": "N", "class": "nft", "collectible": True},
]


def issues(made: Portfolio) -> list[tuple[str, str, bool]]:
    return [(each.ref, each.code, each.blocking) for each in made.all_issues()]


@pytest.mark.parametrize(
    ("account", "asset", "told"),
    [
        ("R", "N", [("b", "deemed_distribution", False)]),
        ("R", "X", []),
        ("A", "N", []),
    ],
)
def test_a_collectible_bought_in_an_ira_counts_as_distributed(
    account: str, asset: str, told: list[tuple[str, str, bool]]
) -> None:
    """IRC 408(m)(1): the cost counts as a distribution; no figure here includes it."""
    bought = buy("b", "2025-01-06", "1", "500", account=account, asset=asset)
    assert issues(folded(bought, assets=ALL_ASSETS)) == told


@pytest.mark.parametrize(
    ("account", "amounts"), [("A", [("i", "30")]), ("M", [("i", "30")]), ("R", [])]
)
def test_income_is_the_taxpayers_where_the_account_reports(
    account: str, amounts: list[tuple[str, str]]
) -> None:
    events = [buy("i", "2025-01-06", "1", "30", asset="Y", account=account, type="income")]
    assert cells(result(*events).get("income", []), "event", "amount") == amounts


def burned(position: str | None, qty: str = "2") -> tuple[list[Json], Json]:
    """Three coins at 10 each, some of them burned, and the position taken on that."""
    burn = buy("x", "2025-03-06", qty, "0", asset="Y") | {"type": "abandon"}
    del burn["amount"]
    policy = {"abandonment": position} if position else {}
    return [buy("b", "2025-01-06", "3", "30", asset="Y"), burn], policy


def left(position: str | None, qty: str = "2") -> Json:
    events, policy = burned(position, qty)
    return result(*events, policy=policy)


@pytest.mark.parametrize(
    ("position", "gone", "rows"),
    [
        (None, [("abandoned", "2", "20")], []),
        ("nothing", [("abandoned", "2", "20")], []),
        ("ordinary", [("ordinary_loss", "2", "20")], []),
        ("capital", [], [("x", "2", "-20", "S")]),
    ],
)
def test_abandoned_units_are_lost_unless_a_position_says_otherwise(
    position: str | None, gone: list[tuple[str, ...]], rows: list[tuple[str, ...]]
) -> None:
    """CCA 202302011; the other two are positions (decision 0009)."""
    answer = left(position)
    assert cells(answer["disposals"], "event", "qty", "gain", "term") == rows
    assert cells(answer["open_lots"], "lot", "qty", "basis") == [("b", "1", "10")]
    events, policy = burned(position)
    (book,) = folded(*events, policy=policy).books.values()
    assert gone == [
        (each.kind, format_quantity(each.quantity), format_money(each.basis))
        for each in book.departures
    ]


def test_more_than_is_there_cannot_be_abandoned_under_any_position() -> None:
    for position in ("nothing", "ordinary", "capital"):
        answer = left(position, qty="4")
        assert answer["error"] == "insufficient_units"
        assert answer["disposals"] == []


def gift_moved(**policy: str) -> Json:
    """A gift worth less than the donor paid, moved at a fee worth 5, and sold at 20 each."""
    events: list[Json] = [
        buy("g", "2025-01-06", "2", "60", asset="Y", type="gift_in", donor_basis="100"),
        buy("f", "2025-01-07", "1", "50", asset="Y"),
        {
            "id": "t", "type": "transfer", "date": "2025-02-03", "asset": "Y", "from": "A",
            "to": "B", "qty": "2", "lots": [{"lot": "g", "qty": "2"}],
            "fee_qty": "0.1", "fee_amount": "5",
        },
        sell("s", "2025-03-03", "2", "40", asset="Y", account="B"),
    ]  # fmt: skip
    return result(*events, policy={"lot_method": "LIFO"} | policy)


def test_a_fee_that_joins_the_basis_of_a_gift_joins_both_of_its_sides() -> None:
    plain = [row for row in gift_moved()["disposals"] if row["event"] == "s"]
    added = [
        row for row in gift_moved(transfer_fee="add_to_basis")["disposals"] if row["event"] == "s"
    ]
    assert cells(plain, "basis", "gain") == [("60", "-20")]
    assert cells(added, "basis", "gain") == [("65", "-25")]


def worthless(*events: Json, **more: Any) -> Json:
    said = {"id": "w", "type": "worthless", "date": "2025-05-05", "account": "A"}
    return result(*events, said | {"asset": more.pop("asset", "X")}, **more)


def test_what_is_not_held_at_the_end_of_the_year_is_not_sold_for_nothing() -> None:
    """IRC 165(g): securities held; coins, things sold before and things never had make no row."""
    bought = buy("b", "2025-01-06", "2", "20")
    gone = sell("s", "2025-06-06", "2", "10")
    assert cells(worthless(bought)["disposals"], "event", "sold", "proceeds") == [
        ("w", "2025-12-31", "0")
    ]
    assert cells(worthless(bought, gone)["disposals"], "event") == [("s",)]
    assert worthless()["disposals"] == []
    coin = buy("b", "2025-01-06", "2", "20", asset="Y")
    assert worthless(coin, asset="Y")["disposals"] == []


def test_a_reverse_split_that_leaves_nothing_of_a_small_lot_keeps_its_basis() -> None:
    """One part in 10^18 becomes none; what it cost stays in the position (rulebook e.6)."""
    tiny = "0.000000000000000001"
    split = {"id": "r", "type": "split", "date": "2025-02-03", "asset": "X", "num": "1", "den": "3"}
    events = [buy("b1", "2025-01-06", tiny, "7"), buy("b2", "2025-01-07", "3", "30"), split]
    lots = result(*events)["open_lots"]
    assert cells(lots, "lot", "qty", "basis") == [("b2", "1", "37")]
    alone = result(events[0], split)
    assert alone["open_lots"] == []


@pytest.mark.parametrize(
    ("start", "labels"), [((1, 1), ["1999", "2025"]), ((4, 6), ["1999-00", "2025-26"])]
)
def test_a_tax_year_is_written_as_the_law_writes_it(
    start: tuple[int, int], labels: list[str]
) -> None:
    law = replace(rule_set("US"), year_start=start)
    assert [law.year_label(year) for year in (1999, 2025)] == labels


def test_electing_the_law_that_holds_already_changes_nothing() -> None:
    chosen = elect(default_policy(), PolicyElected(effective_at="0001-01-01", jurisdiction="US"))
    assert chosen == default_policy()


def test_facts_of_assets_that_were_never_declared_are_told_and_can_be_taken_back() -> None:
    made = folded(buy("b", "2025-01-06", "2", "20"), sell("s", "2025-02-06", "1", "20"))
    before = statement.disposals(made)
    stray = folded(
        buy("b", "2025-01-06", "2", "20"),
        sell("s", "2025-02-06", "1", "20"),
        buy("q", "2025-01-08", "2", "20", asset="Q"),
    )
    assert [each.ref for each in stray.all_issues()] == ["q"]
    assert statement.disposals(stray) == before

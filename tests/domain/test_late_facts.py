"""A fact that comes late to a small book: rewound to a rung, the book is as if it came in order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from domain import checkpoints
from domain.days import day_of
from domain.decisions import AlertFired, AssetDeclared, Bust
from domain.fact_codec import Correction
from domain.facts import Buy, Convert, Fact, Leg, Sell, Swap
from domain.portfolio import Portfolio
from infra.sources.scenario_file import parse_scenario
from services import statement
from tests.domain.make import Json, buy, scenario, sell

Said = tuple[str, Fact]


def opened(id: str, date: str, qty: str, amount: str) -> Json:
    return buy(id, date, qty, amount) | {"type": "short_open"}


def closed(id: str, date: str, qty: str, opens: str, lot: str) -> Json:
    return {
        "id": id, "type": "short_close", "date": date, "account": "A", "asset": "X", "qty": qty,
        "opens": opens, "lots": [{"lot": lot, "qty": qty}],
    }  # fmt: skip


SPLIT: Json = {
    "id": "two", "type": "split", "date": "2025-03-22", "asset": "X", "num": "2", "den": "1",
}  # fmt: skip
SHORTS = scenario(
    buy("h", "2024-01-02", "20", "1000", account="B"),
    opened("o", "2025-03-03", "10", "1000"),
    sell("s0", "2025-03-04", "2", "300", account="B"),
    opened("o2", "2025-03-08", "2", "260"),
    buy("b", "2025-03-10", "10", "1200"),
    closed("c", "2025-03-10", "10", "o", "b"),
    sell("s1", "2025-03-20", "3", "400", account="B"),
    SPLIT,
    sell("s2", "2025-03-25", "2", "100", account="B"),
    buy("b2", "2025-04-02", "4", "180"),
    closed("c2", "2025-04-02", "4", "o2", "b2"),
)
KEPT = scenario(
    buy("old", "2024-01-02", "9", "900"),
    buy("new", "2025-03-01", "6", "540"),
    sell("out", "2025-03-10", "4", "400", lots=[{"lot": "new", "qty": "4"}]),
    sell("l1", "2025-03-15", "3", "240", lots=[{"lot": "old", "qty": "3"}]),
    SPLIT,
    sell("l2", "2025-03-25", "8", "320", lots=[{"lot": "old", "qty": "8"}]),
    buy("again", "2025-04-10", "2", "100"),
    policy={"sold_replacements": "count"},
)
COINS = scenario(
    buy("b1", "2024-02-01", "4", "40", asset="Y"),
    buy("b2", "2024-03-01", "2", "60", asset="Y", account="B"),
    {"id": "t", "type": "transfer", "date": "2024-05-01", "from": "A", "to": "B", "asset": "Y",
     "qty": "1", "fee_qty": "1", "fee_amount": "20"},
    sell("s1", "2024-11-01", "1", "20", asset="Y", account="B"),
    sell("s2", "2025-02-01", "2", "20", asset="Y"),
    buy("b3", "2025-02-10", "1", "20", asset="Y"),
    policy={"pool": "universal_before_2025", "wash_sale": "conservative"},
)  # fmt: skip


def shown(portfolio: Portfolio) -> list[Any]:
    return [
        statement.disposals(portfolio),
        statement.lots(portfolio),
        portfolio.all_issues(),
        sorted(
            (each.loss.ref, each.replacement, each.quantity, each.disallowed, each.shifted)
            for book in portfolio.books.values()
            for each in book.matches()
        ),
    ]


def told(declared: Iterable[Said], facts: Iterable[Said], *, looking: bool) -> Portfolio:
    """Facts one by one; `looking`: a projection looks after each, so that the ladder is used."""
    portfolio = Portfolio()
    for ref, fact in declared:
        portfolio.add(ref, fact)
    portfolio.settle()
    for ref, fact in facts:
        portfolio.add(ref, fact)
        if looking:
            portfolio.settle()
            for book in portfolio.books.values():
                book.rewound = None
                book.touched.clear()
    portfolio.settle()
    return portfolio


STORIES = {"shorts": SHORTS, "kept": KEPT, "coins": COINS}
LATE_ONES = [(name, event["id"]) for name, story in STORIES.items() for event in story["events"]]


@pytest.mark.parametrize(("name", "late"), LATE_ONES)
def test_a_late_fact_and_its_bust_are_as_if_in_order_and_never(
    name: str, late: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "SMALL", 0)
    monkeypatch.setattr(checkpoints, "_STEP", 1)
    parsed = parse_scenario(STORIES[name])
    facts = [(ref, fact) for ref, fact, _ in parsed.events]
    others = [said for said in facts if said[0] != late]
    (it,) = [said for said in facts if said[0] == late]
    in_order = told(parsed.declarations, facts, looking=False)
    portfolio = told(parsed.declarations, [*others, it], looking=True)
    assert shown(portfolio) == shown(in_order)
    portfolio.add(late, Bust(effective_at="2026-01-02"))
    portfolio.settle()
    assert shown(portfolio) == shown(told(parsed.declarations, others, looking=False))


def declared(*names: str) -> list[Said]:
    return [
        (
            f"asset:{name}",
            AssetDeclared(effective_at="", asset=name, asset_class="stock", group=name),
        )
        for name in names
    ]


def bought(asset: str, day: str, quantity: str = "2") -> Buy:
    return Buy(effective_at=day, account="A", asset=asset, quantity=quantity, amount="20")


def test_a_conversion_learned_late_makes_one_book_of_two() -> None:
    facts: list[Said] = [("x", bought("X", "2025-01-02")), ("z", bought("Z", "2025-01-03"))]
    portfolio = told(declared("X", "Z"), facts, looking=True)
    assert sorted(portfolio.books) == ["X", "Z"]
    wrap = Convert(effective_at="2025-02-03", account="A", out=Leg("X", "1"), into=Leg("Z", "1"))
    portfolio.add("w", wrap)
    portfolio.settle()
    assert sorted(portfolio.books) == ["X"]
    assert portfolio.changed == portfolio.refolded == {"X", "Z"}
    again = told(declared("X", "Z"), [*facts, ("w", wrap)], looking=False)
    assert shown(portfolio) == shown(again)


def test_a_fact_after_the_day_of_the_view_is_in_no_book_and_can_be_corrected_into_one() -> None:
    portfolio = Portfolio(until_day=day_of("2025-06-30"))
    for ref, fact in [*declared("X"), ("b", bought("X", "2025-07-01"))]:
        portfolio.add(ref, fact)
    portfolio.settle()
    assert statement.lots(portfolio) == []
    earlier = bought("X", "2025-06-30")
    portfolio.add("b", Correction(effective_at="2025-07-02", fact=earlier))
    portfolio.settle()
    assert [lot["acquired"] for lot in statement.lots(portfolio)] == ["2025-06-30"]


def test_alerts_of_the_log_change_no_book() -> None:
    portfolio = told(declared("X"), [("b", bought("X", "2025-01-02"))], looking=True)
    before = shown(portfolio)
    alert = AlertFired(
        effective_at="2025-02-01", rule="notice", crossing=1, scope="", metric="harvestable_loss",
        threshold="5", value="10", position=2,
    )  # fmt: skip
    portfolio.add("alert", alert)
    portfolio.settle()
    assert (portfolio.changed, shown(portfolio)) == (set(), before)


def test_a_sale_refused_for_want_of_units_counts_when_the_purchase_is_learned() -> None:
    sale = Sell(effective_at="2025-02-03", account="A", asset="X", quantity="1", amount="9")
    portfolio = told(declared("X"), [("s", sale)], looking=True)
    assert [issue.code for issue in portfolio.all_issues()] == ["insufficient_units"]
    portfolio.add("b", bought("X", "2025-01-02"))
    portfolio.settle()
    assert portfolio.all_issues() == []
    assert [row["event"] for row in statement.disposals(portfolio)] == ["s"]


def test_a_swap_that_was_held_out_is_forgotten_with_its_bust() -> None:
    """Its other leg was in another book, which is as if it had never been told of the swap."""
    swap = Swap(effective_at="2025-02-03", account="A", out=Leg("X", "3"), into=Leg("Z", "1"),
                amount="9")  # fmt: skip
    facts = [("x", bought("X", "2025-01-02")), ("z", bought("Z", "2025-01-03"))]
    portfolio = told(declared("X", "Z"), [*facts, ("w", swap)], looking=True)
    assert [(each.ref, each.code) for each in portfolio.all_issues()] == [
        ("w", "insufficient_units")
    ]
    portfolio.add("w", Bust(effective_at="2025-02-04"))
    portfolio.settle()
    assert shown(portfolio) == shown(told(declared("X", "Z"), facts, looking=False))

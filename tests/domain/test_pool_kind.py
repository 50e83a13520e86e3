"""How laws of pools keep and show their books: whole again after each batch, nothing chosen."""

from __future__ import annotations

import pytest

from domain.decisions import AssetDeclared, PolicyElected
from domain.facts import Buy, Sell
from domain.policy import Policy
from domain.pool_books.book import PoolBook
from domain.portfolio import Portfolio
from domain.rules.registry import rule_set
from services import statement
from tests.domain.pool_books.records import folded
from tests.domain.pool_books.told import ASSETS, answer, buy, sell

START = "0001-01-01"


@pytest.mark.parametrize("law", ["UK", "CA"])
def test_every_batch_writes_the_book_again_and_a_late_purchase_changes_an_earlier_row(
    law: str,
) -> None:
    """4 of 10 sold at a loss of 20; 4 bought within 30 days for 24: matched, or the loss denied."""
    made = Portfolio()
    for ref, fact in (
        ("law", PolicyElected(effective_at=START, jurisdiction=law)),
        ("asset", AssetDeclared(effective_at=START, asset="X", asset_class="stock", group="X")),
        ("b", Buy(effective_at="2023-01-02", account="A", asset="X", quantity="10", amount="100")),
        ("s", Sell(effective_at="2024-03-01", account="A", asset="X", quantity="4", amount="20")),
    ):
        made.add(ref, fact)
    made.settle()
    (before,) = statement.disposals(made)
    made.settle()
    assert made.refolded == set()
    late = Buy(effective_at="2024-03-11", account="A", asset="X", quantity="4", amount="24")
    made.add("late", late)
    made.settle()
    assert made.refolded == {"X"}
    (after,) = statement.disposals(made)
    assert (before["gain"], before["wash"]) == ("-20", "0")
    changed = {"UK": ("-4", "0"), "CA": ("-20", "20")}
    assert (after["gain"], after["wash"]) == changed[law]


@pytest.mark.parametrize("law", ["UK", "CA"])
def test_of_the_positions_a_law_of_pools_asks_two(law: str) -> None:
    """No lots are chosen and no purchase is told from another: the rest has nothing to decide."""
    rules = rule_set(law)
    assert rules.books.asks == ("abandonment", "wrap")
    assert rules.books.looks_ahead is True
    book = rules.books.new(Policy(rules), {}, 738000, ())
    assert isinstance(book, PoolBook)
    assert (book.policy.rules.jurisdiction, book.until_day) == (law, 738000)
    rules.books.finish(book, 738000)
    assert rules.books.steps().rewind((738000, 0, 0, 0, "", 0)) is None


def test_what_a_law_shows_has_its_name_its_rows_and_the_cost_that_is_left() -> None:
    events = [buy("2020-01-06", 10, 100), sell("2024-03-01", 4, 80), buy("2024-06-03", 1, 7,
              asset="Y")]  # fmt: skip
    uk, ca = answer("UK", events), answer("CA", events)
    assert uk["uk_disposals"] == [
        {"asset": "X", "date": "2024-03-01", "qty": "4", "proceeds": "80", "cost": "40",
         "gain": "40", "provisional": False,
         "matches": [{"rule": "s104", "qty": "4", "cost": "40"}]}
    ]  # fmt: skip
    assert ca["ca_disposals"] == [
        {"event": "e2", "asset": "X", "date": "2024-03-01", "qty": "4", "proceeds": "80",
         "acb": "40", "gain": "40", "denied": "0", "taxable": "40", "provisional": False}
    ]  # fmt: skip
    for name, shown in (("cost", uk["uk_pool"]), ("acb", ca["ca_pool"])):
        assert shown == [{"asset": "X", "qty": "6", name: "60"},
                         {"asset": "Y", "qty": "1", name: "7"}]  # fmt: skip


def test_several_rows_of_several_assets_are_shown_book_by_book() -> None:
    events = [buy("2020-01-06", 2, 20), buy("2020-01-06", 2, 60, asset="Y"),
              sell("2024-03-01", 1, 15, asset="Y"), sell("2024-03-04", 1, 15)]  # fmt: skip
    rows = answer("UK", events)["uk_disposals"]
    assert [(row["asset"], row["cost"]) for row in rows] == [("X", "10"), ("Y", "30")]
    portfolio = folded("UK", events)
    assert sorted(portfolio.books) == [asset["id"] for asset in ASSETS[:2]]

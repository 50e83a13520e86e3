"""Tokens that may be collectibles: the owner is asked, once a token, unless somebody said (f.3)."""

from __future__ import annotations

from typing import Any

import pytest

from domain.decisions import AssetDeclared, PolicyElected
from domain.facts import Buy, Sell
from domain.portfolio import Portfolio


def sold(*, position: str = "ask", until: str = "2026-02-02", **token: Any) -> Portfolio:
    """Two tokens of one group, bought on 2 January 2025 and sold on `until`."""
    portfolio = Portfolio()
    portfolio.add("policy", PolicyElected(effective_at="0001-01-01", digital_art=position))
    for name in ("ART1", "ART2"):
        said = AssetDeclared(
            effective_at="0001-01-01", asset=name, asset_class="nft", group="ART", **token
        )
        portfolio.add(f"asset/{name}", said)
        held: dict[str, Any] = {"account": "A", "asset": name, "quantity": "1"}
        portfolio.add(f"b-{name}", Buy(effective_at="2025-01-02", **held, amount="100"))
        portfolio.add(f"s-{name}", Sell(effective_at=until, **held, amount="300"))
    portfolio.settle()
    return portfolio


def asked(portfolio: Portfolio) -> list[str]:
    return [each.ref for each in portfolio.all_issues() if each.code == "collectible_not_stated"]


def codes(portfolio: Portfolio) -> list[str]:
    return [row.code for book in portfolio.books.values() for row in book.disposals]


def test_each_token_is_asked_about_at_its_first_long_term_sale() -> None:
    portfolio = sold()
    assert asked(portfolio) == ["s-ART1", "s-ART2"]
    assert not any(each.blocking for each in portfolio.all_issues())
    assert codes(portfolio) == ["", ""]


def test_a_token_that_is_sold_again_is_not_asked_about_again() -> None:
    portfolio = sold()
    held: dict[str, Any] = {"account": "A", "asset": "ART1", "quantity": "1"}
    portfolio.add("again", Buy(effective_at="2025-01-03", **held, amount="100"))
    portfolio.add("s-again", Sell(effective_at="2026-02-03", **held, amount="300"))
    portfolio.settle()
    assert asked(portfolio) == ["s-ART1", "s-ART2"]


def test_a_short_term_sale_asks_nothing() -> None:
    assert asked(sold(until="2025-12-30")) == []


@pytest.mark.parametrize(
    ("token", "code"),
    [({"collectible": True}, "C"), ({"collectible_reason": "the use of virtual land"}, "")],
    ids=["collectible", "said that it is none"],
)
def test_a_token_that_somebody_spoke_of_is_not_asked_about(
    token: dict[str, Any], code: str
) -> None:
    portfolio = sold(**token)
    assert asked(portfolio) == []
    assert codes(portfolio) == [code, code]


@pytest.mark.parametrize(("position", "code"), [("collectible", "C"), ("not_collectible", "")])
def test_the_position_taken_answers_for_all_the_others(position: str, code: str) -> None:
    portfolio = sold(position=position)
    assert asked(portfolio) == []
    assert codes(portfolio) == [code, code]

"""Swaps whose given leg was not covered: nothing was received either, in whichever book."""

from __future__ import annotations

import msgspec
import pytest

from domain.days import day_of
from domain.decisions import Bust
from domain.fact_codec import Correction
from domain.facts import Leg, LotPick, Swap
from domain.portfolio import Portfolio
from services import statement
from tests.domain.replay import Said
from tests.domain.test_portfolio import (
    TWO,
    UNIVERSAL,
    all_of,
    asset,
    bought,
    made,
    settle,
    sold,
    tiny_ladders,
)

__all__ = ["tiny_ladders"]  # the fixture


def swapped(day: str, out: str, quantity: str, into: str) -> Swap:
    given, received = Leg(out, quantity), Leg(into, "1")
    return Swap(effective_at=day, account="A", out=given, into=received, amount="9")


@pytest.mark.parametrize(("quantity", "held_out"), [("2", False), ("3", True)])
def test_a_swap_that_is_not_covered_brings_nothing_in_whenever_it_is_told(
    quantity: str, held_out: bool
) -> None:
    swap: Said = ("w", swapped("2025-03-03", "X", quantity, "Z"))
    later: Said = ("z2", sold("2025-06-02", "3", of="Z"))
    portfolio = made(*TWO, swap, later)
    issues = [(each.ref, each.code) for each in portfolio.all_issues()]
    refused = [("w", "insufficient_units"), ("z2", "insufficient_units")]
    assert issues == (refused if held_out else [])
    after = made(*TWO, later)
    settle(after, swap)
    assert all_of(after) == all_of(portfolio)


def test_a_swap_let_in_by_a_late_purchase_is_let_in_to_both_books() -> None:
    swap: Said = ("w", swapped("2025-03-03", "X", "3", "Z"))
    more: Said = ("x2", bought("2025-02-10"))
    portfolio = made(*TWO, swap)
    assert settle(portfolio, more) == ({"X", "Z"}, {"X", "Z"})
    assert all_of(portfolio) == all_of(made(*TWO, more, swap))
    assert portfolio.all_issues() == []


@pytest.mark.usefixtures("tiny_ladders")
def test_a_swap_held_out_again_leaves_both_books_as_if_it_had_never_been_let_in() -> None:
    swap: Said = ("w", swapped("2025-03-03", "X", "3", "Z"))
    portfolio = made(*TWO, ("x2", bought("2025-02-10")))
    settle(portfolio, swap)
    settle(portfolio, ("z2", bought("2025-04-04", of="Z")))
    settle(portfolio, ("x2", Bust(effective_at="2025-02-11")))
    told = (*TWO, swap, ("z2", bought("2025-04-04", of="Z")))
    assert all_of(portfolio) == all_of(made(*told))
    assert [(each.ref, each.code) for each in portfolio.all_issues()] == [
        ("w", "insufficient_units")
    ]


def test_a_swap_that_names_its_lots_too_late_is_let_in() -> None:
    swap = msgspec.structs.replace(swapped("2025-03-03", "X", "1", "Z"), lots=(LotPick("q", "1"),))
    portfolio = made(*TWO, ("w", swap))
    assert [each.code for each in portfolio.all_issues()] == ["identification_inadequate"]
    assert "w" in [lot["lot"] for lot in statement.lots(portfolio)]


@pytest.mark.parametrize("policy", [[], [UNIVERSAL]])
def test_a_swap_held_out_and_corrected_to_after_the_view_is_in_neither_book(
    policy: list[Said],
) -> None:
    """It named Z then, and names W now, of which the view has nothing."""
    portfolio = Portfolio(until_day=day_of("2025-03-31"))
    settle(portfolio, asset("W"), *policy, *TWO, ("w", swapped("2025-03-03", "X", "3", "Z")))
    mended = Correction(effective_at="2025-04-01", fact=swapped("2025-04-01", "X", "3", "W"))
    settle(portfolio, ("w", mended))
    assert all_of(portfolio)[1:] == all_of(made(*policy, *TWO))[1:]


def test_a_swap_of_what_was_never_bought_brings_nothing_in() -> None:
    portfolio = made(asset("X"), asset("Z"), ("w", swapped("2025-03-03", "X", "1", "Z")))
    assert statement.lots(portfolio) == []
    assert [each.code for each in portfolio.all_issues()] == ["insufficient_units"]

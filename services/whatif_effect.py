"""What hypothetical facts do: the portfolio with them, and the tax year before and after."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from domain.days import day_of
from domain.disposals import Disposal
from domain.exact import format_money, format_quantity
from domain.facts import Fact
from domain.portfolio import Portfolio
from domain.years import TaxYear, basis_of_tax, tax_of_year
from services import statement
from services.queries import Queries, View

DEFERRAL = (
    "Bought back at this price, the units have a basis lower by this much: it is taxed when they "
    "are sold. Tax is deferred, not forgiven."
)


def standing(queries: Queries, view: View) -> Portfolio:
    """The portfolio of a view as it stands, without facts dated ahead of its day."""
    portfolio = queries.portfolio(view)
    if view.is_live and statement.last_day(portfolio) > view.as_of:
        return queries.portfolio(_folded(view))
    return portfolio


def with_facts(queries: Queries, view: View, facts: Iterable[tuple[str, Fact]]) -> Portfolio:
    """A portfolio of the view's facts and hypothetical ones (ref, fact), folded together."""
    return added(queries.portfolio(_folded(view)), facts)


def added(portfolio: Portfolio, facts: Iterable[tuple[str, Fact]]) -> Portfolio:
    """That very portfolio with more facts; its owner must need it no more without them."""
    for ref, fact in facts:
        portfolio.add(ref, fact)
    portfolio.settle()
    return portfolio


def rows_of(portfolio: Portfolio, prefix: str) -> list[Disposal]:
    """Rows of hypothetical sales, which have refs of that prefix."""
    return [
        row
        for book in portfolio.books.values()
        for row in book.disposals
        if row.ref.startswith(prefix)
    ]


def washed_by(portfolio: Portfolio, prefix: str) -> list[dict[str, str]]:
    """The replacements that disallow losses of hypothetical sales."""
    return [
        {
            "replacement": match.replacement,
            "account": match.account.id,
            "qty": format_quantity(match.quantity),
            "disallowed": format_money(match.disallowed),
            "basis": "moves to the replacement" if match.shifted else "lost for good",
        }
        for book in portfolio.books.values()
        for match in book.matches()
        if match.loss.ref.startswith(prefix)
    ]


def effect(
    before: Portfolio, after: Portfolio, as_of: str, rows: Iterable[Disposal]
) -> dict[str, Any]:
    """What hypothetical `rows` do to the tax year: two whole computations, side by side.

    Three things apart: tax saved now, carryover created, and what is only deferred. By brackets
    where the profile has the year's figures, with the tables of the year `table`; else by the
    owner's two rates: `tax_before` and `tax_after` are then what gains and the deduction add to
    the tax, not whole taxes. `basis_of_tax` says which.
    """
    policy = after.declared.policy
    year = policy.rules.tax_year_of(day_of(as_of))
    was, becomes = _year(before, year), _year(after, year)
    tax_before, tax_after = tax_of_year(was, policy), tax_of_year(becomes, policy)
    found: dict[str, Any] = {
        "tax_saved_now": format_money(tax_before - tax_after),
        "carryover_created": format_money(_carry(becomes) - _carry(was)),
        "deferral": {
            "basis_lower_by": format_money(max(0, -sum(row.taxable for row in rows))),
            "says": DEFERRAL,
        },
        "basis_of_tax": basis_of_tax(was, policy),
        "table": None if was.tax is None else str(was.tax.table),
        "tax_before": format_money(tax_before),
        "tax_after": format_money(tax_after),
        "year_before": _shown(was),
        "year_after": _shown(becomes),
    }
    if was.tax is not None and was.tax.table != year:
        found["table_note"] = f"no table of {year} is held: that of {was.tax.table} was used"
    return found


def _folded(view: View) -> View:
    return View(view.taxpayer, view.as_of, view.known_at, is_live=False)


def _year(portfolio: Portfolio, year: int) -> TaxYear:
    return statement.outlook(portfolio, year, statement.year_sums(portfolio)).before


def _carry(year: TaxYear) -> int:
    return year.carry_short + year.carry_long


def _shown(year: TaxYear) -> dict[str, str]:
    return {
        "st": format_money(year.short), "lt": format_money(year.long),
        "net": format_money(year.net), "deduction": format_money(year.deduction),
        "carry_st": format_money(year.carry_short), "carry_lt": format_money(year.carry_long),
    }  # fmt: skip

"""Canada, individuals: average cost of identical properties, superficial loss, with sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.days import iso
from domain.decisions import ProfileStated
from domain.exact import format_money, format_quantity
from domain.pool_books.average_cost import AverageDisposal, average_cost
from domain.pool_books.book import pool_books
from domain.pool_books.harvest import pool_opportunities
from domain.pool_books.shown import shown_sections
from domain.rules.rule_set import Citation, RuleSet
from domain.years import Key, TaxYear

_CITATIONS = (
    Citation(
        "average_cost",
        "Identical properties of one owner have one average cost, over all accounts that are not "
        "registered.",
        "ITA 47(1)",
    ),
    Citation(
        "wash_sale",
        "A loss is superficial as far as the taxpayer or an affiliated person acquires identical "
        "property from 30 days before to 30 days after and one of them holds some at the end; "
        "denied is the loss x least of S, P, B over S.",
        "ITA 54 'superficial loss', 40(2)(g)(i), 251.1; CRA letter 2005-0150811E5",
    ),
    Citation(
        "wash_basis",
        "The denied loss joins the adjusted cost base of the property acquired.",
        "ITA 53(1)(f)",
    ),
    Citation(
        "wash_ira",
        "What a registered plan (RRSP, TFSA) acquires denies the loss for good.",
        "ITA 251.1(1)(g), 40(2)(g)(iv)",
    ),
    Citation(
        "wash_related",
        "A spouse and a controlled corporation are affiliated; their cost takes the loss.",
        "ITA 251.1(1)(a)-(b), 53(1)(f)",
    ),
    Citation(
        "swap",
        "An exchange disposes of what is given for the value of what is received.",
        "ITA 54 'disposition'; CRA, Guide for cryptocurrency users",
    ),
    Citation("fees", "Costs of buying join the cost, of selling reduce the proceeds.", "ITA 40(1)"),
    Citation("income", "Units received as income cost their value that day.", "ITA 52(1)"),
    Citation("gift", "A gift passes at fair market value.", "ITA 69(1)(b)-(c)"),
    Citation("inherited", "Units inherited cost their value at death.", "ITA 70(5)"),
    Citation(
        "transfer",
        "A move between own accounts is no disposition; to a spouse units pass at their cost.",
        "ITA 73(1)",
    ),
    Citation("split", "A split spreads the cost over the new units.", "ITA 47(1), 54"),
    Citation(
        "return_of_capital",
        "A return of capital reduces the cost; what is over is gain.",
        "ITA 53(2)(a), 40(3)",
    ),
    Citation(
        "netting",
        "Gains less losses of the year; half of the net gain is taxable.",
        "ITA 3(b), 38(a)",
    ),
    Citation(
        "carryover",
        "Net capital losses are carried forward without limit, against gains alone.",
        "ITA 111(1)(b)",
    ),
    Citation("tax_day", "The tax year is the calendar year.", "ITA 249(1)"),
)


def net_year(
    year: int,
    sums: Mapping[Key, int],
    carry: tuple[int, int],
    profile: ProfileStated,
    rules: RuleSet,
) -> TaxYear:
    """A year's net gain in full, with losses of other years; half of it is taxable (ITA 38(a))."""
    own = sum(amount for key, amount in sums.items() if key[0] == year)
    brought = sum(carry)
    used = min(brought, max(0, own))
    forward = brought - used + max(0, -own)
    return TaxYear(
        year=year,
        short=own - used,
        long=0,
        rate28=0,
        deduction=0,
        carry_short=forward,
        carry_long=0,
        carried_in=carry,
        taxable_income=None,
        used=used,
        tax=None,
        lines={
            "net_of_the_year": own,
            "losses_of_other_years": brought,
            "losses_used": used,
            "net_gain_before_inclusion_of_half": max(0, own - used),
            "losses_carried_forward": forward,
        },
    )


def _shown(row: AverageDisposal) -> dict[str, Any]:
    return {
        "event": row.ref,
        "asset": row.ring.group,
        "date": iso(row.day),
        "qty": format_quantity(row.quantity),
        "proceeds": format_money(row.proceeds),
        "acb": format_money(row.cost),
        "gain": format_money(row.gain),
        "denied": format_money(row.denied),
        "taxable": format_money(row.gain + row.denied),
        "provisional": row.is_provisional,
    }


CA = RuleSet(
    jurisdiction="CA",
    version="ca-2026-11",
    currency="CAD",
    books=pool_books(average_cost, pool_opportunities),
    net=net_year,
    citations={row.rule: row for row in _CITATIONS},
    sections=shown_sections("ca", _shown, "acb"),
    window_days=30,  # ITA 54 "superficial loss" (a)
    exchange="TSX",
    has_terms=False,
)

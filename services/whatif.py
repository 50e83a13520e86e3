"""What if: a hypothetical sale run through the engine, with what it allows, blocks and saves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from domain.days import day_of, iso, year_of
from domain.errors import ThresherError
from domain.exact import format_money, format_quantity, quantity, times
from domain.facts import Fact, LotPick, Sell
from domain.portfolio import Portfolio
from domain.years import TaxYear, tax_at_rates, year_of_many
from projections.disposals import disposal_piece
from projections.disposals import present as present_disposals
from services.queries import Queries, View
from services.statement import year_sums

HYPOTHETICAL = "whatif:sale"


class Unanswerable(ThresherError):
    """The hypothetical sale cannot be computed; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class HypotheticalSale:
    """What would be sold on the view's day; `price` None means the latest mark."""

    asset: str
    quantity: str
    price: str | None = None
    account: str | None = None
    lots: tuple[LotPick, ...] = ()


def sell(queries: Queries, view: View, sale: HypotheticalSale) -> dict[str, Any]:
    """The rows of the sale, the loss disallowed, the tax year before and after, and windows."""
    if not "0002" <= view.as_of[:4] <= "9997":
        raise Unanswerable(f"no windows can be counted around {view.as_of}")
    before = queries.portfolio(view)
    price, priced_by = _price(queries, view, sale)
    account = _account(before, sale)
    after = _with_sale(queries, view, sale, price, account)
    rows = [
        row for book in after.books.values() for row in book.disposals if row.ref == HYPOTHETICAL
    ]
    notes = [each for each in after.all_issues() if each.ref == HYPOTHETICAL]
    if not rows:
        said = f"{notes[0].says}; {notes[0].remedy}" if notes else "nothing of it is taxable"
        raise Unanswerable(said)
    return {
        "sale": {
            "asset": sale.asset,
            "account": account,
            "qty": sale.quantity,
            "price": price,
            "priced_by": priced_by,
            "on": view.as_of,
        },
        "rows": present_disposals(disposal_piece(row, after.declared.policy.rules) for row in rows),
        "gain": format_money(sum(row.gain for row in rows)),
        "disallowed": format_money(sum(row.wash for row in rows)),
        "washed_by": _washed_by(after),
        **effect(before, after, view),
        "do_not_buy_until": _blocked(after, sale, view, sum(row.open_loss for row in rows)),
        "notes": [each.says for each in notes],
    }


def effect(before: Portfolio, after: Portfolio, view: View) -> dict[str, Any]:
    """What the sale does to the tax year: two whole computations, side by side."""
    year = year_of(day_of(view.as_of))
    was, becomes = _year(before, year), _year(after, year)
    policy = after.declared.policy
    return {
        "tax_saved_now": format_money(tax_at_rates(was, policy) - tax_at_rates(becomes, policy)),
        "carryover_created": format_money(_carry(becomes) - _carry(was)),
        "year_before": _shown(was),
        "year_after": _shown(becomes),
    }


def _blocked(
    after: Portfolio, sale: HypotheticalSale, view: View, open_loss: int
) -> dict[str, str] | None:
    """Until when a purchase would disallow the loss, or None if there is nothing to lose."""
    if not open_loss:
        return None
    window_days = after.declared.policy.rules.window_days
    return {
        "group": after.declared.assets[sale.asset].group,
        "safe_from": iso(day_of(view.as_of) + window_days + 1),
        "loss_at_risk": format_money(open_loss),
    }


def _price(queries: Queries, view: View, sale: HypotheticalSale) -> tuple[str, str]:
    if sale.price is not None:
        return sale.price, "given"
    mark = queries.marks(view).get(sale.asset)
    if mark is None:
        raise Unanswerable(f"no mark of {sale.asset} on {view.as_of}: give --price")
    return format_quantity(mark.price), f"{mark.source} {mark.kind} of {mark.at}"


def _account(portfolio: Portfolio, sale: HypotheticalSale) -> str:
    held = {
        account: pool.quantity
        for book in portfolio.books.values()
        for (account, asset), pool in book.pools.items()
        if asset == sale.asset and pool.quantity
    }
    if sale.account is not None:
        return sale.account
    if not held:
        raise Unanswerable(f"no account holds {sale.asset}")
    enough = [name for name, units in held.items() if units >= quantity(sale.quantity)]
    if len(enough) == 1:
        return enough[0]
    listed = ", ".join(f"{name} ({format_quantity(units)})" for name, units in held.items())
    raise Unanswerable(f"{sale.asset} is held in {listed}: give --account")


def _with_sale(
    queries: Queries, view: View, sale: HypotheticalSale, price: str, account: str
) -> Portfolio:
    fact = Sell(
        effective_at=f"{view.as_of}T23:59:59",
        account=account,
        asset=sale.asset,
        quantity=sale.quantity,
        amount=times(price, sale.quantity),
        lots=sale.lots,
    )
    return with_facts(queries, view, [(HYPOTHETICAL, fact)])


def with_facts(queries: Queries, view: View, facts: Iterable[tuple[str, Fact]]) -> Portfolio:
    """A portfolio of the view's facts and hypothetical ones (ref, fact), folded together."""
    folded = View(view.taxpayer, view.as_of, view.known_at, is_live=False)
    portfolio = queries.portfolio(folded)
    for ref, fact in facts:
        portfolio.add(ref, fact)
    portfolio.settle()
    return portfolio


def _washed_by(portfolio: Portfolio) -> list[dict[str, str]]:
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
        if match.loss.ref == HYPOTHETICAL
    ]


def _year(portfolio: Portfolio, year: int) -> TaxYear:
    declared = portfolio.declared
    return year_of_many(year, year_sums(portfolio), declared.profile, declared.policy.rules)


def _carry(year: TaxYear) -> int:
    return year.carry_short + year.carry_long


def _shown(year: TaxYear) -> dict[str, str]:
    return {
        "st": format_money(year.short), "lt": format_money(year.long),
        "net": format_money(year.net), "deduction": format_money(year.deduction),
        "carry_st": format_money(year.carry_short), "carry_lt": format_money(year.carry_long),
    }  # fmt: skip

"""What if: a hypothetical sale run through the engine, with what it allows, blocks and saves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from domain.days import day_of, iso
from domain.disposals import Disposal
from domain.errors import ThresherError
from domain.exact import format_money, format_quantity, quantity, times
from domain.facts import LotPick, Sell
from domain.portfolio import Portfolio
from projections.disposals import disposal_piece
from projections.disposals import present as present_disposals
from services.queries import Queries, View
from services.whatif_effect import effect, rows_of, standing, washed_by, with_facts

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
    check_day(view)
    before = standing(queries, view)
    account = account_of(before, sale)
    price, priced_by = price_of(queries, view, sale, before)
    after = with_facts(queries, view, [(HYPOTHETICAL, fact_of(sale, view.as_of, price, account))])
    rows = sold_rows(after)
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
        "washed_by": washed_by(after, HYPOTHETICAL),
        **effect(before, after, view.as_of, rows),
        "do_not_buy_until": _blocked(after, sale, view, sum(row.open_loss for row in rows)),
        **queries.similar_beside(view, sale.asset, after),
        "notes": [each.says for each in after.all_issues() if each.ref == HYPOTHETICAL],
    }


def check_day(view: View) -> None:
    """Raises Unanswerable for a day without 61 days around it."""
    if not "0002" <= view.as_of[:4] <= "9997":
        raise Unanswerable(f"no windows can be counted around {view.as_of}")


def sold_rows(after: Portfolio) -> list[Disposal]:
    """The rows of the hypothetical sale; raises Unanswerable with the reason if it has none."""
    rows = rows_of(after, HYPOTHETICAL)
    if not rows:
        notes = [each for each in after.all_issues() if each.ref == HYPOTHETICAL]
        said = f"{notes[0].says}; {notes[0].remedy}" if notes else "nothing of it is taxable"
        raise Unanswerable(said)
    return rows


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


def price_of(
    queries: Queries, view: View, sale: HypotheticalSale, before: Portfolio
) -> tuple[str, str]:
    """(price of one unit, where it is from): the one given, else the latest mark.

    `before`: the portfolio of the view.
    """
    if sale.price is not None:
        return sale.price, "given"
    mark = queries.marks(view, before).get(sale.asset)
    if mark is None:
        raise Unanswerable(f"no mark of {sale.asset} on {view.as_of}: give --price")
    return format_quantity(mark.price), f"{mark.source} {mark.kind} of {mark.at}"


def account_of(portfolio: Portfolio, sale: HypotheticalSale) -> str:
    """The account that sells: the one named, or the only one that holds enough."""
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


def fact_of(sale: HypotheticalSale, as_of: str, price: str, account: str) -> Sell:
    """The sale as a fact of the last second of the day, after a standing order of that second."""
    return Sell(
        effective_at=f"{as_of}T23:59:59",
        seq=1,
        account=account,
        asset=sale.asset,
        quantity=sale.quantity,
        amount=times(price, sale.quantity),
        lots=sale.lots,
    )

"""What if the lot method were another one: the same sale by each method, side by side."""

from __future__ import annotations

from typing import Any

from domain.decisions import StandingOrder
from domain.disposals import Disposal
from domain.exact import format_money, format_quantity, money
from domain.lot_methods import LOT_METHODS
from domain.portfolio import Portfolio
from services.queries import Queries, View
from services.whatif import (
    HYPOTHETICAL,
    HypotheticalSale,
    account_of,
    check_day,
    fact_of,
    price_of,
    sold_rows,
)
from services.whatif_effect import added, effect, standing, with_facts


def compare(queries: Queries, view: View, sale: HypotheticalSale) -> dict[str, Any]:
    """The sale on the view's day by every lot method; only that sale uses the method.

    `tax_now` is what the sale adds to the year's tax (negative: saves), `carryover_created`
    what it leaves for later years; `in_force` names the method that would apply anyway.
    """
    check_day(view)
    before = standing(queries, view)
    account = account_of(before, sale)
    price, priced_by = price_of(queries, view, sale, before)
    fact = fact_of(sale, view.as_of, price, account)
    usual = with_facts(queries, view, [(HYPOTHETICAL, fact)])
    rows = sold_rows(usual)
    shared = effect(before, usual, view.as_of, rows)
    return {
        "sale": {
            "asset": sale.asset, "account": account, "qty": sale.quantity, "price": price,
            "priced_by": priced_by, "on": view.as_of,
        },
        "in_force": _line("in force", before, usual, view, rows),
        "methods": [
            _line(name, before, after, view, sold_rows(after))
            for name in LOT_METHODS
            for after in [_by_method(queries, view, name, fact.account, fact)]
        ],
        "basis_of_tax": shared["basis_of_tax"],
        "table": shared["table"],
    }  # fmt: skip


def _by_method(queries: Queries, view: View, name: str, account: str, fact: Any) -> Portfolio:
    """The sale under a standing order of the same second, which no earlier sale can use."""
    portfolio = with_facts(queries, view, [])
    order = StandingOrder(effective_at=fact.effective_at, account=account, method=name)
    portfolio.declared.add("whatif:order", order)
    return added(portfolio, [(HYPOTHETICAL, fact)])


def _line(
    name: str, before: Portfolio, after: Portfolio, view: View, rows: list[Disposal]
) -> dict[str, Any]:
    found = effect(before, after, view.as_of, rows)
    return {
        "method": name,
        "gain": format_money(sum(row.gain for row in rows)),
        "disallowed": format_money(sum(row.wash for row in rows)),
        "short": format_money(sum(row.taxable for row in rows if not row.is_long)),
        "long": format_money(sum(row.taxable for row in rows if row.is_long)),
        "tax_now": format_money(-money(found["tax_saved_now"])),
        "carryover_created": found["carryover_created"],
        "deferral": found["deferral"]["basis_lower_by"],
        "lots": _lots(rows),
    }


def _lots(rows: list[Disposal]) -> list[dict[str, str]]:
    units: dict[str, int] = {}
    for row in rows:
        units[row.lot] = units.get(row.lot, 0) + row.quantity
    return [{"lot": lot, "qty": format_quantity(quantity)} for lot, quantity in units.items()]

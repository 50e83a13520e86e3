"""What a portfolio says, in the sections of the oracle's answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from domain.days import day_of
from domain.exact import format_money, format_quantity, quantity
from domain.portfolio import Portfolio
from projections.wash_windows import DO_NOT_BUY
from services import statement
from services.statement import Mark

Json = dict[str, Any]
Place = Callable[[str, str], str]


def engine_answer(portfolio: Portfolio, scenario: Json, place: Place) -> Json:
    """Every section; `place` names the pool of basis that an account is in for an asset."""
    as_of = scenario["as_of"]
    marks = {
        asset: Mark(asset, quantity(price), as_of, "test", "manual")
        for asset, price in scenario["marks"].items()
    }
    return {
        "disposals": statement.disposals(portfolio),
        "open_lots": _placed(statement.lots(portfolio), place),
        "windows": _windows(portfolio, as_of),
        "income": [
            {"event": ref, "amount": format_money(amount)}
            for ref, amount in statement.incomes(portfolio)
        ],
        "nondeductible": _left(portfolio),
        "years": statement.year_rows(portfolio),
        "harvest": _placed(statement.harvest(portfolio, marks, day_of(as_of)), place),
        "refused": [
            {"event": issue.ref, "code": issue.code}
            for issue in portfolio.all_issues()
            if issue.blocking
        ],
    }


def _placed(rows: list[Json], place: Place) -> list[Json]:
    return [row | {"account": place(row["account"], row["asset"])} for row in rows]


def _windows(portfolio: Portfolio, as_of: str) -> list[Json]:
    return [
        {
            "event": each["event"],
            "asset": each["asset"],
            "open_qty": each["qty"],
            "open_loss": each["loss"],
            "last_day": each["last_day"],
            "safe_from": each["safe_from"],
        }
        for each in statement.windows(portfolio, as_of)
        if each["kind"] == DO_NOT_BUY
    ]


def _left(portfolio: Portfolio) -> list[Json]:
    return [
        {
            "event": each.ref,
            "lot": each.lot,
            "asset": each.asset.id,
            "qty": format_quantity(each.quantity),
            "basis": format_money(each.basis),
        }
        for book in portfolio.books.values()
        for each in book.departures
        if each.kind not in ("gift", "not_reported", "returned", "exercised")
    ]

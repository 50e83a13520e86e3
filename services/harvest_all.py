"""Harvest all: every lot with a loss sold together in one fold, recorded nowhere.

Opportunities take each lot as if it alone were sold, so that one purchase is counted against
every lot that it could replace. Sold together it disallows its units once: this says how much.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from domain.disposals import Disposal, WashMatch
from domain.exact import format_money, format_quantity, money, quantity, times
from domain.facts import LotPick, Sell
from domain.portfolio import Portfolio
from projections.schema import Piece
from projections.wash_windows import DO_NOT_BUY
from services import statement
from services.queries import Queries, View
from services.whatif import effect, with_facts

_REF = "whatif:harvest/"


def harvest_all(queries: Queries, view: View) -> dict[str, Any]:
    """What selling every lot under water on the view's day gives, oldest lot first.

    Totals and assets with `harvestable` (short, long) and `blocked`; the purchases that block;
    the tax year before and after; and what not to buy afterwards, until when.
    """
    before = queries.portfolio(view)
    after = with_facts(queries, view, _sales(queries.opportunities(view), view.as_of))
    rows = [row for row in _disposals(after) if row.ref.startswith(_REF)]
    opened = (
        each
        for each in statement.windows(after, view.as_of)
        if each["kind"] == DO_NOT_BUY and each["event"].startswith(_REF)
    )
    return {
        **_totals(rows),
        "assets": _by_asset(rows),
        "blocked_by": [
            _blocker(match)
            for book in after.books.values()
            for match in book.matches()
            if match.loss.ref.startswith(_REF)
        ],
        "do_not_buy": _by_group(opened),
        **effect(before, after, view),
    }


def _sales(found: Iterable[Piece], as_of: str) -> list[tuple[str, Sell]]:
    """One sale a lot and account, in the order in which the lots are held."""
    units: dict[tuple[str, str, str], int] = {}
    prices = {}
    for each in sorted(found, key=lambda each: (each["acquired"], each["lot"])):
        key = (each["lot"], each["account"], each["asset"])
        units[key] = units.get(key, 0) + quantity(each["qty"])
        prices[each["asset"]] = each["price"]
    sales = []
    for number, ((lot, account, asset), held) in enumerate(units.items(), start=1):
        sold = format_quantity(held)
        fact = Sell(
            effective_at=f"{as_of}T23:59:59",
            seq=number,
            account=account,
            asset=asset,
            quantity=sold,
            amount=times(prices[asset], sold),
            lots=(LotPick(lot, sold),),
        )
        sales.append((f"{_REF}{number}", fact))
    return sales


def _disposals(portfolio: Portfolio) -> list[Disposal]:
    return [row for book in portfolio.books.values() for row in book.disposals]


def _totals(rows: Iterable[Disposal]) -> dict[str, Any]:
    kept = list(rows)
    short = -sum(row.taxable for row in kept if not row.is_long)
    long = -sum(row.taxable for row in kept if row.is_long)
    return {
        "lots": len({(row.lot, row.account.id) for row in kept}),
        "value": format_money(sum(row.proceeds for row in kept)),
        "loss": format_money(-sum(row.gain for row in kept)),
        "blocked": format_money(sum(row.wash for row in kept)),
        "harvestable": format_money(short + long),
        "short": format_money(short),
        "long": format_money(long),
    }


def _by_asset(rows: list[Disposal]) -> list[dict[str, Any]]:
    """The same totals asset by asset, largest loss first."""
    assets: dict[str, list[Disposal]] = {}
    for row in rows:
        assets.setdefault(row.asset.id, []).append(row)
    found = sorted(assets.items(), key=lambda item: (sum(row.gain for row in item[1]), item[0]))
    return [{"asset": asset, **_totals(sold)} for asset, sold in found]


def _blocker(match: WashMatch) -> dict[str, Any]:
    return {
        "purchase": match.replacement,
        "account": match.account.id,
        "asset": match.asset.id,
        "qty": format_quantity(match.quantity),
        "lot": match.loss.lot,
        "sold": match.loss.asset.id,
        "disallowed": format_money(match.disallowed),
        "kept": match.shifted,
    }


def _by_group(opened: Iterable[Piece]) -> list[dict[str, str]]:
    """One line a group: the first safe day to buy, and the loss that a purchase would undo."""
    groups: dict[str, dict[str, Any]] = {}
    for each in opened:
        line = groups.setdefault(
            each["group"],
            {"group": each["group"], "safe_from": each["safe_from"], "loss": 0},
        )
        line["loss"] += money(each["loss"])
    return [line | {"loss": format_money(line["loss"])} for _, line in sorted(groups.items())]

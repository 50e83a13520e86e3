"""Harvest all: lots with a loss sold together in one fold, recorded nowhere.

Opportunities take each lot as if it alone were sold, so that one purchase is counted against
every lot that it could replace. Sold together it disallows its units once: this says how much.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from domain.days import day_of
from domain.disposals import Disposal, WashMatch
from domain.exact import format_money, format_quantity, money
from domain.portfolio import Portfolio
from projections.schema import Piece
from projections.wash_windows import DO_NOT_BUY
from services import statement
from services.queries import Queries, View
from services.whatif_effect import effect, rows_of, standing, with_facts
from services.whatif_lots import Candidate, Costs, above, candidates, sale_of

_REF = "whatif:harvest/"
FREE = Costs()
Sales = list[tuple[Candidate, int]]  # a lot, and how many of its first units are sold


def harvest_all(
    queries: Queries, view: View, least: int | None = None, costs: Costs = FREE
) -> dict[str, Any]:
    """What selling every lot under water on the view's day gives, oldest lot first.

    `least` (10**-36): only lots with a sub-lot of at least that harvestable loss. Totals and
    assets with `harvestable` (short, long) and `blocked`; the purchases that block; the tax year
    before and after; and what not to buy afterwards, until when.
    """
    before = standing(queries, view)
    found = losing(queries, view, before)
    kept = found if least is None else above(found, least)
    return sold_together(queries, view, before, [(each, each.units) for each in kept], costs)


def losing(queries: Queries, view: View, before: Portfolio) -> list[Candidate]:
    """Lots with a loss at the marks of the view's day, oldest first."""
    prices = {asset: mark.price for asset, mark in queries.marks(view, before).items()}
    return candidates(before, prices, day_of(view.as_of))


def sold_together(
    queries: Queries, view: View, before: Portfolio, sales: Sales, costs: Costs
) -> dict[str, Any]:
    """The answer to selling first units of these lots on the view's day, in this order."""
    facts = [
        (f"{_REF}{number}", sale_of(candidate, units, costs, view.as_of, number))
        for number, (candidate, units) in enumerate(sales, start=1)
    ]
    after = with_facts(queries, view, facts)
    rows = rows_of(after, _REF)
    alike = queries.similar(view, after)
    opened = (
        each
        for each in statement.windows(after, view.as_of)
        if each["kind"] == DO_NOT_BUY and each["event"].startswith(_REF)
    )
    return {
        **_totals(rows),
        "cost": format_money(sum(costs.of(units * each.price) for each, units in sales)),
        "sales": [_sale(candidate, units, costs) for candidate, units in sales],
        "assets": [each | {"swap_into": alike.best(each["asset"])} for each in _by_asset(rows)],
        "blocked_by": [
            _blocker(match)
            for book in after.books.values()
            for match in book.matches()
            if match.loss.ref.startswith(_REF)
        ],
        "do_not_buy": _by_group(opened),
        **effect(before, after, view.as_of, rows),
        "notes": [each.says for each in after.all_issues() if each.ref.startswith(_REF)],
    }


def _sale(candidate: Candidate, units: int, costs: Costs) -> dict[str, str]:
    value = units * candidate.price
    return {
        "lot": candidate.lot,
        "account": candidate.account,
        "asset": candidate.asset,
        "qty": format_quantity(units),
        "price": format_quantity(candidate.price),
        "value": format_money(value),
        "cost": format_money(costs.of(value)),
        "alone": format_money(candidate.realised(units, costs)),
    }


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

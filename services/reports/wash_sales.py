"""Wash-sale worksheet: each loss of a year, its units, what replaced them and where it went."""

from __future__ import annotations

from typing import Any

from domain.days import day_of, iso, year_of
from domain.disposals import Disposal, WashMatch
from domain.exact import format_money, format_quantity
from domain.kept_book import KeptBook
from projections.schema import Formats, merge, shown
from services.reports.sales import TaxReturn
from services.reports.tables import csv_text

Json = dict[str, Any]
_KEY = (
    *("sale", "lot", "account", "asset", "acquired", "sold", "outcome", "replacement"),
    *("replaced_in", "replaced_by", "bought", "days", "tacked", "went_to", "cause"),
)
_SUMS = ("qty", "loss", "disallowed", "replacement_qty", "basis_added")
COLUMNS = (
    *("sale", "lot", "account", "asset", "acquired", "sold", "qty", "loss", "outcome"),
    *("disallowed", "replacement", "replaced_in", "replaced_by", "bought", "days"),
    *("replacement_qty", "basis_added", "tacked", "went_to", "cause"),
)


def wash_sales(stated: TaxReturn) -> Json:
    """The worksheet as an object; amounts are exact, losses positive.

    The lines of one sale add up to its units and its loss. `days` is counted from the sale to
    the purchase, `tacked` are days added to the replacement's holding period (IRC 1223(3)).
    """
    pieces: list[Json] = []
    for book in stated.portfolio.books.values():
        matches: dict[int, list[WashMatch]] = {}
        for match in book.matches():
            matches.setdefault(match.loss.serial, []).append(match)
        for row in book.disposals:
            if row.is_loss and year_of(row.sold) == stated.year:
                pieces += _lines(row, matches.get(row.serial, []), book, day_of(stated.view.as_of))
    rows = merge(pieces, lambda piece: tuple(piece[name] for name in _KEY), _SUMS)
    rows.sort(key=lambda row: (row["sold"], row["sale"], row["lot"], row["bought"] or "~"))
    totals = {
        name: sum(row[name] for row in rows) for name in ("loss", "disallowed", "basis_added")
    }
    return {
        "report": "wash sales",
        **stated.frame,
        "rows": [shown(row, _FORMATS) for row in rows],
        "totals": {name: format_money(amount) for name, amount in totals.items()},
        "notes": list(stated.notes),
    }


def wash_sales_csv(worksheet: Json) -> str:
    """The worksheet as a table."""
    return csv_text(worksheet["rows"], COLUMNS)


def _lines(row: Disposal, matches: list[WashMatch], book: KeptBook, today: int) -> list[Json]:
    lines = [_matched(row, match) for match in matches]
    units = row.quantity - sum(match.loss_quantity for match in matches)
    if units:
        loss = -(row.proceeds - row.own_basis) - row.wash
        lines.append(_unmatched(row, units, loss, book, today))
    return lines


def _sold(row: Disposal) -> Json:
    return {
        "sale": row.ref, "lot": row.lot, "account": row.account.id, "asset": row.asset.id,
        "acquired": row.acquired_text, "sold": iso(row.sold),
    }  # fmt: skip


def _matched(row: Disposal, match: WashMatch) -> Json:
    days = match.bought - row.loss_day
    return _sold(row) | {
        "qty": match.loss_quantity,
        "loss": match.disallowed,
        "outcome": "disallowed",
        "disallowed": match.disallowed,
        "replacement": match.replacement,
        "replaced_in": match.account.id,
        "replaced_by": match.asset.id,
        "bought": iso(match.bought),
        "days": str(days),
        "replacement_qty": match.quantity,
        "basis_added": match.disallowed if match.shifted else 0,
        "tacked": str(match.tacked_days),
        "went_to": _where(row, match),
        "cause": f"{_act(row)} {_when(days)}",
    }


def _act(row: Disposal) -> str:
    closes_short = row.short_ref and not row.opened
    return "sold or sold short" if closes_short else "bought"


def _when(days: int) -> str:
    if not days:
        return "on the day of the sale"
    plural = "" if abs(days) == 1 else "s"
    return f"{abs(days)} day{plural} {'before' if days < 0 else 'after'} the sale"


def _where(row: Disposal, match: WashMatch) -> str:
    if match.into is not None and match.shifted:
        return f"basis of units that left in {match.into.ref}"
    if row.short_ref and not row.opened:
        return f"off the proceeds of {match.replacement}" if match.shifted else "lost: IRC 1091(e)"
    if match.shifted:
        return f"basis of {match.replacement}"
    if match.account.is_retirement:
        return "lost: bought in a retirement account (Rev. Rul. 2008-5)"
    return f"no basis: bought by {match.account.owner} (position taken)"


def _unmatched(row: Disposal, units: int, loss: int, book: KeptBook, today: int) -> Json:
    until = row.loss_day + book.policy.rules.window_days
    if row.account.marked_to_market:
        outcome, cause = "allowed", "marked to market (IRC 475(f))"
    elif not row.wash_classes:
        outcome, cause = "allowed", f"class {row.asset.asset_class.name} is not under the rule"
    elif today <= until:
        outcome, cause = "open", f"a purchase until {iso(until)} would disallow it"
    else:
        outcome, cause = "allowed", "no replacement within 30 days"
    return _sold(row) | {
        "qty": units, "loss": loss, "outcome": outcome, "disallowed": 0, "replacement": "",
        "replaced_in": "", "replaced_by": "", "bought": "", "days": "", "replacement_qty": 0,
        "basis_added": 0, "tacked": "", "went_to": "", "cause": cause,
    }  # fmt: skip


_FORMATS: Formats = dict.fromkeys(COLUMNS, str) | {
    "qty": format_quantity,
    "replacement_qty": format_quantity,
    **dict.fromkeys(("loss", "disallowed", "basis_added"), format_money),
}

"""Lots for plain-text books: what was acquired at which basis, what left for how much, and names.

Each piece of a lot appears once, with the basis that it has now or had when it was sold (after
wash sales), in the account where it is or from which it was sold. Units that left without a row
(gifts, sales in retirement accounts) do not appear.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from domain.exact import money, quantity
from services.queries import Queries, View
from services.reports.sales import Sale, all_sales

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9]+")
_COMMODITY_LENGTH = 20  # Beancount allows 24; the rest is for a number that tells two apart


@dataclass(frozen=True, slots=True)
class LotPiece:
    """Units of one lot: `quantity` in 10**-18, `cost` in 10**-36; `sale` if they left."""

    label: str
    account: str
    asset: str
    quantity: int
    cost: int
    bought: str
    held_since: str
    sale: Sale | None = None

    @property
    def opened(self) -> str:
        """The day of the purchase, or of the sale if units were delivered before (a short)."""
        return self.bought if self.sale is None else min(self.bought, self.sale.sold)


@dataclass(frozen=True, slots=True)
class LotHistory:
    """Pieces by day of purchase, gains without units (returns of capital), and the frame."""

    frame: dict[str, str]
    currency: str
    pieces: tuple[LotPiece, ...]
    without_units: tuple[Sale, ...]

    @property
    def accounts(self) -> set[str]:
        """Ids of every account that a piece or a gain names."""
        return {piece.account for piece in self.pieces} | {
            sale.account for sale in self.without_units
        }

    @property
    def assets(self) -> set[str]:
        """Ids of every asset that a piece names."""
        return {piece.asset for piece in self.pieces}


def lot_history(queries: Queries, view: View) -> LotHistory:
    """Every lot of a view, sold or open."""
    portfolio = queries.portfolio(view)
    sales = all_sales(queries, view, portfolio)
    pieces = [
        LotPiece(
            sale.lot, sale.account, sale.asset, sale.quantity, sale.basis, sale.bought,
            _day(sale.acquired, sale.bought), sale,
        )
        for sale in sales
        if not sale.is_without_units
    ]  # fmt: skip
    pieces += [
        LotPiece(
            lot["lot"], lot["account"], lot["asset"], quantity(lot["qty"]), money(lot["basis"]),
            lot["bought"], _day(lot["acquired"], lot["bought"]),
        )
        for lot in queries.lots(view)
    ]  # fmt: skip
    pieces.sort(key=lambda piece: (piece.opened, piece.label, piece.account))
    return LotHistory(
        view.frame,
        portfolio.declared.policy.currency,
        tuple(_numbered(pieces)),
        tuple(sale for sale in sales if sale.is_without_units),
    )


def _day(acquired: str, bought: str) -> str:
    return bought if acquired == "INHERITED" else acquired


def _numbered(pieces: list[LotPiece]) -> Iterable[LotPiece]:
    """Each piece of a lot with a label of its own, so that a sale names exactly one."""
    seen: dict[str, int] = {}
    for each in pieces:
        seen[each.label] = seen.get(each.label, 0) + 1
        yield LotPiece(
            f"{each.label} #{seen[each.label]}", each.account, each.asset, each.quantity,
            each.cost, each.bought, each.held_since, each.sale,
        )  # fmt: skip


def account_names(ids: Iterable[str]) -> dict[str, str]:
    """A part of an account name for each id: a capital or digit, then letters, digits, hyphens."""
    return _unique(ids, lambda id: _words(id)[:1].upper() + _words(id)[1:], ())


def commodity_names(ids: Iterable[str], currency: str) -> dict[str, str]:
    """A commodity for each asset: capitals, digits and hyphens, never the currency's own."""
    return _unique(ids, _commodity, (currency,))


def _commodity(id: str) -> str:
    name = _words(id).upper()[:_COMMODITY_LENGTH].rstrip("-")
    if not name[0].isalpha():
        name = f"X-{name}"[:_COMMODITY_LENGTH].rstrip("-")
    return name if len(name) > 1 else f"{name}-U"


def _words(id: str) -> str:
    return _NOT_IN_NAMES.sub("-", id).strip("-") or "X"


def _unique(
    ids: Iterable[str], name_of: Callable[[str], str], taken: Iterable[str]
) -> dict[str, str]:
    used = set(taken)
    names: dict[str, str] = {}
    for id in sorted(set(ids)):
        name, number = name_of(id), 1
        while name in used:
            number += 1
            name = f"{name_of(id)}-{number}"
        used.add(name)
        names[id] = name
    return names

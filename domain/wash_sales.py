"""Wash sales of one identical group: losses and purchases of the last 30 days, matched.

IRC 1091 and Reg. 1.1091-1, -2 as an online matching (rulebook c.17): a new purchase serves the
oldest unmatched losses first, a new loss takes the oldest unused purchases that are still
held. Fed in effective order, that is the offline rule, share for share.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from domain.assets import Asset
from domain.disposals import Disposal, WashMatch
from domain.lots import Lot

Weights = dict[str, tuple[int, int]]


class LotKeeper(Protocol):
    """What the rule asks of the book that owns the lots."""

    def split_off(self, lot: Lot, units: int) -> Lot: ...
    def place(self, first: Lot, lot: Lot) -> None: ...
    def renew(self, lot: Lot) -> Lot: ...


class Purchase(msgspec.Struct, gc=False, eq=False):
    """An acquisition of the last 30 days: `pieces` are its units that are still unused."""

    ref: str
    order: int
    day: int
    pieces: list[Lot]


class WashSales:
    """Matching state of one group, oldest first; what is over 30 days old is forgotten."""

    __slots__ = (
        "_book",
        "_count_earlier",
        "_weights",
        "_window",
        "matches",
        "open_losses",
        "recent",
    )

    def __init__(
        self,
        window_days: int,
        count_earlier_lots: bool,
        weights: Weights,
        book: LotKeeper,
    ) -> None:
        self._window = window_days
        self._count_earlier = count_earlier_lots
        self._weights = weights
        self._book = book
        self.recent: list[Purchase] = []
        self.open_losses: list[Disposal] = []
        self.matches: list[WashMatch] = []

    def purchased(self, lot: Lot, day: int) -> None:
        """A purchase: oldest unmatched losses first, then it waits 30 days for a loss."""
        horizon = day - self._window
        if self.open_losses:
            self._serve(lot, day, horizon)
        recent = self.recent
        if recent and recent[0].day < horizon:
            self._forget_before(horizon)
        if lot.quantity:
            recent.append(Purchase(lot.ref, lot.order, day, [lot]))

    def lost(self, loss: Disposal) -> None:
        """A loss: oldest unused held purchases first, then it waits 30 days for a purchase.

        A gain block uses up no replacement, and the purchase of the very units sold, or the
        rest of it, is none (Rev. Rul. 56-602).
        """
        horizon, own = loss.sold - self._window, loss.order
        recent = self.recent
        if recent and recent[0].day < horizon:
            self._forget_before(horizon)
        dead = 0
        for purchase in recent:
            if not purchase.pieces:
                dead += 1
            elif purchase.order != own and (self._count_earlier or purchase.order > own):
                self._match_pieces(loss, purchase)
                if not loss.open_quantity:
                    break
        if dead > 8 and 2 * dead > len(recent):
            recent[:] = [purchase for purchase in recent if purchase.pieces]
        if loss.open_quantity:
            self.open_losses.append(loss)

    def recent_purchase(self, order: int) -> Purchase | None:
        """The purchase of the last 30 days with that acquisition number."""
        return next((each for each in reversed(self.recent) if each.order == order), None)

    def joined(self, lot: Lot, purchase: Purchase) -> None:
        """Units of a recent, unused purchase come over from another group (a conversion)."""
        known = self.recent_purchase(purchase.order)
        if known is not None:
            known.pieces.append(lot)
            return
        joined = Purchase(purchase.ref, purchase.order, purchase.day, [lot])
        self.recent.append(joined)
        self.recent.sort(key=lambda each: each.order)

    def carved(self, lot: Lot, first: Lot) -> None:
        """`first` was split off the front of `lot`: both stay candidates."""
        if not self.recent or lot.order < self.recent[0].order:
            return
        purchase = self.recent_purchase(lot.order)
        if purchase is not None:
            at = next((i for i, piece in enumerate(purchase.pieces) if piece is lot), None)
            if at is not None:
                purchase.pieces.insert(at, first)

    def split(self, asset: Asset, numerator: int, denominator: int) -> None:
        """A stock split: unmatched losses count in new units."""
        for loss in self.open_losses:
            if loss.asset is asset:
                loss.open_quantity = loss.open_quantity * numerator // denominator

    def _serve(self, lot: Lot, day: int, horizon: int) -> None:
        losses = self.open_losses
        past = 0
        for loss in losses:
            if loss.open_quantity and loss.sold >= horizon:
                break
            past += 1
        del losses[:past]
        for loss in losses:
            if loss.open_quantity and lot.asset.asset_class.name in loss.wash_classes:
                self._match(loss, lot, day)
                if not lot.quantity:
                    break

    def _match_pieces(self, loss: Disposal, purchase: Purchase) -> None:
        kept: list[Lot] = []
        for piece in purchase.pieces:
            rest = piece
            if (
                piece.quantity
                and loss.open_quantity
                and piece.asset.asset_class.name in loss.wash_classes
            ):
                self._match(loss, piece, purchase.day)
                if piece.quantity and not piece.picked:
                    rest = self._book.renew(piece)
            if rest.quantity:
                kept.append(rest)
        purchase.pieces = kept

    def _forget_before(self, horizon: int) -> None:
        recent = self.recent
        past = 0
        for purchase in recent:
            if purchase.day >= horizon:
                break
            past += 1
        del recent[:past]

    def _match(self, loss: Disposal, lot: Lot, bought: int) -> None:
        """Disallows the loss of as many units as `lot` can replace (Reg. 1.1091-1(c), -2)."""
        open_units, disallowed = loss.open_quantity, loss.open_loss
        if loss.asset is lot.asset:
            units = loss_units = lot.quantity if lot.quantity < open_units else open_units
        else:
            units, loss_units = self._common_units(loss, lot)
        if loss_units != open_units:
            disallowed = disallowed * loss_units // open_units
        loss.open_quantity = open_units - loss_units
        loss.open_loss -= disallowed
        loss.wash += disallowed
        matched = self._book.split_off(lot, units)
        matched.used = True
        account = matched.account
        tacked = 0
        shifted = loss.account.owner in account.takes_from
        if shifted:
            tacked = loss.sold - loss.acquired
            matched.basis += disallowed
            matched.acquired -= tacked
        self._book.place(matched, lot)
        self.matches.append(
            WashMatch(
                loss, lot.ref, account, matched.asset, bought, units, loss_units, disallowed,
                tacked, shifted,
            )
        )  # fmt: skip

    def _common_units(self, loss: Disposal, lot: Lot) -> tuple[int, int]:
        """How many units of `lot` meet how many of `loss`, share for share of the group."""
        lot_number, lot_unit = self._weights[lot.asset.id]
        loss_number, loss_unit = self._weights[loss.asset.id]
        per_lot, per_loss = lot_number * loss_unit, loss_number * lot_unit
        held, lost = lot.quantity * per_lot, loss.open_quantity * per_loss
        if lost <= held:
            return min(lot.quantity, -(-lost // per_lot)), loss.open_quantity
        return lot.quantity, min(loss.open_quantity, -(-held // per_loss))

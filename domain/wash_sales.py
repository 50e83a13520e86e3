"""Wash sales of one identical group: losses and purchases of the last 30 days, matched.

IRC 1091 and Reg. 1.1091-1, -2 as an online matching (rulebook c.17): a new purchase serves the
oldest unmatched losses first, a new loss takes the oldest unused purchases that are still
held. Fed in effective order, that is the offline rule, share for share.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from domain.assets import Asset
from domain.disposals import Disposal, WashMatch
from domain.lots import Lot, part_of

Weights = dict[str, tuple[int, int]]


class Purchase:
    """An acquisition of the last 30 days: `pieces` are its units that are still unused."""

    __slots__ = ("day", "order", "pieces", "ref")

    def __init__(self, ref: str, order: int, day: int, pieces: list[Lot]) -> None:
        self.ref = ref
        self.order = order
        self.day = day
        self.pieces = pieces


class WashSales:
    """Matching state of one group. `split_off` and `place` belong to the book that owns lots."""

    __slots__ = (
        "_count_earlier", "_place", "_split_off", "_weights", "_window", "by_order", "matches",
        "open_losses", "recent",
    )

    def __init__(
        self,
        window_days: int,
        count_earlier_lots: bool,
        weights: Weights,
        split_off: Callable[[Lot, int], Lot],
        place: Callable[[Lot, Lot], None],
    ) -> None:
        self._window = window_days
        self._count_earlier = count_earlier_lots
        self._weights = weights
        self._split_off = split_off
        self._place = place
        self.recent: deque[Purchase] = deque()
        self.by_order: dict[int, Purchase] = {}
        self.open_losses: deque[Disposal] = deque()
        self.matches: list[WashMatch] = []

    def purchased(self, lot: Lot) -> None:
        """A purchase: oldest unmatched losses first, then it waits 30 days for a loss."""
        day = lot.origin
        losses = self.open_losses
        horizon = day - self._window
        while losses and (losses[0].sold < horizon or not losses[0].open_quantity):
            losses.popleft()
        for loss in losses:
            if not lot.quantity:
                break
            if loss.open_quantity and lot.asset.asset_class.name in loss.wash_classes:
                self._match(loss, lot, day)
        self._forget_before(horizon)
        if lot.quantity:
            purchase = Purchase(lot.ref, lot.order, day, [lot])
            self.recent.append(purchase)
            self.by_order[lot.order] = purchase

    def lost(self, loss: Disposal) -> None:
        """A loss: oldest unused held purchases first, then it waits 30 days for a purchase.

        A gain block uses up no replacement, and the purchase of the very units sold, or the
        rest of it, is none (Rev. Rul. 56-602).
        """
        self._forget_before(loss.sold - self._window)
        dead = 0
        for purchase in self.recent:
            pieces = purchase.pieces
            if not pieces:
                dead += 1
            elif purchase.order != loss.order and (
                self._count_earlier or purchase.order > loss.order
            ):
                self._match_pieces(loss, purchase)
                if not loss.open_quantity:
                    break
        if dead > 8 and 2 * dead > len(self.recent):
            self._drop_dead()
        if loss.open_quantity:
            self.open_losses.append(loss)

    def joined(self, lot: Lot, purchase: Purchase) -> None:
        """A recent, unused purchase comes over from another group (a conversion)."""
        known = self.by_order.get(purchase.order)
        if known is not None:
            known.pieces.append(lot)
            return
        joined = Purchase(purchase.ref, purchase.order, purchase.day, [lot])
        self.by_order[purchase.order] = joined
        self.recent = deque(sorted([*self.recent, joined], key=lambda each: each.order))

    def carved(self, lot: Lot, first: Lot) -> None:
        """`first` was split off the front of `lot`: both stay candidates."""
        purchase = self.by_order.get(lot.order)
        if purchase is not None and not lot.used:
            at = next((i for i, piece in enumerate(purchase.pieces) if piece is lot), None)
            if at is not None:
                purchase.pieces.insert(at, first)

    def split(self, asset: Asset, numerator: int, denominator: int) -> None:
        """A stock split: unmatched losses count in new units."""
        for loss in self.open_losses:
            if loss.asset is asset:
                loss.open_quantity = loss.open_quantity * numerator // denominator

    def _match_pieces(self, loss: Disposal, purchase: Purchase) -> None:
        kept: list[Lot] = []
        for piece in purchase.pieces:
            if (
                loss.open_quantity
                and piece.quantity
                and piece.asset.asset_class.name in loss.wash_classes
            ):
                self._match(loss, piece, purchase.day)
            if piece.quantity:
                kept.append(piece)
        purchase.pieces = kept

    def _match(self, loss: Disposal, lot: Lot, bought: int) -> None:
        """Disallows the loss of as many units as `lot` can replace (Reg. 1.1091-1(c), -2)."""
        units, loss_units = self._common_units(loss, lot)
        disallowed = part_of(loss.open_loss, loss_units, loss.open_quantity)
        loss.open_quantity -= loss_units
        loss.open_loss -= disallowed
        loss.wash += disallowed
        matched = self._split_off(lot, units)
        matched.used = True
        tacked = 0
        if matched.account.takes_basis:
            tacked = loss.sold - loss.acquired
            matched.basis += disallowed
            matched.acquired -= tacked
        self._place(matched, lot)
        self.matches.append(
            WashMatch(
                loss, lot.ref, matched.account, matched.asset, bought, units, loss_units,
                disallowed, tacked, matched.account.takes_basis,
            )
        )

    def _common_units(self, loss: Disposal, lot: Lot) -> tuple[int, int]:
        """How many units of `lot` meet how many of `loss`, share for share of the group."""
        if loss.asset is lot.asset:
            units = min(loss.open_quantity, lot.quantity)
            return units, units
        lot_number, lot_unit = self._weights[lot.asset.id]
        loss_number, loss_unit = self._weights[loss.asset.id]
        per_lot, per_loss = lot_number * loss_unit, loss_number * lot_unit
        held, lost = lot.quantity * per_lot, loss.open_quantity * per_loss
        if lost <= held:
            return min(lot.quantity, -(-lost // per_lot)), loss.open_quantity
        return lot.quantity, min(loss.open_quantity, -(-held // per_loss))

    def _forget_before(self, horizon: int) -> None:
        recent = self.recent
        while recent and recent[0].day < horizon:
            del self.by_order[recent.popleft().order]

    def _drop_dead(self) -> None:
        for purchase in self.recent:
            if not purchase.pieces:
                del self.by_order[purchase.order]
        self.recent = deque(purchase for purchase in self.recent if purchase.pieces)

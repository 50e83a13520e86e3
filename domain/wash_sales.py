"""Wash sales of one identical group: losses and purchases of the last 30 days, matched.

IRC 1091 and Reg. 1.1091-1, -2 as an online matching (rulebook c.17): a new purchase serves the
oldest unmatched losses first, a new loss takes the oldest unused purchases that are still
held. Fed in effective order, that is the offline rule, share for share.
"""

from __future__ import annotations

from domain.assets import Asset
from domain.disposals import Disposal, WashMatch
from domain.lots import Lot
from domain.policy import Policy
from domain.purchases import LotKeeper, Purchase, SoldUnits
from domain.weights import Weights, common_units

NEVER = 1 << 30
LONG_ANYHOW = 367  # days: whoever tacks so many is long-term on the day of the purchase


class WashSales:
    """Matching state of one group, oldest first; what is over 30 days old is forgotten."""

    __slots__ = (
        "_book",
        "_count_earlier",
        "_counts_overlap_once",
        "_passes",
        "_pools_pieces",
        "_takes_gains",
        "_unmatched",
        "_window",
        "kept_from",
        "matches",
        "recent",
        "siblings_count",
        "weights",
    )

    def __init__(self, policy: Policy, weights: Weights, book: LotKeeper) -> None:
        self._takes_gains = policy.gain_units == "in_order"
        self._counts_overlap_once = policy.overlap_days == "once"
        self._pools_pieces = policy.pool_pieces
        self._window = policy.rules.window_days
        self._count_earlier = policy.earlier_lots == "count"
        taxable_first = policy.replacement_order == "taxable_first"
        self._passes: tuple[bool | None, ...] = (False, True) if taxable_first else (None,)
        self.weights = weights
        self._book = book
        self._unmatched: list[Disposal] = []
        self.recent: list[Purchase] = []
        self.matches: list[WashMatch] = []
        self.kept_from = NEVER  # the day the oldest open short sale was opened
        self.siblings_count = True

    @property
    def open_losses(self) -> list[Disposal]:
        """Losses with units that no replacement has matched yet, in the order of matching."""
        return [row for row in self._unmatched if row.open_loss]

    def purchased(self, lot: Lot, day: int) -> None:
        """A purchase: oldest unmatched losses first, then it waits 30 days for a loss."""
        horizon = day - self._window
        if self._unmatched:
            self._serve(lot, day, horizon)
        recent = self.recent
        if recent and recent[0].day < horizon:
            self._forget_before(horizon)
        if lot.quantity:
            recent.append(Purchase(lot.ref, lot.order, day, [lot]))

    def purchased_together(self, lots: list[Lot], day: int) -> None:
        """One purchase that is several lots from the start (an option exercised)."""
        for lot in lots:
            self._serve(lot, day, day - self._window)
        first = lots[0]
        pieces = [lot for lot in lots if lot.quantity]
        self.recent.append(Purchase(first.ref, first.order, day, pieces))

    def lost(self, loss: Disposal) -> None:
        """A loss: oldest unused held purchases first, then it waits 30 days for a purchase.

        A gain block uses up no replacement, and the purchase of the very units sold, or the
        rest of it, is none (Rev. Rul. 56-602).
        """
        horizon, own = loss.sold - self._window, loss.order
        recent = self.recent
        if recent and recent[0].day < horizon:
            self._forget_before(horizon)
        if loss.opened or self.kept_from != NEVER:
            recent = self._around(loss.loss_day)
        dead = 0
        for retirement in self._passes if recent else ():
            for purchase in recent:
                if not purchase.pieces and not purchase.sold:
                    dead += 1
                elif purchase.order != own and (self._count_earlier or purchase.order > own):
                    self._match_pieces(loss, purchase, retirement)
                    if not loss.open_quantity:
                        break
        if dead > 8 and 2 * dead > len(recent):
            self.recent = [each for each in self.recent if each.pieces or each.sold]
        if loss.open_quantity:
            self._unmatched.append(loss)
            if loss.opened:  # a short counts as of the day on which it was opened
                self._unmatched.sort(key=lambda row: row.loss_day)

    def sold(self, lot: Lot, row: Disposal) -> None:
        """Unused units of a recent purchase left on a row; a later loss may still find them."""
        purchase = self.recent_purchase(lot.order)
        if purchase is not None and lot in purchase.pieces:
            place = lot.offset - row.quantity
            purchase.sold = (*purchase.sold, SoldUnits(row, row.quantity, place))

    def unmatched(self) -> list[Disposal]:
        """Rows that wait for a replacement, by a position taken gains too."""
        return [row for row in self._unmatched if row.open_quantity]

    def set_back(self, recent: list[Purchase], unmatched: list[Disposal], kept_from: int) -> None:
        """Takes over an earlier state (a checkpoint)."""
        self.recent, self._unmatched, self.kept_from = recent, list(unmatched), kept_from
        self.siblings_count = True

    def recent_purchase(self, order: int) -> Purchase | None:
        """The purchase of the last 30 days with that acquisition number."""
        for purchase in reversed(self.recent):
            if purchase.order == order:
                return purchase
        return None

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
            purchase.pieces.insert(purchase.pieces.index(lot), first)

    def split(self, asset: Asset, numerator: int, denominator: int) -> None:
        """A stock split: unmatched losses count in new units."""
        for loss in self._unmatched:
            if loss.asset is asset:
                loss.open_quantity = loss.open_quantity * numerator // denominator
        for gone in (units for purchase in self.recent for units in purchase.sold):
            if gone.asset is asset:
                gone.quantity = gone.quantity * numerator // denominator
                gone.offset = gone.offset * numerator // denominator

    def _around(self, day: int) -> list[Purchase]:
        window = self._window
        return [each for each in self.recent if day - window <= each.day <= day + window]

    def _serve(self, lot: Lot, day: int, horizon: int) -> None:
        losses = self._unmatched
        past = 0
        for loss in losses:
            if loss.open_quantity and (loss.opened or loss.sold) >= horizon:
                break
            past += 1
        if past:
            del losses[:past]
        name = lot.asset.asset_class.name
        for loss in losses:
            if loss.open_quantity and name in loss.wash_classes:
                self._match(loss, lot, day)
                if not lot.quantity:
                    break

    def _match_pieces(
        self, loss: Disposal, purchase: Purchase, retirement: bool | None = None
    ) -> None:
        if purchase.sold:
            self._match_sold(loss, purchase, retirement)
            return
        kept: list[Lot] = []
        for piece in purchase.pieces:
            rest = piece
            if (
                piece.quantity
                and loss.open_quantity
                and piece.asset.asset_class.name in loss.wash_classes
                and (self.siblings_count or not piece.picked)
                and (retirement is None or piece.account.is_retirement is retirement)
            ):
                self._match(loss, piece, purchase.day)
                if piece.quantity and not piece.picked:
                    rest = self._book.renew(piece)
            if rest.quantity:
                kept.append(rest)
        purchase.pieces = kept

    def _match_sold(self, loss: Disposal, purchase: Purchase, retirement: bool | None) -> None:
        """Units still held and units sold since, in the order of their places."""
        sold, purchase.sold = purchase.sold, ()
        every: list[Lot | SoldUnits] = [*purchase.pieces, *sold]
        kept: list[Lot] = []
        for units in sorted(every, key=lambda each: each.offset):
            if isinstance(units, Lot):
                purchase.pieces = [units]
                self._match_pieces(loss, purchase, retirement)
                kept += purchase.pieces
            elif (
                loss.open_quantity
                and units.asset.asset_class.name in loss.wash_classes
                and retirement is not True  # rows are of taxable accounts alone
            ):
                self._match_gone(loss, units, purchase)
        purchase.pieces = kept
        purchase.sold = tuple(units for units in sold if units.quantity)

    def _match_gone(self, loss: Disposal, gone: SoldUnits, purchase: Purchase) -> None:
        """The loss becomes basis of units on the row on which they left already."""
        units, loss_units = common_units(self.weights, loss, gone)
        disallowed = self.disallow(loss, loss_units)
        gone.quantity -= units
        gone.offset += units
        if loss.is_loss:
            shifted = loss.account.owner in gone.account.takes_from
            if shifted:
                gone.row.moved_in += disallowed
            self.matches.append(
                WashMatch(
                    loss, purchase.ref, gone.account, gone.asset, purchase.day, units, loss_units,
                    disallowed, 0, shifted, gone.row,
                )
            )  # fmt: skip

    def disallow(self, loss: Disposal, loss_units: int) -> int:
        """The loss of so many of its unmatched units, share by share."""
        disallowed = loss.open_loss
        if loss_units != loss.open_quantity:
            disallowed = disallowed * loss_units // loss.open_quantity
        loss.open_quantity -= loss_units
        loss.open_loss -= disallowed
        loss.wash += disallowed
        return disallowed

    def _forget_before(self, horizon: int) -> None:
        if self.kept_from != NEVER:
            horizon = min(horizon, self.kept_from - self._window)
        recent = self.recent
        past = 0
        for purchase in recent:
            if purchase.day >= horizon:
                break
            past += 1
        del recent[:past]

    def _match(self, loss: Disposal, lot: Lot, bought: int) -> None:
        """Disallows the loss of as many units as `lot` can replace (Reg. 1.1091-1(c), -2)."""
        if loss.asset is lot.asset:
            held, lost = lot.quantity, loss.open_quantity
            units = loss_units = held if held < lost else lost
        else:
            units, loss_units = common_units(self.weights, loss, lot)
        disallowed = self.disallow(loss, loss_units)
        if self._takes_gains and not loss.is_loss:  # uses the unit up, by a position taken
            self._book.place(self._book.split_off(lot, units, True), lot)
            return
        account = lot.account
        added = tacked = 0
        shifted = loss.account.owner in account.takes_from
        if shifted:
            added, tacked = disallowed, loss.sold - loss.acquired  # IRC 1223(3)
            if loss.opened or self._counts_overlap_once:
                tacked = self._days_tacked(loss, lot)
            if self._pools_pieces:  # of long-term pieces the term does not tell one from another
                tacked = max(0, min(tacked, LONG_ANYHOW - (lot.origin - lot.acquired)))
        self._book.place(self._book.split_off(lot, units, True, added, tacked), lot)
        self.matches.append(
            WashMatch(
                loss, lot.ref, account, lot.asset, bought, units, loss_units, disallowed,
                tacked, shifted,
            )
        )  # fmt: skip

    def _days_tacked(self, loss: Disposal, lot: Lot) -> int:
        """Days that the sold units were held (IRC 1223(3)), an overlap in full or once."""
        if self._counts_overlap_once and lot.acquired < loss.loss_day:
            return max(0, lot.acquired - loss.acquired)
        return loss.loss_day - loss.acquired

"""Checkpoints of a book, and the ladder of them that makes late facts cheap (DESIGN D6).

A rung keeps what is open (lots, purchases and losses of the window, short sales) and the lengths
of what only grows. Rewinding sets the same objects back, so that what was not touched since
stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from domain.book import Book
from domain.disposals import Disposal, Rewound
from domain.entries import Entry, OrderKey
from domain.lots import Lot, Pool
from domain.wash_sales import WashSales

SMALL = 1000  # books up to this many entries are simply folded anew
_STEP = 8
_LOTS_A_STEP = 64
_ROW_STATE = ("wash", "open_quantity", "open_loss", "moved_in")
_LOT_STATE = ("quantity", "basis", "offset", "loss_basis", "covered", "account")
_GROWING = ("disposals", "splits", "departures", "incomes", "issues")
_SCALARS = ("last_key", "next_serial", "next_order", "is_special", "is_handed_out")
_COPIED = ("pools", "shared", "members", "weights")

Undo = Callable[[], None]


class Rung:
    """The state of a book after the entry `key`; `count` entries were folded by then."""

    __slots__ = ("_book", "_kept_rows", "_lots", "_matches", "_rows", "_undo", "count", "key")

    def __init__(self, book: Book, count: int) -> None:
        self._book = book
        self.key: OrderKey = book.last_key
        self.count = count
        self._kept_rows = len(book.disposals)
        self._lots: dict[int, tuple[Any, ...]] = {}
        self._rows: list[tuple[Disposal, tuple[Any, ...]]] = []
        self._matches = {group: len(wash.matches) for group, wash in book.washes.items()}
        self._undo: list[Undo] = [self._book_state(book)]
        for pool in book.all_pools():
            self._undo.append(self._pool_state(pool))
        for wash in book.washes.values():
            self._undo.append(self._wash_state(wash))
        if book.shorts is not None:
            self._undo.append(book.shorts.checkpoint(self._keep_row))

    def rewind(self) -> Rewound:
        """Sets the book back to this rung; lots that differ from it count as touched."""
        book = self._book
        now = {lot.serial: lot for lot in book.open_lots()}
        before, rows = dict(book.washes), tuple(book.disposals[self._kept_rows :])
        undo_book, *others = self._undo
        undo_book()
        matches = {}
        for group, wash in before.items():
            kept = self._matches.get(group, 0)
            matches[group] = tuple(wash.matches[kept:])
            del wash.matches[kept:]
        for undo in others:
            undo()
        for row, state in self._rows:
            for name, value in zip(_ROW_STATE, state, strict=True):
                setattr(row, name, value)
        self._set_lots_back(now)
        return Rewound(
            serial=book.next_serial,
            kept_rows=self._kept_rows,
            rows=rows,
            kept_matches=dict(self._matches),
            matches=matches,
            changed=tuple(row for row, _ in self._rows),
        )

    def _set_lots_back(self, now: dict[int, Lot]) -> None:
        book = self._book
        for serial, lot in now.items():
            if serial not in self._lots:
                lot.quantity = lot.basis = 0
                book.touched.append(lot)
        for lot, *state in self._lots.values():
            if [getattr(lot, name) for name in _LOT_STATE] != state:
                for name, value in zip(_LOT_STATE, state, strict=True):
                    setattr(lot, name, value)
                lot.picked = False
                book.touched.append(lot)

    def _book_state(self, book: Book) -> Undo:
        scalars = [(name, getattr(book, name)) for name in _SCALARS]
        lengths = [(name, len(getattr(book, name))) for name in _GROWING]
        copies = [(name, dict(getattr(book, name))) for name in _COPIED]
        washes, shorts = dict(book.washes), book.shorts

        def undo() -> None:
            for name, value in scalars:
                setattr(book, name, value)
            for name, length in lengths:
                del getattr(book, name)[length:]
            for name, kept in copies:
                live = getattr(book, name)
                live.clear()
                live.update(kept)
            book.washes.clear()
            book.washes.update(washes)
            book.shorts = shorts

        return undo

    def _pool_state(self, pool: Pool) -> Undo:
        heap = [item for item in pool.heap if item[-1].quantity]
        heap.sort()
        for item in heap:
            self._keep_lot(item[-1])
        method, key, quantity = pool.method, pool.sort_key, pool.quantity
        wallets = None if pool.wallets is None else dict(pool.wallets)
        latest = pool.latest
        absorbers = {at: lot for at, lot in pool.absorbers.items() if lot.quantity}

        def undo() -> None:
            pool.heap = list(heap)
            pool.method, pool.sort_key, pool.quantity = method, key, quantity
            pool.wallets = None if wallets is None else dict(wallets)
            pool.absorbers, pool.latest = dict(absorbers), latest

        return undo

    def _wash_state(self, wash: WashSales) -> Undo:
        recent = [
            (each, list(each.pieces), [(gone, gone.quantity, gone.offset) for gone in each.sold])
            for each in wash.recent
        ]
        unmatched, kept_from = wash.unmatched(), wash.kept_from
        for row in unmatched:
            self._keep_row(row)
        for _, pieces, sold in recent:
            for lot in pieces:
                self._keep_lot(lot)
            for gone, _, _ in sold:
                self._keep_row(gone.row)

        def undo() -> None:
            for purchase, pieces, sold in recent:
                purchase.pieces = list(pieces)
                purchase.sold = tuple(gone for gone, _, _ in sold)
                for gone, quantity, offset in sold:
                    gone.quantity, gone.offset = quantity, offset
            wash.set_back([each for each, _, _ in recent], unmatched, kept_from)

        return undo

    def _keep_lot(self, lot: Lot) -> None:
        self._lots[lot.serial] = (
            lot, lot.quantity, lot.basis, lot.offset, lot.loss_basis, lot.covered, lot.account
        )  # fmt: skip

    def _keep_row(self, row: Disposal) -> None:
        self._rows.append((row, tuple(getattr(row, name) for name in _ROW_STATE)))


class Ladder:
    """Rungs of one book at growing distances from its last entry."""

    def __init__(self) -> None:
        self.rungs: list[Rung] = []
        self.count = 0

    def fold(
        self, book: Book, entries: list[Entry], fold: Callable[[Book, Iterable[Entry]], None]
    ) -> None:
        """Folds entries that come after all earlier ones, setting rungs on the way."""
        start, total = 0, len(entries)
        for stop in self._stops(book, total):
            fold(book, entries[start:stop])
            self.count += stop - start
            start = stop
            self.rungs.append(Rung(book, self.count))
        fold(book, entries[start:])
        self.count += total - start
        self._thin()

    def rewind(self, key: OrderKey) -> Rewound | None:
        """Back to the last rung before `key`; None if there is none: fold from the start."""
        while self.rungs and self.rungs[-1].key >= key:
            self.rungs.pop()
        if not self.rungs:
            return None
        self.count = self.rungs[-1].count
        return self.rungs[-1].rewind()

    def _stops(self, book: Book, total: int) -> list[int]:
        """Where rungs come in a batch: at doubling distances from its end."""
        if self.count + total <= SMALL:
            return []
        step = max(_STEP, sum(pool.quantity > 0 and len(pool.heap) for pool in book.all_pools())
                   // _LOTS_A_STEP)  # fmt: skip
        last = self.rungs[-1].count if self.rungs else 0
        if self.count + total - last < step:
            return []
        distances = []
        distance = 0 if total < 2 * step else step
        while distance < total:
            distances.append(total - distance)
            distance = 2 * distance or step
        return sorted(distances)

    def _thin(self) -> None:
        """Keeps a rung only as long as it is the last one at about its distance."""
        kept: list[Rung] = []
        nearest = 0
        for rung in reversed(self.rungs):
            distance = self.count - rung.count
            if not kept or distance >= 2 * nearest or len(kept) < 2:
                kept.append(rung)
                nearest = max(distance, _STEP)
        self.rungs = kept[::-1]

"""Trigger prices: per asset a lowest and a highest price between which no rule can cross.

Two heaps an asset: watchers to be asked when the price falls below theirs, and when it rises
above theirs. A tick that reaches nobody costs a look-up and two comparisons.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from heapq import heapify, heappop, heappush

from services.statement import Mark

Key = tuple[str, str]
ANY = 1 << 400  # above any price: asked at every tick of the asset
_NONE = -1
_SPARE = 64


class Slot:
    """One asset: its price, and the bounds within which nobody has to be asked."""

    __slots__ = ("above", "below", "high", "live", "low", "price")

    def __init__(self) -> None:
        self.price = _NONE
        self.low, self.high = _NONE, ANY
        self.below: list[tuple[int, int, Key]] = []
        self.above: list[tuple[int, int, Key]] = []
        self.live = 0


class Triggers:
    """Who must be asked at which price. Prices are integers of 10**-18 of the currency."""

    def __init__(self) -> None:
        self.slots: dict[str, Slot] = {}
        self._guards: dict[Key, tuple[int, tuple[str, ...]]] = {}
        self._serial = 0

    def guard(self, key: Key, below: Mapping[str, int], above: Mapping[str, int]) -> None:
        """Asks `key` when an asset falls below its price, or rises above it; replaces earlier."""
        self.forget(key)
        self._serial += 1
        self._guards[key] = (self._serial, (*below, *above))
        for asset, price in below.items():
            slot = self._slot(asset)
            heappush(slot.below, (-price, self._serial, key))
            slot.low = max(slot.low, price)
        for asset, price in above.items():
            slot = self._slot(asset)
            heappush(slot.above, (price, self._serial, key))
            slot.high = min(slot.high, price)

    def forget(self, key: Key) -> None:
        """Asks `key` no more."""
        _, assets = self._guards.pop(key, (0, ()))
        for asset in assets:
            slot = self.slots[asset]
            slot.live -= 1
            if len(slot.below) + len(slot.above) > 2 * slot.live + _SPARE:
                self._sweep(slot)

    def scan(self, ticks: Iterable[tuple[str, int]]) -> Iterator[str]:
        """Takes prices in; yields the asset of each that reaches somebody."""
        slots = self.slots
        for asset, price in ticks:
            slot = slots.get(asset)
            if slot is not None:
                slot.price = price
                if price < slot.low or price > slot.high:
                    yield asset

    def reached(self, asset: str) -> set[Key]:
        """Who has to be asked at the asset's price; each has to be guarded anew after that."""
        slot = self.slots[asset]
        found: set[Key] = set()
        while slot.below and -slot.below[0][0] > slot.price:
            self._take(heappop(slot.below), found)
        while slot.above and slot.above[0][0] < slot.price:
            self._take(heappop(slot.above), found)
        self._bound(slot)
        return found

    def _slot(self, asset: str) -> Slot:
        slot = self.slots.get(asset)
        if slot is None:
            slot = self.slots[asset] = Slot()
        slot.live += 1
        return slot

    def _take(self, item: tuple[int, int, Key], found: set[Key]) -> None:
        if self._stands(item):
            found.add(item[2])

    def _stands(self, item: tuple[int, int, Key]) -> bool:
        return self._guards.get(item[2], (0,))[0] == item[1]

    def _bound(self, slot: Slot) -> None:
        """Bounds by what is on top; what was replaced since is dropped when it comes there."""
        while slot.below and not self._stands(slot.below[0]):
            heappop(slot.below)
        while slot.above and not self._stands(slot.above[0]):
            heappop(slot.above)
        slot.low = -slot.below[0][0] if slot.below else _NONE
        slot.high = slot.above[0][0] if slot.above else ANY

    def _sweep(self, slot: Slot) -> None:
        slot.below = [each for each in slot.below if self._stands(each)]
        slot.above = [each for each in slot.above if self._stands(each)]
        heapify(slot.below)
        heapify(slot.above)
        self._bound(slot)


def prices_of(assets: Iterable[str], marks: Mapping[str, Mark]) -> Iterator[tuple[str, int]]:
    """Each asset with its price. One that has no mark any more reaches everybody, either way."""
    for asset in assets:
        mark = marks.get(asset)
        if mark is None:
            yield from ((asset, -1), (asset, ANY))
        else:
            yield asset, mark.price

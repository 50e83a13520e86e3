"""Guards: how far every price may move before a rule can cross.

Every metric grows when a price falls. So if it does not cross with all prices at once at a
common fall, it does not cross while each price stays above its own fallen one, whichever way
the prices go: each asset has its share of the distance, and no crossing can be missed. The same
with a rise for a rule that fires and waits to be re-armed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from domain.exact import ONE_DOLLAR
from domain.loss_curves import Curve
from domain.years import Key, Outlook
from services.live.triggers import ANY

Prices = Mapping[str, int]
_STEPS = 1 << 20  # a fall is searched to a millionth of the price
_MOST = 1 << 27  # and a rise to 128 times the price


@dataclass(frozen=True, slots=True)
class Metric:
    """What a rule watches over the curves in its scope, in 10**-36 (percent: of a percent).

    `opaque`: assets of books that have no curves, so that every tick of theirs asks.
    """

    name: str
    curves: Sequence[Curve]
    opaque: frozenset[str]
    outlook: Callable[[], Outlook]

    @property
    def is_exact(self) -> bool:
        """Whether the curves give the value itself, not a bound above it."""
        return not self.opaque and not any(curve.is_loose for curve in self.curves)

    def assets(self) -> set[str]:
        """The assets whose price it depends on."""
        return {curve.asset.id for curve in self.curves} | self.opaque

    def at(self, prices: Prices) -> int:
        """The value at these prices; an asset without one does not count."""
        priced = [(curve, prices[curve.asset.id]) for curve in self.curves
                  if curve.asset.id in prices]  # fmt: skip
        if self.name == "tax_saved":
            return self._saved(priced)
        loss = sum(curve.loss(price) for curve, price in priced)
        if self.name == "harvestable_loss":
            return loss
        cost = sum(curve.cost for curve, _ in priced)
        return 100 * loss * ONE_DOLLAR // cost if cost else 0

    def _saved(self, priced: list[tuple[Curve, int]]) -> int:
        outlook = self.outlook()
        change: dict[Key, int] = {}
        for curve, price in priced:
            for is_long, lines in ((False, curve.short), (True, curve.long)):
                if lines is not None:
                    key = (outlook.year, is_long, curve.asset.collectible)
                    change[key] = change.get(key, 0) - lines.loss(price)
        return outlook.saved(change)


def until_it_fires(metric: Metric, prices: Prices, threshold: int) -> dict[str, int]:
    """Per asset the price below which the rule has to be asked."""
    guarded = dict.fromkeys(metric.assets(), ANY)  # one without a price: at its first one
    if metric.opaque:
        return guarded
    known = {asset: prices[asset] for asset in guarded if asset in prices}

    def fallen(step: int) -> dict[str, int]:
        return {asset: price * (_STEPS - step) // _STEPS for asset, price in known.items()}

    step = _furthest(lambda step: metric.at(fallen(step)) < threshold, _STEPS)
    return guarded if step < 0 else guarded | fallen(step)


def until_it_rearms(metric: Metric, prices: Prices, level: int) -> dict[str, int]:
    """Per asset the price above which the rule has to be asked. `level`: see `Metric`.

    A first price of an asset adds to the cost that a percentage is of, so it asks as well.
    """
    known = {asset: prices[asset] for asset in metric.assets() if asset in prices}
    at_once = dict.fromkeys(metric.assets(), -1)
    if not metric.is_exact:
        return at_once

    def risen(step: int) -> dict[str, int]:
        return {asset: price * (_STEPS + step) // _STEPS for asset, price in known.items()}

    step = _furthest(lambda step: metric.at(risen(step)) >= level, _MOST)
    return at_once if step < 0 else at_once | risen(step)


def _furthest(holds: Callable[[int], bool], most: int) -> int:
    """The largest step up to `most` at which it holds, -1 if it does not at 0; it is monotone."""
    if not holds(0):
        return -1
    low, high = 0, 1
    while high < most and holds(high):
        low, high = high, high * 4
    high = min(high, most + 1)
    while high - low > 1:
        middle = (low + high) // 2
        if holds(middle):
            low = middle
        else:
            high = middle
    return low

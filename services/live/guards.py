"""Guards: how far every price may move before a rule can cross.

Every metric grows when a price falls. So if it does not cross with all prices at once at a
common fall, it does not cross while each price stays above its own fallen one, whichever way
the prices go: each asset has its share of the distance, and no crossing can be missed. The same
with a rise for a rule that fires and waits to be re-armed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence

from domain.exact import ONE_DOLLAR
from domain.loss_curves import Curve, Lines, merged
from domain.years import Key, Outlook
from services.live.triggers import ANY

Prices = Mapping[str, int]
ONE = 1 << 20  # a fall is searched to a millionth of the price
_MOST = 1 << 28  # and a rise to 256 times the price
_CHORDS = 4


class Metric:
    """What a rule watches over the curves in its scope, in 10**-36 (percent: of a percent).

    `opaque`: assets of books that have no curves, so that every tick of theirs asks. `is_exact`:
    whether the curves give the value itself, not a bound above it.
    """

    __slots__ = ("_costs", "_legs", "_outlook", "assets", "is_exact", "name", "opaque")

    def __init__(
        self,
        name: str,
        curves: Sequence[Curve],
        opaque: frozenset[str],
        outlook: Callable[[], Outlook],
    ) -> None:
        self.name = name
        self.opaque = opaque
        self.is_exact = not opaque and not any(curve.is_loose for curve in curves)
        self.assets = {curve.asset.id for curve in curves} | opaque
        self._outlook = outlook
        self._costs = [(curve.asset.id, curve.cost) for curve in curves]
        by_term = name == "tax_saved"
        legs: dict[tuple[str, bool, bool], list[Lines]] = {}
        for curve in curves:
            for is_long, lines in ((False, curve.short), (True, curve.long)):
                if lines is not None:
                    term = (is_long, curve.asset.collectible) if by_term else (False, False)
                    legs.setdefault((curve.asset.id, *term), []).append(lines)
        self._legs = [(asset, term, merged(each)) for (asset, *term), each in legs.items()]

    def at(self, prices: Prices) -> Callable[[int], int]:
        """The value as a function of a common scale of these prices (`ONE`: as they are).

        An asset without a price does not count.
        """
        legs = [(lines, prices[asset]) for asset, _, lines in self._legs if asset in prices]

        def loss(scale: int) -> int:
            found = 0
            for lines, price in legs:
                scaled = price * scale // ONE
                at = bisect_left(lines.breaks, scaled)
                found += lines.basis[at] - lines.units[at] * scaled
            return found

        if self.name == "harvestable_loss":
            return loss
        if self.name == "tax_saved":
            return self._saved(prices)
        cost = sum(cost for asset, cost in self._costs if asset in prices)
        return lambda scale: 100 * loss(scale) * ONE_DOLLAR // cost if cost else 0

    def _saved(self, prices: Prices) -> Callable[[int], int]:
        outlook = self._outlook()
        legs = [
            (lines, (outlook.year, is_long, collectible), prices[asset])
            for asset, (is_long, collectible), lines in self._legs
            if asset in prices
        ]

        def saved(scale: int) -> int:
            change: dict[Key, int] = {}
            for lines, key, price in legs:
                change[key] = change.get(key, 0) - lines.loss(price * scale // ONE)
            return outlook.saved(change)

        return saved


def until_it_fires(metric: Metric, prices: Prices, threshold: int) -> dict[str, int]:
    """Per asset the price below which the rule has to be asked."""
    guarded = dict.fromkeys(metric.assets, ANY)  # one without a price: at its first one
    if metric.opaque:
        return guarded
    value = metric.at(prices)
    step = _furthest(lambda step: threshold - 1 - value(ONE - step), ONE)
    if step < 0:
        return guarded
    return guarded | {asset: price * (ONE - step) // ONE for asset, price in prices.items()}


def until_it_rearms(metric: Metric, prices: Prices, level: int) -> dict[str, int]:
    """Per asset the price above which the rule has to be asked. `level`: it re-arms below.

    A first price of an asset adds to the cost that a percentage is of, so it asks as well.
    """
    at_once = dict.fromkeys(metric.assets, -1)
    if not metric.is_exact:
        return at_once
    value = metric.at(prices)
    step = _furthest(lambda step: value(ONE + step) - level, _MOST)
    if step < 0:
        return at_once
    return at_once | {asset: price * (ONE + step) // ONE for asset, price in prices.items()}


def _furthest(room: Callable[[int], int], most: int) -> int:
    """A step up to `most`, near the last one that leaves room (>= 0); -1 if none does.

    Room shrinks with the step. The chord through two steps lies on the safe side of a metric
    that is convex; every step taken is tried all the same.
    """
    low, left = 0, room(0)
    if left < 0:
        return -1
    high, lacking = 16, room(16)
    while lacking >= 0 and high < most:
        low, left = high, lacking
        high = min(high * 16, most)
        lacking = room(high)
    if lacking >= 0:
        return high
    for _ in range(_CHORDS):
        tried = low + (high - low) * left // (left - lacking)
        if tried == low:
            break
        now = room(tried)
        if now >= 0:
            low, left = tried, now
        else:
            high, lacking = tried, now
    return low

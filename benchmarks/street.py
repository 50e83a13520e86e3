"""The street: taxpayers with ten positions of ten lots, a rule each, and a market of 500 assets.

In the smallest street a position has two lots, so that all assets are held there too.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from itertools import islice

from domain.decisions import AssetDeclared
from domain.exact import ONE_DOLLAR
from domain.facts import Buy
from services.live.engine import Engine
from services.live.relief import Relief
from services.live.watched import Watched, level_below
from services.statement import Mark
from services.written import Taxpayer

ASSETS = 500
LEGS = 10
LOTS = 10
UNITS = 10
CHEAPEST, DEAREST = 60, 130  # what a unit cost; they are at 100 when it begins
PRICE = 100 * 10**18
AT = "2025-06-02T14:00:00Z"
_REARM = ONE_DOLLAR * 9 // 10
_TO_PRICE = 10**14  # prices walk in hundredths of a cent

Ticks = list[tuple[str, int]]


class Board(Mapping[str, Mark]):
    """The engine's own prices as marks."""

    def __init__(self, engine: Engine) -> None:
        self._slots = engine.triggers.slots
        self._opening = dict.fromkeys(names(), PRICE)

    def __getitem__(self, asset: str) -> Mark:
        slot = self._slots.get(asset)
        price = self._opening[asset] if slot is None or slot.price < 0 else slot.price
        return Mark(asset, price, AT, "bench", "trade")

    def __iter__(self) -> Iterator[str]:
        return iter(self._opening)

    def __len__(self) -> int:
        return len(self._opening)


def names() -> list[str]:
    """The assets of the market."""
    return [f"S{number}" for number in range(ASSETS)]


class Street:
    """Taxpayers with `lots` open lots in all, watched by one engine."""

    def __init__(self, lots: int, seed: str = "street") -> None:
        self._rng = random.Random(f"{seed}{lots}")
        self.lots = LOTS if lots > 1_000 else 2
        self.count = lots // (LEGS * self.lots)
        self._assets = self._in_turn()
        self.holders: dict[str, int] = dict.fromkeys(names(), 0)
        self.taxpayers = {f"t{number:06}": self._taxpayer() for number in range(self.count)}
        self.engine = Engine(self.taxpayers.__getitem__)
        self.board = Board(self.engine)
        self.relief = Relief(self.engine)
        for name in self.taxpayers:
            self.engine.watch((name, "loss"), self._rule())
        self.engine.advance(AT)
        self.fired_at_once = sum(1 for _ in self.engine.crossings(self.board))
        self.relief.sweep.may_cross(self.board)  # laid out, as the first audit does

    def _in_turn(self) -> Iterator[str]:
        """Every asset once, in random order, then every one again."""
        while True:
            yield from self._rng.sample(names(), ASSETS)

    def _taxpayer(self) -> Taxpayer:
        made, rng = Taxpayer(), self._rng
        for asset in islice(self._assets, LEGS):
            self.holders[asset] += 1
            made.portfolio.add(
                f"a:{asset}",
                AssetDeclared(
                    effective_at="0001-01-01", asset=asset, asset_class="stock", group=asset
                ),
            )
            for lot in range(self.lots):
                cost = rng.randint(CHEAPEST * 100, DEAREST * 100)
                bought = Buy(
                    effective_at=f"2024-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}",
                    account="A", asset=asset, quantity=str(UNITS), amount=f"{cost / 10:.2f}",
                )  # fmt: skip
                made.portfolio.add(f"{asset}:{lot}", bought)
        made.portfolio.settle()
        made.settle_without_writing()
        return made

    def _rule(self) -> Watched:
        """A threshold that a common fall of 2 to 30 % reaches, or nearly."""
        price = 100 * (1 - self._rng.uniform(0.02, 0.3))
        loss_a_unit = (DEAREST - price) ** 2 / 2 / (DEAREST - CHEAPEST)
        threshold = int(LEGS * self.lots * UNITS * loss_a_unit) * ONE_DOLLAR
        return Watched("harvestable_loss", "all", threshold, level_below(threshold, _REARM))

    def play(self, ticks: Ticks) -> int:
        """Takes ticks one by one; returns how many rules crossed."""
        engine, crossed = self.engine, 0
        for asset in engine.triggers.scan(ticks):
            engine.reach(asset)
            crossed += sum(1 for _ in engine.crossings(self.board))
        return crossed

    def play_latest(self, latest: dict[str, int], *, is_behind: bool) -> int:
        """Takes the latest price of each asset at once, as a market does that is or was late."""
        for asset in self.engine.triggers.scan(latest.items()):
            self.engine.reach(asset)
        return sum(1 for _ in self.relief.crossings(self.board, is_behind=is_behind))


def market(count: int, *, sigma: float, fall: float = 0.0, seed: int = 1) -> Ticks:
    """Ticks of all assets in random order: each step of a price has the deviation `sigma`.

    `fall`: the share by which every price has fallen in addition at the end.
    """
    rng = random.Random(seed)
    prices = dict.fromkeys(names(), 100.0)
    drift = (1 - fall) ** (ASSETS / count)
    ticks = []
    for asset in rng.choices(names(), k=count):
        price = prices[asset] = prices[asset] * drift * (1 + rng.gauss(0, sigma))
        ticks.append((asset, int(price * 10_000) * _TO_PRICE))
    return ticks


def least(ticks: Ticks) -> int:
    """The least that a loop in Python does with a tick: look up, store, compare."""
    slots = {name: [0, -1, 1 << 400] for name in names()}
    found = 0
    for asset, price in ticks:
        slot = slots.get(asset)
        if slot is not None:
            slot[0] = price
            if price < slot[1] or price > slot[2]:
                found += 1
    return found

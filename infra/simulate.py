"""A venue that is made up: orders filled in parts, trades told twice, late or busted, and prices.

For sizing and for tests: the same seed gives the same messages, whatever takes them in. Prices
walk in cents; every figure is exact text; each price has an instant of its own.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from domain.days import sortable_instant
from domain.exact import format_scaled

Json = dict[str, Any]
SOURCE = "simulated"
_ACCOUNT = "venue"
OPENS = datetime(2025, 1, 2, 14, 30, tzinfo=UTC)
_TICK = timedelta(seconds=1)
_LATE_BY = 50  # messages that overtake a late one, on average
_AGAIN = 50  # only what was told so recently is told again


@dataclass(frozen=True, slots=True)
class Shares:
    """How often something happens to a message, as shares of one; `busted` to trades alone."""

    redelivered: float = 0.05
    late: float = 0.02
    busted: float = 0.01
    poison: float = 0.0


class Said(NamedTuple):
    """One message: a `fact` of a taxpayer or a `mark` of an asset; text in place of its data is
    poison.
    """

    kind: str
    subject: str
    id: str
    data: Json | str

    @property
    def is_poison(self) -> bool:
        """Whether nobody can use it."""
        return isinstance(self.data, str)


class Venue:
    """Taxpayers who trade assets at prices that move. Asset 0 is a share, the others are coins.

    `opens`: the instant of its first price, in UTC. `swing`: by which share a price moves each
    time, as a standard deviation.
    """

    def __init__(
        self, seed: int, taxpayers: int, assets: int, shares: Shares, opens: datetime = OPENS,
        swing: float = 0.002,
    ) -> None:  # fmt: skip
        self._random = Random(f"thresher-venue-{seed}")
        self._orders = f"fill-{seed}"  # two venues may trade for the same taxpayers
        self._taxpayers = [f"T{number:04d}" for number in range(taxpayers)]
        self._cents = {f"A{number:03d}": 10_000 for number in range(assets)}
        self._assets = list(self._cents)
        self._held: dict[tuple[str, str], int] = {}  # in 10**-4 units
        self._shares = shares
        self._swing = swing
        self._now, self._number = opens, 0
        self._late: list[Said] = []
        self._told_of = {"fact": deque[Said](maxlen=_AGAIN), "mark": deque[Said](maxlen=_AGAIN)}

    def opening(self) -> Iterator[Said]:
        """What everybody declares, and a first price of each asset."""
        for taxpayer in self._taxpayers:
            for number, asset in enumerate(self._assets):
                kind = "crypto" if number else "stock"
                declared = {"id": asset, "type": "asset", "asset": asset, "class": kind}
                yield Said("fact", taxpayer, f"declare-{taxpayer}-{asset}", declared)
        for asset in self._assets:
            self._now += _TICK
            yield self._mark(asset)

    def day(self, messages: int, *, marks: float = 0.5) -> Iterator[Said]:
        """So many messages, a part of them prices; the last say what is still late."""
        random = self._random
        for _ in range(messages):
            self._now += _TICK
            if random.random() >= marks:
                yield from self._order()
            else:
                mark = self._mark(random.choice(self._assets))
                yield from self._late_or_told(mark)
            if random.random() * _LATE_BY < len(self._late):
                yield self._late.pop(random.randrange(len(self._late)))
        yield from self._late
        self._late = []

    def _order(self) -> Iterator[Said]:
        """An order filled in one to three parts; some of them late, told twice, or busted."""
        random = self._random
        taxpayer, asset = random.choice(self._taxpayers), random.choice(self._assets)
        held = self._held.get((taxpayer, asset), 0)
        sells = held > 0 and random.random() < 0.45
        left = random.randint(1, held) if sells else random.randint(1, 50_0000)
        parts = random.randint(1, 3)
        for part in range(parts):
            units = left if part == parts - 1 else random.randint(0, left)
            left -= units
            if not units:
                continue
            fill = self._fill(taxpayer, asset, units, sells=sells)
            if sells:
                self._held[taxpayer, asset] -= units
                yield from self._told(fill)
                continue
            told = list(self._late_or_told(fill))
            if told:  # of what is late nothing is sold
                self._held[taxpayer, asset] = self._held.get((taxpayer, asset), 0) + units
            yield from told

    def _late_or_told(self, said: Said) -> Iterator[Said]:
        if self._random.random() < self._shares.late:
            self._late.append(said)
        else:
            yield from self._told(said)

    def _told(self, said: Said) -> Iterator[Said]:
        random, shares, known = self._random, self._shares, self._told_of[said.kind]
        yield said
        known.append(said)
        if random.random() < shares.redelivered:
            yield random.choice(known)
        if random.random() < shares.poison:
            whole = json.dumps(said.data)
            text = random.choice(["no event", "{}", whole[: len(whole) // 2]])
            yield Said(said.kind, said.subject, f"poison-{said.id}", text)
        if said.kind == "fact" and random.random() < shares.busted:
            bust = {"id": said.id, "type": "bust", "date": self._now.date().isoformat()}
            yield Said("fact", said.subject, f"bust-{said.id}", bust)

    def _fill(self, taxpayer: str, asset: str, units: int, *, sells: bool) -> Said:
        self._number += 1
        id = f"{self._orders}-{self._number}"
        amount = format_scaled(units * self._cents[asset], 6)
        data: Json = {
            "id": id, "type": "sell" if sells else "buy", "ts": sortable_instant(self._now),
            "seq": self._number, "account": _ACCOUNT, "asset": asset,
            "qty": format_scaled(units, 4), "amount": amount,
        }  # fmt: skip
        return Said("fact", taxpayer, id, data)

    def _mark(self, asset: str) -> Said:
        cents = max(100, round(self._cents[asset] * (1 + self._random.gauss(0, self._swing))))
        self._cents[asset] = cents
        at = sortable_instant(self._now)
        data = {"asset": asset, "price": format_scaled(cents, 2), "time": at, "source": SOURCE}
        return Said("mark", asset, f"{asset}-{at}", data)

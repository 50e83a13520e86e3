"""A venue that is made up: orders filled in parts, trades told twice, late or busted, and prices.

For sizing and for tests: the same seed gives the same messages, whatever takes them in. Prices
walk in cents; every figure is exact text.
"""

from __future__ import annotations

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
_OPENS = datetime(2025, 1, 2, 14, 30, tzinfo=UTC)
_POISON = "no event"


@dataclass(frozen=True, slots=True)
class Shares:
    """How often something happens to a message, as shares of one."""

    redelivered: float = 0.05
    late: float = 0.02
    busted: float = 0.01
    poison: float = 0.0


class Said(NamedTuple):
    """One message: a `fact` of a taxpayer, a `mark` of an asset, or `poison`."""

    kind: str
    subject: str
    id: str
    data: Json | str


class Venue:
    """Taxpayers who trade assets at prices that move. Asset 0 is a share, the others are coins."""

    def __init__(self, seed: int, taxpayers: int, assets: int, shares: Shares) -> None:
        self._random = Random(f"thresher-venue-{seed}")
        self._taxpayers = [f"T{number:04d}" for number in range(taxpayers)]
        self._cents = {f"A{number:03d}": 10_000 for number in range(assets)}
        self._held: dict[tuple[str, str], int] = {}  # in 10**-4 units
        self._shares = shares
        self._now, self._number = _OPENS, 0
        self._late: list[Said] = []
        self._trades: list[Said] = []

    def opening(self) -> Iterator[Said]:
        """What everybody declares, and a first price of each asset."""
        for taxpayer in self._taxpayers:
            for number, asset in enumerate(self._cents):
                kind = "crypto" if number else "stock"
                declared = {"id": asset, "type": "asset", "asset": asset, "class": kind}
                yield Said("fact", taxpayer, f"declare-{taxpayer}-{asset}", declared)
        for asset in self._cents:
            yield self._mark(asset)

    def day(self, messages: int, *, marks: float = 0.5) -> Iterator[Said]:
        """So many messages, a part of them prices; the last say what is still late."""
        for _ in range(messages):
            self._now += timedelta(seconds=1)
            if self._random.random() < marks:
                yield self._mark(self._random.choice(list(self._cents)))
            else:
                yield from self._order()
            if self._late and self._random.random() < 0.2:
                yield self._late.pop(0)
        yield from self._late
        self._late = []

    def _order(self) -> Iterator[Said]:
        """An order filled in one to three parts; some of them late, told twice, or busted."""
        random, shares = self._random, self._shares
        taxpayer, asset = random.choice(self._taxpayers), random.choice(list(self._cents))
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
            if not sells and random.random() < shares.late:
                self._late.append(fill)  # and nothing is sold of it before
                continue
            self._held[taxpayer, asset] = self._held.get((taxpayer, asset), 0) + (
                -units if sells else units
            )
            yield from self._told(fill)

    def _told(self, fill: Said) -> Iterator[Said]:
        random, shares = self._random, self._shares
        yield fill
        self._trades.append(fill)
        if random.random() < shares.redelivered:
            yield random.choice(self._trades[-50:])
        if random.random() < shares.poison:
            yield Said("poison", fill.subject, f"poison-{self._number}", _POISON)
        if random.random() < shares.busted:
            bust = {"id": fill.id, "type": "bust", "date": self._now.date().isoformat()}
            yield Said("fact", fill.subject, f"bust-{fill.id}", bust)

    def _fill(self, taxpayer: str, asset: str, units: int, *, sells: bool) -> Said:
        self._number += 1
        id = f"fill-{self._number}"
        amount = format_scaled(units * self._cents[asset], 6)
        data: Json = {
            "id": id, "type": "sell" if sells else "buy", "ts": sortable_instant(self._now),
            "seq": self._number, "account": _ACCOUNT, "asset": asset,
            "qty": format_scaled(units, 4), "amount": amount,
        }  # fmt: skip
        return Said("fact", taxpayer, id, data)

    def _mark(self, asset: str) -> Said:
        cents = max(100, round(self._cents[asset] * (1 + self._random.gauss(0, 0.002))))
        self._cents[asset] = cents
        at = sortable_instant(self._now)
        data = {"asset": asset, "price": format_scaled(cents, 2), "time": at, "source": SOURCE}
        return Said("mark", asset, f"{asset}-{at}", data)

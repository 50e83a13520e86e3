"""What a made-up venue says, in phases: each is taken in whole before the next is said.

Facts and marks come on topics of their own, so which overtakes which is free. Phases make the
crossings the same all the same: rules and a first lot of facts, before there is a price; then
prices, which end so high that nobody has a loss; then more facts, at which nothing can fire; then
more prices. Each price has an instant of its own, after anything that the machine's clock says:
the instant of a crossing is that of its price, however late it is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from domain.days import sortable_instant
from domain.decisions import AlertRuleSet
from domain.exact import format_quantity, quantity
from infra.channels.kafka import cloud_event
from infra.simulate import SOURCE, Said, Shares, Venue
from services.ledger import Offer

OPENS = datetime(2090, 1, 3, 14, 30, tzinfo=UTC)
RECORDED_AT = "2025-03-01T12:00:00.000000Z"
SHARES = Shares(redelivered=0.05, late=0.02, busted=0.01, poison=0.01)


class Size(NamedTuple):
    """How much is said: orders and prices of both days of trading. `swing`: by which share a
    price moves each time. `loss`: in dollars, what rules on one asset watch at most. One
    taxpayer in so many as `broad` says has a rule on all it holds.
    """

    taxpayers: int
    assets: int
    orders: int
    marks: int
    swing: float = 0.002
    loss: int = 50
    broad: int = 1


class Feed:
    """The phases of one seed. The same seed says the same."""

    def __init__(self, seed: int, size: Size) -> None:
        self._seed = seed
        self._size = size

    @property
    def rules(self) -> list[Offer]:
        """Rules on single assets for everybody, and on all that they hold for some."""
        random = Random(f"thresher-rules-{self._seed}")
        return [
            Offer(f"T{number:04d}", "thresher", f"rule/{rule.name}", rule)
            for number in range(self._size.taxpayers)
            for rule in self._rules_of(random, is_broad=number % self._size.broad == 0)
        ]

    def _rules_of(self, random: Random, *, is_broad: bool) -> Iterator[AlertRuleSet]:
        loss = self._size.loss

        def rule(name: str, scope: str, threshold: int, **more: Any) -> AlertRuleSet:
            common = {"metric": "harvestable_loss", "channels": ("kafka",)} | more
            return AlertRuleSet(effective_at=RECORDED_AT, name=name, scope=scope,
                                threshold=str(threshold), **common)  # fmt: skip

        for name, more in (
            ("loss", {}), ("stays", {"dwell_seconds": 60}), ("share", {"metric": "loss_percent"}),
        ):  # fmt: skip
            scope = f"asset:A{random.randrange(self._size.assets):03d}"
            most = 3 if name == "share" else loss
            yield rule(name, scope, random.randint(max(1, most // 3), most), **more)
        if is_broad:
            yield rule("all", "all", loss * random.randint(2, 8))

    def phases(self) -> Iterator[tuple[str, list[Said]]]:
        """(kind, messages) of each phase: facts, prices, facts, prices."""
        size = self._size
        venue = Venue(self._seed, size.taxpayers, size.assets, SHARES, OPENS, size.swing)
        share = size.marks / (size.marks + size.orders)
        for day in (1, 2):
            said = list(venue.opening()) if day == 1 else []
            said += venue.day((size.marks + size.orders) // 2, marks=share)
            marks = [each for each in said if each.kind == "mark"]
            yield "facts", [each for each in said if each.kind == "fact"]
            yield "marks", [*marks, *_calm(marks)]


def _calm(marks: list[Said]) -> Iterator[Said]:
    """A last price of each asset at which no lot has a loss, before the next day begins."""
    latest: dict[str, dict[str, Any]] = {}
    for each in marks:
        if isinstance(each.data, dict):
            known = latest.get(each.subject)
            if known is None or known["time"] < each.data["time"]:
                latest[each.subject] = each.data
    last = datetime.fromisoformat(max(data["time"] for data in latest.values()))
    for number, (asset, data) in enumerate(sorted(latest.items()), start=1):
        at = sortable_instant(last + timedelta(milliseconds=number))
        price = format_quantity(quantity(data["price"]) * 9 // 5)
        yield Said("mark", asset, f"{asset}-{at}", data | {"price": price, "time": at})


def encoded(said: Said) -> bytes:
    """A message as it is sent to its topic."""
    if isinstance(said.data, str):
        return said.data.encode()
    return cloud_event(said.id, said.kind, said.subject, RECORDED_AT, said.data, SOURCE)

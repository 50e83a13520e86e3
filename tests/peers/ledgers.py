"""Random histories of one coin in a few wallets, plain enough for every peer."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

Event = dict[str, str]
WALLETS = ("Ash", "Birch", "Cedar")
START = datetime(2019, 1, 2, 9, 30, tzinfo=UTC)
EVENTS = 60
# So that a history ends before 2025, when pools of basis end (Rev. Proc. 2024-28).
STEP_HOURS = 24 * 30


@dataclass
class Wallets:
    """Units by wallet, so that nothing is sold that is not there."""

    chance: random.Random
    held: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(WALLETS, Decimal(0)))

    def units(self) -> Decimal:
        return Decimal(self.chance.randint(1, 50_000)) / 10_000

    def dollars(self, units: Decimal) -> Decimal:
        return units * Decimal(self.chance.randint(100, 9_999_999)) / 100

    def fee(self) -> Decimal:
        return Decimal(self.chance.choice((0, self.chance.randint(1, 999)))) / 100

    def filled(self) -> list[str]:
        return [wallet for wallet, units in self.held.items() if units > 0]

    def some_of(self, wallet: str) -> Decimal:
        """Part of what the wallet holds, quite often all of it."""
        whole = self.held[wallet]
        part = (whole * self.chance.randint(1, 9_999) / 10_000).quantize(Decimal("0.0001"))
        return whole if part == 0 or self.chance.random() < 0.2 else part


def history(seed: int, *kinds: str) -> list[Event]:
    """Purchases and events of the other `kinds`, each at an instant of its own."""
    wallets = Wallets(random.Random(f"peers {seed}"))
    moment, events = START, []
    for number in range(EVENTS):
        moment += timedelta(hours=wallets.chance.randint(1, STEP_HOURS), seconds=number)
        kind = wallets.chance.choice(("buy", *kinds))
        event = event_of(kind if wallets.filled() else "buy", wallets)
        events.append(event | {"id": f"e{number}", "ts": moment.isoformat()})
    return events


def event_of(kind: str, wallets: Wallets) -> Event:
    if kind in ("buy", "income"):
        wallet, units = wallets.chance.choice(WALLETS), wallets.units()
        wallets.held[wallet] += units
        fee = wallets.fee() if kind == "buy" else Decimal(0)
        return said(kind, wallet, units, wallets.dollars(units), fee)
    wallet = wallets.chance.choice(wallets.filled())
    units = wallets.some_of(wallet)
    wallets.held[wallet] -= units
    if kind == "transfer":
        return moved(wallet, units, wallets)
    return said(kind, wallet, units, wallets.dollars(units) + 10, wallets.fee())


def said(kind: str, wallet: str, units: Decimal, amount: Decimal, fee: Decimal) -> Event:
    return {
        "kind": kind, "wallet": wallet, "qty": f"{units:f}", "amount": f"{amount:f}",
        "fee": f"{fee:f}",
    }  # fmt: skip


def moved(wallet: str, units: Decimal, wallets: Wallets) -> Event:
    """A transfer that may cost some of the units that are sent."""
    to = wallets.chance.choice([each for each in WALLETS if each != wallet])
    costs = units > Decimal("0.001") and wallets.chance.random() < 0.5
    cost = Decimal("0.0005") if costs else Decimal(0)
    wallets.held[to] += units - cost
    return {
        "kind": "transfer", "wallet": wallet, "to": to, "qty": f"{units - cost:f}",
        "fee_qty": f"{cost:f}", "fee_amount": f"{wallets.dollars(cost):f}",
    }  # fmt: skip


def scenario(events: list[Event], policy: dict[str, Any]) -> dict[str, Any]:
    """The same history as our own scenario file."""
    return {
        "schema": "tlh-golden/1", "id": "peers", "policy": policy, "as_of": "2024-12-31",
        "accounts": [{"id": wallet, "custody": "self"} for wallet in WALLETS],
        "assets": [{"id": "COIN", "class": "crypto", "group": "COIN"}],
        "events": [ours(event) for event in events],
    }  # fmt: skip


def ours(event: Event) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "id": event["id"], "type": event["kind"], "asset": "COIN", "qty": event["qty"],
        "ts": event["ts"].replace("+00:00", "Z"),
    }  # fmt: skip
    if event["kind"] == "transfer":
        fee = {name: event[name] for name in ("fee_qty", "fee_amount")}
        return whole | fee | {"from": event["wallet"], "to": event["to"]}
    paid = {"amount": event["amount"]} | (
        {} if event["kind"] == "income" else {"fee": event["fee"]}
    )
    return whole | paid | {"account": event["wallet"]}

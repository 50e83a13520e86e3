"""A day trader of one fund who stays at about 100 units, 1 to 20 a trade, ten trades a day."""

from __future__ import annotations

import random
from datetime import date

from domain.accounts import Account
from domain.assets import Asset, asset_class
from domain.entries import Entry
from domain.exact import format_scaled
from domain.facts import Buy, Sell

HELD = 100_0000  # in 10**-4 units
A_DAY = 10
ASSET = Asset("FUND", asset_class("fund"), "FUND")
ACCOUNT = Account("broker")
_FIRST_DAY = date(1990, 1, 1).toordinal()

Trade = tuple[int, bool, int, int]  # day, sells, units in 10**-4, price in cents


def trades(count: int, *, whole: bool) -> list[Trade]:
    """The first trades of the history; `whole` units or fractions of four decimals."""
    draw = random.Random("thresher-day-trader").random
    found: list[Trade] = []
    held, cents = 0, 10_000
    for number in range(count):
        cents = max(1000, min(100_000, int(cents * (0.99 + draw() * 0.02) + 0.5)))
        units = 10_000 + int(draw() * 190_000)
        if whole:
            units -= units % 10_000
        sells = held >= HELD
        held += -units if sells else units
        found.append((_FIRST_DAY + number // A_DAY, sells, units, cents))
    return found


def entries(made: list[Trade]) -> list[Entry]:
    """The trades as the engine's entries."""
    sale = Sell(effective_at="2024-01-02", account="", asset="", quantity="1", amount="1")
    purchase = Buy(effective_at="2024-01-02", account="", asset="", quantity="1", amount="1")
    return [
        Entry(
            (day, 0, number, 3 if sells else 1, f"bench:{number}", 0),
            "sell" if sells else "buy",
            f"bench:{number}",
            ACCOUNT,
            ASSET,
            units * 10**14,
            units * cents * 10**30,
            0,
            sale if sells else purchase,
        )
        for number, (day, sells, units, cents) in enumerate(made)
    ]


def fact(trade: Trade, seq: int) -> Buy | Sell:
    """A trade as a fact; `seq` orders the trades of a day."""
    day, sells, units, cents = trade
    kind = Sell if sells else Buy
    return kind(
        effective_at=date.fromordinal(day).isoformat(), seq=seq, account="broker", asset="FUND",
        quantity=format_scaled(units, 4), amount=format_scaled(units * cents, 6),
    )  # fmt: skip

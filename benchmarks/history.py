"""The history that is folded: seeded, realistic trades, taxpayer by taxpayer, book by book.

A taxpayer makes 100 trades in about 17 months in five shares through two taxable accounts.
47 % are sales, of a part or (one in five) of the whole of what an account holds. Three shares
trade in whole units, two in fractions of four decimals; each price walks by up to 5 % a
trade. That gives 0.81 rows and 0.32 wash matches a fact; 19 % of the facts are washed sales.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from domain.accounts import Account
from domain.assets import Asset, asset_class
from domain.book import Book
from domain.elections import default_policy
from domain.entries import Entry
from domain.facts import Buy, Sell
from domain.handlers import fold

SEED = "thresher-bench-1"
TRADES = 100
ASSETS = 5
ACCOUNTS = 2
FRACTIONAL = (3, 4)
FIRST_DAY = date(2024, 1, 2).toordinal()
TO_UNITS = 10**10  # history quantities are in 10**-8, the engine's in 10**-18
TO_MONEY = 10**26  # history money is in 10**-10, the engine's in 10**-36
_WHOLE, _FRACTION, _CENT = 10**8, 10**4, 10**8

_POLICY = default_policy()
_STOCK = asset_class("stock")
_ASSETS = [Asset(f"S{number}", _STOCK, f"S{number}") for number in range(ASSETS)]
_ACCOUNTS = [Account(f"broker-{number}") for number in range(ACCOUNTS)]
_BUY = Buy(effective_at="2024-01-02", account="", asset="", quantity="1", amount="1")
_SELL = Sell(effective_at="2024-01-02", account="", asset="", quantity="1", amount="1")


class Trade(NamedTuple):
    """One trade: quantity in 10**-8 units, amount and fee in 10**-10 dollars."""

    number: int
    day: int
    account: int
    sells: bool
    quantity: int
    amount: int
    fee: int


BookTrades = list[Trade]


class Walk:
    """Holdings and prices of one taxpayer as the trades are drawn."""

    def __init__(self, taxpayer: int, days_a_trade: float) -> None:
        self.random = random.Random(f"{SEED}:{taxpayer}").random
        self.held = [[0] * ACCOUNTS for _ in range(ASSETS)]
        self.cents = [2_000 + self.below(40_000) for _ in range(ASSETS)]
        self.step = 2 * days_a_trade
        self.clock = self.random() * 30

    def below(self, bound: int) -> int:
        """A whole number from 0 to below `bound` (only random() draws alike on all Pythons)."""
        return int(self.random() * bound)

    def trade(self, number: int) -> tuple[int, Trade]:
        """The next trade, with its asset."""
        self.clock += self.random() * self.step
        asset = self.below(ASSETS)
        account = 0 if self.random() < 0.7 else 1
        self.cents[asset] = max(100, int(self.cents[asset] * (0.95 + self.random() * 0.1)))
        holding = self.held[asset]
        sells = self.random() < 0.58  # drawn more often than 45 %: nothing held, nothing sold
        if sells and not holding[account]:
            account = 1 - account
        sells = sells and holding[account] > 0
        quantity = self.quantity(asset)
        if sells:
            whole = self.random() < 0.2
            quantity = holding[account] if whole else min(holding[account], quantity)
        holding[account] += -quantity if sells else quantity
        amount = quantity * self.cents[asset]
        fee = min(self.below(100) * _CENT, amount)
        day = FIRST_DAY + int(self.clock)
        return asset, Trade(number, day, account, sells, quantity, amount, fee)

    def quantity(self, asset: int) -> int:
        """1 to 20 units, whole or with four decimals."""
        if asset in FRACTIONAL:
            return (1 + self.below(200_000)) * _FRACTION
        return (1 + self.below(20)) * _WHOLE


def trades_of(taxpayer: int, trades: int = TRADES, days_a_trade: float = 5.0) -> list[BookTrades]:
    """A taxpayer's trades by asset, which here is by book, each in the order of time."""
    walk = Walk(taxpayer, days_a_trade)
    books: list[BookTrades] = [[] for _ in range(ASSETS)]
    for number in range(trades):
        asset, trade = walk.trade(number)
        books[asset].append(trade)
    return books


def books_of(taxpayers: range) -> Iterator[BookTrades]:
    """The books of many taxpayers, one after the other."""
    for taxpayer in taxpayers:
        yield from trades_of(taxpayer)


def entries_of(asset: int, trades: BookTrades) -> list[Entry]:
    """A book's trades as the engine's entries."""
    held = _ASSETS[asset]
    return [
        Entry(
            (trade.day, 0, trade.number, 3 if trade.sells else 1, ref, 0),
            "sell" if trade.sells else "buy",
            ref,
            _ACCOUNTS[trade.account],
            held,
            trade.quantity * TO_UNITS,
            trade.amount * TO_MONEY,
            trade.fee * TO_MONEY,
            _SELL if trade.sells else _BUY,
        )
        for trade in trades
        for ref in (f"bench:{trade.number}",)
    ]


def folded(books: list[list[Entry]]) -> list[Book]:
    """The work that is measured: each book's entries through the engine's own fold."""
    done = []
    for entries in books:
        book = Book(_POLICY, {})
        fold(book, entries)
        done.append(book)
    return done

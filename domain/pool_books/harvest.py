"""Harvest from pools: each account's units as if sold alone, computed by the book itself."""

from __future__ import annotations

from collections.abc import Mapping

from domain.days import END_OF_DAY, iso
from domain.entries import Entry
from domain.exact import format_money, format_quantity
from domain.facts import Sell
from domain.harvest import Opportunity
from domain.lots import Lot
from domain.pool_books.book import PoolBook
from domain.pool_books.steps import ring_of

_TRIAL = "harvest:trial"
_LAST = 1 << 62


def pool_opportunities(book: PoolBook, marks: Mapping[str, int], day: int) -> list[Opportunity]:
    """Losses of a book of pools on `day` at `marks`, each account on a trial of its own."""
    own = [lot for lot in book.open_lots() if ring_of(lot.account, lot.asset).is_own]
    found = [
        _opportunity(book, lot, marks[lot.asset.id], day) for lot in own if lot.asset.id in marks
    ]
    return [each for each in found if each.loss > 0]


def _opportunity(book: PoolBook, lot: Lot, price: int, day: int) -> Opportunity:
    value = lot.quantity * price
    trial = PoolBook(book.policy, book.until_day, book.compute)
    trial.take_in([*book.entries, _sale(book, lot, value, day)])
    rows = [row for row in trial.disposals if row.ref == _TRIAL]
    basis, blocked = sum(row.basis for row in rows), sum(row.wash for row in rows)
    blockers = [match for match in trial.matches() if match.loss.ref == _TRIAL]
    latest = max(blockers, key=lambda match: match.bought, default=None)
    loss = basis - value
    return Opportunity(
        lot=lot,
        price=price,
        value=value,
        basis=basis,
        loss=loss,
        blocked=blocked,
        harvestable=loss - blocked,
        is_long=False,
        acquired=lot.acquired,
        days_to_long=0,
        blocked_by=latest.replacement if latest else "",
        blocked_until=latest.bought + book.policy.rules.window_days if latest else 0,
    )


def _sale(book: PoolBook, lot: Lot, value: int, day: int) -> Entry:
    """A sale of all units at the end of the day, after everything known."""
    last = max(day, book.last_key[0])
    fact = Sell(
        effective_at=iso(last), account=lot.account.id, asset=lot.asset.id,
        quantity=format_quantity(lot.quantity), amount=format_money(value),
    )  # fmt: skip
    key = (last, END_OF_DAY, _LAST, 3, _TRIAL, 0)
    return Entry(key, "sell", _TRIAL, lot.account, lot.asset, lot.quantity, value, 0, fact)

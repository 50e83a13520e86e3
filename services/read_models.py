"""Writing read models: the rows that one settled portfolio changed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection

from domain.days import day_of
from domain.entries import Issue
from domain.kept_book import KeptBook
from domain.years import basis_of_tax, tax_years
from projections import (
    data_issues,
    disposals,
    open_lots,
    opportunities,
    splits,
    tokens,
    wash_windows,
)
from projections import tax_years as years
from projections.alerts import ALERT_RULES, ALERTS
from projections.pending import ALERT_PENDING
from projections.rows import Changes, RowKey
from projections.schema import CHECKPOINTS, Projection, Row, parts
from services.marks import MarkBoard
from services.statement import opportunity_pieces
from services.written import Taxpayer, Written

K = TypeVar("K", bound=tuple[Any, ...])
V = TypeVar("V")
PROJECTIONS: tuple[Projection, ...] = (
    open_lots.OPEN_LOTS,
    disposals.DISPOSALS,
    wash_windows.WASH_WINDOWS,
    opportunities.OPPORTUNITIES,
    years.TAX_YEARS,
    data_issues.DATA_ISSUES,
    tokens.TOKENS,
    splits.SPLITS,
    ALERT_RULES,
    ALERTS,
    ALERT_PENDING,
)


def write_changes(changes: Changes, name: str, taxpayer: Taxpayer) -> bool:
    """Collects the rows of the books that the last `settle` changed, and of their owner.

    Returns whether the taxpayer's tokens or splits changed: what marks are worth to all.
    """
    portfolio, declared = taxpayer.portfolio, taxpayer.portfolio.declared
    for book_name in sorted(portfolio.changed | portfolio.refolded):
        book = portfolio.books.get(book_name)
        if book is None or book_name in portfolio.refolded:
            _clear_book(changes, name, book_name, taxpayer)
        if book is not None:
            _write_book(changes, name, book_name, book, taxpayer)
        _write_windows(changes, name, book_name, book, taxpayer)
        _write_issues(changes, name, book_name, book.issues if book else (), taxpayer)
    _write_issues(changes, name, "", portfolio.issues.values(), taxpayer)
    found = tax_years(taxpayer.sums(), declared.profile, declared.policy.rules)
    by_year = {(year.year,): (year, basis_of_tax(year, declared.policy)) for year in found}
    _write_others(
        changes, taxpayer, years.TAX_YEARS, (name,), by_year,
        lambda _, year: years.row(name, *year),
    )  # fmt: skip
    has_split = _write_others(
        changes, taxpayer, splits.SPLITS, (name,), taxpayer.splits(),
        lambda _, split: splits.row(name, split),
    )  # fmt: skip
    return has_split | _write_others(
        changes, taxpayer, tokens.TOKENS, (name,), taxpayer.tokens(),
        lambda _, token: tokens.row(name, token),
    )  # fmt: skip


def books_digest(taxpayer: Taxpayer) -> bytes:
    """SHA-256 over the lots, rows, windows, issues and sums of the books in memory.

    A book of which every fact was taken back is as if it had never been.
    """
    total = hashlib.sha256()
    for name, book in sorted(taxpayer.portfolio.books.items()):
        rules, sums = book.policy.rules, taxpayer.written[name].sums.sums
        told = (
            [open_lots.row("", name, lot) for lot in book.open_lots()],
            [disposals.row("", name, row, rules) for row in book.disposals],
            wash_windows.windows(book),
            book.issues,
            sorted(each for each in sums.items() if each[1]),
        )
        if any(told):
            total.update(repr((name, told)).encode())
    return total.digest()


def write_opportunities(
    changes: Changes, name: str, taxpayer: Taxpayer, board: MarkBoard, as_of: str
) -> None:
    """Collects the taxpayer's opportunities at the board's marks on the day `as_of` (ISO).

    Their checkpoint keeps the day and the last mark that counted. The caller drops the old ones.
    """
    sums, portfolio = taxpayer.sums(), taxpayer.portfolio
    for book_name, book in sorted(portfolio.books.items()):
        found = opportunity_pieces(portfolio, book, board.marks, day_of(as_of), sums)
        rows = [opportunities.row(name, book_name, piece) for piece in found]
        changes.add(opportunities.OPPORTUNITIES.table, rows)
    version = opportunities.OPPORTUNITIES.version
    changes.add(CHECKPOINTS, [(f"opportunities:{name}", version, board.last_id, as_of)])


def drop_opportunities(changes: Changes, name: str) -> None:
    """Drops a taxpayer's: until written again, they are computed when asked for."""
    changes.drop(opportunities.OPPORTUNITIES.table, [(name,)])
    changes.drop(CHECKPOINTS, [(f"opportunities:{name}",)])


def forget_opportunities(connection: Connection) -> None:
    """Drops everybody's."""
    connection.execute(opportunities.OPPORTUNITIES.table.delete())
    of_opportunities = CHECKPOINTS.c.projection.startswith("opportunities:")
    connection.execute(CHECKPOINTS.delete().where(of_opportunities))


def clear(connection: Connection, taxpayers: Sequence[str]) -> None:
    """Drops every row of these taxpayers, and what says that their opportunities are written."""
    for some in parts(taxpayers):
        for projection in PROJECTIONS:
            table = projection.table
            connection.execute(table.delete().where(table.c.taxpayer.in_(some)))
        names = [f"opportunities:{name}" for name in some]
        connection.execute(CHECKPOINTS.delete().where(CHECKPOINTS.c.projection.in_(names)))


def _write_book(
    changes: Changes, name: str, book_name: str, book: KeptBook, taxpayer: Taxpayer
) -> None:
    is_fresh = book_name not in taxpayer.written
    written = taxpayer.written.setdefault(book_name, Written())
    sold, stale = written.advance(book)
    lots, known = written.touched(book)
    if is_fresh:
        lots = book.open_lots()
    changes.drop(open_lots.OPEN_LOTS.table, [(name, book_name, serial) for serial in known])
    changes.drop(disposals.DISPOSALS.table, [(name, book_name, serial) for serial in stale])
    changes.add(
        open_lots.OPEN_LOTS.table,
        [open_lots.row(name, book_name, lot) for lot in lots if lot.quantity],
    )
    rules = book.policy.rules
    changes.add(
        disposals.DISPOSALS.table, [disposals.row(name, book_name, row, rules) for row in sold]
    )


def _clear_book(changes: Changes, name: str, book_name: str, taxpayer: Taxpayer) -> None:
    """Drops lots and rows, if there are any; of the others it is known what is there."""
    if taxpayer.written.pop(book_name, None) is not None:
        changes.drop(open_lots.OPEN_LOTS.table, [(name, book_name)])
        changes.drop(disposals.DISPOSALS.table, [(name, book_name)])


def _write_windows(
    changes: Changes, name: str, book_name: str, book: KeptBook | None, taxpayer: Taxpayer
) -> None:
    rules = taxpayer.portfolio.declared.policy.rules
    _write_others(
        changes, taxpayer, wash_windows.WASH_WINDOWS, (name, book_name),
        wash_windows.windows(book) if book else {},
        lambda of, window: wash_windows.row(name, book_name, of, window, rules),
    )  # fmt: skip


def _write_issues(
    changes: Changes, name: str, book_name: str, issues: Iterable[Issue], taxpayer: Taxpayer
) -> None:
    _write_others(
        changes, taxpayer, data_issues.DATA_ISSUES, (name, book_name),
        {(serial,): issue for serial, issue in enumerate(issues)},
        lambda key, issue: data_issues.row(name, book_name, *key, issue),
    )  # fmt: skip


def _write_others(
    changes: Changes, taxpayer: Taxpayer, projection: Projection, owner: RowKey,
    now: Mapping[K, V], row: Callable[[K, V], Row],
) -> bool:  # fmt: skip
    """Collects the rows of an owner, a taxpayer or a book, that are others than those stored.

    Returns whether there are any. Where it is not known what is stored, all is written anew.
    """
    place = projection.name, owner[1:]
    before = taxpayer.stored.get(place)
    if before is None:
        changes.drop(projection.table, [owner])
        before = {}
    elif before == now:
        return False
    taxpayer.stored[place] = now
    gone = [(*owner, *key) for key, was in before.items() if now.get(key) != was]
    changes.drop(projection.table, gone)
    added = [row(key, value) for key, value in now.items() if before.get(key) != value]
    changes.add(projection.table, added)
    return bool(gone or added)

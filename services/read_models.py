"""Writing read models: what one settled portfolio changed, in one transaction's statements."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from domain.days import day_of
from domain.disposals import Disposal, WashMatch
from domain.kept_book import KeptBook
from domain.portfolio import Portfolio
from domain.tokens import tokens_of
from domain.years import Key, YearSums, merged, tax_years
from projections import data_issues, disposals, open_lots, opportunities, tokens, wash_windows
from projections import tax_years as years
from projections.alerts import ALERT_RULES, ALERTS
from projections.pending import ALERT_PENDING
from projections.schema import (
    CHECKPOINTS,
    Projection,
    delete_book,
    delete_serials,
    delete_serials_from,
    insert,
)
from services.marks import MarkBoard
from services.statement import opportunity_pieces

PROJECTIONS: tuple[Projection, ...] = (
    open_lots.OPEN_LOTS,
    disposals.DISPOSALS,
    wash_windows.WASH_WINDOWS,
    opportunities.OPPORTUNITIES,
    years.TAX_YEARS,
    data_issues.DATA_ISSUES,
    tokens.TOKENS,
    ALERT_RULES,
    ALERTS,
    ALERT_PENDING,
)
_AT_ONCE = 1_000  # a statement takes no more than some thousand values


@dataclass(slots=True)
class Written:
    """How far a book has been written: rows and matches seen, and its running year sums."""

    disposals: int = 0
    matches: dict[str, int] = field(default_factory=dict)
    sums: YearSums = field(default_factory=YearSums)

    def advance(self, book: KeptBook) -> list[Disposal]:
        """Takes in what is new; returns the disposals that are new or changed, once each."""
        set_back = self._take_back(book)
        rows = book.disposals[self.disposals :]
        self.disposals = len(book.disposals)
        matches: list[WashMatch] = []
        for group, state in book.washes.items():
            matches += state.matches[self.matches.get(group, 0) :]
            self.matches[group] = len(state.matches)
        self.sums.add(rows, matches, book.policy.rules)
        changed = {row.serial: row for row in rows}
        changed.update((row.serial, row) for row in set_back)
        for match in matches:
            changed[match.loss.serial] = match.loss
            if match.into is not None:
                changed[match.into.serial] = match.into
        return list(changed.values())

    def _take_back(self, book: KeptBook) -> tuple[Disposal, ...]:
        """Takes off what a late fact took back; returns rows that stayed but were set back."""
        back = book.rewound
        if back is None:
            return ()
        book.rewound = None
        rows = back.rows[: max(0, self.disposals - back.kept_rows)]
        self.disposals = min(self.disposals, back.kept_rows)
        matches: list[WashMatch] = []
        for group, gone in back.matches.items():
            kept, written = back.kept_matches.get(group, 0), self.matches.get(group, 0)
            matches += gone[: max(0, written - kept)]
            self.matches[group] = min(written, kept)
        self.sums.add(rows, matches, book.policy.rules, -1)
        return back.changed


class Taxpayer:
    """One taxpayer in memory: the portfolio, and how far each book has been written."""

    def __init__(self) -> None:
        self.portfolio = Portfolio()
        self.written: dict[str, Written] = {}
        self.position = 0  # of the log when its facts moved last, since it was loaded

    def sums(self) -> dict[Key, int]:
        """Column (h) of all books by year, term and collectible."""
        return merged(written.sums for written in self.written.values())

    def settle_without_writing(self) -> None:
        """After loading what the tables already hold."""
        self.portfolio.settle()
        for name, book in self.portfolio.books.items():
            self.written[name] = Written()
            self.written[name].advance(book)
            book.touched.clear()


def write_changes(connection: Connection, name: str, taxpayer: Taxpayer) -> bool:
    """Writes the books that the last `settle` changed; the caller owns the transaction.

    Returns whether the taxpayer's tokens changed.
    """
    portfolio = taxpayer.portfolio
    for book_name in sorted(portfolio.changed | portfolio.refolded):
        book = portfolio.books.get(book_name)
        if book is None or book_name in portfolio.refolded:
            _clear_book(connection, name, book_name)
            taxpayer.written.pop(book_name, None)
        if book is not None:
            _write_book(connection, name, book_name, book, taxpayer)
    delete_book(connection, data_issues.DATA_ISSUES.table, name, "")
    own = data_issues.rows(name, "", list(portfolio.issues.values()))
    insert(connection, data_issues.DATA_ISSUES.table, own)
    _write_years(connection, name, taxpayer)
    return tokens.write(connection, name, tokens_of(portfolio))


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
            wash_windows.rows("", name, book),
            data_issues.rows("", name, book.issues),
            sorted(each for each in sums.items() if each[1]),
        )
        if any(told):
            total.update(repr((name, told)).encode())
    return total.digest()


def write_opportunities(
    connection: Connection, name: str, taxpayer: Taxpayer, board: MarkBoard, as_of: str
) -> None:
    """Writes the taxpayer's opportunities at the board's marks on the day `as_of` (ISO).

    Their checkpoint keeps the day and the last mark that counted.
    """
    table = opportunities.OPPORTUNITIES.table
    connection.execute(table.delete().where(table.c.taxpayer == name))
    sums, portfolio = taxpayer.sums(), taxpayer.portfolio
    for book_name, book in sorted(portfolio.books.items()):
        found = opportunity_pieces(portfolio, book, board.marks, day_of(as_of), sums)
        rows = [opportunities.row(name, book_name, piece) for piece in found]
        insert(connection, table, rows)
    checkpoint = f"opportunities:{name}"
    connection.execute(CHECKPOINTS.delete().where(CHECKPOINTS.c.projection == checkpoint))
    version = opportunities.OPPORTUNITIES.version
    insert(connection, CHECKPOINTS, [(checkpoint, version, board.last_id, as_of)])


def forget_opportunities(connection: Connection) -> None:
    """Drops everybody's opportunities: until written again, they are computed when asked for."""
    connection.execute(opportunities.OPPORTUNITIES.table.delete())
    of_opportunities = CHECKPOINTS.c.projection.startswith("opportunities:")
    connection.execute(CHECKPOINTS.delete().where(of_opportunities))


def clear(connection: Connection, taxpayers: Sequence[str]) -> None:
    """Drops every row of these taxpayers, and what says that their opportunities are written."""
    for start in range(0, len(taxpayers), _AT_ONCE):
        some = taxpayers[start : start + _AT_ONCE]
        for projection in PROJECTIONS:
            table = projection.table
            connection.execute(table.delete().where(table.c.taxpayer.in_(some)))
        names = [f"opportunities:{name}" for name in some]
        connection.execute(CHECKPOINTS.delete().where(CHECKPOINTS.c.projection.in_(names)))


def _write_book(
    connection: Connection, name: str, book_name: str, book: KeptBook, taxpayer: Taxpayer
) -> None:
    fresh = book_name not in taxpayer.written
    if not fresh and book.rewound is not None:
        delete_serials_from(
            connection, disposals.DISPOSALS.table, name, book_name, book.rewound.serial
        )
    sold = taxpayer.written.setdefault(book_name, Written()).advance(book)
    lots = book.open_lots() if fresh else list({lot.serial: lot for lot in book.touched}.values())
    if not fresh:
        for projection, serials in (
            (open_lots.OPEN_LOTS, [lot.serial for lot in lots]),
            (disposals.DISPOSALS, [row.serial for row in sold]),
        ):
            delete_serials(connection, projection.table, name, book_name, serials)
    insert(
        connection,
        open_lots.OPEN_LOTS.table,
        [open_lots.row(name, book_name, lot) for lot in lots if lot.quantity],
    )
    rules = book.policy.rules
    insert(
        connection,
        disposals.DISPOSALS.table,
        [disposals.row(name, book_name, row, rules) for row in sold],
    )
    book.touched.clear()
    for projection, rows in (
        (wash_windows.WASH_WINDOWS, wash_windows.rows(name, book_name, book)),
        (data_issues.DATA_ISSUES, data_issues.rows(name, book_name, book.issues)),
    ):
        delete_book(connection, projection.table, name, book_name)
        insert(connection, projection.table, rows)


def _clear_book(connection: Connection, name: str, book_name: str) -> None:
    for projection in PROJECTIONS:
        if "book" in projection.table.c:
            delete_book(connection, projection.table, name, book_name)


def _write_years(connection: Connection, name: str, taxpayer: Taxpayer) -> None:
    declared = taxpayer.portfolio.declared
    found = tax_years(taxpayer.sums(), declared.profile, declared.policy.rules)
    table = years.TAX_YEARS.table
    connection.execute(table.delete().where(table.c.taxpayer == name))
    insert(connection, table, [years.row(name, year) for year in found])

"""What was written of a taxpayer's books: how far, and what the tables hold, so that a batch writes
only what it changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.disposals import Disposal, WashMatch
from domain.kept_book import KeptBook
from domain.lots import Lot
from domain.portfolio import Portfolio
from domain.split_factors import SplitFactor, split_factors
from domain.tokens import Token, tokens_of
from domain.years import Key, YearSums, merged
from projections.rows import RowKey
from projections.splits import SPLITS
from projections.tokens import TOKENS


@dataclass(slots=True)
class Written:
    """How far a book has been written: rows and matches seen, and its running year sums.

    `lots`: a lot of that serial, or of a later one, was never written.
    """

    disposals: int = 0
    lots: int = 0
    matches: dict[str, int] = field(default_factory=dict)
    sums: YearSums = field(default_factory=YearSums)

    def advance(self, book: KeptBook) -> tuple[list[Disposal], list[int]]:
        """Takes in what is new.

        Returns the disposals that are new or changed, once each, and the serials of those written
        earlier that are so no more: changed, or taken back by a late fact.
        """
        set_back, gone = self._take_back(book)
        rows = book.disposals[self.disposals :]
        self.disposals = len(book.disposals)
        matches: list[WashMatch] = []
        for group, state in book.washes.items():
            matches += state.matches[self.matches.get(group, 0) :]
            self.matches[group] = len(state.matches)
        self.sums.add(rows, matches, book.policy.rules)
        changed = {row.serial: row for row in set_back}
        for match in matches:
            changed[match.loss.serial] = match.loss
            if match.into is not None:
                changed[match.into.serial] = match.into
        fresh = {row.serial: row for row in rows}
        stale = [serial for serial in changed if serial not in fresh]
        return list((changed | fresh).values()), [*stale, *gone]

    def touched(self, book: KeptBook) -> tuple[list[Lot], list[int]]:
        """The lots that were touched since the last time, once each, and the serials of those
        that may have been written."""
        lots = {lot.serial: lot for lot in book.touched}
        book.touched.clear()
        known = [serial for serial in lots if serial < self.lots]
        self.lots = max([self.lots, *(serial + 1 for serial in lots)])
        return list(lots.values()), known

    def _take_back(self, book: KeptBook) -> tuple[tuple[Disposal, ...], list[int]]:
        """Takes off what a late fact took back; returns rows that stayed but were set back, and
        the serials of those that are gone."""
        back = book.rewound
        if back is None:
            return (), []
        book.rewound = None
        rows = back.rows[: max(0, self.disposals - back.kept_rows)]
        self.disposals = min(self.disposals, back.kept_rows)
        matches: list[WashMatch] = []
        for group, gone in back.matches.items():
            kept, written = back.kept_matches.get(group, 0), self.matches.get(group, 0)
            matches += gone[: max(0, written - kept)]
            self.matches[group] = min(written, kept)
        self.sums.add(rows, matches, book.policy.rules, -1)
        return back.changed, [row.serial for row in rows]


class Taxpayer:
    """One taxpayer in memory: the portfolio, and how far each book has been written.

    `stored`: by read model and book (none: of the taxpayer) what its rows are made of, by the rest
    of their key, where this process knows it. Lots and disposals are too many for that: of those
    a book says what it touched.
    """

    def __init__(self) -> None:
        self.portfolio = Portfolio()
        self.written: dict[str, Written] = {}
        self.stored: dict[tuple[str, RowKey], Mapping[Any, Any]] = {}
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
            self.written[name].touched(book)
        self.know_tokens()

    def tokens(self) -> dict[tuple[str], Token]:
        """The tokens of all books, by the key of their rows."""
        return {(token.asset,): token for token in tokens_of(self.portfolio)}

    def splits(self) -> dict[tuple[str, str], SplitFactor]:
        """The splits of all books, by the key of their rows."""
        return {(each.asset, each.day): each for each in split_factors(self.portfolio)}

    def know_tokens(self) -> None:
        """Takes tokens and splits as stored: that they changed is told to others, so it must be
        known."""
        self.stored[SPLITS.name, ()] = self.splits()
        self.stored[TOKENS.name, ()] = self.tokens()

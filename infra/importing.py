"""Importing files and pipes: each is told apart by name and header, then streamed in."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from infra.cli.streams import open_text
from infra.composition import App
from infra.sources.csv_lines import HeaderError, Line, header_of, kind_of, lines
from infra.sources.json_lines import fact_rows
from infra.sources.mark_feed import csv_quote
from infra.sources.neutral_csv import TradeReader, account_row, asset_row, price_quote
from services.ingest import Counts, Ingest, Row
from services.marks import Quote
from services.quarantine import BadRow

SIBLINGS = ("accounts.csv", "assets.csv", "prices.csv")
_ORDER = {"accounts": 0, "assets": 1, "trades": 2, "facts": 2, "prices": 3, "marks": 3}
QUOTES_A_BATCH = 5_000
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Source:
    """A file to import and what it holds."""

    path: Path
    kind: str
    header: list[str]


class Importer:
    """Imports for one taxpayer; counts add up over everything it was given."""

    def __init__(self, app: App, taxpayer: str, source: str) -> None:
        self.app = app
        self.taxpayer = taxpayer
        self.source = source
        self.ingest = Ingest(app.database, app.ledger, app.clock, taxpayer, app.ask_first)
        self.marks = self.quotes = 0  # new ones; all that could be used
        app.ask_first()  # opens the tables and catches up before anything is added

    @property
    def counts(self) -> Counts:
        """New, known and quarantined rows so far."""
        return self.ingest.counts

    @property
    def has_none(self) -> bool:
        """Rows came, and not one of them could be used."""
        counts = self.counts
        return bool(counts.quarantined) and not (counts.new or counts.known or self.quotes)

    def file(self, source: Source, progress: Progress) -> None:
        """One file, streamed. The header was read by `recognise`."""
        origin = source.path.name
        with open_text(source.path) as text:
            if source.kind == "facts":
                self.facts(text, origin, progress)
                return
            next(csv.reader(text))
            self.csv(source.kind, source.header, text, origin, progress)

    def facts(self, text: Iterable[str], origin: str, progress: Progress) -> None:
        """JSON lines of facts."""
        self.ingest.take(fact_rows(text, origin, self.taxpayer, self.source), progress)

    def csv(
        self, kind: str, header: list[str], text: Iterable[str], origin: str, progress: Progress
    ) -> None:
        """CSV lines after their header."""
        found = lines(text, header, origin)
        if kind in ("prices", "marks"):
            read = price_quote if kind == "prices" else csv_quote
            self._quotes((_or_bad(read, line, origin) for line in found), progress)
            return
        self.ingest.take(self._rows(kind, found, origin), progress)

    def facts_arrived(self) -> None:
        """Projects what was imported, lets rules see it, and delivers what fired."""
        today = self.app.queries.today(self.taxpayer)
        self.app.projector.catch_up(today)
        self.app.market.facts_changed()

    def _rows(
        self, kind: str, found: Iterable[Line | BadRow], origin: str
    ) -> Iterator[Row | BadRow]:
        today = self.app.queries.today(self.taxpayer)
        self.app.projector.catch_up(today)  # assets.csv of this very run counts for the trades
        declared = self.app.projector.taxpayer(self.taxpayer).portfolio.declared
        trades = TradeReader(self.taxpayer, self.source, declared.assets, declared.policy.currency)
        for line in found:
            if isinstance(line, BadRow):
                yield line
            elif kind == "trades":
                yield trades.row(line, origin)
            elif kind == "accounts":
                yield account_row(line, origin, self.taxpayer)
            else:
                yield asset_row(line, origin, self.taxpayer)

    def _quotes(self, found: Iterable[Quote | BadRow], progress: Progress) -> None:
        """Prices are history: they are kept and shown, and this command asks no rule on their way;
        a watch or a worker that runs meanwhile follows them as it follows all marks."""
        batch: list[Quote] = []

        def keep() -> None:
            self.quotes += len(batch)
            self.marks += self.app.market.bring_in(batch)
            batch.clear()

        for count, quote in enumerate(found, start=1):
            if isinstance(quote, BadRow):
                self.ingest.add(quote)
            else:
                batch.append(quote)
            if len(batch) >= QUOTES_A_BATCH:
                keep()
                progress(count)
        keep()
        self.ingest.flush()
        self.facts_arrived()
        self.app.market.refresh()


def recognise(paths: Iterable[Path], *, siblings: bool) -> list[Source]:
    """What each file holds, declarations first; with the files that lie beside trades.

    Raises HeaderError with the file's name, OSError if it cannot be read.
    """
    found: dict[Path, Source] = {}
    for path in paths:
        source = _recognised(path)
        found[path.resolve()] = source
        if siblings and source.kind == "trades":
            for name in SIBLINGS:
                beside = path.with_name(name)
                if beside.exists() and beside.resolve() not in found:
                    found[beside.resolve()] = _recognised(beside)
    return sorted(found.values(), key=lambda source: _ORDER[source.kind])


def first_line(text: Iterator[str]) -> tuple[str, list[str], Iterator[str]]:
    """(kind, header, the lines after it) of a stream; JSON lines begin with a brace."""
    line = next(text, "").removeprefix("\ufeff")
    if line.lstrip().startswith("{"):
        return "facts", [], chain([line], text)
    header = header_of(line)
    return kind_of(header), header, text


def _recognised(path: Path) -> Source:
    with open_text(path) as text:
        try:
            kind, header, _ = first_line(iter(text))
        except HeaderError as error:
            raise HeaderError(f"{path}: {error}") from None
    return Source(path, kind, header)


def _or_bad(
    read: Callable[[Line, str], Quote | BadRow],
    line: Line | BadRow,
    origin: str,
) -> Quote | BadRow:
    return line if isinstance(line, BadRow) else read(line, origin)

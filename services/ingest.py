"""Ingest: offered rows into the ledger in durable batches; what cannot be used is quarantined."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from domain.days import sortable_instant
from services.database import Clock, Database
from services.ledger import Ledger, Offer, Outcome
from services.quarantine import BadRow, hold

BATCH_ROWS = 5_000


class SourceLine(Protocol):
    """A line of a source: its number there, and its text (asked for only when it is refused)."""

    @property
    def number(self) -> int: ...
    @property
    def raw(self) -> str: ...


class Row(NamedTuple):
    """A usable row: the facts it states (declarations first), and its own text and place."""

    offers: tuple[Offer, ...]
    origin: str
    line: SourceLine


@dataclass(slots=True)
class Counts:
    """What became of the rows of a run."""

    new: int = 0
    known: int = 0
    quarantined: int = 0
    first_bad: list[BadRow] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Rows seen so far."""
        return self.new + self.known + self.quarantined


class Ingest:
    """Takes rows of one taxpayer; every `flush` is durable before it returns."""

    def __init__(
        self, database: Database, ledger: Ledger, clock: Clock, taxpayer: str,
        before: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self.counts = Counts()
        self._database = database
        self._ledger = ledger
        self._clock = clock
        self._taxpayer = taxpayer
        self._before = before  # each append
        self._rows: list[Row] = []
        self._bad: list[BadRow] = []

    def take(self, rows: Iterable[Row | BadRow], progress: Callable[[int], None]) -> None:
        """Takes all rows in, a batch at a time; `progress(rows so far)` after each."""
        for row in rows:
            self.add(row)
            if len(self._rows) + len(self._bad) >= BATCH_ROWS:
                self.flush()
                progress(self.counts.rows)
        self.flush()
        progress(self.counts.rows)

    def add(self, row: Row | BadRow) -> None:
        """Holds a row for the next `flush`."""
        if isinstance(row, Row):
            self._rows.append(row)
        else:
            self._bad.append(row)

    def flush(self) -> None:
        """Appends what was held, in one transaction, then lists what was refused."""
        rows, bad = self._rows, self._bad
        self._rows, self._bad = [], []
        recorded_at = sortable_instant(self._clock())
        offers = [offer for row in rows for offer in row.offers]
        if offers:
            self._before()
        outcomes = iter(self._ledger.append(offers, recorded_at) if offers else ())
        for row in rows:
            last = [next(outcomes) for _ in row.offers][-1]
            if last is Outcome.NEW:
                self.counts.new += 1
            elif last is Outcome.KNOWN:
                self.counts.known += 1
            else:
                bad.append(_conflict(row))
        if bad:
            with self._database.writing() as connection:
                hold(connection, self._taxpayer, bad, recorded_at)
            self.counts.quarantined += len(bad)
            self.counts.first_bad += bad[: max(0, 5 - len(self.counts.first_bad))]


def _conflict(row: Row) -> BadRow:
    offer = row.offers[-1]
    return BadRow(
        row.origin,
        row.line.number,
        "event_id",
        f"{offer.source}:{offer.external_id} is already recorded with other content",
        "if the source restated it, import a correction fact; if it is another event, give it "
        "its own id or another --source",
        row.line.raw,
    )

"""Opportunities live: the rows that changed since one last looked, ranked by tax saved."""

from __future__ import annotations

from dataclasses import dataclass

from domain.days import iso, moment_key
from domain.exact import money
from projections.schema import Piece
from services.correlation import DailyPrices
from services.projector import Projector
from services.similar import SimilarAssets
from services.statement import Mark, harvest
from services.written import Taxpayer

RowKey = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """A row as it is now, or (`gone`) as it was when it left."""

    row: Piece
    gone: bool = False


class Opportunities:
    """The opportunities of one taxpayer, followed. Anyone may hold one; each sees every change.

    `known`: the rows that whoever follows knows of already.
    """

    def __init__(
        self, projector: Projector, taxpayer: str, known: dict[RowKey, Piece] | None = None
    ) -> None:
        self.rows = known or {}
        self._projector = projector
        self._taxpayer = taxpayer
        self._seen: tuple[object, ...] = ()
        self._prices = DailyPrices(projector.database, "")
        self._similar: tuple[object, SimilarAssets | None] = (None, None)

    def changes(self, at: str) -> list[Change]:
        """What changed up to the instant `at`; computed only if a mark, a fact or the day did."""
        taxpayer = self._projector.taxpayer(self._taxpayer)
        portfolio = taxpayer.portfolio
        day = moment_key(at, portfolio.declared.zone)[0]
        marks: dict[str, Mark] = self._projector.board.marks
        held = {asset for book in portfolio.books.values() for asset in book.weights}
        valued = {asset: marks[asset] for asset in sorted(held) if asset in marks}
        seen = (taxpayer, taxpayer.position, day, at[:10], *valued.values())
        if seen == self._seen:
            return []
        self._seen = seen
        alike = self._alike(taxpayer, day, at[:10])
        rows = harvest(portfolio, valued, day)
        now = {key_of(row): row | {"swap_into": alike.best(row["asset"])} for row in rows}
        before, self.rows = self.rows, now
        gone = [Change(row, gone=True) for key, row in before.items() if key not in now]
        return gone + [Change(row) for key, row in now.items() if before.get(key) != row]

    def _alike(self, taxpayer: Taxpayer, day: int, utc_day: str) -> SimilarAssets:
        """Similar assets change with facts and days, never with a tick: kept until then."""
        seen, kept = self._similar
        if self._prices.before != utc_day:
            self._prices = DailyPrices(self._projector.database, utc_day)
        now = (taxpayer, taxpayer.position, day, utc_day)
        if kept is None or seen != now:
            kept = SimilarAssets(taxpayer.portfolio, iso(day), self._prices)
            self._similar = now, kept
        return kept

    def ranked(self) -> list[Piece]:
        """The rows, most tax saved first, then the largest harvestable loss."""
        return sorted(
            self.rows.values(),
            key=lambda row: (-money(row["tax_saved"]), -money(row["harvestable"]), row["lot"]),
        )


def key_of(row: Piece) -> RowKey:
    """What stays the same of a row while it changes."""
    return row["lot"], row["account"], row["asset"], row["acquired"]

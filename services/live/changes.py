"""Opportunities live: the rows that changed since one last looked, ranked by tax saved."""

from __future__ import annotations

from dataclasses import dataclass

from domain.days import moment_key
from domain.exact import money
from projections.schema import Piece
from services.projector import Projector
from services.statement import Mark, harvest

RowKey = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """A row as it is now, or (`gone`) as it was when it left."""

    row: Piece
    gone: bool = False


class Opportunities:
    """The opportunities of one taxpayer, followed. Anyone may hold one; each sees every change."""

    def __init__(self, projector: Projector, taxpayer: str) -> None:
        self.rows: dict[RowKey, Piece] = {}
        self._projector = projector
        self._taxpayer = taxpayer
        self._seen: tuple[object, ...] = ()

    def changes(self, at: str) -> list[Change]:
        """What changed up to the instant `at`; computed only if a mark, a fact or the day did."""
        portfolio = self._projector.taxpayer(self._taxpayer).portfolio
        day = moment_key(at, portfolio.declared.zone)[0]
        marks: dict[str, Mark] = self._projector.board.marks
        held = {asset for book in portfolio.books.values() for asset in book.weights}
        valued = {asset: marks[asset] for asset in sorted(held) if asset in marks}
        seen = (self._projector.position, day, *valued.values())
        if seen == self._seen:
            return []
        self._seen = seen
        now = {_key(row): row for row in harvest(portfolio, valued, day)}
        before, self.rows = self.rows, now
        gone = [Change(row, gone=True) for key, row in before.items() if key not in now]
        return gone + [Change(row) for key, row in now.items() if before.get(key) != row]

    def ranked(self) -> list[Piece]:
        """The rows, most tax saved first, then the largest harvestable loss."""
        return sorted(
            self.rows.values(),
            key=lambda row: (-money(row["tax_saved"]), -money(row["harvestable"]), row["lot"]),
        )


def _key(row: Piece) -> RowKey:
    return row["lot"], row["account"], row["asset"], row["acquired"]

"""Verify: every read model rebuilt from fact one elsewhere, and compared with the live one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select

from projections import tokens
from projections.schema import CHECKPOINTS, digest
from services.database import Database
from services.ledger import Ledger
from services.marks import MarkBoard
from services.projector import Projector
from services.read_models import PROJECTIONS, books_digest


@dataclass(frozen=True, slots=True)
class Compared:
    """One read model's digests."""

    projection: str
    live: str
    rebuilt: str

    @property
    def equal(self) -> bool:
        """Whether the live rows are what the facts give."""
        return self.live == self.rebuilt


def rebuild_and_compare(
    live: Projector, scratch: Database, ledger: Ledger, progress: Callable[[int, int], None]
) -> list[Compared]:
    """Rebuilds into the empty database `scratch`; nothing is sent and nothing live changes."""
    rebuilt = Projector(scratch, ledger, delivers=False)
    rebuilt.catch_up("0001-01-01", progress)
    for taxpayer, as_of, last_mark in _opportunity_checkpoints(live.database):
        with live.database.reading() as now, scratch.reading() as anew:
            rebuilt.board = MarkBoard(now, last_mark, tokens.by_asset(anew))
        rebuilt.refresh(taxpayer, as_of)
    compared = []
    with live.database.reading() as now, scratch.reading() as anew:
        for projection in PROJECTIONS:
            table = projection.table
            compared.append(Compared(projection.name, digest(now, table), digest(anew, table)))
    return [*compared, _snapshots(live, rebuilt)]


def _snapshots(live: Projector, rebuilt: Projector) -> Compared:
    """Every snapshot with the facts since, and the same books from fact one."""
    kept, anew = hashlib.sha256(), hashlib.sha256()
    for name in live.snapshots.names():
        kept.update(books_digest(live.snapshots.load(name, live.position)))
        anew.update(books_digest(rebuilt.taxpayer(name)))
    return Compared("snapshots", kept.hexdigest(), anew.hexdigest())


def _opportunity_checkpoints(database: Database) -> list[tuple[str, str, int]]:
    """(taxpayer, day, last mark) at which opportunities were last written."""
    prefix = "opportunities:"
    query = select(CHECKPOINTS).where(CHECKPOINTS.c.projection.startswith(prefix))
    with database.reading() as connection:
        return [
            (row.projection.removeprefix(prefix), row.as_of, row.position)
            for row in connection.execute(query)
        ]

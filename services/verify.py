"""Verify: every read model rebuilt from fact one elsewhere, and compared with the live one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from projections import splits, tokens
from projections.schema import CHECKPOINTS, digest
from services.database import Database
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
    live: Sequence[Projector], scratch: Database, progress: Callable[[int, int], None]
) -> list[Compared]:
    """Rebuilds every shard into the empty database `scratch`; nothing is sent, and nothing live
    changes. `progress(done, total)` of one shard after the other.
    """
    rebuilt = [Projector(scratch, each.ledger, delivers=False) for each in live]
    for each in rebuilt:
        each.catch_up("0001-01-01", progress)
    database = live[0].database
    for taxpayer, as_of, last_mark in _opportunity_checkpoints(database):
        its = next(each for each in rebuilt if each.ledger.owns(taxpayer))
        with database.reading() as now, scratch.reading() as anew:
            its.board = MarkBoard(now, last_mark, tokens.by_asset(anew), splits.by_asset(anew))
        its.refresh(taxpayer, as_of)
    compared = []
    with database.reading() as now, scratch.reading() as anew:
        for projection in PROJECTIONS:
            table = projection.table
            compared.append(Compared(projection.name, digest(now, table), digest(anew, table)))
    return [*compared, _snapshots(live, rebuilt)]


def _snapshots(live: Sequence[Projector], rebuilt: Sequence[Projector]) -> Compared:
    """Every snapshot with the facts since, and the same books from fact one."""
    kept, anew = hashlib.sha256(), hashlib.sha256()
    for ours, theirs in zip(live, rebuilt, strict=True):
        for name in filter(ours.ledger.owns, ours.snapshots.names()):
            kept.update(books_digest(ours.snapshots.load(name, ours.position)))
            anew.update(books_digest(theirs.taxpayer(name)))
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

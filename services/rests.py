"""What rules waited for when a process ended, so that the next one guards them at once.

A cache beside the log: it may be dropped at will. A row counts only for the same code, if its
digest is right and no fact has come to the taxpayer's books since; otherwise the rules are asked.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Column, LargeBinary, Table, Text, inspect, select

from domain.fact_codec import ALERT_TYPES
from projections.schema import insert, parts
from services.live.engine import Engine
from services.live.resting import Rest, rests
from services.projector import Projector
from services.snapshot_codec import digest_of, fingerprint
from services.snapshots import CACHES

RESTS = Table(
    "rests",
    CACHES,
    Column("taxpayer", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("state", LargeBinary, nullable=False),
)
_BATCH = 100_000


def save(projector: Projector, engine: Engine) -> int:
    """Stores what every rule waits for now; returns for how many taxpayers."""
    mine = projector.ledger.taxpayers()
    rows = [
        (name, fingerprint(), digest_of(data), data)
        for name, rest in rests(engine, projector.position)
        if name not in projector.changed  # its rules do not know its last facts yet
        for data in (msgspec.json.encode(rest),)
    ]
    with projector.database.writing() as connection:
        CACHES.create_all(connection)
        for some in parts(mine):
            connection.execute(RESTS.delete().where(RESTS.c.taxpayer.in_(some)))
        if rows:
            insert(connection, RESTS, rows)
    return len(rows)


def load(projector: Projector) -> dict[str, Rest]:
    """What still holds of it, by taxpayer."""
    with projector.database.reading() as connection:
        if not inspect(connection).has_table(RESTS.name):
            return {}
        query = select(RESTS).where(RESTS.c.fingerprint == fingerprint())
        rows = connection.execute(query).all()
    decoder = msgspec.json.Decoder(Rest)
    found = {
        row.taxpayer: decoder.decode(row.state)
        for row in rows
        if projector.ledger.owns(row.taxpayer) and digest_of(row.state) == row.digest
    }
    since = min((rest.position for rest in found.values()), default=projector.position)
    moved = _moved(projector, since)
    return {
        name: rest
        for name, rest in found.items()
        if moved.get(name, 0) <= rest.position <= projector.position
    }


def _moved(projector: Projector, since: int) -> dict[str, int]:
    """The last position after `since` of a fact that concerns a taxpayer's books."""
    last: dict[str, int] = {}
    while since < projector.position:
        facts = projector.ledger.read(since, min(_BATCH, projector.position - since))
        for logged in facts:
            if type(logged.recorded.fact) not in ALERT_TYPES:
                last[logged.taxpayer] = logged.position
        since = facts[-1].position
    return last

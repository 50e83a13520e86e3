"""The publisher of an application: opportunities of all shards, each over tables of its own."""

from __future__ import annotations

from infra.composition import App
from services.changes_out import make_tables
from services.live.publishing import Publisher
from services.projector import Projector


def publisher_of(app: App) -> Publisher:
    """A publisher of all shards, which reads their tables and never moves them on."""
    make_tables(app.database)
    homes = [app.of_shard(number) for number in range(app.shards)]
    return Publisher([Projector(each.database, each.ledger) for each in homes], app.clock)

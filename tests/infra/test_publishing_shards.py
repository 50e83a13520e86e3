"""Publishing over shards: one process follows the taxpayers of all, workers tell the windows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.composition import App
from infra.kafka.mark_stream import MarkStream
from infra.postgres.migrate import migrate
from infra.postgres.shards import shard_of
from infra.publisher import publisher_of
from infra.settings import Settings
from services.changes_out import OPPORTUNITIES, WINDOWS, due_changes
from tests.infra.test_shards import SHARDS, Place
from tests.services.house import STOCK, buy

pytestmark = pytest.mark.postgres
NAMES = ("anna", "bert", "carl", "dora", "gwen", "hugo", "ida", "jan")


@pytest.fixture
def place(empty_postgres: str) -> Iterator[Place]:
    migrate(empty_postgres, shards=SHARDS)
    made = Place(empty_postgres)
    settings = Settings(database_url=empty_postgres, publish="opportunities,windows")
    made.app.close()
    made.app = App(settings, made.clock)
    yield made
    made.close()


def told(place: Place, stream: str) -> list[tuple[str, str, str]]:
    """Taxpayer, row and state of what waits to be sent."""
    with place.app.database.reading() as connection:
        found = due_changes(connection, stream, 1000)
    return sorted((each["taxpayer"], each["row"], each["state"]) for each in found)


def test_opportunities_and_windows_of_every_shard_are_told(place: Place) -> None:
    assert len({shard_of(name, SHARDS) for name in NAMES}) > 2
    publisher = publisher_of(place.app)
    shards = {number: place.shard(number) for number in range(SHARDS)}
    for name in NAMES:
        place.say(shards[shard_of(name, SHARDS)], name, STOCK, buy("b", "10", "1000"))
    stream = MarkStream(place.app)
    place.marks(stream, ("S", "90"))
    assert publisher.step() == len(NAMES)
    rows = [(name, "venue:b/A/S/2025-01-02", "open") for name in NAMES]
    assert told(place, OPPORTUNITIES) == rows
    windows = [(name, "do_not_sell/venue:b/A/S", "open") for name in NAMES]
    assert told(place, WINDOWS) == windows
    place.marks(stream, ("S", "101"))
    place.say(shards[shard_of("anna", SHARDS)], "anna", buy("c", "1", "300"))
    assert publisher.step() == len(NAMES) + 1
    gone = [(*row[:2], "gone") for row in rows]
    assert told(place, OPPORTUNITIES) == sorted([*gone, ("anna", "venue:c/A/S/2025-01-02", "open")])
    publisher.close()


def test_a_shard_that_is_taken_up_tells_what_came_while_nobody_listened(place: Place) -> None:
    silent = App(Settings(database_url=place.app.settings.database_url), place.clock)
    listening, place.app = place.app, silent
    shard = place.shard(shard_of("anna", SHARDS))
    place.say(shard, "anna", STOCK, buy("b", "10", "1000"))
    place.app = listening
    assert told(place, WINDOWS) == []
    place.shard(shard.number)
    assert told(place, WINDOWS) == [("anna", "do_not_sell/venue:b/A/S", "open")]
    silent.close()

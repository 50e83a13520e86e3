"""What keeps `serve` and a worker from being ready."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.readiness import NOT_JOINED, StoreChecks, StreamChecks, watched_database
from infra.settings import Settings
from tests.services.house import STOCK, Clock, House, buy

MAX_LAG = 2


def failed(url: str) -> dict[str, str]:
    place = Settings(database_url=url)
    database = watched_database(place)
    found = StoreChecks(place, database, Clock(), MAX_LAG)()
    database.reader.dispose()
    return found


def test_a_store_is_ready_while_its_read_models_are_near_enough(house: House) -> None:
    house.say(STOCK)
    house.append(*(buy(f"b{n}") for n in range(MAX_LAG)))
    assert failed(house.url) == {}
    house.append(buy("one-more"))
    assert failed(house.url) == {"projection/0": "3 facts behind, at most 2"}


def test_not_while_they_are_rebuilt(house: House) -> None:
    house.say(STOCK, buy("b1"), buy("b2"), buy("b3"))
    house.sql("UPDATE checkpoints SET position = 3 WHERE projection = 'read_models'")
    assert failed(house.url) == {"rebuild/0": "75% of it is there"}


@pytest.mark.postgres
def test_not_without_a_schema_nor_without_a_server(empty_postgres: str) -> None:
    assert failed(empty_postgres) == {"schema": "is of another version: run thresher migrate"}
    unreachable = "postgresql://nobody:secret@127.0.0.1:1/x"
    assert failed(unreachable) == {"store": "cannot be read"}


def test_not_without_a_file_and_none_is_made(tmp_path: Path) -> None:
    path = tmp_path / "not there.db"
    assert failed(f"sqlite:///{path}") == {"store": "cannot be read"}
    assert not path.exists()
    path.touch()
    assert failed(f"sqlite:///{path}") == {
        "schema": "holds no read models yet: run thresher import"
    }


def test_a_worker_is_ready_once_it_is_near_the_end_of_its_partitions() -> None:
    clock = Clock()
    checks = StreamChecks(max_lag=100, clock=clock)
    assert checks() == NOT_JOINED
    checks.stepped({}, {})
    assert checks() == {}  # it owns none, and stands by
    checks.stepped({"t.facts/0": 101, "t.marks/0": 0}, {"shard/0": "is not taken up yet"})
    assert checks() == {
        "shard/0": "is not taken up yet",
        "stream/t.facts/0": "101 messages behind, at most 100",
    }
    checks.stepped({"t.facts/0": 101, "t.marks/0": 0}, {})
    assert checks() == {"stream/t.facts/0": "101 messages behind, at most 100"}
    checks.stepped({"t.facts/0": 100, "t.marks/0": 0}, {})
    assert checks() == {}


def test_a_worker_that_stands_still_is_not_ready() -> None:
    clock = Clock()
    checks = StreamChecks(max_lag=100, clock=clock)
    checks.stepped({}, {})
    clock.advance(seconds=60)
    assert checks() == {}
    clock.advance(seconds=1)
    assert checks() == {"worker": "has not finished a step for 61 s"}

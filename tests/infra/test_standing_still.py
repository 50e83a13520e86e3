"""Who holds a lock of the server and stands still, or is gone, loses it to who comes next."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import tuple_row
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from infra.composition import App
from infra.postgres import event_store, opening
from infra.postgres.place import STILL_SECONDS
from infra.settings import Settings
from tests.services.house import STOCK, House, buy

pytestmark = pytest.mark.postgres
ROOT = Path(__file__).parents[2]
KEEPALIVES = {
    "tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3",
    "tcp_user_timeout": f"{STILL_SECONDS}000",
}  # fmt: skip
IDLE = "idle_in_transaction_session_timeout"
# It says that it holds the lock, and is stopped there.
HOLDER = """
import sys, time
from infra.postgres import opening
opening.STILL_SECONDS = int(sys.argv[2])
database = opening.database(sys.argv[1], is_service=True)
with database.writing():
    print("holds", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def house(postgres_url: str) -> Iterator[House]:
    built = House(Path("unused"), url=postgres_url)
    yield built
    built.close_all()


def service(url: str) -> App:
    app = App(Settings(database_url=url))
    app.is_service = True
    return app


def shown(execute: Any, *names: str) -> dict[str, str]:
    return {name: execute(f"SHOW {name}").fetchone()[0] for name in names}


def test_the_server_looks_after_connections_of_tables(postgres_url: str) -> None:
    app = service(postgres_url)
    for transaction in (
        app.database.reading, app.database.writing, app.database.writing_marks, app.database.writing
    ):  # fmt: skip
        with transaction() as connection:
            found = shown(connection.exec_driver_sql, *KEEPALIVES, IDLE)
        is_writer = transaction != app.database.reading
        assert found == KEEPALIVES | {IDLE: f"{STILL_SECONDS}s" if is_writer else "0"}
    app.close()


def test_the_server_looks_after_connections_of_the_log(house: House) -> None:
    recorder: Any = house.app.ledger.recorder
    with recorder.datastore.get_connection() as connection:
        cursor = connection.cursor(row_factory=tuple_row)
        assert shown(cursor.execute, *KEEPALIVES, IDLE) == KEEPALIVES | {IDLE: f"{STILL_SECONDS}s"}


def test_a_command_may_compute_for_long_while_it_writes(house: House) -> None:
    with house.app.database.writing() as connection:
        assert shown(connection.exec_driver_sql, IDLE) == {IDLE: "0"}


def test_a_process_that_was_stopped_while_it_wrote_loses_its_lock(house: House) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, house.url, "1"], cwd=ROOT, text=True, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "holds\n"
        holder.send_signal(signal.SIGSTOP)
        start = time.monotonic()
        assert house.say(STOCK, buy("b1"))
        assert time.monotonic() - start < 15
    finally:
        holder.kill()
        holder.communicate()


def test_who_wakes_up_after_it_lost_its_lock_has_written_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.say(STOCK)
    monkeypatch.setattr(opening, "STILL_SECONDS", 1)
    app = service(house.url)
    with app.database.writer.connect() as connection:
        connection.execute(text("DELETE FROM checkpoints"))
        house.say(buy("b1"))  # waits until the server ended the other
        with pytest.raises(DBAPIError, match="idle-in-transaction timeout"):
            connection.execute(text("SELECT 1"))
    assert house.sql("SELECT count(*) FROM checkpoints") != [(0,)]
    app.close()


def test_an_append_that_stands_still_lets_the_next_one_go_on(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_store, "STILL_SECONDS", 1)
    stuck: Any = house.beside().app.ledger.recorder
    with stuck.datastore.get_connection() as connection:
        connection.execute("BEGIN")
        connection.execute("UPDATE heads SET position = position + 1")
        house.append(buy("b1"))  # waits until the server ended the other
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            connection.execute("SELECT 1")
    assert house.app.ledger.head() == 1


def test_a_log_that_stays_held_is_waited_for_once(house: House) -> None:
    house.append(buy("b1"))
    with psycopg.connect(house.url) as server:
        server.execute("ALTER FUNCTION thresher_append SET lock_timeout = '300ms'")
    with psycopg.connect(house.url) as holder:
        holder.execute("UPDATE heads SET position = position")
        start = time.monotonic()
        with pytest.raises(event_store.LogHeld, match="shard 0 is held by another process"):
            house.append(buy("b2"))
        assert time.monotonic() - start < 2
    house.append(buy("b2"))
    assert house.app.ledger.head() == 2

"""Connections to a file that stay open between transactions."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import QueuePool

from infra.database import open_database
from services.database import Database

THREADS = 30  # more than a pool has by itself


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path / "kept.db")
    with opened.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE t (n)")
    yield opened
    opened.through.close()
    opened.reader.dispose()


def found(database: Database) -> list[int]:
    with database.reading() as connection:
        return [n for (n,) in connection.exec_driver_sql("SELECT n FROM t ORDER BY n")]


def test_a_transaction_within_another_sees_what_was_committed(database: Database) -> None:
    with database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO t VALUES (1)")
        assert found(database) == []
        with database.reading() as outer:
            assert not outer.exec_driver_sql("SELECT n FROM t").all()
            assert found(database) == []
    assert found(database) == [1]


def test_what_failed_is_undone_and_the_next_goes_on(database: Database) -> None:
    def fail() -> None:
        with database.writing() as connection:
            connection.exec_driver_sql("INSERT INTO t VALUES (1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.writing_marks() as connection:
        connection.exec_driver_sql("INSERT INTO t VALUES (2)")
    assert found(database) == [2]


def test_each_thread_has_its_own_however_many_there_are(database: Database) -> None:
    together = Barrier(THREADS)

    def write(n: int) -> list[int]:
        with database.reading():
            together.wait(60)
        with database.writing() as connection:
            connection.exec_driver_sql("INSERT INTO t VALUES (?)", (n,))
        return found(database)

    with ThreadPoolExecutor(THREADS) as threads:
        assert all(threads.map(write, range(THREADS)))
    assert found(database) == list(range(THREADS))
    pool = database.reader.pool
    assert isinstance(pool, QueuePool)
    assert pool.checkedout() == 2  # of this thread; those of threads that ended went back


def test_none_is_open_after_the_end_and_a_later_use_opens_anew(
    database: Database, tmp_path: Path
) -> None:
    log = tmp_path / "kept.db-wal"  # SQLite takes it away with the last connection
    assert found(database) == []
    assert log.exists()
    database.through.close()
    database.reader.dispose()
    assert not log.exists()
    assert found(database) == []

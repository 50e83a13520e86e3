"""Marks on a file: how few pages a commit of them writes, and files of earlier versions."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from infra import write_through
from infra.database import open_database
from services.correlation import DailyPrices
from services.marks import MarkBoard, Quote, store
from tests.services.house import COIN, STOCK, House, buy

ASSETS = [f"S{number}" for number in range(500)]
AT = "2025-03-01T12:00:{:09.6f}Z"
FRAME = 4096 + 24  # a page in the write-ahead log, with its header
_NO_MARKS = ("DROP TRIGGER marks_have_spans", "DROP TABLE mark_spans", "DROP TABLE marks")
_MADE = """CREATE TABLE marks (id INTEGER NOT NULL, asset TEXT NOT NULL, at TEXT NOT NULL,
price TEXT NOT NULL, currency TEXT NOT NULL, source TEXT NOT NULL, kind TEXT NOT NULL,
recorded_at TEXT NOT NULL, PRIMARY KEY (id), UNIQUE """
_BY_ASSET = (f"{_MADE} (asset, at, source, kind, price))",)
_BY_TIME = (
    f"{_MADE} (at, asset, source, kind, price))",
    """CREATE TABLE mark_spans (asset TEXT NOT NULL, kind TEXT NOT NULL, span TEXT NOT NULL,
PRIMARY KEY (asset, kind, span)) WITHOUT ROWID""",
    """CREATE TRIGGER marks_have_spans AFTER INSERT ON marks BEGIN
INSERT OR IGNORE INTO mark_spans VALUES (new.asset, new.kind, substr(new.at, 1, 18)); END""",
)
_SOME = (
    """INSERT INTO marks VALUES (3, 'S', '2025-05-30', '10', 'USD', 'file', 'close', '2025-06-01'),
(5, 'S', '2025-05-31', '11', 'USD', 'file', 'close', '2025-06-01'),
(6, 'T', '2025-05-30', '7', 'USD', 'feed', 'trade', '2025-06-01')""",
)  # fmt: skip


def quotes(of: list[str], second: float) -> list[Quote]:
    """A tick of each asset, each at an instant of its own."""
    return [Quote(asset, "100", AT.format(second + n / 1000)) for n, asset in enumerate(of)]


def test_a_commit_of_many_assets_writes_few_pages(file_house: House) -> None:
    database = file_house.app.projector.database
    for second in range(9):
        with database.writing() as connection:
            store(connection, quotes(ASSETS, second), AT.format(second))
    with database.reader.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    with database.writing() as connection:
        assert store(connection, quotes(ASSETS[::25], 9), AT.format(9)) == 20
    wal = Path(f"{file_house.path}-wal").stat().st_size
    assert 0 < wal <= 10 * FRAME  # by asset it would be 20 pages of the index alone


def test_marks_are_written_through_by_the_end_of_their_batch(
    file_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the commit of what fired (test_event_store.py: FULL), or if nothing did, by themselves."""
    file_house.say(COIN, buy("b1", "10", "1000", asset="C"))
    file_house.watch("loss", "300")
    with file_house.app.projector.database.writing_marks() as connection:  # keeps the order of all
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1
    file_house.tick("C", "100")
    file_house.app.database.through.close()
    written: list[int] = []
    monkeypatch.setattr(
        "infra.write_through._write", lambda file: written.append(os.fstat(file).st_ino)
    )
    log = Path(f"{file_house.path}-wal").stat().st_ino
    market, through = file_house.app.market, file_house.app.database.through
    assert file_house.tick("C", "99") == []
    through.close()
    assert written == [log]
    assert file_house.tick("C", "60")
    assert market.take([]) == []
    through.close()
    assert written == [log]
    market.bring_in(quotes(["C"], 1))
    assert written == [log, log]


def test_the_log_is_copied_into_the_file_between_batches_of_marks(
    file_house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    market, through = file_house.app.market, file_house.app.database.through
    monkeypatch.setattr(write_through, "CHECKPOINTED_EVERY", 50)

    def copied() -> int:
        """How many marks are in the file itself."""
        through.close()  # it is copied beside
        alone = tmp_path / "alone.db"
        alone.write_bytes(file_house.path.read_bytes())
        with closing(sqlite3.connect(alone)) as connection:
            return int(connection.execute("SELECT count(*) FROM marks").fetchone()[0])

    assert market.take(quotes(ASSETS[:1], 0)) == []
    assert copied() == 1  # a start goes on with a short log
    market.take(quotes(ASSETS[:30], 1))
    assert copied() == 1
    market.take(quotes(ASSETS[:30], 2))
    assert copied() == 61


def test_the_log_begins_anew_though_marks_never_pause(
    file_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_through, "CHECKPOINTED_EVERY", 50)
    monkeypatch.setattr(write_through, "LONG", 100)
    market, log = file_house.app.market, Path(f"{file_house.path}-wal")
    for second in range(600):
        market.take(quotes(ASSETS[second % 50 :: 50], second / 10))
    assert log.stat().st_size <= 900 * FRAME  # each batch writes three pages or more


def test_a_log_that_cannot_be_copied_now_is_no_error(file_house: House) -> None:
    """Others write, or read what was before."""
    file_house.say(STOCK)
    beside, through = file_house.beside(), file_house.app.database.through
    with beside.app.database.writing_marks():
        through.stored(write_through.CHECKPOINTED_EVERY, is_written=True)
        through.close()
    with beside.app.database.reading() as connection:
        connection.exec_driver_sql("SELECT * FROM marks").all()
        through.stored(write_through.CHECKPOINTED_EVERY, is_written=True)
        through.close()


@pytest.mark.parametrize("earlier", [_BY_ASSET, _BY_TIME], ids=["by_asset", "by_time"])
def test_marks_of_an_earlier_file_are_kept(file_house: House, earlier: tuple[str, ...]) -> None:
    file_house.app.projector  # noqa: B018  makes the tables
    for statement in (*_NO_MARKS, *earlier, *_SOME):
        file_house.sql(statement)
    before = file_house.sql("SELECT * FROM marks")
    for _ in range(2):
        house = file_house.reopened()
        assert house.sql("SELECT * FROM marks") == before
        board = house.app.projector.board
        assert {asset: mark.at for asset, mark in board.marks.items()} == {
            "S": "2025-05-31", "T": "2025-05-30",
        }  # fmt: skip
        assert board.last_id == 6
        assert list(DailyPrices(house.app.database, "2025-06-02").of("S").values()) == [
            10 * 10**18, 11 * 10**18,
        ]  # fmt: skip
    known = Quote("T", "7", "2025-05-30", source="feed")
    with house.app.database.writing() as connection:
        assert store(connection, [known, Quote("T", "8", "2025-06-01")], "2025-06-02") == 1
        assert MarkBoard(connection).marks["T"].at == "2025-06-01"
        back = [Quote("T", price, "2025-06-01") for price in ("9", "8", "8")]
        assert store(connection, back, "2025-06-03") == 2
    assert len(house.sql("SELECT * FROM mark_spans WHERE asset = 'T'")) == 2


def test_an_empty_file_has_nothing_to_renew(tmp_path: Path) -> None:
    database = open_database(tmp_path / "new.db")
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar() == 0
    database.reader.dispose()

"""What is published is a choice: `thresher publish` and `deliver --afresh`, on a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from services.changes_out import WINDOWS, due_streams
from tests.end_to_end.command import PATIENCE_SECONDS, process, spawn, thresher, until
from tests.services.house import STOCK, House, buy


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(("publish", "says"), [
    ("", "say what to publish: THRESHER_PUBLISH=opportunities,windows"),
    ("windows", "say what to publish: THRESHER_PUBLISH=opportunities,windows"),
])  # fmt: skip
def test_without_opportunities_asked_for_publish_says_how(
    monkeypatch: pytest.MonkeyPatch, publish: str, says: str
) -> None:
    monkeypatch.setenv("THRESHER_PUBLISH", publish)
    ran = process("publish")
    last = json.loads(ran.err.splitlines()[-1])
    assert (ran.code, last["event"], last["reason"]) == (1, "failed", says)


def test_a_stream_that_is_none_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THRESHER_PUBLISH", "windows,doors")
    ran = thresher("lots")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        "thresher: THRESHER_PUBLISH: 'windows,doors': write opportunities,windows, or one of them\n"
    )


def test_publish_tells_from_a_file_until_it_is_stopped(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(database)
    house.say(STOCK, buy("b1", "10", "1000"))
    house.tick("S", "90")
    monkeypatch.setenv("THRESHER_PUBLISH", "opportunities")
    publisher = spawn("publish")
    try:
        until(lambda: house.sql("SELECT name FROM sqlite_master WHERE name = 'told_rows'"))
        told = until(lambda: house.sql("SELECT state, row FROM told_rows"))
        publisher.terminate()
        publisher.communicate(timeout=PATIENCE_SECONDS)
    finally:
        publisher.kill()
        publisher.wait()
    assert (publisher.returncode, told) == (0, [("open", "csv:b1/A/S/2025-01-02")])
    house.close_all()


def test_afresh_makes_all_rows_due_once_more(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(database, publish=WINDOWS)
    house.say(STOCK, buy("b1", "10", "1000"))
    house.sql("UPDATE told_rows SET due = 0")
    assert waiting(house) == []
    assert thresher("deliver", "--once", "--afresh").code == 0
    assert waiting(house) == [WINDOWS]
    house.close_all()


def waiting(house: House) -> list[str]:
    with house.app.database.reading() as connection:
        return due_streams(connection)

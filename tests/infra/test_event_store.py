"""The stores: the event library's contract for a log, durability, and two writers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent

from infra.event_store import FactSQLiteRecorder
from services.fact_store import FactRecorder
from services.ledger import GapInLog
from tests.services.house import STOCK, House, buy

ROOT = Path(__file__).parents[2]
WRITER = """
import sys
from pathlib import Path
from tests.services.house import House, buy
house, name = House(Path(sys.argv[1])), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
for start in range(0, 500, 10):
    house.append(*(buy(f"{name}{i}") for i in range(start, start + 10)), buy(f"both{start}"))
house.close()
"""


def stored(*ids: str, version: int = 1, topic: str = "buy.v1") -> list[StoredEvent]:
    return [StoredEvent(id, version, topic, b"{}") for id in ids]


@pytest.fixture
def recorder(house: House) -> FactRecorder:
    found = house.app.ledger.recorder
    found.insert_events(stored("a", "b"))
    found.insert_events([*stored("c", topic="sell.v1"), *stored("a", version=2)])
    return found


def ids(recorder: FactRecorder, *args: object, **kwargs: object) -> list[object]:
    return [n.id for n in recorder.select_notifications(*args, **kwargs)]  # type: ignore[arg-type]


def test_the_head_is_the_last_position(house: House, recorder: FactRecorder) -> None:
    assert recorder.max_notification_id() == house.app.ledger.head() == 4


def test_an_empty_log_has_no_head(house: House) -> None:
    assert house.app.ledger.recorder.max_notification_id() is None
    assert house.app.ledger.head() == 0
    assert house.app.ledger.read(0, 10) == []


def test_notifications_keep_the_contract_of_the_event_library(
    recorder: FactRecorder,
) -> None:
    assert ids(recorder, None, 10) == [1, 2, 3, 4]
    assert ids(recorder, 2, 10) == [2, 3, 4]
    assert ids(recorder, 2, 10, inclusive_of_start=False) == [3, 4]
    assert ids(recorder, 2, 2) == [2, 3]
    assert ids(recorder, None, 10, stop=3) == [1, 2, 3]
    assert ids(recorder, 2, 10, stop=2) == [2]
    assert ids(recorder, None, 10, topics=["sell.v1"]) == [3]
    assert ids(recorder, None, 2, topics=["buy.v1"]) == [1, 2]
    assert ids(recorder, 5, 10) == []


def test_a_stream_reads_in_order_of_versions(recorder: FactRecorder) -> None:
    events = recorder.select_events("a")
    assert [(e.originator_version, e.topic) for e in events] == [(1, "buy.v1"), (2, "buy.v1")]
    assert [e.originator_version for e in recorder.select_events("a", desc=True, limit=1)] == [2]
    assert [e.originator_version for e in recorder.select_events("a", gt=1)] == [2]


def test_a_version_that_is_there_fails_and_takes_its_batch_along(
    recorder: FactRecorder,
) -> None:
    with pytest.raises(IntegrityError):
        recorder.insert_events([*stored("new"), *stored("b")])
    assert ids(recorder, None, 10) == [1, 2, 3, 4]
    recorder.insert_events(stored("new"))
    assert ids(recorder, 5, 10) == [5]


def test_commits_of_facts_are_synchronous_and_positions_survive_a_vacuum(file_house: House) -> None:
    house = file_house
    house.append(buy("b1"), buy("b2"))
    recorder = house.app.ledger.recorder
    assert isinstance(recorder, FactSQLiteRecorder)
    with recorder.datastore.transaction(commit=False) as cursor:
        cursor.execute("PRAGMA synchronous")
        assert tuple(cursor.fetchone()) == (2,)
        cursor.execute("PRAGMA journal_mode")
        assert tuple(cursor.fetchone()) == ("wal",)
    house.lose(1)
    house.sql("VACUUM")
    assert house.sql("SELECT position FROM facts") == [(2,)]
    with pytest.raises(GapInLog):
        house.app.ledger.read(0, 10)


def test_two_processes_append_at_once_without_loss_or_gap(tmp_path: Path) -> None:
    path = tmp_path / "thresher.db"
    House(path).close()
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), name], cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for name in "xy"
    ]  # fmt: skip
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        _, complaint = writer.communicate(timeout=120)
        assert (writer.returncode, complaint) == (0, "")
    house = House(path)
    logged = house.app.ledger.read(0, 5000)
    house.close()
    assert [fact.position for fact in logged] == list(range(1, 1051))
    assert {fact.ref for fact in logged} == {
        *(f"csv:{name}{i}" for name in "xy" for i in range(500)),
        *(f"csv:both{i}" for i in range(0, 500, 10)),
    }


def test_a_reader_is_not_held_up_by_an_open_write(house: House) -> None:
    house.say(STOCK, buy("b1"))
    beside = house.beside()
    assert len(beside.ask()["lots"]) == 1
    with house.app.database.writing():
        assert [lot["lot"] for lot in beside.ask()["lots"]] == ["csv:b1"]
    beside.close()

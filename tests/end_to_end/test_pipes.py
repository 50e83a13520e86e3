"""Live pipes: a line is written, its effect is seen, and another line is written."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import Popen

import pytest

from infra.cli import streams
from services import projector
from tests.end_to_end.command import PATIENCE_SECONDS, process, spawn, thresher, until

HEADER = "event_id,ts,type,account,asset,asset_class,qty,unit_price"
pytestmark = pytest.mark.usefixtures("database")


class Pipe:
    """The standard input of a command that is running."""

    def __init__(self, running: Popen[str]) -> None:
        self.running = running

    def say(self, *lines: str) -> None:
        assert self.running.stdin is not None
        self.running.stdin.write("".join(f"{line}\n" for line in lines))
        self.running.stdin.flush()

    def end(self) -> tuple[int, str]:
        """Closes the pipe; (exit code, standard error)."""
        _, err = self.running.communicate(timeout=PATIENCE_SECONDS)
        return self.running.returncode, err


@contextmanager
def following(*args: str) -> Iterator[Pipe]:
    running = spawn(*args)
    try:
        yield Pipe(running)
    finally:
        if running.poll() is None:
            running.kill()
        running.communicate()


def lots() -> list[str]:
    return [row["lot"] for row in thresher("lots", "-o", "jsonl").rows]


def buy(id: str, **more: str) -> str:
    return json.dumps({"id": id, "type": "buy", "date": "2025-01-02", "account": "A",
                       "asset": "ETH", "qty": "10", "amount": "1000"} | more)  # fmt: skip


def test_an_import_pipe_of_csv_is_followed_live() -> None:
    with following("import", "-") as pipe:
        pipe.say(HEADER, "b1,2025-01-02,BUY,A,ETH,crypto,1,100")
        until(lambda: lots() == ["csv:b1"])
        pipe.say("b2,2025-01-03,BUY,A,ETH,crypto,1,100", "b1,2025-01-02,BUY,A,ETH,crypto,1,100")
        until(lambda: lots() == ["csv:b1", "csv:b2"])
        pipe.say("b3,2025-01-04,BUY,A,ETH,crypto,1e5,100")
        until(lambda: thresher("issues", "-o", "jsonl").rows)
        code, err = pipe.end()
    assert code == 0
    assert err.splitlines()[-1].startswith("2 new, 1 already known, 1 quarantined")
    assert lots() == ["csv:b1", "csv:b2"]


def test_an_import_pipe_of_json_lines_is_followed_live() -> None:
    with following("import", "-", "--source", "bus") as pipe:
        pipe.say('{"id":"a","type":"asset","asset":"ETH","class":"crypto"}', buy("b1"))
        until(lambda: lots() == ["bus:b1"])
        pipe.say(json.dumps({"id": "b1", "type": "bust"}), buy("b2", source="other"))
        until(lambda: lots() == ["other:b2"])
        assert pipe.end()[0] == 0
    assert thresher("verify", "--rebuild").code == 0


def test_ticks_fire_alerts_as_they_come(tmp_path: Path) -> None:
    facts = tmp_path / "facts.jsonl"
    facts.write_text('{"id":"a","type":"asset","asset":"ETH","class":"crypto"}\n' + buy("b1"))
    thresher("import", facts)
    lines = tmp_path / "alerts.jsonl"
    thresher("rules", "add", "loss", "200", "--channel", f"file:{lines}", "--channel", "terminal")

    def fired() -> list[str]:
        text = lines.read_text() if lines.exists() else ""
        return [json.loads(line)["data"]["key"] for line in text.splitlines()]

    with following("marks", "-") as pipe:
        pipe.say("asset,price,time", "ETH,79,2025-03-01T10:00:00Z")
        until(lambda: fired() == ["main/loss/1"])
        pipe.say("ETH,75,2025-03-01T10:00:01Z", "ETH,99,2025-03-01T10:00:02Z")
        until(lambda: thresher("alerts", "-o", "jsonl").rows[0]["rearmed_at"])
        until(lambda: [o["price"] for o in thresher("opportunities", "-o", "jsonl").rows] == ["99"])
        pipe.say("ETH,50,2025-03-01T10:00:03Z")
        until(lambda: fired() == ["main/loss/1", "main/loss/2"])
        code, err = pipe.end()
    assert code == 0
    assert "loss #2: harvestable_loss of all 500.00 reached 200" in err
    assert "4 marks (4 new), 2 alerts fired, 1 re-armed, 0 refused" in err
    assert fired() == ["main/loss/1", "main/loss/2"]


@pytest.mark.parametrize("command", ["watch", "marks"])
def test_an_alert_does_not_wait_for_the_rest_of_its_instant(tmp_path: Path, command: str) -> None:
    facts = tmp_path / "facts.jsonl"
    facts.write_text('{"id":"a","type":"asset","asset":"ETH","class":"crypto"}\n' + buy("b1"))
    thresher("import", facts)
    thresher("rules", "add", "loss", "200")

    def alerts() -> list[bool]:
        return [bool(row["rearmed_at"]) for row in thresher("alerts", "-o", "jsonl").rows]

    with following(command, "-") as pipe:
        pipe.say("asset,price,time", "ETH,79,2025-03-01T10:00:00Z")
        until(lambda: alerts() == [False])
        pipe.say("ETH,99,2025-03-01T10:00:00Z")
        until(lambda: alerts() == [True])
        assert pipe.end()[0] == 0


def test_facts_and_rules_of_another_command_are_seen_by_a_pipe_that_is_open(tmp_path: Path) -> None:
    with following("marks", "-") as pipe:
        pipe.say('{"asset":"ETH","price":"100","time":"2025-03-01T10:00:00Z"}')
        facts = tmp_path / "facts.jsonl"
        facts.write_text('{"id":"a","type":"asset","asset":"ETH","class":"crypto"}\n' + buy("b1"))
        thresher("import", facts)
        thresher("rules", "add", "loss", "200")
        pipe.say('{"asset":"ETH","price":"50","time":"2025-03-01T10:00:01Z"}')
        (alert,) = until(lambda: thresher("alerts", "-o", "jsonl").rows)
        assert alert["value"] == "500"
        assert pipe.end()[0] == 0
    assert thresher("verify", "--rebuild").code == 0


def test_a_pipe_over_which_another_version_was_installed_ends_with_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with following("marks", "-") as pipe:
        pipe.say('{"asset":"ETH","price":"100","time":"2025-03-01T10:00:00Z"}')
        until(lambda: thresher("issues").code == 0 and marks() == 1)
        monkeypatch.setattr(projector, "VERSION", projector.VERSION + 1)
        assert thresher("lots").code == 0
        pipe.say('{"asset":"ETH","price":"50","time":"2025-03-01T10:00:01Z"}')
        code, err = pipe.end()
    assert code == 1
    assert err.splitlines()[-1] == (
        "thresher: another version of thresher has taken the read models over: "
        "start this command again, with that version"
    )
    assert "Traceback" not in err
    assert marks() == 2  # it is stored; whoever comes next asks about it


def marks() -> int:
    """How many are stored."""
    file = os.environ["THRESHER_DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(file)) as connection, suppress(sqlite3.OperationalError):
        return int(connection.execute("SELECT count(*) FROM marks").fetchone()[0])
    return 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["marks", "watch"])
def test_a_feed_that_is_ended_by_a_signal_says_what_it_did(
    command: str, number: signal.Signals, database: Path
) -> None:
    def is_stored() -> bool:
        with suppress(sqlite3.OperationalError), closing(sqlite3.connect(database)) as connection:
            return bool(connection.execute("SELECT count(*) FROM marks").fetchone()[0])
        return False  # no file yet, or no table

    with following(command, "-") as pipe:
        pipe.say('{"asset": "ETH", "price": "100", "time": "2025-03-01T12:00:00Z"}', "no mark")
        until(is_stored)
        pipe.running.send_signal(number)
        assert pipe.running.wait(PATIENCE_SECONDS) == 1  # a line was refused
        err = pipe.running.stderr.read() if pipe.running.stderr else ""
    assert "1 marks" in err
    assert "1 refused" in err


def test_a_bad_tick_is_refused_and_the_others_count() -> None:
    ran = process("marks", "-", text="time,asset,price\n2025-03-01,ETH,1e3\n2025-03-01,ETH,5\n")
    assert ran.code == 1
    assert "1 marks (1 new), 0 alerts fired, 0 re-armed, 1 refused" in ran.err
    assert "row 2 price: '1e3' is not valid" in ran.err


@pytest.mark.parametrize("command", ["marks", "watch"])
def test_refused_lines_of_a_pipe_are_told_while_it_is_open(command: str, tmp_path: Path) -> None:
    facts = tmp_path / "facts.jsonl"
    facts.write_text('{"id":"a","type":"asset","asset":"ETH","class":"crypto"}\n' + buy("b1"))
    thresher("import", facts)
    thresher("rules", "add", "loss", "5000")  # else a line says that there is none
    with following(command, "-") as pipe:
        pipe.say("asset,price,time", *["ETH,much,2025-03-01"] * 7)
        assert pipe.running.stderr is not None
        told = [pipe.running.stderr.readline() for _ in range(5)]
        pipe.say("ETH,5,2025-03-01")
        code, err = pipe.end()
    assert [line.split(" price: ")[0] for line in told] == [f"  row {n}" for n in range(2, 7)]
    assert code == 1
    assert err == ("  ... and 2 more\n1 marks (1 new), 0 alerts fired, 0 re-armed, 7 refused\n")


def test_lines_that_are_no_fact_and_no_mark_are_refused_in_plain_words() -> None:
    lines = '{"id": "x", "type": "nope"}\n{"id": "y"}\n[1]\n"a"\n'
    ran = process("import", "-", text=lines)
    first, *others, _, _ = ran.err.splitlines()
    assert first.startswith("  pipe row 1 type: 'nope' is not known; use one of 'buy', 'sell'")
    assert others == [
        "  pipe row 2 type is missing; add the field: docs/FORMATS.md lists the types",
        "  pipe row 3 no JSON object; write one JSON object a line",
        "  pipe row 4 no JSON object; write one JSON object a line",
    ]
    ran = process("marks", "-", text='{"asset": 1\n[1]\n')
    assert ran.err.splitlines()[:-1] == [
        "  row 1 no JSON object: Expecting ',' delimiter: line 2 column 1 (char 12); "
        "write one JSON object a line",
        "  row 2 no JSON object; write one JSON object a line",
    ]


@pytest.mark.parametrize("command", ["marks", "watch"])
@pytest.mark.parametrize(
    ("line", "said"),
    [("no json", "no json"), ("[1]", "[1]"), ("date,asset,price", "asset, date, price")],
)
def test_a_first_line_that_is_no_mark_is_told_what_marks_need(
    command: str, line: str, said: str
) -> None:
    ran = process(command, "-", text=f'{line}\n{{"asset": "ETH"}}\n')
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.splitlines()[-1] == (
        "thresher: marks need JSON lines, or a header with the columns asset, price, time; the "
        f"first line is {said}"
    )


def test_an_import_pipe_of_which_nothing_can_be_used_fails() -> None:
    ran = process("import", "-", text='{"id": "x", "type": "nope"}\n{"id": "y"}\n')
    assert ran.code == 1
    counted, said = ran.err.splitlines()[-2:]
    assert counted == "0 new, 0 already known, 2 quarantined (listed by: thresher issues)"
    assert said == "thresher: no row could be used (docs/FORMATS.md: what a row needs)"
    assert len(thresher("issues", "-o", "jsonl").rows) == 2


@pytest.mark.parametrize("command", ["import", "marks"])
def test_a_pipe_that_ends_without_a_line_is_one_clear_line(command: str) -> None:
    ran = process(command, "-")
    assert (ran.code, ran.out, ran.is_clean) == (1, "", True)
    assert ran.err == "thresher: no header in the first line\n"


def test_a_last_line_without_a_newline_counts_and_bytes_may_be_broken_anywhere() -> None:
    with following("import", "-") as pipe:
        pipe.say(HEADER)
        assert pipe.running.stdin is not None
        for piece in ("b1,2025-01-", "02,BUY,A,Ä", "TH,crypto,1,1"):
            pipe.running.stdin.write(piece)
            pipe.running.stdin.flush()
        code, err = pipe.end()
    assert (code, err.splitlines()[-1][:5]) == (0, "1 new")
    assert thresher("lots", "-o", "jsonl").rows[0]["asset"] == "ÄTH"


@pytest.mark.parametrize("command", ["watch", "marks"])
def test_a_rule_whose_cooldown_ends_while_the_pipe_is_silent_fires(
    tmp_path: Path, command: str
) -> None:
    facts = tmp_path / "facts.jsonl"
    facts.write_text('{"id":"a","type":"asset","asset":"ETH","class":"crypto"}\n' + buy("b1"))
    thresher("import", facts)
    thresher("rules", "add", "loss", "200", "--cooldown", "3")
    with following(command, "-", "--max-behind", "0") as pipe:
        now = datetime.now(UTC)
        for number, price in enumerate(("75", "99", "70")):  # the last within the cooldown
            time = (now + timedelta(microseconds=number)).isoformat()
            pipe.say(json.dumps({"asset": "ETH", "price": price, "time": time}))

        def fired() -> list[datetime]:
            rows = thresher("alerts", "-o", "jsonl").rows
            return [datetime.fromisoformat(row["fired_at"]) for row in rows]

        first, second = until(lambda: len(fired()) == 2 and fired())
        code, err = pipe.end()
    assert code == 0
    assert (first, second >= now + timedelta(seconds=3)) == (now, True)
    assert "loss #2: harvestable_loss of all 300.00 reached 200" in err
    assert "3 marks (3 new), 2 alerts fired, 1 re-armed, 0 refused" in err


def test_a_silent_pipe_still_looks_whether_something_is_due(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "WAKE_SECONDS", 0.01)
    reading, writing = os.pipe()
    looked: list[int] = []

    def look() -> None:
        looked.append(1)
        if len(looked) == 3:
            os.write(writing, b"a line\n")
            os.close(writing)

    with os.fdopen(reading) as pipe:
        monkeypatch.setattr(sys, "stdin", pipe)
        assert list(streams.follow_stdin(look)) == ["a line\n"]
    assert len(looked) == 3


def test_a_pipe_is_drained_at_once_but_not_in_the_middle_of_a_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "IDLE_SECONDS", 0.05)
    reading, writing = os.pipe()
    saw: list[str] = []
    parts = {"drained": [b"one\ntw", b"three\n"], "idle": [b"o\n"]}

    def write(when: str) -> None:
        saw.append(when)
        if parts[when]:
            os.write(writing, parts[when].pop(0))
        else:
            os.close(writing)

    with os.fdopen(reading) as pipe:
        monkeypatch.setattr(sys, "stdin", pipe)
        for line in streams.follow_stdin(lambda: write("idle"), lambda: write("drained")):
            saw.append(line)
    assert saw == ["drained", "one\n", "idle", "two\n", "drained", "three\n", "drained"]

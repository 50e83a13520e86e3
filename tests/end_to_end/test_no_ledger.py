"""A wrong path: what reads makes no ledger there, and says how to begin one."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from infra.commands import app
from tests.end_to_end.command import process, thresher
from tests.test_readme import commands, subcommands

# Those that write what needs nothing before it; those that have no ledger, or a server's.
BEGIN = {"import", "watch", "marks", "rules add", "rules defaults"}
NONE = {
    "asyncapi", "deadletters list", "deadletters replay", "demo", "migrate", "run", "scenario",
    "serve", "simulate exchange", "topics", "worker",
}  # fmt: skip
SERVICES = {"deliver", "publish"}


def name(line: str) -> str:
    """Of what a call of the README is a call."""
    first, second, *_ = [*shlex.split(line, comments=True)[1:], "", ""]
    command: Any = get_command(app)
    return f"{first} {second}" if second in subcommands(command.commands[first]) else first


READING = [line for line in commands() if name(line) not in BEGIN | NONE | SERVICES]


@pytest.mark.parametrize("line", [*READING, "thresher deliver --once", "thresher marks reject 1"])
def test_what_reads_refuses_a_path_where_no_ledger_is(line: str, database: Path) -> None:
    ran = thresher(*shlex.split(line, comments=True)[1:])
    assert ran.code == 1
    assert ran.out == ""
    assert ran.err == (
        f"thresher: {database}: no ledger is there; say where it is by THRESHER_DATABASE_URL, or "
        "begin one: thresher import trades.csv\n"
    )
    assert not database.parent.exists()


def test_the_readme_calls_what_reads() -> None:
    assert len(READING) >= 39


@pytest.mark.parametrize("command", ["deliver", "publish"])
def test_a_service_over_a_file_that_is_not_there_ends_with_one_line(
    command: str, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THRESHER_PUBLISH", "opportunities")
    ran = process(command)
    assert ran.code == 1
    assert "no ledger is there" in ran.err.splitlines()[-1]
    assert not database.parent.exists()


@pytest.mark.parametrize(
    "line",
    [
        "import {folder}/facts.jsonl", "marks {folder}/ticks.jsonl", "watch {folder}/ticks.jsonl",
        "rules add notice 3000", "rules defaults",
    ],
)  # fmt: skip
def test_what_writes_begins_a_ledger(line: str, database: Path, tmp_path: Path) -> None:
    (tmp_path / "facts.jsonl").write_text('{"id":"A","type":"asset","asset":"A","class":"stock"}\n')
    (tmp_path / "ticks.jsonl").write_text('{"asset":"A","price":"1","time":"2025-03-01"}\n')
    assert thresher(*line.format(folder=tmp_path).split()).code == 0
    assert database.exists()
    assert thresher("lots").code == 0

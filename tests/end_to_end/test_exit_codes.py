"""The table of exit codes in docs/FORMATS.md: each code is met, and none that is not in it."""

from __future__ import annotations

import re
import sqlite3
from importlib.metadata import version
from pathlib import Path

import pytest

from infra.cli.check import EXIT_CODES
from infra.cli.checking import MISMATCH
from infra.main import INTERRUPTED
from tests.end_to_end.command import ROOT, process, thresher
from tests.end_to_end.test_before_trading import DAY, fill

BAD = Path(__file__).parent / "bad_input"
SCENARIO = "tests/law/cases/b02-around-leap-days.json"
MISSING = "nowhere/missing"
CASES = [
    (0, "lots"),
    (0, "lots --as-of 1990-01-01"),
    (0, f"import {BAD / 'dates.csv'} --alone"),  # two rows of it can be used
    (0, f"import {BAD / 'header_only.csv'} --alone"),
    (0, f"scenario --check {SCENARIO}"),
    (0, "report 8949 --year 2001"),
    (0, "verify --rebuild"),
    (0, "--help"),
    (0, "--version"),
    (1, f"import {MISSING}"),
    (1, f"import {BAD / 'html.csv'}"),
    (1, f"import {BAD / 'transfer_without_target.csv'} --alone"),  # no row of it can be used
    (1, f"marks {BAD / 'html.csv'}"),
    (1, f"marks {MISSING}"),
    (1, f"watch {MISSING}"),
    (1, f"scenario {BAD / 'empty.csv'}"),
    (1, f"scenario --check {BAD / 'empty.csv'}"),
    (1, f"report reconcile {MISSING} --year 2025"),
    (1, "lots --taxpayer nobody"),
    (1, "lots --as-of yesterday"),
    (1, "explain nothing"),
    (1, "marks confirm 7"),
    (1, "rules add loss 0"),
    (1, "whatif sell AAPL 0"),
    (1, "topics"),  # THRESHER_KAFKA is not set
    (1, "worker"),
    (1, "publish"),
    (1, "deadletters list"),
    (2, ""),
    (2, "nonsense"),
    (2, "rules"),
    (2, "lots --nonsense"),
    (2, "whatif sell AAPL"),
    (2, "report 8949 --year 25"),
    (2, "marks confirm seven"),
    (2, f"watch {MISSING} --top 0"),
    (2, f"watch {MISSING} --every -1"),
    (2, "verify"),
    (2, "rules remove nobody"),
    (2, "rules test nobody"),
    (2, "alerts ack nobody"),
    (2, "alerts snooze loss --for ever"),
    (2, "similar remove AAPL"),
    (2, "backtest"),  # no rule is in force
    (0, "check buy eip155:1/erc721:0x00000000000000000000000000000000deadbeef/412 1 --all-seen"),
    (3, "check buy AAPL 15 --account north --all-seen"),
    (5, "check buy AAPL 10 --account ira --all-seen"),
    (6, "check buy NOPE 1"),
]


@pytest.fixture(autouse=True)
def _filled(database: Path, tmp_path: Path) -> None:
    fill(tmp_path)


@pytest.mark.parametrize(("code", "line"), CASES, ids=lambda case: str(case).replace(str(BAD), ""))
def test_a_command_ends_with_the_code_of_the_table(
    code: int, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    ran = thresher(*line.split(), *(DAY if line.startswith("check") else ()))
    assert (ran.code, "Traceback" in ran.err) == (code, False), ran.err


def test_a_mark_that_is_refused_among_others_is_told_by_the_code() -> None:
    ran = process("marks", "-", text="asset,price,time\nAAPL,140,2025-02-14\nAAPL,x,2025-02-14\n")
    assert (ran.code, "1 marks" in ran.err) == (1, True)


def test_a_read_model_that_differs_is_told_by_the_code(database: Path) -> None:
    connection = sqlite3.connect(database)
    connection.execute("UPDATE open_lots_v1 SET basis = '1'")
    connection.commit()
    connection.close()
    assert thresher("verify", "--rebuild").code == MISMATCH


def test_the_version_is_that_of_the_package() -> None:
    assert thresher("--version").out == f"thresher {version('thresher')}\n"


def test_the_table_has_every_code_and_no_other() -> None:
    page = (ROOT / "docs" / "FORMATS.md").read_text(encoding="utf-8")
    table = page.split("## Exit codes")[1].split("\n## ")[0]
    codes = {int(code) for code in re.findall(r"^\| ([0-9]+) \|", table, re.MULTILINE)}
    assert codes == {code for code, _ in CASES} | {MISMATCH, INTERRUPTED} | {*EXIT_CODES.values()}

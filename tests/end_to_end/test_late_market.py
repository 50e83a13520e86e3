"""A market that is too fast to be followed, as the owner sees it: marks are conflated, and said."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.end_to_end.command import process, thresher

pytestmark = pytest.mark.usefixtures("database")
TRADES = """event_id,ts,type,account,asset,asset_class,qty,unit_price
b1,2025-01-02,BUY,A,ETH,crypto,10,100
"""


@pytest.fixture
def ticks(tmp_path: Path) -> Path:
    """A coin that falls below a rule's level twice, told twenty seconds late."""
    trades, file = tmp_path / "trades.csv", tmp_path / "ticks.jsonl"
    trades.write_text(TRADES, encoding="utf-8")
    assert thresher("import", trades).is_clean
    assert thresher("rules", "add", "loss", "250", "--channel", "terminal").code == 0
    start = datetime.now(UTC) - timedelta(seconds=25)
    lines = [
        json.dumps(
            {"asset": "ETH", "price": price, "time": f"{start + timedelta(seconds=n):%FT%TZ}"}
        )
        for n, price in enumerate(("90", "70", "95", "65"))
    ]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_a_pipe_that_is_late_is_conflated_and_says_so(ticks: Path) -> None:
    """The first mark is seen to be late; the others wait for it and are taken together."""
    ran = process("watch", "-", "-o", "jsonl", text=ticks.read_text(encoding="utf-8"))
    assert ran.code == 0, ran.err
    assert "4 marks (4 new), 2 conflated, 1 alerts fired, 0 re-armed, 0 refused" in ran.err
    assert [row["harvestable"] for row in ran.rows] == ["100", "350"]


def test_a_file_is_conflated_only_if_told_to(ticks: Path) -> None:
    ran = thresher("watch", ticks, "-o", "table")
    assert "4 marks (4 new), 2 alerts fired, 1 re-armed, 0 refused" in ran.err
    assert "conflated" not in ran.out


def test_the_title_of_the_table_says_how_many(ticks: Path) -> None:
    ran = thresher("watch", ticks, "-o", "table", "--max-behind", "1")
    assert "in 1 lots, 3 marks conflated" in ran.out
    assert "4 marks (4 new), 3 conflated, 1 alerts fired, 0 re-armed, 0 refused" in ran.err


def test_marks_are_conflated_only_if_told_to(ticks: Path) -> None:
    ran = thresher("marks", "take", ticks, "--max-behind", "1")
    assert "4 marks (4 new), 3 conflated, 1 alerts fired" in ran.err


def test_marks_of_a_pipe_are_each_valued(ticks: Path) -> None:
    ran = process("marks", "-", text=ticks.read_text(encoding="utf-8"))
    assert "4 marks (4 new), 2 alerts fired, 1 re-armed, 0 refused" in ran.err

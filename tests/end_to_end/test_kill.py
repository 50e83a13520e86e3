"""kill -9 at any moment: what was said to be in is in, once, and the next run goes on."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
from pathlib import Path
from time import monotonic

import pytest

from tests.end_to_end.command import process, spawn, thresher

KILLS = int(os.environ.get("THRESHER_KILLS", "5"))
SEED = int(os.environ.get("THRESHER_SEED", "1"))
ROWS = 8_000  # two batches, and the projections of them


@pytest.fixture
def trades(tmp_path: Path) -> Path:
    """Buys and sales of forty coins over ten years, never more than is held."""
    rng = random.Random(SEED)
    lines = ["event_id,ts,type,account,asset,asset_class,qty,unit_price,fee"]
    for i in range(ROWS):
        day = f"{2015 + i * 10 // ROWS}-{i * 120 // ROWS % 12 + 1:02d}-{i % 28 + 1:02d}"
        kind = "SELL" if i > 200 and i % 2 else "BUY"
        price = f"{rng.randint(50, 150)}.{rng.randint(0, 99):02d}"
        lines.append(
            f"e{i},{day}T{i % 24:02d}:00:00Z,{kind},A,C{i % 40 // 2 * 2},crypto,1,{price},0.1"
        )
    path = tmp_path / "trades.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def positions(database: Path) -> tuple[int, int, int]:
    """(rows, last position, distinct streams) of the log, read past every part of ours."""
    connection = sqlite3.connect(database)
    try:
        row: tuple[int, int, int] = connection.execute(
            "SELECT count(*), coalesce(max(position), 0), count(DISTINCT originator_id) FROM facts"
        ).fetchone()
    except sqlite3.OperationalError:  # killed before the table was made
        return 0, 0, 0
    finally:
        connection.close()
    return row


def answers() -> list[str]:
    return [thresher(name, "-o", "json").out for name in ("lots", "gains", "years", "issues")]


def test_an_import_that_is_killed_again_and_again_ends_with_every_row_once(
    trades: Path, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("THRESHER_DATABASE_URL", f"sqlite:///{tmp_path / 'whole.db'}")
        start = monotonic()
        assert process("import", trades).code == 0
        seconds = monotonic() - start
        expected = answers()
    rng = random.Random(SEED)
    database.parent.mkdir()
    killed = 0
    for _ in range(KILLS):
        running = spawn("import", trades)
        try:
            running.wait(rng.uniform(0.25, 1) * seconds)
        except subprocess.TimeoutExpired:
            running.kill()
            killed += 1
        running.communicate()
        rows, last, streams = positions(database)
        assert rows == last == streams
    assert killed or not KILLS, "no run was killed in time"
    ran = thresher("import", trades)
    assert (ran.code, ran.is_clean) == (0, True)
    assert f"{ROWS} already known" in thresher("import", trades).err
    coins = 20
    assert positions(database) == (ROWS + coins,) * 3
    assert thresher("verify", "--rebuild").code == 0
    assert answers() == expected

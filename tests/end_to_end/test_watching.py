"""`watch`, and the life of an alert, as the owner sees them in a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.end_to_end.command import process, thresher

pytestmark = pytest.mark.usefixtures("database")
TRADES = """event_id,ts,type,account,asset,asset_class,qty,unit_price
b1,2025-01-02,BUY,A,ETH,crypto,10,100
b2,2025-01-03,BUY,A,BTC,crypto,1,1000
"""


def tick(asset: str, price: str, minute: int) -> str:
    return json.dumps(
        {"asset": asset, "price": price, "time": f"2025-03-03T15:{minute:02}:00Z",
         "source": "feed", "kind": "trade"}
    )  # fmt: skip


@pytest.fixture
def ticks(tmp_path: Path) -> Path:
    """Two coins with a mark each, then one of them falls twice and comes back."""
    trades, file = tmp_path / "trades.csv", tmp_path / "ticks.jsonl"
    trades.write_text(TRADES, encoding="utf-8")
    assert thresher("import", trades).is_clean
    assert thresher("rules", "add", "loss", "250", "--channel", "terminal").code == 0
    said = [tick("ETH", "100", 0), tick("BTC", "1000", 1), tick("ETH", "90", 2),
            tick("ETH", "70", 3), tick("ETH", "101", 4)]  # fmt: skip
    file.write_text("\n".join(said) + "\n", encoding="utf-8")
    return file


def test_watch_says_every_change_of_the_table_as_a_line_of_json(ticks: Path) -> None:
    ran = thresher("watch", ticks, "-o", "jsonl")
    assert ran.code == 0, ran.err
    assert [(row["change"], row["asset"], row["harvestable"]) for row in ran.rows] == [
        ("set", "ETH", "100"),
        ("set", "ETH", "300"),
        ("gone", "ETH", "300"),
    ]
    assert "loss #1: harvestable_loss of all 300.00 reached 250.00" in ran.err
    assert "5 marks (5 new), 1 alerts fired, 1 re-armed, 0 refused" in ran.err


@pytest.fixture
def swapped(ticks: Path) -> Path:
    """One coin recovers at the instant at which the other falls: the loss is 200 before and after,
    and would be 400 between the two lines."""
    said = [tick("ETH", "80", 0), tick("BTC", "1000", 0), tick("BTC", "800", 1),
            tick("ETH", "100", 1)]  # fmt: skip
    ticks.write_text("\n".join(said) + "\n", encoding="utf-8")
    return ticks


@pytest.mark.parametrize("shape", [("-o", "jsonl"), ("-o", "table", "--every", "0")])
def test_marks_of_one_instant_are_one_state_of_the_market(
    swapped: Path, shape: tuple[str, ...]
) -> None:
    ran = thresher("watch", swapped, *shape)
    assert ran.err.endswith("4 marks (4 new), 0 alerts fired, 0 re-armed, 0 refused\n")
    assert thresher("alerts", "-o", "jsonl").rows == []


def test_lines_of_one_instant_that_wait_in_a_pipe_are_one_state_of_the_market(
    swapped: Path,
) -> None:
    ran = process("watch", "-", "-o", "jsonl", text=swapped.read_text(encoding="utf-8"))
    assert ran.err.endswith("4 marks (4 new), 0 alerts fired, 0 re-armed, 0 refused\n")
    changes = sorted((row["at"][14:16], row["change"], row["asset"]) for row in ran.rows)
    assert changes == [("00", "set", "ETH"), ("01", "gone", "ETH"), ("01", "set", "BTC")]


def test_watch_ends_with_the_last_picture_of_the_table(ticks: Path) -> None:
    kept = ticks.read_text(encoding="utf-8").splitlines()[:-1]
    ticks.write_text("\n".join(kept) + "\n", encoding="utf-8")
    ran = thresher("watch", ticks, "-o", "table")
    assert ran.code == 0, ran.err
    assert "Harvestable 300.00 at 2025-03-03T15:03:00 in 1 lots" in ran.out
    assert "ALERT" in ran.out


def test_a_row_that_is_no_mark_is_named_and_the_rest_is_taken(ticks: Path) -> None:
    with ticks.open("a", encoding="utf-8") as file:
        file.write('{"asset": "ETH", "price": "many", "time": "2025-03-03T15:09:00Z"}\n')
    ran = thresher("watch", ticks, "-o", "jsonl")
    assert ran.code == 1
    assert "1 refused" in ran.err
    assert "row 6 price" in ran.err


def test_of_many_refused_rows_five_are_named_and_the_others_counted(ticks: Path) -> None:
    bad = [tick("ETH", "many", 9)] * 8
    ticks.write_text("\n".join(bad) + "\n", encoding="utf-8")
    for words in (("watch", ticks, "-o", "jsonl"), ("watch", ticks, "-o", "table"),
                  ("marks", "take", ticks)):  # fmt: skip
        ran = thresher(*words)
        assert ran.code == 1
        *told, more, counted = ran.err.splitlines()
        assert [line.split(" price: ")[0] for line in told] == [f"  row {n}" for n in range(1, 6)]
        assert (more, counted) == (
            "  ... and 3 more", "0 marks (0 new), 0 alerts fired, 0 re-armed, 8 refused"
        )  # fmt: skip


def test_an_alert_is_acknowledged_once_it_has_fired(ticks: Path) -> None:
    assert thresher("alerts", "ack", "loss").code == 2
    thresher("watch", ticks, "-o", "jsonl")
    assert thresher("alerts", "ack", "loss", "--note", "sold").code == 0
    assert thresher("alerts", "ack", "loss", "7").code == 2
    assert [row["acknowledged_at"] != "" for row in thresher("alerts", "-o", "jsonl").rows] == [
        True
    ]


def test_a_rule_is_snoozed_and_woken(ticks: Path) -> None:
    assert thresher("alerts", "snooze", "loss", "--for", "2h").code == 0
    assert "ALERT" not in thresher("watch", ticks, "-o", "jsonl").err
    assert thresher("rules", "list", "-o", "jsonl").rows[0]["snoozed_until"] != ""
    assert "ALERT" in thresher("alerts", "wake", "loss").err
    assert thresher("alerts", "snooze", "loss", "--for", "soon").code == 2
    assert thresher("alerts", "snooze", "none").code == 2

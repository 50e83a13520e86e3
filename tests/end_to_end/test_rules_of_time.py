"""Alerts of time and default rules, as the owner meets them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.default_rules import DEFAULT_RULES
from tests.end_to_end.command import thresher

HEADER = "event_id,ts,type,account,asset,asset_class,qty,unit_price\n"


def day(back: int) -> str:
    """So many days before today, UTC."""
    return (datetime.now(UTC).date() - timedelta(days=back)).isoformat()


@pytest.fixture
def trades(database: Path, tmp_path: Path) -> Path:
    """A loss booked ten days ago: buying is safe in 21 days."""
    assert database.is_relative_to(tmp_path)  # never the ledger of who runs the tests
    file = tmp_path / "trades.csv"
    rows = [f"b,{day(100)},BUY,A,XYZ,stock,10,100", f"s,{day(10)},SELL,A,XYZ,stock,2,80"]
    file.write_text(HEADER + "\n".join(rows) + "\n", encoding="utf-8")
    assert thresher("import", file).is_clean
    return file


@pytest.mark.usefixtures("trades")
def test_a_date_in_reach_is_told_when_the_rule_is_added_and_only_then() -> None:
    ran = thresher("rules", "add", "safe", "30", "--metric", "safe_to_buy")
    assert ran.code == 0, ran.err
    assert f"safe #1: from {day(-21)} buying XYZ washes no booked loss of 40.00" in ran.err
    ran = thresher("deliver", "--once")
    assert "ALERT" not in ran.err
    (alert,) = thresher("alerts").rows
    assert (alert["rule"], alert["crossing"], alert["state"]) == ("safe", 1, "firing")
    assert alert["evidence"]["dates"][0]["because"] == ["csv:s"]
    assert f"from {day(-21)} buying XYZ" in str(thresher("explain", "safe/1").out)


@pytest.mark.usefixtures("trades")
def test_a_rule_that_cannot_be_is_refused_in_a_line() -> None:
    ran = thresher("rules", "add", "safe", "0.5", "--metric", "safe_to_buy")
    assert (ran.code, ran.err.strip()) == (1, "thresher: threshold 0.5: use whole days, 0 to 366")
    assert thresher("rules", "list").rows == []


@pytest.mark.usefixtures("trades")
def test_default_rules_are_added_once_and_yours_stay() -> None:
    assert thresher("rules", "add", "loss", "77").code == 0
    ran = thresher("rules", "defaults")
    assert ran.code == 0, ran.err
    assert f"{len(DEFAULT_RULES) - 1} default rules added" in ran.err
    rules = {row["name"]: row["threshold"] for row in thresher("rules", "list").rows}
    assert rules == {each.name: each.threshold for each in DEFAULT_RULES} | {"loss": "77"}
    assert "0 default rules added" in thresher("rules", "defaults").err


def test_who_has_no_rules_is_told_how_to_get_some(trades: Path) -> None:
    marks = trades.with_name("marks.csv")
    marks.write_text(f"asset,price,time\nXYZ,90,{day(1)}\n", encoding="utf-8")
    hint = "main has no alert rules: thresher rules defaults"
    assert thresher("marks", marks).err.splitlines()[0] == hint
    assert thresher("watch", marks).err.splitlines()[0] == hint
    thresher("rules", "defaults")
    assert hint not in thresher("marks", marks).err + thresher("watch", marks).err


@pytest.mark.usefixtures("trades")
def test_date_rules_can_be_tried_on_the_past() -> None:
    ran = thresher("rules", "test", "safe", "5", "--metric", "window_closes")
    assert ran.code == 0, ran.err

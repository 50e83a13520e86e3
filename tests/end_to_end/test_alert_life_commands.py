"""Dwell and digests as they are typed: a rule that waits is listed, a notice of a digest waits."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.command import Ran, thresher

FACTS = (
    '{"id":"a","type":"asset","asset":"ETH","class":"crypto"}\n'
    '{"id":"b1","type":"buy","date":"2025-01-02","account":"A","asset":"ETH","qty":"10",'
    '"amount":"1000"}\n'
)


@pytest.fixture(autouse=True)
def folder(database: Path, tmp_path: Path) -> Path:
    """Ten coins that cost 1,000."""
    (tmp_path / "facts.jsonl").write_text(FACTS)
    thresher("import", tmp_path / "facts.jsonl")
    return tmp_path


def mark(folder: Path, price: str, time: str) -> Ran:
    file = folder / "marks.csv"
    file.write_text(f"asset,price,time\nETH,{price},2025-03-01T{time}Z\n")
    return thresher("marks", file)


def test_a_rule_with_dwell_is_listed_as_pending_and_then_fires(folder: Path) -> None:
    assert thresher("rules", "add", "loss", "200", "--dwell", "300").code == 0
    assert "0 alerts fired" in mark(folder, "75", "10:00:00").err
    (row,) = thresher("alerts").rows
    assert (row["state"], row["key"], row["value"]) == ("pending", "main/loss/1", "250")
    assert row["fires_at"] == "2025-03-01T10:05:00.000000Z"
    table = thresher("alerts", "-o", "table").out
    assert "pending" in table
    assert "2025-03-01T10:05:00" in table
    (rule,) = thresher("rules", "list").rows
    assert (rule["dwell_seconds"], rule["pending_since"][:19]) == (300, "2025-03-01T10:00:00")
    assert thresher("alerts", "ack", "loss").code == 2  # nothing has fired
    assert "1 alerts fired" in mark(folder, "74", "10:05:00").err
    (row,) = thresher("alerts").rows
    assert (row["state"], row["value"]) == ("firing", "260")
    assert "fires at" not in thresher("alerts", "-o", "table").out
    assert "since 2025-03-01T10:00:00" in thresher("explain", "loss/1", "-o", "json").out
    assert thresher("rules", "list").rows[0]["pending_since"] == ""
    assert thresher("verify", "--rebuild").code == 0


def test_a_notice_of_a_rule_with_a_digest_waits_and_an_urgent_alert_does_not(folder: Path) -> None:
    thresher("rules", "add", "calm", "200", "--digest", "daily 08:00")
    thresher("rules", "add", "loud", "200", "--digest", "hourly", "--severity", "urgent")
    ran = mark(folder, "75", "10:00:00")
    assert "2 alerts fired" in ran.err
    assert "loud #1" in ran.err
    assert "calm #1" not in ran.err
    assert [row["digest"] for row in thresher("rules", "list").rows] == ["daily 08:00", "hourly"]


@pytest.mark.parametrize(
    ("option", "says"), [(("--dwell", "-5"), "dwell"), (("--digest", "weekly"), "daily 08:00")]
)
def test_what_cannot_be_is_refused_in_one_line(option: tuple[str, str], says: str) -> None:
    ran = thresher("rules", "add", "loss", "200", *option)
    assert ran.code == 1
    assert says in ran.err
    assert ran.is_clean

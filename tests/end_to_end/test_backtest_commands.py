"""`rules test` and `backtest`: lines for programs, tables for people, nothing recorded or sent."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.command import Ran, thresher

FACTS: list[dict[str, Any]] = [
    {"type": "asset", "id": "S", "asset": "S", "class": "stock"},
    {"type": "buy", "id": "b", "date": "2024-01-03", "account": "A", "asset": "S", "qty": "100",
     "amount": "10000"},
]  # fmt: skip
MARKS = ("2024-02-01", "60"), ("2024-03-03", "70"), ("2024-03-04", "95"), ("2024-12-31", "80")


@pytest.fixture(autouse=True)
def _filled(database: Path, tmp_path: Path) -> None:
    (tmp_path / "facts.jsonl").write_text("".join(json.dumps(each) + "\n" for each in FACTS))
    rows = "".join(f"S,{price},{day}\n" for day, price in MARKS)
    (tmp_path / "marks.csv").write_text("asset,price,time\n" + rows)
    thresher("import", tmp_path / "facts.jsonl", "--source", "me")
    thresher("marks", tmp_path / "marks.csv")


def tried(*args: str) -> Ran:
    return thresher("rules", "test", *args)


def contents(database: Path) -> list[Any]:
    with sqlite3.connect(database) as connection:
        return [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            for table in ("facts", "marks", "outbox")
        ]


def test_a_rule_is_tried_on_the_past(database: Path) -> None:
    before = contents(database)
    first, second = tried("deep", "1500").rows
    assert (first["rule"], first["crossing"], first["value"]) == ("deep", 1, "4000")
    assert (first["fired_at"][:10], first["rearmed_at"][:10]) == ("2024-02-01", "2024-03-04")
    assert (second["crossing"], second["value"], second["rearmed_at"]) == (2, "2000", "")
    assert [each["asset"] for each in first["evidence"]["marks"]] == ["S"]
    assert contents(database) == before
    assert json.loads(tried("deep", "1500", "-o", "json").out) == [first, second]


@pytest.mark.parametrize(
    ("options", "values"),
    [
        (("deep", "1500", "--from", "2024-02-02"), ["4000", "2000"]),
        (("deep", "1500", "--from", "2024-03-05", "--to", "2024-12-30"), []),
        (("deep", "1500", "--scope", "class:crypto"), []),
        (("deep", "1500", "--rearm", "0.1"), ["4000"]),
        (("deep", "1500", "--cooldown", str(366 * 86400)), ["4000"]),
        (("deep", "1500", "--dwell", str(30 * 86400)), ["3000"]),
        (("deep", "1500", "--dwell", str(31 * 86400 + 1)), []),
        (("deep", "25", "--metric", "loss_percent"), ["40"]),
        (("deep", "1500", "--as-recorded"), ["4000", "2000"]),
    ],
    ids=["from", "to", "scope", "re-arm", "cooldown", "dwell", "too-long", "metric", "as-recorded"],
)
def test_options_change_what_is_tried(options: tuple[str, ...], values: list[str]) -> None:
    assert [each["value"] for each in tried(*options).rows] == values


def test_rules_in_force_are_tried_as_they_are_or_changed(tmp_path: Path) -> None:
    out = tmp_path / "sent.jsonl"
    thresher("rules", "add", "deep", "5000", "--channel", f"file:{out}")
    thresher("rules", "add", "any", "3500", "--channel", f"file:{out}")
    assert [each["rule"] for each in tried().rows] == ["any"]
    assert tried("deep").rows == []
    assert [each["rule"] for each in tried("deep", "4000").rows] == ["deep"]
    assert not out.exists()


def test_a_table_for_people() -> None:
    shown = tried("deep", "1500", "-o", "table").out
    assert "2024-01-03 to 2024-12-31 (facts: 1, marks: 4)" in shown
    assert "No rule would have fired." in tried("deep", "9000", "-o", "table").out


def test_policies_are_compared(database: Path) -> None:
    before = contents(database)
    alert, year_end, none = thresher("backtest", "--rule", "deep=3000").rows
    assert [each["policy"] for each in (alert, year_end, none)] == [
        "at_alert", "at_year_end", "none",
    ]  # fmt: skip
    # Sold at 60 on 1 February, back at 70 on the first safe day: 3 March in a leap year.
    assert (alert["alerts"], alert["sales"], alert["bought_back"]) == (1, 1, 1)
    assert (alert["harvested"], alert["timing"]) == ("4000", "-1000")
    assert (alert["tax_saved"], alert["carried_forward"]) == ("1050", "1000")
    assert (year_end["harvested"], year_end["tax_saved"]) == ("2000", "700")
    assert (none["sales"], none["tax_saved"]) == (0, "0")
    assert contents(database) == before


def test_a_rule_with_dwell_sells_when_it_fires() -> None:
    """At 60 on 1 February the loss begins to last; at 70 on 3 March it has."""
    thresher("rules", "add", "deep", "2500", "--dwell", str(30 * 86400))
    alert = thresher("backtest").rows[0]
    assert (alert["alerts"], alert["sales"], alert["harvested"]) == (1, 1, "3000")
    assert [each["value"] for each in tried().rows] == ["3000"]


def test_the_comparison_as_a_table() -> None:
    shown = thresher("backtest", "--rule", "deep=3000", "--no-rebuy", "-o", "table").out
    assert "at each alert" in shown
    assert "1,050.00" in shown
    assert "2,000.00" in shown  # out at 60, and 80 at the end
    assert "deferred, not forgiven" in shown


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("rules", "test"), "no rule is in force"),
        (("rules", "test", "deep"), "no rule is called 'deep'"),
        (("rules", "test", "deep", "much"), "threshold"),
        (("rules", "test", "deep", "10", "--scope", "everything"), "scope"),
        (("rules", "test", "deep", "10", "--from", "soon"), "--from"),
        (("rules", "test", "deep", "1", "--from", "2025-01-02", "--to", "2025-01-01"), "--from"),
        (("backtest",), "no rule is in force"),
        (("backtest", "--rule", "deep"), "no rule is called 'deep'"),
        (("backtest", "--rule", "deep=1", "--taxpayer", "other"), "other"),
    ],
    ids=["none", "unknown", "amount", "scope", "day", "order", "no-rule", "name", "taxpayer"],
)
def test_what_cannot_be_tried_is_said_in_one_line(args: tuple[str, ...], says: str) -> None:
    ran = thresher(*args)
    assert ran.code in (1, 2)
    assert says in ran.err
    assert "Traceback" not in ran.err

"""The `similar` commands, and where their answers show: opportunities, whatif, watch."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.end_to_end.command import thresher

pytestmark = pytest.mark.usefixtures("database")
TRADES = """event_id,ts,type,account,asset,asset_class,group,qty,unit_price
b1,2024-12-02,BUY,A,S,stock,S,10,100
b2,2024-12-02,BUY,A,T,stock,T,1,50
b3,2024-12-02,BUY,A,S.token,tokenized_security,S,1,100
b4,2024-12-02,BUY,A,COIN,crypto,,1,100
"""
DAY = ("--as-of", "2025-02-03")


@pytest.fixture(autouse=True)
def _filled(database: Path, tmp_path: Path) -> None:
    """S and T fall together in January 2025; S.token has one mark, COIN none."""
    prices = ["date,asset,price", "2025-01-31,S.token,90"]
    for day in range(1, 32):
        for asset, start in (("S", 100), ("T", 50)):
            prices.append(f"2025-01-{day:02},{asset},{start - day + day % 3}")
    (tmp_path / "trades.csv").write_text(TRADES, encoding="utf-8")
    (tmp_path / "prices.csv").write_text("\n".join(prices) + "\n", encoding="utf-8")
    assert thresher("import", tmp_path / "trades.csv").is_clean


def test_a_table_is_set_listed_replaced_and_removed() -> None:
    ran = thresher("similar", "set", "S", "T", "--reason", "same industry")
    assert (ran.code, ran.err.strip()) == (0, "instead of S: T")
    (row,) = thresher("similar", "list", *DAY).rows
    assert (row["instead_of"], row["asset"], row["reason"]) == ("S", "T", "same industry")
    assert (row["correlation"], row["days"], row["price"]) == ("0.98", 30, "20")
    assert "same industry" in thresher("similar", "list", *DAY, "-o", "table").out
    assert thresher("similar", "set", "S", "T").code == 0
    assert [row["reason"] for row in thresher("similar", "list", *DAY).rows] == [""]
    assert thresher("similar", "remove", "S").code == 0
    assert thresher("similar", "list", *DAY).rows == []
    assert thresher("similar", "remove", "S").code == 2
    assert thresher("verify", "--rebuild").code == 0


@pytest.mark.parametrize(
    ("candidate", "complaint"),
    [("S", "S is the same asset"), ("S.token", "identical group S"), ("COIN", "class crypto"),
     ("NOPE", "NOPE was never declared")],
)  # fmt: skip
def test_what_cannot_stand_in_is_refused_and_nothing_is_recorded(
    candidate: str, complaint: str
) -> None:
    ran = thresher("similar", "set", "S", "T", candidate)
    assert (ran.code, "Traceback" in ran.err) == (2, False)
    assert complaint in " ".join(ran.err.replace("│", " ").split())
    assert thresher("similar", "list", *DAY).rows == []


def test_imported_it_is_an_issue_and_the_answer_says_why(tmp_path: Path) -> None:
    line = {"id": "1", "type": "similar", "asset": "S", "candidates": ["S.token", "T"]}
    (tmp_path / "facts.jsonl").write_text(json.dumps(line), encoding="utf-8")
    assert thresher("import", tmp_path / "facts.jsonl", "--source", "notes").is_clean
    assert [row["fact"] for row in thresher("issues").rows] == ["declared:similar/S"]
    table = thresher("opportunities", *DAY, "-o", "table").out
    assert "instead of S:\n  T: correlation 0.98 over 30 days" in table
    assert "not offered: S.token is of the identical group S" in table
    assert thresher("similar", "set", "S", "T").code == 0
    assert thresher("issues").rows == []


def test_it_stands_beside_the_losses_and_in_the_what_ifs() -> None:
    assert "swap into" not in thresher("opportunities", *DAY, "-o", "table").out
    assert thresher("similar", "set", "S", "T").code == 0
    rows = {row["asset"]: row for row in thresher("opportunities", *DAY).rows}
    assert (rows["S"]["swap_into"], rows["T"]["swap_into"]) == ("T", "")
    assert rows["S"]["similar"][0]["open_loss"] == "30"
    table = thresher("opportunities", *DAY, "-o", "table").out
    assert "swap into" in table
    assert "would block up to 30.00 of its own open loss" in table
    sold = thresher("whatif", "sell", "S", "10", *DAY, "-o", "table").out
    assert "instead of S:\n  T: correlation 0.98 over 30 days; would block" in sold
    both = thresher("whatif", "harvest", *DAY)
    assert {row["asset"]: row["swap_into"] for row in both.rows[0]["assets"]} == {
        "S": "", "S.token": "", "T": "",
    }  # fmt: skip
    few = thresher("whatif", "harvest", "--above", "100", *DAY, "-o", "table").out
    assert "instead of S: T" in few


def test_watch_says_what_to_swap_into(tmp_path: Path) -> None:
    assert thresher("similar", "set", "S", "T").code == 0
    ticks = tmp_path / "ticks.jsonl"
    marks = [{"asset": "S", "price": price, "time": f"2025-02-03T15:0{minute}:00Z"}
             for minute, price in enumerate(("70", "69"))]  # fmt: skip
    ticks.write_text("\n".join(map(json.dumps, marks)) + "\n", encoding="utf-8")
    said = [row for row in thresher("watch", ticks, "-o", "jsonl").rows if row["asset"] == "S"]
    assert {row["swap_into"] for row in said} == {"T"}
    assert "swap into" in thresher("watch", ticks, "-o", "table").out

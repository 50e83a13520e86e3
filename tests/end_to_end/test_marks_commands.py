"""The `marks` commands as they are typed: take, held, confirm, reject, and what answers say."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.end_to_end.command import process, thresher

FACTS = (
    '{"id":"a","type":"asset","asset":"ETH","class":"crypto"}\n'
    '{"id":"b1","type":"buy","date":"2025-01-02","account":"A","asset":"ETH","qty":"10",'
    '"amount":"1000"}\n'
)
HEADER = "asset,price,time,source,kind\n"
MARK = HEADER + "ETH,95,2025-03-01T10:00:00Z,feed,mid\n"
SLIP = HEADER + "ETH,9.5,2025-03-01T10:01:00Z,feed,mid\n"


@pytest.fixture
def slipped(database: Path, tmp_path: Path) -> Path:
    """Ten coins, a rule at a loss of 200, a mark, and a quote that lost its point."""
    for name, text in (("facts.jsonl", FACTS), ("mark.csv", MARK), ("slip.csv", SLIP)):
        (tmp_path / name).write_text(text)
    thresher("import", tmp_path / "facts.jsonl")
    thresher("rules", "add", "loss", "200")
    thresher("marks", tmp_path / "mark.csv")
    return tmp_path


def test_a_slip_is_counted_and_listed_and_rejected(slipped: Path) -> None:
    ran = thresher("marks", slipped / "slip.csv")
    assert ran.code == 0
    assert ran.err.startswith("1 marks (0 new), 1 held (listed by: thresher marks held), 0 alerts")
    (row,) = thresher("marks", "held").rows
    assert (row["id"], row["asset"], row["price"], row["last_price"]) == (1, "ETH", "9.5", "95")
    table = thresher("marks", "held", "-o", "table").out
    assert "Held quotes" in table
    assert "9.5" in table
    assert "1 quote is held: thresher marks held" in thresher("opportunities", "-o", "table").out
    ran = thresher("marks", "reject", "1")
    assert (ran.code, ran.err) == (0, "ETH at 9.5 is rejected\n")
    assert thresher("marks", "held").out == ""
    assert thresher("marks", "held", "-o", "table").out == "No quote is held.\n"
    assert "held" not in thresher("opportunities", "-o", "table").out


def test_confirming_makes_it_a_mark_and_fires(slipped: Path) -> None:
    thresher("marks", slipped / "slip.csv")
    ran = thresher("marks", "confirm", "1")
    assert ran.code == 0
    assert "ETH at 9.5 is a mark, 1 alerts fired, 0 re-armed" in ran.err
    assert [row["price"] for row in thresher("opportunities").rows] == ["9.5"]
    assert [row["value"] for row in thresher("alerts").rows] == ["905"]
    assert thresher("verify", "--rebuild").code == 0


@pytest.mark.usefixtures("slipped")
@pytest.mark.parametrize("word", ["confirm", "reject"])
def test_a_number_that_is_not_held_is_one_line(word: str) -> None:
    ran = thresher("marks", word, "7")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "thresher: no quote is held under 7; thresher marks held lists them\n"


def test_marks_file_is_short_for_marks_take_file(slipped: Path) -> None:
    for words in (("marks",), ("marks", "take")):
        ran = thresher(*words, slipped / "mark.csv")
        assert ran.code == 0
        assert ran.err.startswith("1 marks (0 new), 0 alerts fired")
        assert process(*words, "-", text=MARK).err.startswith("1 marks (0 new), 0 alerts fired")


def test_a_kind_that_is_none_is_refused_by_row(slipped: Path) -> None:
    file = slipped / "kind.csv"
    file.write_text(MARK.replace("mid", "last"))
    ran = thresher("marks", file)
    assert ran.code == 1
    assert "1 refused" in ran.err
    assert "row 2 kind: Input should be 'trade', 'bid'" in ran.err
    assert "use one of the values named" in ran.err
    ran = thresher("import", file)
    assert "1 quarantined" in ran.err


def test_an_answer_counts_the_marks_that_are_too_old(slipped: Path) -> None:
    (row,) = thresher("opportunities").rows
    assert (row["mark_stale"], row["mark_kind"], row["haircut"]) == (True, "mid", "0")
    assert "1 mark is too old, or only an ask" in thresher("opportunities", "-o", "table").out
    then = ("opportunities", "--as-of", "2025-03-01")
    assert [each["mark_stale"] for each in thresher(*then).rows] == [True]  # by midnight


@pytest.mark.usefixtures("slipped")
def test_a_command_leaves_what_rules_wait_for_to_the_next(database: Path) -> None:
    with closing(sqlite3.connect(database)) as tables:
        assert tables.execute("SELECT taxpayer FROM rests").fetchall() == [("main",)]


@pytest.mark.parametrize("rows", [998, 999, 1_000])
def test_a_thousand_rows_are_no_reason_to_cut_an_instant_in_two(slipped: Path, rows: int) -> None:
    """After so many rows one coin falls as the other recovers: between the two lines the loss
    would be 300, before and after it is 150."""
    facts = FACTS.replace("ETH", "BTC").replace('"b1"', '"b2"').replace('"a"', '"c"')
    (slipped / "more.jsonl").write_text(facts)
    assert thresher("import", slipped / "more.jsonl").is_clean
    before = [("BTC", 100, 0), *(("ETH", 85, second) for second in range(1, rows))]
    marks = [*before, ("BTC", 85, rows), ("ETH", 100, rows)]
    lines = (
        f"{asset},{price},2025-03-01T11:{second // 60:02}:{second % 60:02}Z,feed,mid\n"
        for asset, price, second in marks
    )
    (slipped / "many.csv").write_text(HEADER + "".join(lines))
    ran = thresher("marks", "take", slipped / "many.csv")
    assert f"{rows + 2} marks ({rows + 2} new), 0 alerts fired, 0 re-armed" in ran.err
    assert [row["asset"] for row in thresher("opportunities").rows] == ["BTC"]

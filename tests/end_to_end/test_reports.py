"""`thresher report`: every report from the command line, to the output or a file."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from domain.exact import cents, money
from tests.end_to_end.command import process, thresher
from tests.services.reports.histories import GOLDEN, HISTORY, STATEMENT, TODAY

FORMS = ("8949", "schedule-d", "wash-sales")


@pytest.fixture(autouse=True)
def _filled(database: Path, tmp_path: Path) -> None:
    facts = tmp_path / "facts.jsonl"
    facts.write_text("".join(json.dumps(fact) + "\n" for fact in HISTORY), encoding="utf-8")
    ran = thresher("import", "--source", "csv", facts)
    assert ran.code == 0, ran.err


@pytest.mark.parametrize("name", FORMS)
def test_a_form_goes_to_the_output_or_a_file(name: str, tmp_path: Path) -> None:
    out = tmp_path / "reports" / "report.csv"
    asked = ("report", name, "--year", "2025", "--as-of", TODAY)
    written = thresher(*asked, "--out", out)
    assert (written.code, written.out) == (0, "")
    assert out.read_bytes() == (GOLDEN / f"{name}.csv").read_bytes()
    shown = thresher(*asked)
    assert shown.out.encode() == out.read_bytes()
    as_json = thresher(*asked, "--format", "json")
    assert as_json.out == (GOLDEN / f"{name}.json").read_text(encoding="utf-8")


def test_line_ends_survive_a_pipe() -> None:
    ran = process("report", "hledger", "--as-of", TODAY)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (GOLDEN / "lots.journal").read_text(encoding="utf-8")


def test_whole_dollars_are_all_or_nothing() -> None:
    ran = thresher("report", "8949", "--year", "2025", "--as-of", TODAY, "--whole-dollars")
    assert ran.out.encode() == (GOLDEN / "8949-dollars.csv").read_bytes()


def test_the_reconciliation_reads_a_statement(tmp_path: Path) -> None:
    asked = ("report", "reconcile", "--year", "2025", "--as-of", TODAY)
    ran = thresher(*asked, STATEMENT)
    assert ran.code == 0
    assert ran.out.encode() == (GOLDEN / "reconcile.csv").read_bytes()
    rows = tmp_path / "rows.csv"
    rows.write_text(STATEMENT.read_text(encoding="utf-8") + "north,XYZ,ten,,2025-06-10,1,,,,\n")
    ran = thresher(*asked, rows)
    assert (ran.code, ran.out.encode()) == (1, (GOLDEN / "reconcile.csv").read_bytes())
    assert "row 8, qty: 'ten' is not valid; write a plain decimal" in ran.err
    found = json.loads(thresher(*asked, rows, "--format", "json").out)
    assert [(each["row"], each["field"]) for each in found["bad_rows"]] == [(8, "qty")]


def test_files_for_other_programs(tmp_path: Path) -> None:
    out = tmp_path / "lots.beancount"
    assert thresher("report", "beancount", "--as-of", TODAY, "--out", out).code == 0
    assert out.read_bytes() == (GOLDEN / "lots.beancount").read_bytes()
    ran = thresher("report", "txf", "--year", "2025", "--as-of", TODAY)
    head, _, records = ran.out.partition("^\r\n")
    assert head.startswith("V042\r\nAThresher ")
    golden = (GOLDEN / "sales.txf").read_bytes().decode()
    assert records == golden.partition("^\r\n")[2]
    assert "boxes G to L" in ran.err


def test_forms_agree_with_gains_and_years() -> None:
    ran = thresher("report", "8949", "--year", "2025")
    rows = [row for row in csv.DictReader(io.StringIO(ran.out)) if row["row"] == "sale"]
    gains = [row for row in thresher("gains").rows if row["sold"].startswith("2025")]
    assert sorted(row["sale"] for row in rows) == sorted(row["event"] for row in gains)
    schedule = thresher("report", "schedule-d", "--year", "2025").out
    lines = {row["line"]: row["h"] for row in csv.DictReader(io.StringIO(schedule))}
    (year,) = [row for row in thresher("years").rows if row["year"] == "2025"]
    assert lines["16"] == cents(money(year["net"]))
    assert lines["carry long"] == cents(-money(year["carry_lt"]))


def test_a_report_can_be_asked_as_of_a_day_and_as_it_was_known() -> None:
    half = thresher("report", "8949", "--year", "2025", "--as-of", "2025-03-31")
    assert half.out.count("\r\nsale,") == 3
    assert "purchases until 2026-01-30" in half.err
    before = thresher("report", "8949", "--year", "2025", "--known-at", "2020-01-01")
    assert before.out.splitlines() == half.out.splitlines()[:1]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("8949", "--year", "2025", "--taxpayer", "nobody"), "no facts of taxpayer"),
        (("8949", "--year", "2025", "--out", "/proc/no/x.csv"), "No such file"),
        (("reconcile", "/no/such/file.csv", "--year", "2025"), "No such file"),
        (("reconcile", __file__, "--year", "2025"), "broker file: unknown column"),
        (("txf", "--year", "2025", "--as-of", "soon"), "--as-of"),
    ],
)
def test_what_cannot_be_is_one_clear_line(args: tuple[str, ...], says: str) -> None:
    ran = thresher("report", *args)
    assert (ran.code, ran.out, ran.is_clean) == (1, "", True)
    (line,) = ran.err.splitlines()
    assert says in line


def test_a_statement_in_another_encoding_is_refused_in_one_line(tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_bytes(
        "account,asset,qty,sold,proceeds\nM\u00fcller,S,1,2025-01-02,1\n".encode("latin-1")
    )
    ran = thresher("report", "reconcile", rows, "--year", "2025")
    assert (ran.code, ran.err) == (1, "thresher: rows.csv is no UTF-8 text: save it as UTF-8\n")


@pytest.mark.parametrize("name", [*FORMS, "txf", "reconcile"])
def test_a_year_without_sales_is_said_beside_the_report(name: str) -> None:
    file = [str(STATEMENT)] if name == "reconcile" else []
    asked = ["report", name, *file, "--as-of", TODAY]
    ran = thresher(*asked, "--year", "2001")
    assert ran.err.splitlines()[0] == "no sales in 2001 (thresher years: which years have any)"
    assert "no sales" not in ran.out
    assert "no sales" not in thresher(*asked, "--year", "2025").err


@pytest.mark.parametrize("name", FORMS)
def test_a_year_without_sales_stays_json(name: str) -> None:
    ran = thresher("report", name, "--year", "2001", "--as-of", TODAY, "--format", "json")
    assert "no sales in 2001" in ran.err
    assert json.loads(ran.out)["year"] == "2001"

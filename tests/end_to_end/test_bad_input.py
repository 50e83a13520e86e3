"""A directory of wrong files: clear errors, rows in quarantine, nothing lost or half-written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.end_to_end.command import Ran, thresher

FILES = Path(__file__).parent / "bad_input"

# file: (rows that go in, rows in quarantine)
IMPORTED = {
    "accounts.wrong.csv": (1, 3),
    "assets.wrong.csv": (1, 6),
    "broken_utf8.csv": (2, 2),
    "broken_utf8.jsonl": (2, 2),
    "cells.csv": (2, 8),
    "classes.csv": (2, 3),
    "currency.csv": (2, 2),
    "dates.csv": (2, 15),
    "decimals.csv": (2, 26),
    "duplicate_ids.csv": (2, 2),
    "facts.jsonl": (4, 40),
    "formulas.csv": (3, 0),
    "header_only.csv": (0, 0),
    "header_without_newline.csv": (0, 0),
    "nul.csv": (2, 2),
    "only_sales.csv": (2, 0),
    "oversell.csv": (3, 0),
    "prices.wrong.csv": (0, 6),
    "prices_and_fees.csv": (2, 6),
    "quote_in_the_middle.csv": (2, 1),
    "transfer_without_target.csv": (0, 2),
    "types.csv": (2, 4),
    "unclosed_quote.csv": (1, 1),
    "unknown_asset.jsonl": (2, 0),
}
HAVE_PRICES = ("prices.wrong.csv",)  # one of its rows is a price
# file: what the one line on standard error says
REFUSED = {
    "all_nul.csv": r"unknown columns '\x00",
    "binary.csv": "unknown columns",
    "blank_lines.csv": "no header in the first line",
    "column_twice.csv": "column qty is given twice",
    "corrupt.csv.gz": "corrupt.csv.gz: damaged gzip file",
    "empty.csv": "no header in the first line",
    "html.csv": "unknown columns <!DOCTYPE html>",
    "missing_column.csv": "trades file: missing column qty",
    "no_header.csv": "expected the header of trades",
    "not_gzip.csv.gz": "not_gzip.csv.gz: damaged gzip file: Not a gzipped file",
    "semicolons.csv": "unknown columns event_id;ts;type",
    "truncated.csv.gz": "truncated.csv.gz: damaged gzip file",
    "unknown_column.csv": "trades file: unknown column colour; known are account, asset",
    "utf16.csv": "unknown columns",
}
# Facts that were taken in and do not fit: file: codes of their data issues
MISFITS = {
    "facts.jsonl": ["unknown_asset"],
    "only_sales.csv": ["insufficient_units"] * 2,
    "oversell.csv": ["insufficient_units"],
    "unknown_asset.jsonl": ["unknown_asset"],
}


def counts(ran: Ran) -> tuple[int, int, int]:
    found = re.search(r"(\d+) new, (\d+) already known, (\d+) quarantined", ran.err)
    assert found, ran
    return int(found[1]), int(found[2]), int(found[3])


def issues() -> list[dict[str, object]]:
    return thresher("issues", "-o", "jsonl").rows


def test_every_file_of_the_directory_is_in_the_table() -> None:
    assert {path.name for path in FILES.iterdir()} == IMPORTED.keys() | REFUSED.keys()


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("name", sorted(IMPORTED))
def test_bad_rows_are_quarantined_while_the_rest_goes_in(name: str) -> None:
    ran = thresher("import", FILES / name)
    assert ran.is_clean
    new, held = IMPORTED[name]
    has_none = held > 0 and not new and name not in HAVE_PRICES
    assert ran.code == has_none
    assert ("thresher: no row could be used" in ran.err) == has_none
    assert counts(ran) == (new, 0, held)
    listed = issues()
    quarantined = [each for each in listed if each["code"] == "quarantined"]
    assert len(quarantined) == held
    for each in quarantined:
        assert re.fullmatch(rf"{re.escape(name)} row [0-9]+", str(each["fact"]))
        assert each["says"]
        assert each["remedy"]
    misfits = [each["code"] for each in listed if each["code"] != "quarantined"]
    assert misfits == MISFITS.get(name, [])
    assert thresher("verify", "--rebuild", "-o", "json").code == 0


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("name", sorted(IMPORTED))
def test_again_nothing_is_added_and_no_row_is_listed_twice(name: str) -> None:
    thresher("import", FILES / name)
    before = issues()
    again = thresher("import", FILES / name)
    new, held = IMPORTED[name]
    assert counts(again) == (0, new, held)
    assert issues() == before


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_file_that_cannot_be_read_is_refused_in_one_line(name: str) -> None:
    ran = thresher("import", FILES / name)
    assert (ran.code, ran.out, ran.is_clean) == (1, "", True)
    (line,) = ran.err.splitlines()
    assert line.startswith("thresher: ")
    assert REFUSED[name] in line
    assert len(line) < 800
    assert thresher("verify", "--rebuild").code == 0


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("name", sorted([*IMPORTED, *REFUSED]))
def test_as_marks_or_scenario_the_same_files_crash_nothing_either(name: str) -> None:
    for command in (["marks"], ["scenario"], ["scenario", "--check"]):
        ran = thresher(*command, FILES / name)
        assert "Traceback" not in ran.out + ran.err
        assert ran.code in (1, 2)
    assert thresher("verify", "--rebuild").code == 0


@pytest.mark.usefixtures("database")
def test_all_wrong_files_after_one_another_leave_a_ledger_that_verifies(tmp_path: Path) -> None:
    for name in sorted([*IMPORTED, *REFUSED]):
        assert thresher("import", FILES / name, "--alone").is_clean
    for table in ("lots", "gains", "windows", "opportunities", "years", "alerts", "issues"):
        for form in ("table", "json", "jsonl"):
            assert thresher(table, "-o", form).code == 0
    assert thresher("verify", "--rebuild").code == 0


@pytest.mark.usefixtures("database")
def test_one_bad_file_among_good_ones_stops_before_any_is_taken_in(tmp_path: Path) -> None:
    good = tmp_path / "good.csv"
    good.write_text("event_id,ts,type,account,asset,asset_class,qty,unit_price\n"
                    "b1,2025-01-02,BUY,A,ETH,crypto,1,1\n")  # fmt: skip
    assert thresher("import", good, FILES / "html.csv").code == 1
    assert thresher("lots").out == ""
    assert counts(thresher("import", good)) == (1, 0, 0)


@pytest.mark.usefixtures("database")
def test_a_cell_of_200_kilobytes_is_one_bad_row(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    header = "event_id,ts,type,account,asset,asset_class,qty,unit_price\n"
    row = "{},2025-01-02,BUY,A,ETH,crypto,1,1\n"
    path.write_text(header + row.format("b1") + row.format("x" * 200_000) + row.format("b2"))
    assert counts(thresher("import", path)) == (2, 0, 1)
    (issue,) = issues()
    assert issue["fact"] == "long.csv row 3"
    path.write_text("x" * 200_000)
    for command in ("import", "marks"):
        ran = thresher(command, path)
        assert (ran.code, ran.is_clean) == (1, True)


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("what", ["missing.csv", "."])
def test_a_path_that_is_no_file_is_one_line(tmp_path: Path, what: str) -> None:
    for command in ("import", "marks"):
        ran = thresher(command, tmp_path / what)
        assert (ran.code, ran.is_clean, len(ran.err.splitlines())) == (1, True, 1)
        assert ran.err.startswith(f"thresher: {tmp_path / what}: ")
        assert "Errno" not in ran.err

"""`whatif harvest`, `reach` and `methods`: lines for programs, tables for people."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.command import ROOT, Ran, thresher

FACTS: list[dict[str, Any]] = [
    {"type": "profile", "id": "me", "filing_status": "single",
     "tax": {"year": "2025", "ordinary_taxable": "90000", "magi_without_gains": "100000"}},
    {"type": "asset", "id": "S", "asset": "S", "class": "stock"},
    *({"type": "buy", "id": id, "date": date, "account": "A", "asset": "S", "qty": "1",
       "amount": amount}
      for id, date, amount in (("old", "2024-01-03", "700"), ("high", "2025-01-02", "900"),
                               ("low", "2025-01-03", "300"))),
]  # fmt: skip
READ = ("--as-of", "2025-02-14")


@pytest.fixture(autouse=True)
def _filled(database: Path, tmp_path: Path) -> None:
    (tmp_path / "facts.jsonl").write_text("".join(json.dumps(each) + "\n" for each in FACTS))
    (tmp_path / "marks.csv").write_text("asset,price,time\nS,500,2025-02-14\n")
    thresher("import", tmp_path / "facts.jsonl", "--source", "me")
    thresher("marks", tmp_path / "marks.csv")


def whatif(*args: str) -> Ran:
    return thresher("whatif", *args, *READ)


def test_harvest_sells_lots_above_a_loss_together() -> None:
    before = thresher("gains").out
    (answer,) = whatif("harvest", "--above", "300", "--fee", "4.95", "--spread", "0.5").rows
    assert [each["lot"] for each in answer["sales"]] == ["me:high"]
    assert (answer["harvestable"], answer["cost"]) == ("407.45", "7.45")
    assert (answer["basis_of_tax"], answer["tax_saved_now"]) == ("brackets 2025", "89.639")
    assert thresher("gains").out == before
    (everything,) = whatif("harvest").rows
    assert [each["lot"] for each in everything["sales"]] == ["me:old", "me:high"]
    assert everything["harvestable"] == "600"


def test_reach_chooses_and_proves() -> None:
    (answer,) = whatif("reach", "400", "--fee", "1", "--haircut", "1").rows
    assert [each["lot"] for each in answer["sales"]] == ["me:high"]
    assert (answer["is_reached"], answer["harvestable"]) == (True, "406")
    assert answer["do_not_buy"] == [{"group": "S", "safe_from": "2025-03-17", "loss": "406"}]
    (answer,) = whatif("reach", "5000").rows
    assert (answer["is_reached"], answer["short_of_target"]) == (False, "4400")


def test_methods_are_compared() -> None:
    (answer,) = whatif("methods", "S", "1").rows
    assert {each["method"]: each["gain"] for each in answer["methods"]} == {
        "FIFO": "-200", "LIFO": "200", "HIFO": "-400", "HIFO_LT": "-400", "MIN_TAX": "-400",
    }  # fmt: skip
    assert answer["sale"]["priced_by"].endswith("2025-02-14T23:59:59.000000Z")
    assert whatif("methods", "S", "1", "--account", "A", "--price", "600").rows[0]["sale"][
        "price"
    ] == "600"  # fmt: skip


def test_answers_for_people() -> None:
    harvest = whatif("harvest", "-o", "table")
    assert (harvest.code, harvest.err) == (0, "")
    assert "together: harvestable 600.00 (short 400.00, long 200.00)" in harvest.out
    assert "tax saved now about 132.00 (by brackets 2025)" in harvest.out
    assert "deferred, not forgiven: 600.00 less basis if bought back" in harvest.out
    assert "do not buy group S before 2025-03-17" in harvest.out
    reach = whatif("reach", "100", "-o", "table")
    assert "target reached; exact" in reach.out
    assert "target NOT reached" in whatif("reach", "9999", "-o", "table").out
    methods = whatif("methods", "S", "1", "-o", "table")
    assert "MIN_TAX" in methods.out
    assert "tax by brackets 2025" in methods.out
    assert "No lot qualifies." in whatif("harvest", "--above", "9999", "-o", "table").out


def test_what_blocks_is_named_for_people(tmp_path: Path) -> None:
    late = {"type": "buy", "id": "new", "date": "2025-02-10", "account": "B", "asset": "S",
            "qty": "1", "amount": "510"}  # fmt: skip
    (tmp_path / "late.jsonl").write_text(json.dumps(late))
    thresher("import", tmp_path / "late.jsonl", "--source", "me")
    ran = whatif("harvest", "-o", "table")
    assert "200.00 of me:old blocked by 1 of me:new in B" in ran.out


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (["harvest", "--above", "-1"], "not negative"),
        (["harvest", "--above", "x"], "write a plain decimal"),
        (["harvest", "--fee", "-1"], "not negative"),
        (["reach", "0"], "above zero"),
        (["reach", "1e3"], "write a plain decimal"),
        (["reach", "5", "--spread", "101"], "at most 100"),
        (["methods", "S", "0"], "above zero"),
        (["methods", "S", "9"], "held"),
        (["methods", "NOPE", "1"], "no account holds NOPE"),
    ],
)
def test_what_cannot_be_asked_is_one_clear_line(args: list[str], complaint: str) -> None:
    ran = whatif(*args)
    assert (ran.code, ran.out, ran.is_clean) == (1, "", True)
    (line,) = ran.err.splitlines()
    assert complaint in line


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_ends_of_the_calendar_are_no_traceback(day: str) -> None:
    for args in (["harvest"], ["reach", "1"], ["methods", "S", "1", "--price", "1"]):
        ran = thresher("whatif", *args, "--as-of", day)
        assert (ran.code, ran.is_clean, len(ran.err.splitlines())) == (1, True, 1)


def test_tables_by_default_rates_say_so_and_how_to_say_others(tmp_path: Path) -> None:
    """2024 has no figures in the profile."""
    asks = [
        ["whatif", "sell", "S", "1", "--price", "300"], ["whatif", "harvest"],
        ["whatif", "methods", "S", "1", "--price", "300"], ["opportunities"],
    ]  # fmt: skip
    day = ("--as-of", "2024-06-03")
    (tmp_path / "marks.csv").write_text("asset,price,time\nS,500,2024-06-03\n")
    thresher("marks", tmp_path / "marks.csv")
    for ask in asks:
        table = thresher(*ask, *day, "-o", "table").out
        assert "default rates: 0.35 short, 0.15 long" in table
        assert "owner's rates" not in table
    page = (ROOT / "docs" / "FORMATS.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"`(\{.type.: .policy..*\})` does", page)
    thresher("import", saved(tmp_path, json.loads(example)))
    for ask in asks:
        table = thresher(*ask, *day, "-o", "table").out
        assert "default rates" not in table
    assert "(by owner's rates)" in thresher(*asks[0], *day, "-o", "table").out


def saved(folder: Path, fact: dict[str, Any]) -> Path:
    path = folder / "fact.jsonl"
    path.write_text(json.dumps(fact) + "\n")
    return path

"""A British ledger from the file to the figures, through the commands that users run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.end_to_end.command import thresher

FACTS = (
    {"id": "law", "type": "policy", "jurisdiction": "UK"},
    {"id": "asset/BTC", "type": "asset", "asset": "BTC", "class": "crypto"},
    {"id": "b1", "type": "buy", "date": "2020-01-01", "qty": "10", "amount": "10000"},
    {"id": "s1", "type": "sell", "date": "2024-04-05", "qty": "4", "amount": "20000"},
    {"id": "b2", "type": "buy", "date": "2024-05-01", "qty": "3", "amount": "9000"},
)


@pytest.fixture(autouse=True)
def _filled(database: Path, tmp_path: Path) -> None:
    place = {"account": "kraken", "asset": "BTC"}
    lines = [json.dumps(place | fact if "qty" in fact else fact) for fact in FACTS]
    (tmp_path / "facts.jsonl").write_text("\n".join(lines) + "\n")
    assert thresher("import", tmp_path / "facts.jsonl").code == 0


def test_pools_rows_and_years_of_the_united_kingdom() -> None:
    (lot,) = thresher("lots").rows
    assert (lot["lot"], lot["account"], lot["qty"], lot["basis"]) == ("pool", "kraken", "9", "9000")
    assert [(row["lot"], row["qty"], row["gain"]) for row in thresher("gains").rows] == [
        ("thirty_days", "3", "6000"), ("s104", "1", "4000"),
    ]  # fmt: skip
    assert [(year["year"], year["net"]) for year in thresher("years").rows] == [
        ("2023-24", "10000")
    ]
    assert thresher("verify", "--rebuild").code == 0


def test_a_disposal_is_explained_by_the_rules_of_that_law() -> None:
    (answer,) = thresher("explain", "csv:s1").rows
    assert {rule["rule"] for rule in answer["rules"]} >= {"thirty_days", "s104"}
    assert "Form 8949" not in json.dumps(answer)
    assert "long-term" not in json.dumps(answer["arithmetic"])


def test_tables_have_them_too() -> None:
    for command in ("lots", "gains", "years"):
        ran = thresher(command, "-o", "table")
        assert ran.is_clean
        assert ran.code == 0
    assert "2023-24" in thresher("years", "-o", "table").out


@pytest.mark.parametrize("form", ["8949", "schedule-d", "wash-sales"])
def test_forms_of_another_law_are_refused(form: str) -> None:
    ran = thresher("report", form, "--year", "2024")
    assert ran.is_clean
    assert ran.code != 0
    assert "UK has no such form" in ran.err

"""Every case of the law: the engine and the oracle each get what the rules give."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.sources.scenario_file import parse_scenario
from services.scenario import evaluate
from tests.law.compare import case_differences, cents, differences
from tests.oracle.unit_simulator import simulate

FILES = sorted((Path(__file__).parent / "cases").glob("*.json"))
KINDS = {"official", "statute", "derived", "convention"}

every_case = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def case_of(path: Path) -> dict[str, Any]:
    case: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"), parse_float=refused)
    return case


def refused(number: str) -> float:
    raise AssertionError(f"{number} is written as a float")


@every_case
def test_the_engine_gives_what_the_law_gives(path: Path) -> None:
    case = case_of(path)
    assert case_differences(case, evaluate(parse_scenario(case))) == []


@every_case
def test_the_oracle_gives_what_the_law_gives(path: Path) -> None:
    case = case_of(path)
    asked = {name: value for name, value in case.items() if name != "expected"}
    assert case_differences(case, simulate(asked)) == []


@every_case
def test_a_case_says_where_its_numbers_come_from(path: Path) -> None:
    case = case_of(path)
    assert (case["schema"], case["id"]) == ("tlh-golden/1", path.stem)
    assert case["source"]["kind"] in KINDS
    assert case["source"]["ref"].strip()
    assert case["why"].strip()
    assert case["expected"]


def test_the_cases_are_there() -> None:
    assert len(FILES) >= 87


@pytest.mark.parametrize(
    ("exact", "shown"),
    [("0.005", "0.01"), ("-0.005", "-0.01"), ("0.0049", "0.00"), ("-0.0049", "0.00"),
     ("2.675", "2.68"), ("1e2", "100.00")],
)  # fmt: skip
def test_cents_are_rounded_half_up(exact: str, shown: str) -> None:
    assert str(cents(exact)) == shown


EXPECTED = {"open_lots": [{"lot": "b1", "qty": "1.50", "basis": "10.01"}]}


@pytest.mark.parametrize(
    ("result", "count"),
    [
        ({"open_lots": [{"lot": "b1", "qty": "1.5", "basis": "10.005", "account": "A"}]}, 0),
        ({"open_lots": [{"lot": "b1", "qty": "1.5", "basis": "10.0049"}]}, 2),
        ({"open_lots": [{"lot": "b1", "qty": "1.500000001", "basis": "10.01"}]}, 2),
        ({"open_lots": [{"lot": "b1", "qty": "1.5"}]}, 2),
        ({"open_lots": []}, 1),
        ({}, 1),
        ({"open_lots": [{"lot": "b1", "qty": "1.5", "basis": "10.01"}] * 2}, 1),
        ({"open_lots": [{"lot": "b1", "qty": "1.5", "basis": "10.01"}], "error": "x"}, 1),
    ],
)
def test_a_difference_is_seen(result: dict[str, Any], count: int) -> None:
    assert len(differences(EXPECTED, result)) == count

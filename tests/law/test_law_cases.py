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

ORACLE_LACKS = {"what_if", "uk_disposals", "uk_pool", "ca_disposals", "ca_pool"}
ORACLE_ROWS_LACK = {"box"}


def case_of(path: Path) -> dict[str, Any]:
    case: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"), parse_float=refused)
    return case


def refused(number: str) -> float:
    raise AssertionError(f"{number} is written as a float")


def without_boxes(rows: Any) -> Any:
    """A section without the fields that the oracle does not compute."""
    if not isinstance(rows, list):
        return rows
    return [{k: v for k, v in row.items() if k not in ORACLE_ROWS_LACK} for row in rows]


def for_oracle(case: dict[str, Any]) -> dict[str, Any]:
    """The case with the sections that the oracle computes, in every `expected`."""
    sections = {k: without_boxes(v) for k, v in case["expected"].items() if k not in ORACLE_LACKS}
    snapshots = [for_oracle(each) for each in case.get("snapshots", [])]
    return case | {"expected": sections} | ({"snapshots": snapshots} if snapshots else {})


ORACLE_FILES = [path for path in FILES if for_oracle(case_of(path))["expected"]]

every_case = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
every_oracle_case = pytest.mark.parametrize("path", ORACLE_FILES, ids=lambda path: path.stem)


@every_case
def test_the_engine_gives_what_the_law_gives(path: Path) -> None:
    case = case_of(path)
    assert case_differences(case, evaluate(parse_scenario(case))) == []


@every_oracle_case
def test_the_oracle_gives_what_the_law_gives(path: Path) -> None:
    case = for_oracle(case_of(path))
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
    assert len(FILES) >= 220
    assert len(ORACLE_FILES) >= 175


@pytest.mark.parametrize(
    ("exact", "shown"),
    [("0.005", "0.01"), ("-0.005", "-0.01"), ("0.0049", "0.00"), ("-0.0049", "0.00"),
     ("2.675", "2.68"), ("1e2", "100.00")],
)  # fmt: skip
def test_cents_are_rounded_half_up(exact: str, shown: str) -> None:
    assert str(cents(exact)) == shown


def test_what_the_oracle_lacks_is_all_that_it_is_spared() -> None:
    case = case_of(FILES[0]) | {
        "expected": {"disposals": [{"box": "A", "qty": "1"}], "what_if": []}
    }
    assert for_oracle(case)["expected"] == {"disposals": [{"qty": "1"}]}


@pytest.mark.parametrize(
    ("got", "count"),
    [
        ([{"rule": "s104", "qty": "2", "cost": "1"}, {"rule": "x", "qty": "1.0", "cost": "2"}], 0),
        ([{"rule": "s104", "qty": "2", "cost": "1"}, {"rule": "x", "qty": "1.1", "cost": "2"}], 2),
        ([{"rule": "s104", "qty": "2", "cost": "1"}], 2),
    ],
)
def test_rows_inside_a_row_are_compared(got: list[dict[str, str]], count: int) -> None:
    matches = [{"rule": "x", "qty": "1", "cost": "2.00"}, {"rule": "s104", "qty": "2", "cost": "1"}]
    expected = {"uk_disposals": [{"date": "2025-01-31", "matches": matches}]}
    result = {"uk_disposals": [{"date": "2025-01-31", "matches": got}]}
    assert len(differences(expected, result)) == count


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

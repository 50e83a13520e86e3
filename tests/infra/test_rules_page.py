"""docs/RULES.md is what its template and the engine's data make of it, and lacks nothing."""

from __future__ import annotations

import pytest

from domain.accounts import KINDS, OWNERS
from domain.assets import ASSET_CLASSES
from domain.lot_methods import LOT_METHODS
from domain.rules.positions import POSITIONS
from domain.rules.registry import RULE_SETS
from domain.rules.us_rates import US_TAX_TABLES
from infra.rules_page import PAGE, page, places
from infra.rules_tables import TABLES, boxes, table


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run make rules-doc"


def test_every_table_has_its_place_once() -> None:
    assert sorted(places()) == sorted(TABLES)


@pytest.mark.parametrize(
    "names",
    [KINDS, OWNERS, ASSET_CLASSES, LOT_METHODS, POSITIONS,
     *(rules.citations for rules in RULE_SETS.values())],
    ids=["kinds", "owners", "classes", "methods", "positions", *RULE_SETS],
)  # fmt: skip
def test_everything_that_can_be_chosen_or_cited_is_on_the_page(names: object) -> None:
    made = page()
    assert [name for name in names if f"| `{name}` |" not in made] == []  # type: ignore[attr-defined]


def test_every_year_of_brackets_is_on_the_page_with_its_source() -> None:
    made = page()
    for year in US_TAX_TABLES:
        assert f"### {year.year}\n" in made
        assert year.source in made


def test_the_boxes_are_those_of_the_form() -> None:
    """Form 8949 (2025): A-F for securities, G-L for digital assets, never C or F for those."""
    rows = [line.split(" | ")[2:] for line in boxes().splitlines()[2:]]
    assert [[cell.strip(" |") for cell in row] for row in rows] == [
        ["A / D", "B / E", "C / F"], ["C / F", "C / F", "C / F"], ["G / J", "H / K", "I / L"],
    ]  # fmt: skip


def test_a_bar_in_a_cell_does_not_end_it() -> None:
    assert table(("a",), [("x|y",)]).splitlines()[-1] == "| x\\|y |"

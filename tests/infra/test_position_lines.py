"""Positions, tax figures and reasons as JSON lines: each field reaches the stored fact."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from domain import decisions as d
from domain import facts as f
from infra.sources.fact_json import parse_event
from infra.sources.wire import Refusal
from tests.end_to_end.command import thresher
from tests.infra.test_import import counted, written

OTHERS: dict[str, Any] = {
    "earlier_lots": "ignore",
    "income_is_acquisition": False,
    "spouse_basis": "none",
    "entity_basis": "shift",
    "pool": "universal_before_2025",
    "sold_replacements": "count",
    "full_exit": "allow",
    "gain_units": "in_order",
    "replacement_order": "taxable_first",
    "overlap_days": "once",
    "sub_lots": "pro_rata",
    "self_custody_pool": "one",
    "wrap": "swap",
    "transfer_fee": "add_to_basis",
    "abandonment": "ordinary",
    "digital_art": "not_collectible",
    "pool_pieces": True,
}
FIGURES = {
    "ordinary_taxable": "-90000.50",
    "qualified_dividends": "1000",
    "magi_without_gains": "-0.25",
    "other_nii": "12",
}
CONVERT = {
    "type": "convert",
    "id": "c",
    "date": "2025-02-03",
    "account": "A",
    "out": {"asset": "C", "qty": "1"},
    "in": {"asset": "D", "qty": "10"},
}


def fact_of(kind: str, **fields: Any) -> Any:
    return parse_event({"type": kind, "id": "i"} | fields)[1]


@pytest.mark.parametrize(("field", "value"), OTHERS.items(), ids=OTHERS)
def test_a_position_is_stored_alone_and_as_said(field: str, value: Any) -> None:
    said = fact_of("policy", **{field: value})
    assert said == d.PolicyElected(effective_at="0001-01-01", **{field: value})


def test_positions_are_stored_together_from_their_day_on() -> None:
    said = fact_of("policy", date="2026-01-01", seq=3, **OTHERS)
    assert said == d.PolicyElected(effective_at="2026-01-01", seq=3, **OTHERS)


@pytest.mark.parametrize("field", OTHERS)
def test_a_position_of_another_shape_is_refused_by_name(field: str) -> None:
    with pytest.raises(Refusal) as refused:
        fact_of("policy", **{field: ["count"]})
    assert refused.value.field == field


def test_tax_figures_are_stored_under_their_year() -> None:
    later = FIGURES | {"year": "2026", "ordinary_taxable": "1"}
    said = fact_of("profile", filing_status="hoh", tax=[FIGURES | {"year": "2025"}, later])
    assert said.tax == {
        "2025": d.TaxFigures("-90000.5", "1000", "-0.25", "12"),
        "2026": d.TaxFigures("1", "1000", "-0.25", "12"),
    }


def test_figures_of_one_year_need_no_list_and_rest_on_nothing() -> None:
    said = fact_of("profile", tax={"year": "2025", "ordinary_taxable": "80000"})
    assert said.tax == {"2025": d.TaxFigures("80000", "0", "0", "0")}


@pytest.mark.parametrize(
    "wrong",
    [
        {"year": "25"},
        {"ordinary_taxable": "8e4"},
        {"ordinary_taxable": 80000},
        {"qualified_dividends": "-1"},
        {"magi_without_gains": "much"},
        {"other_nii": "1,000"},
        {"wages": "1"},
    ],
    ids=str,
)
def test_a_wrong_tax_figure_is_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refused:
        fact_of("profile", tax=[FIGURES | {"year": "2025"} | wrong])
    assert refused.value.field == f"tax.0.{next(iter(wrong))}"


@pytest.mark.parametrize("elected", [True, False])
def test_an_account_says_whether_it_is_marked_to_market(elected: bool) -> None:
    said = fact_of("account", account="T", marked_to_market=elected)
    assert said == d.AccountDeclared(
        effective_at="0001-01-01", account="T", marked_to_market=elected
    )


def test_a_token_says_why_it_is_or_is_not_a_collectible() -> None:
    fields = {"asset": "N", "class": "nft"}
    said = fact_of("asset", **fields, collectible_reason="a club card")
    assert (said.collectible, said.collectible_reason) == (False, "a club card")
    assert fact_of("asset", **fields).collectible_reason == ""


def test_a_conversion_keeps_the_value_received_or_says_none() -> None:
    plain = f.Convert(
        effective_at="2025-02-03", account="A", out=f.Leg("C", "1"), into=f.Leg("D", "10")
    )
    assert parse_event(CONVERT)[1] == plain
    valued = msgspec.structs.replace(plain, amount="12.5")
    assert parse_event(CONVERT | {"amount": "12.50"})[1] == valued
    with pytest.raises(Refusal) as refused:
        parse_event(CONVERT | {"amount": "-1"})
    assert refused.value.field == "amount"


@pytest.mark.usefixtures("database")
def test_a_file_that_states_every_field_goes_in_once(tmp_path: Path) -> None:
    said = [
        {"type": "policy", "id": "p"} | OTHERS,
        {"type": "profile", "id": "f", "tax": [FIGURES | {"year": "2025"}]},
        {"type": "account", "id": "t", "account": "T", "marked_to_market": True},
        {"type": "asset", "id": "c", "asset": "C", "class": "crypto"},
        {"type": "asset", "id": "d", "asset": "D", "class": "crypto"},
        {"type": "asset", "id": "n", "asset": "N", "class": "nft", "collectible_reason": "card"},
        CONVERT | {"id": "w", "amount": "12.5"},
    ]
    path = written(tmp_path / "facts.jsonl", *map(json.dumps, said))
    assert counted(thresher("import", path)) == "7 new, 0 already known, 0 quarantined"
    assert counted(thresher("import", path)) == "0 new, 7 already known, 0 quarantined"

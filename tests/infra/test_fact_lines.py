"""Facts as JSON lines: every kind goes in once, wrong fields are named, amendments count."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from domain.fact_codec import FACT_TYPES, AlertFact, Declaration, Trade
from tests.end_to_end.command import thresher
from tests.infra.test_import import HEADER, ROWS, counted, gains, written

pytestmark = pytest.mark.usefixtures("database")

EVENTS: dict[str, dict[str, Any]] = {
    "buy": {"account": "A", "asset": "S", "qty": "9", "amount": "90"},
    "sell": {
        "account": "A",
        "asset": "S",
        "qty": "1",
        "amount": "5",
        "lots": [{"lot": "buy", "qty": "1"}],
    },
    "spend": {"account": "A", "asset": "C", "qty": "1", "amount": "5"},
    "swap": {
        "account": "A",
        "out": {"asset": "C", "qty": "1"},
        "in": {"asset": "S", "qty": "1"},
        "amount": "5",
    },
    "income": {"account": "A", "asset": "C", "qty": "9", "amount": "90", "kind": "staking"},
    "transfer": {
        "from": "A",
        "to": "W",
        "asset": "C",
        "qty": "1",
        "fee_qty": "0.1",
        "fee_amount": "1",
    },
    "gift_in": {
        "account": "A",
        "asset": "S",
        "qty": "1",
        "amount": "5",
        "donor_basis": "4",
        "donor_acquired": "2020-01-01",
    },
    "inherit": {"account": "A", "asset": "S", "qty": "1", "amount": "5"},
    "gift_out": {"account": "A", "asset": "S", "qty": "1"},
    "split": {"asset": "S", "num": "2", "den": "1"},
    "return_of_capital": {"account": "A", "asset": "S", "amount": "1"},
    "convert": {
        "account": "A",
        "out": {"asset": "C", "qty": "1"},
        "in": {"asset": "D", "qty": "1"},
    },
    "abandon": {"account": "A", "asset": "C", "qty": "1"},
    "worthless": {"account": "A", "asset": "S"},
    "option_exercise": {
        "account": "A",
        "asset": "O",
        "qty": "1",
        "underlying": "S",
        "underlying_qty": "1",
        "amount": "1",
    },
    "option_expire": {"account": "A", "asset": "O", "qty": "1"},
    "short_open": {"account": "A", "asset": "S", "qty": "1", "amount": "1"},
    "short_close": {"account": "A", "asset": "S", "qty": "1", "opens": "short_open"},
    "basis_allocation": {
        "asset": "C",
        "method": "specific",
        "allocations": [{"account": "A", "lot": "income", "qty": "1"}],
    },
    "standing_order": {"account": "A", "method": "HIFO"},
    "policy": {"lot_method": "LIFO", "wash_sale": "conservative"},
    "profile": {"filing_status": "single", "taxable_income": {"2025": "-5"}},
    "account": {"account": "A", "kind": "taxable"},
    "asset": {"asset": "S", "class": "stock"},
    "group": {"group": "G", "assets": ["S", "O"], "reason": "same issuer"},
    "similar": {"asset": "C", "candidates": ["D"], "reason": "another network"},
    "bust": {},
    "correction": {
        "fact": {
            "type": "buy",
            "date": "2025-01-02",
            "account": "A",
            "asset": "S",
            "qty": "1",
            "amount": "1",
        }
    },
}
DATED = {"standing_order"} | {str(kind.__struct_config__.tag) for kind in Trade.__args__}


def event(kind: str) -> dict[str, Any]:
    dated = {"date": "2025-01-02"} if kind in DATED else {}
    return {"id": kind, "type": kind} | dated | EVENTS[kind]


def test_json_lines_state_every_kind_of_fact_that_a_source_can_state() -> None:
    internal = {str(kind.__struct_config__.tag) for kind in AlertFact.__args__}
    assert EVENTS.keys() == FACT_TYPES.keys() - internal
    assert {str(kind.__struct_config__.tag) for kind in Declaration.__args__} < EVENTS.keys()


def test_every_kind_of_fact_goes_in_once_and_is_folded(tmp_path: Path) -> None:
    assets = [{"id": a, "type": "asset", "asset": a, "class": c}
              for a, c in (("C", "crypto"), ("D", "crypto"), ("O", "option"))]  # fmt: skip
    lines = [json.dumps(each) for each in [*assets, *map(event, EVENTS)]]
    path = written(tmp_path / "facts.jsonl", *lines)
    assert counted(thresher("import", path)) == f"{len(lines)} new, 0 already known, 0 quarantined"
    assert counted(thresher("import", path)) == f"0 new, {len(lines)} already known, 0 quarantined"
    for command in ("lots", "gains", "years", "issues"):
        assert thresher(command).is_clean
    assert thresher("verify", "--rebuild").code == 0


@pytest.mark.parametrize("kind", sorted(EVENTS.keys() - {"bust"}))
def test_a_field_too_many_or_too_few_is_named(tmp_path: Path, kind: str) -> None:
    whole = event(kind)
    extra = json.dumps(whole | {"colour": "blue"})
    cut = json.dumps({name: value for name, value in whole.items() if name != "id"})
    ran = thresher("import", written(tmp_path / "facts.jsonl", extra, cut))
    assert "row 1 colour: Extra inputs are not permitted; remove the field" in ran.err
    assert "row 2 id: Field required; add the field" in ran.err


def test_amendments_by_json_lines_change_the_answer(tmp_path: Path) -> None:
    thresher("import", written(tmp_path / "trades.csv", HEADER, *ROWS))
    fact = {"type": "sell", "ts": "2025-01-04T10:00:00Z", "account": "A", "asset": "ETH",
            "qty": "1", "amount": "90", "fee": "2"}  # fmt: skip
    correction = json.dumps({"id": "s1", "type": "correction", "fact": fact, "reason": "restated"})
    counted(thresher("import", written(tmp_path / "c.jsonl", correction)))
    assert gains() == [("csv:s1", "88", "100.5")]
    bust = json.dumps({"id": "s1", "type": "bust", "reason": "cancelled"})
    counted(thresher("import", written(tmp_path / "b.jsonl", bust)))
    assert gains() == []
    assert thresher("gains", "--known-at", "2000-01-01").rows == []
    (answer,) = thresher("explain", "csv:s1").rows
    assert [fact["kind"] for fact in answer["facts"]] == ["sell", "correction", "bust"]


@pytest.mark.parametrize("rate", ["-0.1", "1.01", "35"])
def test_a_tax_rate_is_a_share_between_nothing_and_all(tmp_path: Path, rate: str) -> None:
    line = json.dumps({"id": "p", "type": "policy", "rates": {"st": rate, "lt": "0.15"}})
    ran = thresher("import", written(tmp_path / "p.jsonl", line))
    assert ran.is_clean
    assert "0 new, 0 already known, 1 quarantined" in ran.err


def test_a_price_in_another_currency_values_nothing(tmp_path: Path) -> None:
    thresher("import", written(tmp_path / "trades.csv", HEADER, ROWS[0]))
    marks = written(tmp_path / "m.csv", "asset,price,time,currency", "ETH,1,2025-02-01,EUR")
    prices = written(tmp_path / "p.csv", "date,asset,price,currency", "2025-02-01,ETH,1,EUR")
    assert "row 2 currency" in thresher("marks", marks).err
    assert "row 2 currency" in thresher("import", prices).err
    assert thresher("opportunities").rows == []

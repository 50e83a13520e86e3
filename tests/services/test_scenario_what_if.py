"""Hypothetical sales of scenario files: cases P063 and P064 of the rulebook, and their edges."""

from __future__ import annotations

from typing import Any

import pytest

from infra.sources.scenario_file import parse_scenario
from infra.sources.wire import Refusal
from services.scenario import evaluate
from tests.domain.make import Json, buy, scenario, sell

SINGLE = {"filing_status": "single"}


def figures(ordinary: str, magi: str, year: str = "2026") -> Json:
    return SINGLE | {
        "tax": {"year": year, "ordinary_taxable": ordinary, "magi_without_gains": magi}
    }


def item(*lots: str, id: str = "h1", qty: str = "1", **more: Any) -> Json:
    """One unit of X in A from each of these lots."""
    return {
        "id": id,
        "sell": [{"lot": lot, "account": "A", "asset": "X", "qty": qty} | more for lot in lots],
    }


def document(*events: Json, what_if: list[Json], **more: Any) -> Json:
    told = {"as_of": "2026-11-20", "marks": {"X": "4000"}, "profile": figures("90000", "100000")}
    return scenario(*events, what_if=what_if, **(told | more))


def answered(*events: Json, what_if: list[Json], **more: Any) -> list[Json]:
    found: list[Json] = evaluate(parse_scenario(document(*events, what_if=what_if, **more)))[
        "what_if"
    ]
    return found


def figures_of(answer: Json) -> tuple[str, ...]:
    return tuple(
        answer[name] for name in ("gain", "disallowed", "tax_before", "tax_after", "saved")
    )


SHORT_GAIN = (
    buy("e", "2026-02-02", "1", "2000", asset="Y"),
    sell("s", "2026-05-04", "1", "10000", asset="Y"),
)


def test_a_harvest_against_a_short_term_gain() -> None:
    """P063: ordinary 90000 + 8000 = 98000: 16272; less 5000: 15172 (22 %)."""
    (found,) = answered(
        *SHORT_GAIN, buy("b", "2026-03-02", "1", "9000"), what_if=[item("b")]
    )  # fmt: skip
    assert figures_of(found) == ("-5000", "0", "16272", "15172", "1100")
    assert (found["basis_of_tax"], found["table"], found["notes"]) == ("brackets 2026", "2026", [])


def test_a_harvest_against_a_gain_in_the_zero_band_saves_nothing() -> None:
    """P064: 30000 + 10000 long-term = 40000, below 49450."""
    (found,) = answered(
        buy("e", "2024-02-02", "1", "2000", asset="Y"),
        sell("s", "2026-05-04", "1", "12000", asset="Y"),
        buy("b", "2024-03-01", "1", "9000"),
        what_if=[item("b")],
        marks={"X": "3000"},
        profile=figures("30000", "45000"),
    )
    assert figures_of(found) == ("-6000", "0", "3352", "3352", "0")


def test_sales_of_one_item_are_made_together_and_items_apart() -> None:
    """5000 + 4000 against 8000 and 1000 of other income; alone 5000 and 4000."""
    lots = (buy("b", "2026-03-02", "1", "9000"), buy("c", "2026-03-03", "1", "8000"))
    found = answered(
        *SHORT_GAIN, *lots, what_if=[item("b", "c", id="both"), item("b"), item("c", id="c")]
    )
    assert [(each["id"], each["gain"], each["saved"]) for each in found] == [
        ("both", "-9000", "1980"), ("h1", "-5000", "1100"), ("c", "-4000", "880"),
    ]  # fmt: skip


def test_a_blocked_part_saves_nothing() -> None:
    """Bought in B ten days before: half of the loss of 10000 is disallowed."""
    (found,) = answered(
        *SHORT_GAIN,
        buy("b", "2026-03-02", "2", "18000"),
        buy("r", "2026-11-10", "1", "4000", account="B"),
        what_if=[item("b", qty="2")],
    )
    assert figures_of(found) == ("-10000", "5000", "16272", "15172", "1100")
    assert found["deferred"] == "5000"


def test_without_a_lot_the_method_chooses() -> None:
    (found,) = answered(
        buy("b", "2026-03-02", "1", "9000"),
        buy("c", "2026-03-03", "1", "10000"),
        policy={"lot_method": "LIFO"},
        what_if=[{"id": "h", "sell": [{"account": "A", "asset": "X", "qty": "1"}]}],
    )
    assert found["gain"] == "-6000"


def test_a_lot_that_is_not_there_is_noted() -> None:
    (found,) = answered(buy("b", "2026-03-02", "1", "9000"), what_if=[item("zz")])
    assert "zz is not in this account" in found["notes"][0]


def test_units_that_are_not_held_are_an_error_of_the_item() -> None:
    found = answered(
        buy("b", "2026-03-02", "1", "9000"), what_if=[item("b", qty="7"), item("b", id="h2")]
    )
    assert found[0] == {"id": "h1", "error": "insufficient_units"}
    assert found[1]["gain"] == "-5000"


def test_a_sale_in_an_ira_realises_nothing() -> None:
    (found,) = answered(
        buy("b", "2026-03-02", "1", "9000", account="R"), what_if=[item("b", account="R")]
    )
    assert figures_of(found) == ("0", "0", "14512", "14512", "0")


def test_without_figures_the_rates_say_so() -> None:
    (found,) = answered(
        *SHORT_GAIN, buy("b", "2026-03-02", "1", "9000"), what_if=[item("b")], profile=SINGLE
    )
    assert (found["saved"], found["basis_of_tax"], found["table"]) == (
        "1750", "default rates", None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"marks": {"Y": "1"}}, "what_if[0].sell[0].asset", "X has no mark"),
        ({"marks": None}, "what_if[0].sell[0].asset", "X has no mark"),
        ({"assets": []}, "what_if[0].sell[0].asset", "X is not declared"),
        ({"what_if": [{"id": "h", "sell": []}]}, "what_if.0.sell", ""),
        ({"what_if": [item("b", qty="1e3")]}, "what_if.0.sell.0.qty", ""),
        ({"what_if": [{"id": "h", "buy": []}]}, "what_if.0.sell", ""),
    ],
)
def test_what_cannot_be_asked_is_refused(change: Json, field: str, reason: str) -> None:
    told = document(buy("b", "2026-03-02", "1", "9000"), what_if=[item("b")])
    with pytest.raises(Refusal) as refused:
        parse_scenario(told | change)
    assert refused.value.field.startswith(field)
    assert reason in refused.value.reason


def test_a_scenario_that_asks_nothing_has_no_such_section() -> None:
    assert "what_if" not in evaluate(parse_scenario(document(what_if=[])))

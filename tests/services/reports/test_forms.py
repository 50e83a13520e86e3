"""Form 8949 and Schedule D: boxes, columns, rounding, and agreement with gains and years."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from domain.exact import cents, money
from services.reports.amounts import Rounding, exact_text
from services.reports.form_8949 import form_8949, form_8949_csv
from services.reports.schedule_d import schedule_d
from services.reports.tables import csv_text, safe_cell
from tests.services.house import House
from tests.services.reports.histories import account, asset, event, stated, view

EXACT = Rounding()
DOLLARS = Rounding(whole_dollars=True)


def rows_of(form: dict[str, Any]) -> list[dict[str, str]]:
    return [row for box in form["boxes"] for row in box["rows"]]


def sums(rows: list[dict[str, Any]], *names: str) -> dict[str, str]:
    return {name: cents(sum(money(row[name]) for row in rows)) for name in names}


def test_totals_are_those_of_gains(told_house: House) -> None:
    form = form_8949(stated(told_house), EXACT)
    gains = [
        row for row in told_house.app.queries.gains(view(told_house)) if row["sold"][:4] == "2025"
    ]
    assert len(gains) == len(rows_of(form)) == 11
    for term, name in (("S", "short"), ("L", "long")):
        ours = sums([row for row in gains if row["term"] == term],
                    "proceeds", "basis", "wash", "taxable")  # fmt: skip
        assert form[name] == dict(zip("degh", ours.values(), strict=True))
    for box in form["boxes"]:
        ours = sums([row for row in gains if row["box"] == box["box"]],
                    "proceeds", "basis", "wash", "taxable")  # fmt: skip
        assert box["total"] == dict(zip("degh", ours.values(), strict=True))


def test_pieces_of_a_lot_that_belong_in_two_boxes_are_two_rows(house: House) -> None:
    """4 of 10 coins bought in 2026 left the broker and came back: it reports no basis for them."""
    there = {"type": "transfer", "asset": "ETH", "qty": "4"}
    house.say(
        account("ex"),
        account("own", custody="self"),
        asset("ETH", "crypto"),
        event("b", "buy", "2026-01-05", "ex", "ETH", "10", "1000"),
        there | {"id": "t1", "date": "2026-02-02", "from": "ex", "to": "own"},
        there | {"id": "t2", "date": "2026-03-02", "from": "own", "to": "ex"},
        event("s", "sell", "2026-06-01", "ex", "ETH", "10", "1500"),
    )
    form = form_8949(stated(house, 2026, "2026-12-31"), EXACT)
    assert [(box["box"], box["total"]) for box in form["boxes"]] == [
        ("G", {"d": "900.00", "e": "600.00", "g": "0.00", "h": "300.00"}),
        ("H", {"d": "600.00", "e": "400.00", "g": "0.00", "h": "200.00"}),
    ]
    assert [row["a"] for row in rows_of(form)] == ["6 ETH", "4 ETH"]
    assert form["short"]["h"] == "500.00"


@pytest.mark.parametrize(
    ("year", "carried_in"),
    [(2024, "0.00"), (2025, "-7500.50"), (2026, "-3268.50"), (2027, "-208.50"), (2030, "0.00")],
)
def test_schedule_d_is_the_year_of_thresher_years(
    told_house: House, year: int, carried_in: str
) -> None:
    lines = {
        each["line"]: each["h"] for each in schedule_d(stated(told_house, year), EXACT)["lines"]
    }
    known = {each["year"]: each for each in told_house.app.queries.years(view(told_house))}
    if str(year) in known:
        ours = known[str(year)]
        assert lines["7"] == cents(money(ours["st"]))
        assert lines["15"] == cents(money(ours["lt"]))
        assert lines["16"] == cents(money(ours["net"]))
        assert lines["18"] == cents(money(ours["rate28"]))
        assert lines["21"] == cents(-money(ours["deduction"]))
        assert lines["carry short"] == cents(-money(ours["carry_st"]))
        assert lines["carry long"] == cents(-money(ours["carry_lt"]))
    assert lines["14"] == carried_in


def test_what_is_netted_is_what_the_lines_say(told_house: House) -> None:
    """Line 7 = 1b + 2 + 3 + 6, line 15 = 8b + 9 + 10 + 14, line 16 = 7 + 15, to a cent a line."""
    lines = {
        each["line"]: money(each["h"]) for each in schedule_d(stated(told_house), EXACT)["lines"]
    }
    a_cent = money("0.01")
    assert abs(lines["1b"] + lines["2"] + lines["3"] + lines["6"] - lines["7"]) <= 4 * a_cent
    assert abs(lines["8b"] + lines["9"] + lines["10"] + lines["14"] - lines["15"]) <= 4 * a_cent
    assert abs(lines["7"] + lines["15"] - lines["16"]) <= 2 * a_cent


@pytest.mark.parametrize("rounding", [EXACT, DOLLARS], ids=["cents", "dollars"])
def test_every_row_foots(told_house: House, rounding: Rounding) -> None:
    for row in rows_of(form_8949(stated(told_house), rounding)):
        adjustment = money(row["g"] or "0")
        assert money(row["h"]) == money(row["d"]) - money(row["e"]) + adjustment
        assert ("." in row["d"]) is (rounding is EXACT)


FIFTH = {name: [{"lot": name, "qty": "0.2"}] for name in ("x1", "x2")}
P065 = (
    account("EX"), account("EX2"), account("W", custody="self"), asset("ETH", "crypto"),
    event("x1", "buy", "2025-03-03", "EX", "ETH", "1", "2000"),
    event("s1", "sell", "2025-09-02", "EX", "ETH", "0.2", "500", lots=FIFTH["x1"]),
    event("x2", "buy", "2026-01-05", "EX", "ETH", "1", "2500"),
    event("w1", "buy", "2026-01-05", "W", "ETH", "1", "2500"),
    event("s2", "sell", "2026-05-04", "EX", "ETH", "0.2", "600", lots=FIFTH["x1"]),
    event("s3", "sell", "2026-06-01", "EX", "ETH", "0.2", "550", lots=FIFTH["x2"]),
    event("s6", "sell", "2026-06-01", "W", "ETH", "0.5", "1400"),
    {"id": "t1", "type": "transfer", "date": "2026-07-01", "asset": "ETH", "qty": "0.3",
     "from": "EX", "to": "EX2", "lots": [{"lot": "x2", "qty": "0.3"}]},
    event("s5", "sell", "2026-08-03", "EX2", "ETH", "0.1", "260"),
    event("s4", "sell", "2027-02-01", "EX", "ETH", "0.2", "700", lots=FIFTH["x2"]),
    event("s7", "sell", "2027-03-01", "W", "ETH", "0.5", "1500"),
)  # fmt: skip


def test_boxes_of_digital_assets(house: House) -> None:
    """Case P065: Form 8949 (2025) boxes G to L; Reg. 1.6045-1(d)(2)(i)(D)."""
    house.say(*P065)
    found = {}
    for year in (2025, 2026, 2027):
        form = form_8949(stated(house, year, None), EXACT)
        for box in form["boxes"]:
            for row in box["rows"]:
                found[row["sale"]] = (year, box["part"], box["box"], row["h"])
    assert found == {
        "csv:s1": (2025, "I", "H", "100.00"), "csv:s2": (2026, "II", "K", "200.00"),
        "csv:s3": (2026, "I", "G", "50.00"), "csv:s6": (2026, "I", "I", "150.00"),
        "csv:s5": (2026, "I", "H", "10.00"), "csv:s4": (2027, "II", "J", "200.00"),
        "csv:s7": (2027, "II", "L", "250.00"),
    }  # fmt: skip
    lines = {
        each["line"]: each["h"] for each in schedule_d(stated(house, 2026, None), EXACT)["lines"]
    }
    assert [lines[name] for name in ("1b", "2", "3", "9")] == ["50.00", "10.00", "150.00", "200.00"]


def test_codes_stand_in_alphabetical_order(house: House) -> None:
    """A collectible sold at a loss and bought back, by the conservative position: CW."""
    house.say(
        {"id": "p", "type": "policy", "date": "2020-01-01", "wash_sale": "conservative"},
        asset("GEM", "nft", collectible=True),
        event("n1", "buy", "2023-01-02", "A", "GEM", "1", "100"),
        event("s1", "sell", "2025-02-03", "A", "GEM", "1", "60"),
        event("n2", "buy", "2025-02-10", "A", "GEM", "1", "70"),
    )
    (row,) = rows_of(form_8949(stated(house, as_of=None), EXACT))
    assert (row["f"], row["g"], row["h"]) == ("CW", "40.00", "0.00")


def test_what_may_still_change_is_said(house: House) -> None:
    house.say(asset("S", "stock"), event("s0", "sell", "2025-02-03", "A", "S", "1", "60"))
    form = form_8949(stated(house, as_of="2026-01-30"), EXACT)
    assert form["boxes"] == []
    assert "1 data issues are held out" in form["notes"][0]
    assert "purchases until 2026-01-30" in form["notes"][1]
    assert len(form_8949(stated(house, as_of="2026-01-31"), EXACT)["notes"]) == 1


@pytest.mark.parametrize(
    ("exact", "in_cents", "in_dollars"),
    [("0.005", "0.01", "0"), ("-0.005", "-0.01", "0"), ("0.5", "0.50", "1"),
     ("-0.5", "-0.50", "-1"), ("-0.4999", "-0.50", "0"), ("2.4999", "2.50", "2"),
     ("1000", "1000.00", "1000")],
)  # fmt: skip
def test_rounding_is_half_up(exact: str, in_cents: str, in_dollars: str) -> None:
    value = money(exact)
    assert (EXACT.shown(value), DOLLARS.shown(value)) == (in_cents, in_dollars)


def test_exact_text_keeps_every_digit() -> None:
    assert [exact_text(money(text)) for text in ("1", "-0.5", "1.25", "0.123456789")] == [
        "1.00", "-0.50", "1.25", "0.123456789",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "is_formula"),
    [("=1+1", True), ("+1", True), ("-1", False), ("-1.50", False), ("-1-1", True), ("@SUM", True),
     ("\t=1", True), ("\r=1", True), ("  =1", True), ("\uff1d1", True), ("100 =XYZ", False),
     ("", False), ("a=b", False), ("'=1", False), ("-", True), ("-\u0661", True), ("1e5", False)],
)  # fmt: skip
def test_no_cell_is_a_formula(text: str, is_formula: bool) -> None:
    assert safe_cell(text) == ("'" + text if is_formula else text)


def test_a_table_is_read_back_as_it_was() -> None:
    strange = {"a": 'say "x", y', "b": "line\r\nbreak", "c": "=HYPERLINK(1)", "d": "-2.50"}
    text = csv_text([strange, {"a": "z"}], ("a", "b", "c", "d"))
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        ["a", "b", "c", "d"],
        [strange["a"], strange["b"], "'=HYPERLINK(1)", "-2.50"],
        ["z", "", "", ""],
    ]
    assert text.count("\r\n") == 4


def test_strange_names_stay_cells_of_the_form(house: House) -> None:
    names = ("=1+1", "+x", "-x", "@x", '"q",;', "ein Strich\u2014")
    house.say(*(asset(name, "stock") for name in names), account("=acc"))
    for number, name in enumerate(names):
        house.say(event(f"b{number}", "buy", "2025-01-02", "=acc", name, "1", "10"),
                  event(f"=s{number}", "sell", "2025-02-03", "=acc", name, "1", "5"))  # fmt: skip
    form = form_8949(stated(house, as_of=None), EXACT)
    table = list(csv.reader(io.StringIO(form_8949_csv(form), newline="")))
    assert len({len(row) for row in table}) == 1
    for row in table:
        for text in row:
            assert not text.startswith(("=", "+", "@", "-x"))
    assert {row[3] for row in table} >= {f"1 {name}" for name in names}
    assert json.loads(json.dumps(form))["short"]["h"] == "-30.00"

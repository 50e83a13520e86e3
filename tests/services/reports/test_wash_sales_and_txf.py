"""The wash-sale worksheet accounts for every unit of a loss; TXF says what it can."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from domain.exact import cents, money, quantity
from services.reports.txf import txf
from services.reports.wash_sales import wash_sales
from tests.services.house import House
from tests.services.reports.histories import TODAY, account, asset, event, stated, view


def worksheet(house: House, as_of: str | None = None) -> list[dict[str, Any]]:
    return list(wash_sales(stated(house, as_of=as_of))["rows"])


def test_the_lines_of_a_sale_add_up_to_its_units_and_its_loss(told_house: House) -> None:
    units: dict[tuple[str, str], int] = defaultdict(int)
    loss: dict[tuple[str, str], int] = defaultdict(int)
    washed: dict[tuple[str, str], int] = defaultdict(int)
    for row in worksheet(told_house, TODAY):
        key = row["sale"], row["lot"]
        units[key] += quantity(row["qty"])
        loss[key] += money(row["loss"])
        washed[key] += money(row["disallowed"])
    for row in told_house.app.queries.gains(view(told_house)):
        key = row["event"], row["lot"]
        if key in units:
            assert units.pop(key) == quantity(row["qty"])
            assert loss[key] == -money(row["gain"])
            assert washed[key] == money(row["wash"])
        else:
            assert money(row["gain"]) >= 0
    assert not units


def test_where_a_disallowed_loss_goes(house: House) -> None:
    """IRC 1091(d); Rev. Rul. 2008-5; a spouse's lot takes it, an entity's does not (c.9)."""
    house.say(
        account("A"), account("R", kind="roth_ira"), account("H", owner="spouse"),
        account("E", owner="entity"), asset("S", "stock"),
        event("b1", "buy", "2024-12-01", "A", "S", "5", "50"),
        event("s1", "sell", "2025-03-03", "A", "S", "5", "30"),
        event("r1", "buy", "2025-03-01", "R", "S", "1", "6"),
        event("h1", "buy", "2025-03-04", "H", "S", "1", "6"),
        event("e1", "buy", "2025-03-05", "E", "S", "1", "6"),
        event("b2", "buy", "2025-04-02", "A", "S", "1", "6"),
    )  # fmt: skip
    rows = {row["replacement"]: row for row in worksheet(house, TODAY)}
    assert {name: (row["went_to"], row["basis_added"], row["tacked"], row["cause"])
            for name, row in rows.items()} == {
        "csv:r1": ("lost: bought in a retirement account (Rev. Rul. 2008-5)", "0", "0",
                   "bought 2 days before the sale"),
        "csv:h1": ("basis of csv:h1", "4", "92", "bought 1 day after the sale"),
        "csv:e1": ("no basis: bought by entity (position taken)", "0", "0",
                   "bought 2 days after the sale"),
        "csv:b2": ("basis of csv:b2", "4", "92", "bought 30 days after the sale"),
        "": ("", "0", "", "no replacement within 30 days"),
    }  # fmt: skip
    assert {row["disallowed"] for row in rows.values()} == {"4", "0"}


def test_a_loss_is_open_until_its_window_is_past(house: House) -> None:
    house.say(account("A"), asset("S", "stock"), asset("C", "crypto"),
              event("b1", "buy", "2025-01-02", "A", "S", "5", "50"),
              event("s1", "sell", "2025-06-02", "A", "S", "5", "30"),
              event("c1", "buy", "2025-01-02", "A", "C", "5", "50"),
              event("t1", "sell", "2025-06-02", "A", "C", "5", "30"))  # fmt: skip
    for day, outcome in (("2025-07-02", "open"), ("2025-07-03", "allowed")):
        stock, coin = worksheet(house, day)
        assert (stock["outcome"], coin["outcome"]) == (outcome, "allowed")
    assert coin["cause"] == "class crypto is not under the rule"


def test_a_loss_of_a_closed_short_sale_is_washed_by_another_sale(house: House) -> None:
    """IRC 1091(e); case P077."""
    house.say(account("A"), asset("S", "stock"),
              event("o1", "short_open", "2025-03-03", "A", "S", "10", "100"),
              event("b1", "buy", "2025-04-01", "A", "S", "10", "130"),
              {"id": "k1", "type": "short_close", "date": "2025-04-01", "account": "A",
               "asset": "S", "qty": "10", "opens": "csv:o1"},
              event("o2", "short_open", "2025-04-10", "A", "S", "10", "125"))  # fmt: skip
    (row,) = worksheet(house)
    assert (row["disallowed"], row["went_to"]) == ("30", "off the proceeds of csv:o2")
    assert row["cause"] == "sold or sold short 9 days after the sale"


def records(text: str) -> list[list[str]]:
    assert text.endswith("^\r\n")
    return [part.splitlines() for part in text.split("^\r\n")[:-1]]


def test_txf_has_a_record_for_each_sale(told_house: House) -> None:
    """TXF 042, Form 1099-B: format 4 without, format 5 with a disallowed loss."""
    year = stated(told_house)
    text, notes = txf(year, "Thresher", TODAY)
    head, *rest = records(text)
    assert head == ["V042", "AThresher", "D03/01/2026"]
    assert len(rest) == len(year.sales)
    numbers = {"A": "N321", "D": "N323", "E": "N713", "F": "N714", "K": "N714", "L": "N714"}
    for record, sale in zip(rest, year.sales, strict=True):
        assert record[:4] == ["TD", numbers[sale.box], "C1", "L1"]
        amounts = [f"${cents(sale.basis)}", f"${cents(sale.proceeds)}"]
        washed = [f"${cents(sale.wash)}"] if sale.wash else []
        assert record[7:] == [*amounts, *washed]
        assert ("(Form 8949 box" in record[4]) is (sale.box in "GHIJKL")
    assert [note.split(" ", 1)[0] for note in notes] == ["3", "1"]


def test_txf_of_a_year_without_sales_is_a_header(told_house: House) -> None:
    assert txf(stated(told_house, 2020), "T", TODAY) == ("V042\r\nAT\r\nD03/01/2026\r\n^\r\n", [])

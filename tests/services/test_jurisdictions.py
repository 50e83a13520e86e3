"""A taxpayer under another law, on the store: read models, late facts, views and rebuild."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.house import COIN, House, Json


def trade(id: str, kind: str, day: str, qty: str, amount: str, **more: str) -> Json:
    return {"id": id, "type": kind, "date": day, "account": "A", "asset": "C", "qty": qty,
            "amount": amount} | more  # fmt: skip


def law(name: str) -> Json:
    return {"id": "law", "type": "policy", "jurisdiction": name}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    opened = House(tmp_path / "thresher.db")
    yield opened
    opened.close()


BOUGHT = trade("b1", "buy", "2020-01-01", "10", "10000")
SOLD = trade("s1", "sell", "2024-04-05", "4", "20000")


def test_a_purchase_after_a_sale_rewrites_its_rows(house: House) -> None:
    house.say(law("UK"), COIN, BOUGHT, SOLD)
    told = house.ask()
    assert [(row["lot"], row["qty"], row["basis"]) for row in told["gains"]] == [
        ("s104", "4", "4000")
    ]
    house.say(trade("b2", "buy", "2024-05-01", "3", "9000"))
    told = house.ask()
    assert [(row["lot"], row["qty"], row["basis"], row["acquired"]) for row in told["gains"]] == [
        ("thirty_days", "3", "9000", "2024-05-01"), ("s104", "1", "1000", "2020-01-01"),
    ]  # fmt: skip
    assert [(lot["lot"], lot["qty"], lot["basis"], lot["long_from"]) for lot in told["lots"]] == [
        ("pool", "9", "9000", "")
    ]
    assert told["gains"] == house.ask(as_of="2024-12-31")["gains"]
    assert house.ask(as_of="2024-04-30")["gains"][0]["basis"] == "4000"
    assert [issue["code"] for issue in house.ask(as_of="2024-04-30")["issues"]] == ["provisional"]
    assert house.unequal() == []


def test_the_years_of_the_united_kingdom(house: House) -> None:
    """5 April 2024 is 2023-24 (exempt 6,000); the loss of 2024-25 is used down to 3,000."""
    house.say(
        law("UK"), COIN, BOUGHT, SOLD,
        trade("s2", "sell", "2024-04-06", "3", "1000"),
        trade("s3", "sell", "2025-04-06", "1", "5000"),
    )  # fmt: skip
    years = house.ask()["years"]
    assert [(year["year"], year["net"], year["carry_st"], year["lt"]) for year in years] == [
        ("2023-24", "16000", "0", "0"), ("2024-25", "-2000", "2000", "0"),
        ("2025-26", "3000", "1000", "0"),
    ]  # fmt: skip
    assert [year["worksheets"]["gains"]["taxable_gain"] for year in years] == ["10000", "0", "0"]
    assert house.ask(as_of="2026-01-01")["years"] == years


def test_a_late_purchase_denies_a_canadian_loss(house: House) -> None:
    house.say(law("CA"), COIN, BOUGHT, trade("s1", "sell", "2024-03-01", "4", "1000"))
    (row,) = house.ask()["gains"]
    assert (row["lot"], row["wash"], row["taxable"]) == ("average_cost", "0", "-3000")
    house.say(trade("b2", "buy", "2024-02-10", "2", "2000", account="B"))
    (row,) = house.ask()["gains"]
    assert (row["basis"], row["wash"], row["code"]) == ("4000", "1500", "W")
    assert {lot["account"]: lot["basis"] for lot in house.ask()["lots"]} == {
        "A": "7125", "B": "2375",
    }  # fmt: skip
    assert [year["net"] for year in house.ask()["years"]] == ["-1500"]
    assert house.unequal() == []


def test_windows_and_opportunities_follow_the_law(house: House) -> None:
    house.say(law("CA"), COIN, BOUGHT, trade("b2", "buy", "2025-02-20", "2", "2000"))
    house.ticks(("C", "400"))
    told = house.ask(as_of="2025-03-01")
    assert [(row["kind"], row["event"], row["safe_from"]) for row in told["windows"]] == [
        ("do_not_sell", "csv:b2", "2025-03-23")
    ]
    house.say(trade("s1", "sell", "2025-02-25", "6", "2400"))
    told = house.ask(as_of="2025-03-01")
    (row,) = told["gains"]
    assert (row["gain"], row["wash"]) == ("-3600", "1200")
    assert ("do_not_buy", "csv:s1", "2400") in [
        (row["kind"], row["event"], row["loss"]) for row in told["windows"]
    ]
    assert told["opportunities"] == house.ask(as_of="2025-03-01")["opportunities"]


def test_another_law_is_a_new_fold(house: House) -> None:
    house.say(COIN, BOUGHT, SOLD)
    assert house.ask()["gains"][0]["lot"] == "csv:b1"
    house.say(law("UK"))
    assert house.ask()["gains"][0]["lot"] == "s104"
    assert house.unequal() == []

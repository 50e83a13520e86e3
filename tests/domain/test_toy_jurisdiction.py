"""A third country in one file and one row: this file is the file, `row` the row.

Ruritania identifies the units bought last (and lets the owner name others), knows no wash
sales, begins its tax year on 1 July, and sets losses off against the gains of the next three
years. Everything else is the engine's: see decision 0012.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from domain.decisions import ProfileStated
from domain.lot_books import LOTS
from domain.rules.registry import RULE_SETS
from domain.rules.rule_set import Citation, RuleSet
from domain.years import Key, TaxYear
from infra.sources.scenario_file import parse_scenario
from services.scenario import evaluate
from tests.services.house import House, Json


def net_year(
    year: int,
    sums: Mapping[Key, int],
    carry: tuple[int, int],
    profile: ProfileStated,
    rules: RuleSet,
) -> TaxYear:
    """Gains less losses; losses of earlier years come off a gain."""
    own = sum(amount for key, amount in sums.items() if key[0] == year)
    used = min(sum(carry), max(0, own))
    left = sum(carry) - used + max(0, -own)
    return TaxYear(
        year=year, short=own - used, long=0, rate28=0, deduction=0, carry_short=left, carry_long=0,
        carried_in=carry, taxable_income=None, used=used, tax=None, label=rules.year_label(year),
        lines={"gains less losses": own, "losses of earlier years": used},
    )  # fmt: skip


RURITANIA = RuleSet(
    jurisdiction="RU-TOY",
    version="toy-1894",
    currency="RUK",
    books=LOTS,
    net=net_year,
    citations={
        "lifo": Citation("lifo", "The units bought last are sold first.", "Act of 1894 s.3")
    },
    positions={"lot_method": "LIFO", "wash_versions": ()},
    year_start=(7, 1),
)


@pytest.fixture(autouse=True)
def row(monkeypatch: pytest.MonkeyPatch) -> None:
    """The row of the registry."""
    monkeypatch.setitem(RULE_SETS, RURITANIA.jurisdiction, RURITANIA)


LAW: Json = {"id": "law", "type": "policy", "jurisdiction": "RU-TOY"}
ASSET: Json = {"id": "asset/S", "type": "asset", "asset": "S", "class": "stock"}


def trade(id: str, kind: str, day: str, qty: str, amount: str, **more: str) -> Json:
    return {"id": id, "type": kind, "date": day, "account": "A", "asset": "S", "qty": qty,
            "amount": amount} | more  # fmt: skip


TRADES = (
    trade("old", "buy", "2023-01-10", "10", "100"),
    trade("new", "buy", "2024-06-01", "10", "300"),
    trade("s1", "sell", "2024-06-30", "5", "50"),
    trade("again", "buy", "2024-07-01", "5", "60"),
    trade("s2", "sell", "2024-07-02", "7", "140"),
)


def test_a_history_is_folded_by_the_new_law() -> None:
    """LIFO; a loss that is bought back the next day stands; 30 June and 1 July part the years."""
    document = {
        "schema": "tlh-golden/1", "id": "toy", "policy": {"jurisdiction": "RU-TOY"},
        "accounts": [{"id": "A"}], "assets": [{"id": "S", "class": "stock", "group": "S"}],
        "events": list(TRADES), "as_of": "2025-12-31",
    }  # fmt: skip
    result = evaluate(parse_scenario(document))
    rows = [(row["event"], row["lot"], row["qty"], row["gain"], row["wash"], row["box"])
            for row in result["disposals"]]  # fmt: skip
    assert rows == [
        ("s1", "new", "5", "-100", "0", ""),
        ("s2", "new", "2", "-20", "0", ""),
        ("s2", "again", "5", "40", "0", ""),
    ]
    assert [(year["year"], year["net"], year["carry_st"]) for year in result["years"]] == [
        ("2023-24", "-100", "100"), ("2024-25", "0", "80"),
    ]  # fmt: skip
    assert result["windows"] == []


def test_it_runs_on_the_store_like_any_other(tmp_path: Path) -> None:
    house = House(tmp_path / "toy.db")
    house.say(LAW, ASSET, *TRADES)
    told = house.ask()
    assert {row["lot"]: row["qty"] for row in told["lots"]} == {"csv:old": "10", "csv:new": "3"}
    assert [year["year"] for year in told["years"]] == ["2023-24", "2024-25"]
    assert told["years"][1]["worksheets"]["gains"]["losses of earlier years"] == "20"
    assert told["gains"] == house.ask(as_of="2025-12-31")["gains"]
    assert house.unequal() == []
    assert house.app.queries.coverage(house.app.queries.view("main"))["positions"]["law"] == (
        "toy-1894"
    )
    house.close()


def test_the_owner_may_name_other_units_there_too(tmp_path: Path) -> None:
    house = House(tmp_path / "toy.db")
    named = {"lots": [{"lot": "csv:old", "qty": "5"}], "identified_at": "2024-06-30T00:00:00Z"}
    house.say(LAW, ASSET, *TRADES[:2], TRADES[2] | named)
    assert [row["lot"] for row in house.ask()["gains"]] == ["csv:old"]
    house.close()

"""Snapshots: written when they are worth it, used as far as they are sound, never trusted."""

from __future__ import annotations

import logging
import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.thawed import Thawed
from services import snapshots
from services.snapshot_codec import Damaged, digest_of, packed, unpacked
from tests.services.house import STOCK, House, Json, buy, sell

AT_LEAST = 4


@pytest.fixture(autouse=True)
def _few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "AT_LEAST", AT_LEAST)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Three purchases and a washed loss, kept."""
    made = House(tmp_path / "kept.db")
    made.say(STOCK, buy("b1", "10", "1000"), buy("b2", "5", "600", date="2025-02-10"),
             sell("s", "10", "800"))  # fmt: skip
    yield made
    made.close()


def kept(house: House) -> list[Any]:
    return house.sql("SELECT taxpayer, position, facts FROM snapshots")


def is_thawed(house: House) -> bool:
    return isinstance(house.app.projector.taxpayer("main").portfolio, Thawed)


def told(house: House) -> Json:
    """Every answer by the portfolio in memory, not by the tables."""
    house.app.projector.refresh("main", house.clock.day)
    return house.ask() | {"unequal": house.unequal()}


def test_one_is_written_after_enough_facts_and_again_after_a_share_more(house: House) -> None:
    assert kept(house) == [("main", 4, 4)]
    house.say(buy("b3"), buy("b4"), buy("b5"))
    assert kept(house) == [("main", 4, 4)]
    house.say(buy("b6"))
    assert kept(house) == [("main", 8, 8)]
    house.say(*(buy(f"c{number}") for number in range(40)))
    assert kept(house) == [("main", 48, 48)]
    house.say(*(buy(f"d{number}") for number in range(11)))
    assert kept(house) == [("main", 48, 48)]
    house.say(buy("last"))
    assert kept(house) == [("main", 60, 60)]


def test_a_start_goes_on_from_it_and_says_the_same(house: House) -> None:
    house.say(buy("b3", date="2025-02-20"))
    before = told(house)
    again = house.reopened()
    assert is_thawed(again)
    assert told(again) == before
    again.say(sell("s2", date="2025-02-21"), buy("b4", date="2025-02-25"))
    assert told(again)["unequal"] == []
    assert not again.app.projector.taxpayer("main").portfolio.looks_back  # type: ignore[attr-defined]
    again.close()


LATER: list[Json] = [
    buy("late", "3", "400", date="2024-12-20"),
    {"id": "b2", "type": "bust", "date": "2025-03-01"},
    {"id": "b1", "type": "correction", "fact": {**buy("b1", "10", "1100"), "id": None}},
    {"id": "p", "type": "policy", "lot_method": "LIFO"},
    {"id": "s3", "type": "split", "date": "2025-02-27", "asset": "S", "num": "2", "den": "1"},
]


@pytest.mark.parametrize("fact", LATER, ids=lambda fact: str(fact["type"]))
def test_what_looks_back_has_all_facts_again(fact: Json, house: House) -> None:
    if fact["type"] == "correction":
        fact = {**fact, "fact": {k: v for k, v in fact["fact"].items() if v is not None}}
    fresh = House(house.path.with_name("fresh.db"), house.clock)
    fresh.say(STOCK, buy("b1", "10", "1000"), buy("b2", "5", "600", date="2025-02-10"),
              sell("s", "10", "800"), fact)  # fmt: skip
    again = house.reopened()
    again.say(fact)
    assert told(again) == told(fresh)
    fresh.close()
    again.close()


def test_questions_about_single_facts_find_them(house: House) -> None:
    again = house.reopened()
    portfolio = again.app.projector.taxpayer("main").portfolio
    assert sorted(portfolio.trades) == ["csv:b1", "csv:b2", "csv:s"]
    assert [entry.ref for entry in portfolio.entries["S"]] == ["csv:b1", "csv:s", "csv:b2"]
    with pytest.raises(AttributeError, match="no_such"):
        portfolio.no_such  # type: ignore[attr-defined]  # noqa: B018
    again.close()


@pytest.mark.parametrize("harm", ["state = x'00'", "digest = ''", "state = substr(state, 9)"])
def test_a_damaged_one_is_folded_anew_with_a_warning(
    harm: str, house: House, caplog: pytest.LogCaptureFixture
) -> None:
    before = told(house)
    house.sql(f"UPDATE snapshots SET {harm}")
    again = house.reopened()
    with caplog.at_level(logging.WARNING):
        assert not is_thawed(again)
    (line,) = caplog.records
    assert "snapshot is damaged" in line.message
    assert vars(line)["taxpayer"] == "main"
    assert told(again) == before
    again.close()


@pytest.mark.parametrize("change", ["fingerprint = 'older code'", "position = 99"])
def test_one_that_is_not_of_now_is_passed_over(change: str, house: House) -> None:
    house.sql(f"UPDATE snapshots SET {change}")
    again = house.reopened()
    assert not is_thawed(again)
    again.say(buy("b3"))  # four facts in no sound snapshot, and one more
    assert kept(again) == [("main", 5, 5)]
    again.close()


def test_dropped_at_will_nothing_is_lost(house: House) -> None:
    before = told(house)
    house.sql("DROP TABLE snapshots")
    again = house.reopened()
    assert not is_thawed(again)
    assert told(again) == before
    again.close()


def test_a_law_that_computes_its_pools_anew_has_none(tmp_path: Path) -> None:
    house = House(tmp_path / "uk.db")
    house.say({"id": "law", "type": "policy", "jurisdiction": "UK"}, STOCK,
              *(buy(f"b{number}") for number in range(9)))  # fmt: skip
    assert house.sql("SELECT name FROM sqlite_master WHERE name = 'snapshots'") == []
    house.close()


class _Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.getenv, ("HOME",)


FOREIGN = {
    "an object of its own making": pickle.dumps(_Evil()),
    "a function of the system": packed([os.getcwd]),
    "a class of the library": packed([Path("x")]),
    "what a module of the domain has imported": b"cdomain.weights\ngcd\n.",
    "what hangs on a class of the domain": b"\x80\x04\x8c\x0bdomain.lots\x8c\x08Lot.long\x93.",
}


@pytest.mark.parametrize("what", FOREIGN)
def test_nothing_but_the_domain_is_ever_called(what: str) -> None:
    with pytest.raises(Damaged, match="no part of a snapshot"):
        unpacked(FOREIGN[what], digest_of(FOREIGN[what]))


def test_verify_tells_of_a_snapshot_that_is_not_what_the_facts_give(house: House) -> None:
    assert house.unequal() == []
    wrong = House(house.path.with_name("wrong.db"), house.clock)
    wrong.say(STOCK, buy("b1", "10", "1000"), buy("b2", "5", "601", date="2025-02-10"),
              sell("s", "10", "800"))  # fmt: skip
    ((state, digest),) = wrong.sql("SELECT state, digest FROM snapshots")
    house.sql("UPDATE snapshots SET state = ?, digest = ?", (state, digest))
    assert house.unequal() == ["snapshots"]
    wrong.close()

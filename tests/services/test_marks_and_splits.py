"""Marks from before a split: prices of units of after it, live, after a restart and in the past."""

from __future__ import annotations

from random import Random

import pytest

from domain.decisions import AlertFired
from domain.split_factors import SplitFactor
from projections.splits import by_asset
from services.mark_choice import carried
from services.marks import MarkBoard, Quote, latest, store
from services.statement import Mark
from tests.services.house import STOCK, House, Json, buy

YESTERDAY = "2025-02-28T20:00:00.000000Z"


def split(new: str, old: str, **other: str) -> Json:
    """A split of S today."""
    return {"id": "p", "type": "split", "date": "2025-03-01", "asset": "S", "num": new,
            "den": old} | other  # fmt: skip


def valued(house: House, taxpayer: str = "main", **view: str) -> Json:
    """The one opportunity of a taxpayer."""
    (row,) = house.ask(taxpayer=taxpayer, **view)["opportunities"]
    return {name: row[name] for name in ("qty", "price", "loss")}


@pytest.fixture
def hundred(house: House) -> House:
    """A hundred units bought at 200, a mark of 199 of yesterday."""
    house.say(STOCK, buy("b1", "100", "20000"))
    house.app.market.take([Quote("S", "199", YESTERDAY, source="feed")], confirmed=True)
    return house


@pytest.mark.parametrize(
    ("new", "old", "units", "price"),
    [("1", "10", "10", "1990"), ("4", "1", "400", "49.75"), ("10", "1", "1000", "19.9")],
)
def test_a_split_leaves_the_loss_as_it_was(
    hundred: House, new: str, old: str, units: str, price: str
) -> None:
    hundred.watch("large", "101", severity="urgent")
    hundred.watch("small", "100", rearm_ratio="1")
    before = {"qty": "100", "price": "199", "loss": "100"}
    assert [alert["rule"] for alert in hundred.ask()["alerts"]] == ["small"]
    hundred.clock.advance(minutes=1)
    hundred.say(split(new, old))
    after = {"qty": units, "price": price, "loss": "100"}
    assert valued(hundred) == after
    (alert,) = hundred.ask()["alerts"]  # neither fired nor cleared by the split
    assert alert["rearmed_at"] == ""
    hundred.app.market.refresh()
    assert valued(hundred) == after
    assert hundred.unequal() == []
    assert valued(hundred, as_of="2025-02-28") == before
    again = hundred.reopened()
    assert valued(again) == valued(again, as_of="2025-03-01") == after
    (row,) = again.ask()["opportunities"]
    assert (row["mark_source"], row["mark_at"]) == (f"feed, split {new}:{old}", YESTERDAY)
    again.say({"id": "p", "type": "bust", "date": "2025-03-01"})
    assert valued(again) == before
    again.say(split(new, old, id="q"))
    again.tick("S", price)  # a mark of after it is what it says
    assert valued(again) == after
    assert again.ask()["opportunities"][0]["mark_source"] != row["mark_source"]


def test_what_fires_after_a_split_is_told_at_the_price_that_values(hundred: House) -> None:
    hundred.say(split("1", "10"))
    hundred.watch("loss", "100")
    (alert,) = hundred.ask()["alerts"]
    assert alert["value"] == "100"
    assert [(each["price"], each["source"]) for each in alert["evidence"]["marks"]] == [
        ("1990", "feed, split 1:10")
    ]


def test_a_split_that_another_tells_of_carries_the_mark_once(hundred: House) -> None:
    """Marks are shared; two who date it otherwise do not split it twice."""
    for name in ("anna", "zoe"):
        hundred.say(STOCK, buy("b1", "100", "20000"), taxpayer=name)
        hundred.watch("loss", "101", taxpayer=name)
    hundred.say(split("1", "10"), taxpayer="anna")
    hundred.say(split("1", "10", date="2025-03-02"), taxpayer="zoe")
    hundred.say(split("1", "10"))
    for name in ("anna", "main", "zoe"):
        assert valued(hundred, name) == {"qty": "10", "price": "1990", "loss": "100"}
        assert hundred.ask(taxpayer=name)["alerts"] == []
    hundred.app.market.refresh()
    assert hundred.unequal() == []
    with hundred.app.projector.database.reading() as connection:
        days = [[each.day for each in told] for told in by_asset(connection)["S"]]
    assert days == [["2025-03-01"], ["2025-03-02"]]  # what is told once more is no more to look at


@pytest.mark.parametrize("law", ["UK", "CA"])
def test_pools_are_split_as_well(house: House, law: str) -> None:
    house.say({"id": "law", "type": "policy", "jurisdiction": law}, STOCK)
    house.say(buy("b1", "100", "20000"))
    house.app.market.take([Quote("S", "199", YESTERDAY)], confirmed=True)
    house.say(split("1", "10"))
    assert valued(house) == {"qty": "10", "price": "1990", "loss": "100"}


def test_a_token_is_carried_with_its_share(house: House) -> None:
    token = {"id": "T", "type": "asset", "asset": "T", "class": "tokenized_security",
             "group": "S", "ratio": "0.1"}  # fmt: skip
    house.say(STOCK, token, buy("b1", "100", "2000", asset="T"))
    house.app.market.take([Quote("S", "199", YESTERDAY)], confirmed=True)
    before = valued(house)
    house.say(split("1", "10"))
    assert valued(house) == valued(house.reopened()) == before


def test_what_has_no_end_is_rounded_half_up_and_the_haircut_with_it() -> None:
    mark = Mark("S", 5, YESTERDAY, "feed", "floor", 2, "0.2")
    one = carried(mark, [[SplitFactor("S", "2025-03-01", 2, 1)]])
    assert (one.price, one.quoted) == (3, 4)
    several = [SplitFactor("S", day, 3, 1) for day in ("2025-02-28", "2025-03-01", "2025-03-02")]
    assert carried(mark, [several]).price == 1  # that of its own day is in it
    assert carried(mark, [several[:1], several[2:]]).price == 2
    assert carried(mark, [several[:1]]) is mark


@pytest.mark.parametrize("seed", range(20))
def test_board_restart_and_question_agree_on_splits(seed: int, house: House) -> None:
    """Whatever comes in whichever order: what moved is named, and all say the same."""
    rng = Random(seed)
    told: list[Quote] = []
    splits: dict[str, list[list[SplitFactor]]] = {}
    with house.app.projector.database.reading() as connection:
        board = MarkBoard(connection, tokens={}, splits={})
    for _ in range(40):
        before = dict(board.marks)
        if rng.random() < 0.2:
            splits = {
                asset: [[SplitFactor(asset, f"2025-03-0{rng.randint(1, 5)}", rng.randint(1, 9), 1)]]
                for asset in ("S", "T") if rng.random() < 0.7
            }  # fmt: skip
            moved = board.rescale(splits)
        else:
            at = f"2025-03-0{rng.randint(1, 5)}T12:00:00.000000Z"
            kind = rng.choice(("trade", "floor", "bid"))
            quote = Quote(
                rng.choice("ST"), str(rng.randint(1, 9)), at, source=str(len(told)), kind=kind
            )
            with house.app.projector.database.writing_marks() as connection:
                assert store(connection, [quote], at) == 1
            told.append(quote)
            moved = board.take(len(told), quote)
        changed = {a for a in ("S", "T") if board.marks.get(a) != before.get(a)}
        assert changed == set(moved)
        with house.app.projector.database.reading() as connection:
            assert MarkBoard(connection, tokens={}, splits=splits).marks == board.marks
            each = [one for found in splits.values() for one in found[0]]
            assert latest(connection, splits=each) == board.marks


def test_a_carried_mark_that_is_confirmed_by_the_next_moves_nothing(hundred: House) -> None:
    hundred.watch("loss", "101")
    hundred.say(split("1", "10"))
    taken = hundred.app.market.take([Quote("S", "1990", hundred.clock.text, source="feed")])
    assert not any(isinstance(each, AlertFired) for each in taken)
    assert hundred.app.market.counts.held == 0  # its band knows the split
    assert valued(hundred) == {"qty": "10", "price": "1990", "loss": "100"}

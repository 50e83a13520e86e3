"""Quotes that jump: held, confirmed by a person or by the source's next quote, never lost."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import pytest

from domain.days import seconds_after
from domain.decisions import AlertFired
from infra.importing import Importer, recognise
from services import deciding, held_marks
from services.held_marks import NoSuchHeldMark
from services.mark_policy import inside
from services.marks import Quote
from tests.services.house import COIN, STOCK, House, buy

OPTION = {"id": "O", "type": "asset", "asset": "O", "class": "option", "group": "S"}


@pytest.fixture
def share(house: House) -> House:
    """Ten shares bought for 1,000, a mark of 100 and a rule at a loss of 300."""
    house.say(STOCK, COIN, buy("b1", "10", "1000"), buy("b2", "10", "1000", asset="C"))
    house.watch("loss", "300")
    feed(house, "S", "100")
    feed(house, "C", "100")
    return house


def feed(house: House, asset: str, price: str, source: str = "feed", **time: float) -> list[str]:
    """A live quote, one minute (or the time given) later; the values of alerts that fired."""
    house.clock.advance(**(time or {"minutes": 1}))
    crossings = house.app.market.take([Quote(asset, price, house.clock.text, source=source)])
    return [each.value for each in crossings if isinstance(each, AlertFired)]


def listed(house: House) -> list[tuple[Any, ...]]:
    with house.app.database.reading() as connection:
        rows = held_marks.held(connection)
    return [(row["id"], row["asset"], row["price"], row["last_price"]) for row in rows]


def prices(house: House, asset: str) -> list[str]:
    """What the store holds as marks, in the order of storing."""
    rows = house.sql("SELECT price FROM marks WHERE asset = ? ORDER BY id", (asset,))
    return [price for (price,) in rows]


def test_a_jump_is_held_and_fires_nothing(share: House) -> None:
    assert feed(share, "S", "10") == []
    assert listed(share) == [(1, "S", "10", "100")]
    assert prices(share, "S") == ["100"]
    assert share.app.market.counts.held == 1
    assert share.ask()["opportunities"] == []


def test_the_band_is_of_the_class(share: House) -> None:
    assert feed(share, "S", "50") == ["500"]
    assert feed(share, "C", "20") == []  # 500 + 800: fires no second time
    assert listed(share) == []
    feed(share, "S", "24.99")
    feed(share, "C", "3.99")
    assert [row[1:] for row in listed(share)] == [("S", "24.99", "50"), ("C", "3.99", "20")]


def test_a_rise_is_held_too(share: House) -> None:
    feed(share, "S", "200")
    feed(share, "S", "1000")
    assert listed(share) == [(1, "S", "1000", "200")]


def test_a_real_crash_is_late_by_one_quote_and_never_muted(share: House) -> None:
    assert feed(share, "S", "40") == []
    assert feed(share, "S", "38") == ["600"]  # at the held quote, then at this one
    assert prices(share, "S") == ["100", "40", "38"]
    assert listed(share) == []
    assert share.sql("SELECT state FROM held_marks") == [("agreed",)]
    share.app.market.refresh()
    (found,) = share.ask()["opportunities"]
    assert found["price"] == "38"
    assert share.unequal() == []


def test_a_crash_within_one_batch_is_seen_within_it(share: House) -> None:
    share.clock.advance(minutes=1)
    quotes = [
        Quote("S", price, share.clock.text.replace(":00.", f":0{second}."), source="feed")
        for second, price in enumerate(("90", "40", "39", "15", "39.5"))
    ]
    share.app.market.take(quotes)
    assert prices(share, "S") == ["100", "90", "40", "39", "39.5"]
    assert [row[1:] for row in listed(share)] == [("S", "15", "39")]


def test_only_the_same_source_confirms(share: House) -> None:
    feed(share, "S", "40", source="one")
    feed(share, "S", "40", source="two")
    assert [row[2] for row in listed(share)] == ["40", "40"]
    assert prices(share, "S") == ["100"]
    assert feed(share, "S", "41", source="two") == ["600"]
    assert [row[0] for row in listed(share)] == [1]


def test_only_the_very_next_quote_confirms(share: House) -> None:
    feed(share, "S", "10")
    feed(share, "S", "99")
    feed(share, "S", "10")
    assert [row[2] for row in listed(share)] == ["10", "10"]
    feed(share, "S", "1000")
    feed(share, "S", "11")
    assert prices(share, "S") == ["100", "99"]
    assert len(listed(share)) == 4


def test_a_quote_that_is_sent_twice_does_not_confirm_itself(share: House) -> None:
    share.clock.advance(minutes=1)
    quote = Quote("S", "10", share.clock.text, source="feed")
    for _ in range(2):
        share.app.market.take([quote, quote])
    assert len(listed(share)) == 1
    assert share.app.market.counts.held == 1


def test_a_mark_sent_again_after_the_crash_is_not_held(share: House) -> None:
    at = share.clock.text
    feed(share, "C", "10")
    feed(share, "C", "10")
    assert prices(share, "C") == ["100", "10", "10"]
    share.app.market.take([Quote("C", "100", at, source="feed")])
    assert listed(share) == []


def test_a_person_confirms_and_rules_are_evaluated(share: House) -> None:
    feed(share, "S", "40")
    counts = share.app.market.counts
    quote = share.confirm(1)
    assert (quote.asset, quote.price, counts.fired) == ("S", "40", 1)
    (alert,) = share.ask()["alerts"]
    assert alert["value"] == "600"
    assert listed(share) == []
    assert feed(share, "S", "39") == []


def test_a_person_rejects_and_the_quote_never_comes_back(share: House) -> None:
    share.clock.advance(minutes=1)
    quote = Quote("S", "10", share.clock.text, source="feed")
    share.app.market.take([quote])
    assert share.reject(1) == quote
    share.app.market.take([quote])
    assert listed(share) == []
    assert prices(share, "S") == ["100"]
    feed(share, "S", "10")  # but a new one is asked about anew
    assert [row[2] for row in listed(share)] == ["10"]


@pytest.mark.parametrize("number", [1, 2])
def test_what_is_not_held_cannot_be_decided(share: House, number: int) -> None:
    feed(share, "S", "10")
    share.reject(1)
    for decide in (share.confirm, share.reject):
        with pytest.raises(NoSuchHeldMark, match=f"no quote is held under {number}"):
            decide(number)
    assert prices(share, "S") == ["100"]


@pytest.mark.parametrize(("day", "is_held"), [("2025-03-02", False), ("2025-03-01", True)])
def test_a_split_between_the_marks_explains_its_factor(
    share: House, day: str, is_held: bool
) -> None:
    share.say({"id": "p", "type": "split", "date": day, "asset": "S", "num": "20", "den": "1"})
    feed(share, "S", "5", days=1)
    assert bool(listed(share)) is is_held


def test_a_split_explains_no_more_than_its_factor(share: House) -> None:
    split = {"id": "p", "type": "split", "date": "2025-03-02", "num": "20", "den": "1"}
    share.say(split | {"asset": "S"})
    share.say(split | {"asset": "S"}, taxpayer="other")  # the same split, told twice
    feed(share, "S", "2", hours=20)
    assert [row[2] for row in listed(share)] == ["2"]
    feed(share, "C", "5")
    assert [row[1] for row in listed(share)] == ["S", "C"]


def test_a_mark_long_ago_is_no_measure(share: House) -> None:
    assert feed(share, "S", "10", days=5) == ["900"]
    assert listed(share) == []


def test_over_a_long_weekend_it_is(share: House) -> None:
    feed(share, "S", "10", days=3)
    assert listed(share) == [(1, "S", "10", "100")]


def test_an_option_may_jump(house: House) -> None:
    house.say(STOCK, OPTION, buy("b1", "1", "100", asset="O"))
    feed(house, "O", "100")
    feed(house, "O", "1")
    assert (prices(house, "O"), listed(house)) == (["100", "1"], [])


def test_what_nobody_declared_is_not_judged(house: House) -> None:
    feed(house, "X", "100")
    feed(house, "X", "1")
    assert (prices(house, "X"), listed(house)) == (["100", "1"], [])


def test_marks_of_another_process_count_as_the_latest(share: House) -> None:
    beside = share.beside()
    feed(beside, "S", "80")
    beside.close()
    assert feed(share, "S", "45") == ["550"]
    assert listed(share) == []


@pytest.mark.parametrize("every", [1, 2])
def test_restarts_change_nothing(share: House, every: int) -> None:
    house = share
    for count, price in enumerate(("40", "90", "10", "10", "300", "11", "9")):
        feed(house, "S", price)
        if count % every == 0:
            house = house.reopened()
    assert prices(house, "S") == ["100", "90", "10", "10", "11", "9"]
    assert [row[2] for row in listed(house)] == ["40", "300"]
    house.close()


def test_a_quote_dated_ahead_of_the_clock_is_held_and_silences_nothing(share: House) -> None:
    ahead = Quote("S", "99", "2062-11-27T10:02:00.000000Z", source="feed")
    share.app.market.take([ahead])
    share.app.market.take([ahead])  # sent twice, it is held once
    share.app.market.take([Quote("S", "99", "2062-11-27T10:03:00.000000Z", source="feed")])
    with share.app.database.reading() as connection:
        row, again = held_marks.held(connection)
    assert row["reason"] == "dated 2062-11-27, ahead of the clock; confirm it if it is meant"
    assert (row["last_price"], row["last_at"], again["at"][14:16]) == ("", "", "03")
    assert share.app.market.counts.held == 2
    assert feed(share, "S", "69") == ["310"]
    assert prices(share, "S") == ["100", "69"]
    deciding.reject(share.app.database, share.clock, row["id"])
    deciding.confirm(share.app.market, share.app.database, share.clock, again["id"])
    assert (prices(share, "S"), listed(share)) == (["100", "69", "99"], [])
    share.app.market.take([Quote("S", "99", again["at"], source="feed")])  # known: nothing is held
    assert share.app.market.counts.held == 2


def test_a_day_ahead_is_a_matter_of_zones_and_a_setting_allows_more(
    share: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    tomorrow, later = (
        seconds_after(share.clock.text, seconds) for seconds in (86400, 86401)
    )  # fmt: skip
    share.app.market.take([Quote("S", "90", tomorrow), Quote("S", "80", later)])
    assert [row[2] for row in listed(share)] == ["80"]
    monkeypatch.setenv("THRESHER_MARKS_AHEAD", "2")
    house = share.beside()
    house.app.market.take([Quote("S", "70", later)])
    assert prices(house, "S") == ["100", "90", "70"]
    house.close()


def test_a_quote_that_jumps_says_so(share: House) -> None:
    feed(share, "S", "10")
    with share.app.database.reading() as connection:
        (row,) = held_marks.held(connection)
    assert row["reason"] == "jumps from the mark before"


def test_imported_prices_are_history_and_are_not_held(share: House) -> None:
    """An import of closes has one quote a day: a crash would be held for a day."""
    file = share.path.with_name("prices.csv")
    file.write_text("date,asset,price\n2025-03-02,S,10\n")
    importer = Importer(share.app, "main", "csv")
    for each in recognise([file], siblings=False):
        importer.file(each, lambda rows: None)
    assert (prices(share, "S"), listed(share)) == (["100", "10"], [])


@pytest.mark.parametrize("seed", range(25))
def test_no_quote_is_lost_and_none_that_was_just_repeated_is_held(share: House, seed: int) -> None:
    """However a feed jumps: a quote near the one right before it is a mark at once."""
    rng = random.Random(seed)
    told, quotes = 100, []
    for _ in range(40):
        told = max(1, told * rng.choice((1, 1, 1, 2, 10, 100)) // rng.choice((1, 1, 1, 2, 10, 100)))
        share.clock.advance(seconds=1)
        quotes.append(Quote("S", str(told), share.clock.text, source="feed"))
    size = rng.randrange(1, 41)
    for start in range(0, 40, size):
        share.app.market.take(quotes[start : start + size])
    marks = {at for (at,) in share.sql("SELECT at FROM marks WHERE asset = 'S'")}
    waiting = {at for (at,) in share.sql("SELECT at FROM held_marks WHERE state = 'held'")}
    assert not marks & waiting
    assert {quote.at for quote in quotes} <= marks | waiting
    for before, quote in pairwise(quotes):
        if inside(50, int(before.price), int(quote.price)):
            assert quote.at in marks
    assert share.app.market.counts.held >= len(waiting)

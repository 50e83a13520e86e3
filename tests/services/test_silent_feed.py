"""A feed that is silent: rules that wait for the clock are asked, but not while it is the past."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.days import sortable_instant
from domain.decisions import AlertFired
from services.marks import Quote
from tests.services.house import COIN, STOCK, House, buy, sell


@pytest.fixture
def coin(house: House) -> House:
    """Ten coins bought for 1,000."""
    house.say(COIN, buy("b1", "10", "1000", asset="C"))
    return house


def waits(house: House, **time: float) -> list[str]:
    """So much time passes without a mark; what fired then, and when."""
    house.app.market.time_passed()
    house.clock.advance(**time)
    return [f"{fact.rule} {fact.effective_at[11:19]}" for fact in house.app.market.time_passed()]


def of(house: House, *prices: tuple[str, timedelta]) -> list[str]:
    """Marks of instants so long ago, taken now; what fired at which instant."""
    quotes = [Quote("C", price, sortable_instant(house.clock.now - back)) for price, back in prices]
    taken = house.app.market.take(quotes, confirmed=True)
    return [fact.effective_at for fact in taken]


def test_what_waits_fires_by_the_clock(coin: House) -> None:
    """The end of a dwell, and the end of a cooldown in whose course the loss came back."""
    coin.watch("dwell", "300", dwell_seconds=600)
    coin.watch("cooled", "200", cooldown_seconds=1200)
    coin.tick("C", "70")  # 12:01, and `cooled` fires
    coin.tick("C", "99")
    coin.tick("C", "70")  # 12:03
    assert waits(coin, minutes=9, seconds=59) == []
    assert waits(coin, seconds=1) == ["dwell 12:13:00"]
    assert waits(coin, minutes=8) == ["cooled 12:21:00"]


def test_a_day_is_told_at_midnight_whether_or_not_a_mark_ever_came(house: House) -> None:
    house.say(STOCK, buy("b", "10", "1000"), sell("s", "2", "160", date="2025-03-01"))
    house.watch("closes", "1", metric="window_closes")
    assert waits(house, days=28, hours=11, minutes=59) == []
    assert waits(house, minutes=1) == ["closes 00:00:00"]


def test_the_clock_is_asked_once_a_second(coin: House, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def facts_changed() -> list[AlertFired]:
        asked.append(coin.clock.text)
        return []

    monkeypatch.setattr(coin.app.market, "facts_changed", facts_changed)
    for _ in range(40):
        waits(coin, milliseconds=100)
    assert len(asked) == 4


def test_a_pause_in_the_past_is_not_now(coin: House) -> None:
    """Its next mark ends the dwell as of its own time, which the clock would have ended early."""
    coin.watch("dwell", "200", dwell_seconds=600)
    coin.clock.advance(days=90)
    ago = timedelta(days=30)
    assert of(coin, ("75", ago)) == []
    assert waits(coin, minutes=20) == []
    ago += timedelta(minutes=20)  # the clock went on, the past did not
    assert of(coin, ("75", ago - timedelta(minutes=9))) == []
    end = ago - timedelta(minutes=10)
    assert of(coin, ("75", end)) == [sortable_instant(coin.clock.now - end)]


def test_a_past_that_is_slow_to_begin_has_its_own_time_all_the_same(coin: House) -> None:
    coin.watch("loss", "200")
    coin.clock.advance(days=90)
    again = coin.reopened()
    assert waits(again, minutes=1) == []
    first, second = timedelta(days=30), timedelta(days=29)
    assert of(again, ("75", first), ("99", second)) == [
        sortable_instant(again.clock.now - first), sortable_instant(again.clock.now - second),
    ]  # fmt: skip
    assert waits(again, minutes=1) == []


def test_a_past_that_reaches_these_days_is_live_from_then_on(coin: House) -> None:
    """Delayed quotes are of these days; and a print that comes late does not make it history."""
    coin.watch("dwell", "200", dwell_seconds=600)
    coin.clock.advance(days=90)
    of(coin, ("80", timedelta(days=3)))
    assert waits(coin, days=3, hours=1) == []
    of(coin, ("90", timedelta(minutes=20)))
    of(coin, ("70", timedelta(days=5)))
    of(coin, ("70", timedelta(minutes=1)))
    assert waits(coin, days=3) == [f"dwell {coin.clock.text[11:19]}"]

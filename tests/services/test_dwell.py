"""Minimum dwell: a rule is pending until its metric has stayed at the threshold long enough."""

from __future__ import annotations

import pytest

from domain.decisions import AlertFired, AlertRearmed, AlertRuleRemoved, AlertRuleSet
from services.alert_rules import InvalidRule, checked_rule
from services.ledger import Offer
from tests.services.house import COIN, House, Json, buy, sell

TEN_MINUTES = 600


@pytest.fixture
def coin(house: House) -> House:
    """Ten coins bought for 1,000, and a rule at a loss of 200 that has to last ten minutes."""
    house.say(COIN, buy("b1", "10", "1000", asset="C"))
    house.watch("loss", "200", dwell_seconds=TEN_MINUTES)
    return house


def pending(house: House, **asked: str) -> list[Json]:
    queries = house.app.queries
    return queries.pending(queries.view("main", asked.get("as_of"), asked.get("known_at")))


def facts(house: House) -> list[str]:
    """The alert facts of the log, in short."""
    kinds = {"AlertPending": "pending", "AlertLapsed": "lapsed"}
    found = []
    for logged in house.app.ledger.read(0, 1000):
        fact = logged.recorded.fact
        kind = kinds.get(type(fact).__name__)
        if kind:
            found.append(f"{kind} {fact.number} at {fact.value}")  # type: ignore[union-attr]
        elif isinstance(fact, AlertFired | AlertRearmed):
            kind = "fired" if isinstance(fact, AlertFired) else "rearmed"
            found.append(f"{kind} {fact.crossing} at {fact.value}")
    return found


def test_it_fires_at_the_first_tick_at_the_end_with_the_evidence_of_then(coin: House) -> None:
    assert coin.tick("C", "75") == []
    since = coin.clock.text
    coin.clock.advance(minutes=8)
    assert coin.tick("C", "74") == []
    (fired,) = coin.tick("C", "73")  # ten minutes after the first
    assert isinstance(fired, AlertFired)
    assert (fired.value, fired.pending_since, fired.crossing) == ("270", since, 1)
    assert [mark.price for mark in fired.marks] == ["73"]
    assert facts(coin) == ["pending 1 at 250", "fired 1 at 270"]
    assert coin.unequal() == []


def test_a_microsecond_before_the_end_it_does_not_fire(coin: House) -> None:
    coin.tick("C", "75")
    coin.clock.advance(minutes=10, microseconds=-1)
    assert coin.ticks(("C", "74")) == []
    coin.clock.advance(microseconds=1)
    assert len(coin.ticks(("C", "73"))) == 1


def test_below_the_threshold_once_and_it_starts_anew(coin: House) -> None:
    """Also where it is above the re-arm level, which is of rules that fired."""
    coin.tick("C", "75")
    coin.clock.advance(minutes=5)
    assert coin.tick("C", "80.01") == []
    assert pending(coin) == []
    coin.tick("C", "79")
    coin.clock.advance(minutes=8)
    assert coin.tick("C", "79") == []
    assert len(coin.tick("C", "78")) == 1
    assert facts(coin) == [
        "pending 1 at 250", "lapsed 1 at 199.9", "pending 2 at 210", "fired 1 at 220",
    ]  # fmt: skip
    assert coin.unequal() == []


def test_a_lot_sold_can_end_it_without_a_tick(coin: House) -> None:
    coin.tick("C", "75")
    coin.say(sell("s1", "5", "375", asset="C", date=coin.clock.day))
    assert facts(coin) == ["pending 1 at 250", "lapsed 1 at 125"]


def test_time_that_jumps_over_the_end_fires_at_the_first_instant_known(coin: House) -> None:
    coin.tick("C", "75")
    coin.clock.advance(days=2)
    (fired,) = coin.tick("C", "60")
    assert isinstance(fired, AlertFired)
    assert fired.effective_at == coin.clock.text


def test_if_that_very_instant_is_below_it_ends(coin: House) -> None:
    coin.tick("C", "75")
    coin.clock.advance(days=2)
    assert coin.tick("C", "90") == []
    assert facts(coin) == ["pending 1 at 250", "lapsed 1 at 100"]


def test_it_fires_by_the_clock_when_no_price_moves(coin: House) -> None:
    coin.tick("C", "75")
    coin.clock.advance(minutes=10)
    assert len(coin.app.market.facts_changed(coin.clock.text)) == 1


def test_a_mark_of_another_asset_brings_the_time(coin: House) -> None:
    coin.tick("C", "75")
    coin.clock.advance(minutes=9)
    (fired,) = coin.tick("X", "1")
    assert isinstance(fired, AlertFired)
    assert [mark.asset for mark in fired.marks] == ["C"]


def test_it_is_pending_over_a_restart_and_ends_when_it_would_have(coin: House) -> None:
    coin.tick("C", "75")
    again = coin.reopened()
    assert [each["rule"] for each in pending(again)] == ["loss"]
    assert again.tick("X", "1") == []  # of no rule: only time goes on
    again.clock.advance(minutes=8)
    assert len(again.tick("X", "2")) == 1
    again = again.reopened()
    assert facts(again) == ["pending 1 at 250", "fired 1 at 250"]
    assert pending(again) == []
    again.close()


def test_after_a_restart_it_still_lapses(coin: House) -> None:
    coin.tick("C", "75")
    again = coin.reopened()
    again.tick("C", "81")
    again.tick("C", "75")
    assert facts(again) == ["pending 1 at 250", "lapsed 1 at 190", "pending 2 at 250"]
    again.close()


def test_a_rule_that_is_set_again_waits_anew(coin: House) -> None:
    coin.tick("C", "75")
    coin.clock.advance(minutes=9)
    coin.watch("loss", "210", dwell_seconds=TEN_MINUTES)
    coin.clock.advance(minutes=8)
    assert coin.tick("C", "75") == []
    (fired,) = coin.tick("C", "74")
    assert isinstance(fired, AlertFired)
    assert fired.threshold == "210"
    assert facts(coin) == ["pending 1 at 250", "pending 2 at 250", "fired 1 at 260"]


def test_a_rule_that_is_removed_waits_no_more(coin: House) -> None:
    coin.tick("C", "75")
    fact = AlertRuleRemoved(effective_at=coin.clock.text, name="loss")
    coin.app.ledger.append([Offer("main", "thresher", "rule/loss", fact)], coin.clock.text)
    coin.app.projector.catch_up(coin.clock.day)
    coin.app.market.facts_changed(coin.clock.text)
    coin.clock.advance(minutes=20)
    assert coin.tick("C", "70") == []
    assert pending(coin) == []


def test_the_dwell_begins_when_the_cooldown_is_over(house: House) -> None:
    house.say(COIN, buy("b1", "10", "1000", asset="C"))
    house.watch("loss", "200", dwell_seconds=TEN_MINUTES, cooldown_seconds=3600)
    house.tick("C", "75")
    house.clock.advance(minutes=9)
    house.tick("C", "74")  # fires
    house.tick("C", "99")
    house.tick("C", "70")  # cools down: it does not wait yet
    assert pending(house) == []
    house.clock.advance(minutes=57)
    assert house.tick("X", "1") == []  # an hour after it fired: now it waits
    since = house.clock.text
    house.clock.advance(minutes=9)
    (fired,) = house.tick("X", "2")
    assert isinstance(fired, AlertFired)
    assert (fired.crossing, fired.pending_since) == (2, since)


def test_what_is_pending_is_shown_with_its_evidence_as_it_was_known(coin: House) -> None:
    before = coin.clock.text
    coin.tick("C", "75")
    during = coin.clock.text
    (row,) = pending(coin)
    assert (row["key"], row["state"], row["value"]) == ("main/loss/1", "pending", "250")
    assert (row["pending_since"], row["fires_at"]) == (during, "2025-03-01T12:11:00.000000Z")
    assert row["evidence"]["marks"][0]["price"] == "75"
    assert (row["fired_at"], row["tax_saved"]) == ("", "")
    coin.tick("C", "99")
    assert pending(coin) == []
    assert [each["rule"] for each in pending(coin, known_at=during)] == ["loss"]
    assert pending(coin, known_at=before) == []
    assert pending(coin, as_of="2025-02-28") == []


def test_another_process_that_saw_it_first_is_followed(coin: House) -> None:
    beside = coin.beside()
    assert beside.app.market.facts_changed(coin.clock.text) == []
    coin.tick("C", "75")
    beside.tick("C", "74")
    assert facts(coin) == ["pending 1 at 250"]
    beside.clock.advance(minutes=9)
    assert len(beside.tick("C", "74")) == 1
    assert coin.tick("C", "73") == []
    assert facts(coin) == ["pending 1 at 250", "fired 1 at 260"]
    beside.close()


def test_a_rule_without_dwell_leaves_no_trace_of_it(house: House) -> None:
    house.say(COIN, buy("b1", "10", "1000", asset="C"))
    house.watch("loss", "200")
    house.tick("C", "75")
    assert facts(house) == ["fired 1 at 250"]
    assert house.sql("SELECT * FROM alert_pending_v1") == []


@pytest.mark.parametrize("seconds", [-1, 366 * 86400 + 1])
def test_a_dwell_below_zero_or_above_a_year_is_refused(seconds: int) -> None:
    rule = AlertRuleSet(
        effective_at="2025-03-01T12:00:00Z", name="loss", scope="all", metric="tax_saved",
        threshold="5", dwell_seconds=seconds,
    )  # fmt: skip
    with pytest.raises(InvalidRule, match="dwell"):
        checked_rule(rule)

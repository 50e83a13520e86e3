"""The life of an alert after it fired: acknowledged, snoozed, kept for the morning, cooled down."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.decisions import AlertAcknowledged, AlertFired, AlertRuleSet, AlertSnoozed
from domain.fact_codec import AlertFact
from services.alert_rules import InvalidRule, checked_rule, quiet_hours, quiet_until
from services.delivery import DeliveryFailed, Message, outbox
from services.ledger import Offer
from tests.services.house import COIN, House, Json, buy


@pytest.fixture
def coin(house: House) -> House:
    """Ten coins bought for 1,000."""
    house.say(COIN, buy("b1", "10", "1000", asset="C"))
    return house


def decide(house: House, fact: AlertFact, id: str) -> None:
    house.app.ledger.append([Offer("main", "thresher", id, fact)], house.clock.text)
    house.app.projector.catch_up(house.clock.day)


def snooze(house: House, until: str) -> None:
    fact = AlertSnoozed(effective_at=house.clock.text, rule="loss", until=until)
    decide(house, fact, f"snooze/loss/{house.clock.text}")


def waiting(house: House) -> list[Json]:
    with house.app.projector.database.reading() as connection:
        return outbox(connection, "main")


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines()) if path.exists() else 0


def test_an_alert_is_firing_then_acknowledged_then_cleared(coin: House) -> None:
    coin.watch("loss", "200")
    coin.tick("C", "70")
    assert [each["state"] for each in coin.ask()["alerts"]] == ["firing"]
    seen = AlertAcknowledged(effective_at=coin.clock.text, rule="loss", crossing=1)
    coin.clock.advance(minutes=1)
    decide(coin, seen, "ack/loss/1")
    assert [each["state"] for each in coin.ask()["alerts"]] == ["acknowledged"]
    coin.tick("C", "99")
    assert [each["state"] for each in coin.ask()["alerts"]] == ["cleared"]
    assert coin.unequal() == []


def test_before_it_was_acknowledged_it_was_firing(coin: House) -> None:
    coin.watch("loss", "200")
    coin.tick("C", "70")
    before = coin.clock.text
    coin.clock.advance(hours=1)
    seen = AlertAcknowledged(effective_at=coin.clock.text, rule="loss", crossing=1)
    decide(coin, seen, "ack/loss/1")
    assert [each["state"] for each in coin.ask(known_at=before)["alerts"]] == ["firing"]


def test_a_snoozed_rule_fires_but_sends_nothing_before_the_end(coin: House, tmp_path: Path) -> None:
    file = tmp_path / "alerts.jsonl"
    coin.watch("loss", "200", channels=(f"file:{file}",))
    snooze(coin, "2025-03-01T13:00:00.000000Z")
    coin.tick("C", "70")
    assert [each["crossing"] for each in coin.ask()["alerts"]] == [1]
    assert lines(file) == 0
    coin.clock.advance(hours=1)
    coin.app.market.deliver()
    assert lines(file) == 1


def test_waking_sends_what_waited(coin: House, tmp_path: Path) -> None:
    file = tmp_path / "alerts.jsonl"
    coin.watch("loss", "200", channels=(f"file:{file}",))
    snooze(coin, "2025-03-04T13:00:00.000000Z")
    coin.tick("C", "70")
    coin.clock.advance(minutes=1)
    snooze(coin, "")
    coin.app.market.deliver()
    assert lines(file) == 1


def test_a_snooze_that_comes_while_a_sending_fails_holds(
    coin: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    until = "2025-03-01T13:00:00.000000Z"

    def snooze_and_fail(_target: str, _message: Message) -> None:
        snooze(coin, until)
        raise DeliveryFailed("nobody there")

    monkeypatch.setattr(coin.app.market, "_channels", {"failing": snooze_and_fail})
    coin.watch("loss", "200", channels=("failing:",))
    coin.tick("C", "70")
    assert [(row["due_at"], row["sent_at"]) for row in waiting(coin)] == [(until, "")]


def test_what_is_acknowledged_before_it_is_sent_is_never_sent(coin: House, tmp_path: Path) -> None:
    file = tmp_path / "alerts.jsonl"
    coin.watch("loss", "200", channels=(f"file:{file}",))
    snooze(coin, "2025-03-01T13:00:00.000000Z")
    coin.tick("C", "70")
    decide(coin, AlertAcknowledged(effective_at=coin.clock.text, rule="loss", crossing=1), "ack/1")
    coin.clock.advance(days=2)
    coin.app.market.deliver()
    assert lines(file) == 0
    assert [row["sent_at"] for row in waiting(coin)] == ["acknowledged"]


def test_quiet_hours_are_of_the_taxpayers_clock_and_urgent_alerts_do_not_wait(
    coin: House, tmp_path: Path
) -> None:
    """Noon UTC is seven in the morning in New York, 21:00 in Tokyo."""
    coin.say({"id": "law", "type": "policy", "tz": "Asia/Tokyo"})
    file = f"file:{tmp_path / 'alerts.jsonl'}"
    coin.watch("calm", "200", channels=(file,), quiet="20:30-07:00")
    coin.watch("loud", "200", channels=(file,), quiet="20:30-07:00", severity="urgent")
    coin.tick("C", "70")
    due = {row["key"]: row["due_at"] for row in waiting(coin)}
    assert due == {"main/calm/1": "2025-03-01T22:00:00.000000Z", "main/loud/1": coin.clock.text}


@pytest.mark.parametrize("until", ["2025-03-01T14:00:00.000000Z", ""])
def test_a_snooze_that_ends_in_quiet_hours_sends_nothing_before_their_end(
    coin: House, tmp_path: Path, until: str
) -> None:
    """Neither does waking the rule."""
    file = f"file:{tmp_path / 'alerts.jsonl'}"
    coin.watch("loss", "200", channels=(file,), quiet="11:00-20:00")
    coin.tick("C", "70")
    snooze(coin, until)
    assert [row["due_at"] for row in waiting(coin)] == ["2025-03-01T20:00:00.000000Z"]


def test_a_snooze_is_of_its_rule_alone(coin: House, tmp_path: Path) -> None:
    for rule in ("LOSS", "loss.1", "loss"):
        file = f"file:{tmp_path / 'alerts.jsonl'}"
        coin.watch(rule, "200", channels=(file,), quiet="11:00-20:00")
    coin.tick("C", "70")
    snooze(coin, "2025-03-02T21:00:00.000000Z")
    due = {row["key"]: row["due_at"][8:13] for row in waiting(coin)}
    assert due == {"main/LOSS/1": "01T20", "main/loss.1/1": "01T20", "main/loss/1": "02T21"}


def test_what_is_urgent_waits_for_the_snooze_alone(coin: House, tmp_path: Path) -> None:
    file = f"file:{tmp_path / 'alerts.jsonl'}"
    coin.watch("loss", "200", channels=(file,), quiet="11:00-20:00", severity="urgent")
    for hour in ("14", "15"):
        snooze(coin, f"2025-03-01T{hour}:00:00.000000Z")
        coin.tick("C", "70")
        assert [row["due_at"][11:13] for row in waiting(coin)] == [hour]


def test_an_alert_with_a_mark_that_is_too_old_is_never_urgent(coin: House, tmp_path: Path) -> None:
    """A coin's mark is too old after a quarter of an hour; the other coin brings it over."""
    file = f"file:{tmp_path / 'alerts.jsonl'}"
    coin.say(COIN | {"id": "D", "asset": "D"}, buy("b2", "1", "1000", asset="D"))
    coin.watch("loud", "300", channels=(file,), quiet="11:00-20:00", severity="urgent")
    coin.tick("C", "80")
    coin.tick("D", "1000")
    coin.clock.advance(minutes=16)
    (fired,) = coin.tick("D", "880")
    assert isinstance(fired, AlertFired)
    assert (fired.severity, fired.stale_marks) == ("notice", ("C",))
    assert [row["due_at"] for row in waiting(coin)] == ["2025-03-01T20:00:00.000000Z"]


def test_a_rule_that_cools_down_fires_again_when_the_time_is_over(coin: House) -> None:
    coin.watch("loss", "200", cooldown_seconds=3600)
    assert len(coin.tick("C", "70")) == 1
    assert len(coin.tick("C", "99")) == 1  # re-armed
    assert coin.tick("C", "60") == []
    coin = coin.reopened()
    coin.clock.advance(minutes=56)
    assert coin.tick("C", "61") == []
    coin.clock.advance(minutes=1)
    again = coin.app.market.facts_changed(coin.clock.text)  # no tick is needed
    assert [(each.rule, each.crossing) for each in again] == [("loss", 2)]
    coin.close()


@pytest.mark.parametrize("seconds", [10**12, 2**63])
def test_a_cooldown_past_the_calendar_is_refused_and_one_of_before_lasts(
    coin: House, seconds: int
) -> None:
    """Earlier versions took it, and what is in the log stays."""
    rule = AlertRuleSet(
        effective_at="2025-03-01", name="loss", scope="all", metric="harvestable_loss",
        threshold="200", cooldown_seconds=seconds,
    )  # fmt: skip
    with pytest.raises(InvalidRule, match=f"cooldown {seconds}: use zero to"):
        checked_rule(rule)
    coin.watch("loss", "200", cooldown_seconds=seconds)
    assert len(coin.tick("C", "70")) == 1
    assert len(coin.tick("C", "99")) == 1
    coin = coin.reopened()
    assert coin.tick("C", "60") == []
    coin.close()


@pytest.mark.parametrize("text", ["22:00", "22:00-22:00", "25:00-07:00", "22:00-07:00Z", "a-b"])
def test_quiet_hours_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(InvalidRule, match="22:00-07:00"):
        quiet_hours(text)


@pytest.mark.parametrize(
    ("text", "hour", "until"),
    [
        ("22:00-07:00", 23, "02T07:00"),
        ("22:00-07:00", 3, "01T07:00"),
        ("22:00-07:00", 7, "01T07:30"),
        ("12:00-13:00", 12, "01T13:00"),
        ("12:00-13:00", 13, "01T13:30"),
        ("", 3, "01T03:30"),
    ],
)
def test_quiet_hours_may_go_over_midnight(text: str, hour: int, until: str) -> None:
    found = quiet_until(text, datetime(2025, 3, 1, hour, 30, tzinfo=UTC))
    assert found.isoformat().startswith(f"2025-03-{until}")

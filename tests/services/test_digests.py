"""Digests: notices wait and go out together, one message a taxpayer and channel, under one key."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from domain.decisions import AlertAcknowledged, AlertRuleSet, AlertSnoozed
from domain.fact_codec import AlertFact
from infra.channels.terminal import message_lines
from services.alert_rules import InvalidRule, checked_rule
from services.delivery import outbox
from services.digest_times import schedule
from services.ledger import Offer
from tests.services.house import COIN, House, Json, buy
from tests.services.receiver import receiving

NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture
def coin(house: House) -> House:
    """Ten coins bought for 1,000; noon UTC is the taxpayer's time as well."""
    house.say(COIN, buy("b1", "10", "1000", asset="C"))
    return house


def say(house: House, fact: AlertFact, id: str) -> None:
    house.app.ledger.append([Offer("main", "thresher", id, fact)], house.clock.text)
    house.app.projector.catch_up(house.clock.day)


def snooze(house: House, rule: str, until: str) -> None:
    fact = AlertSnoozed(effective_at=house.clock.text, rule=rule, until=until)
    say(house, fact, f"snooze/{rule}/{house.clock.text}")


def due(house: House) -> dict[str, str]:
    with house.app.projector.database.reading() as connection:
        return {row["key"]: row["due_at"] for row in outbox(connection, "main")}


def messages(path: Path) -> list[Json]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def listed(message: Json) -> list[str]:
    return [alert["data"]["key"] for alert in message["data"]["alerts"]]


def at(house: House, instant: str) -> dict[str, int]:
    """The clock is set to an instant of fixed width, and what is due goes out."""
    house.clock.now = datetime.fromisoformat(instant)
    return house.app.market.deliver()


def test_notices_wait_for_the_digest_and_go_out_as_one_message(coin: House, tmp_path: Path) -> None:
    file = tmp_path / "alerts.jsonl"
    for name, threshold in (("loss", "200"), ("more", "300")):
        coin.watch(name, threshold, channels=(f"file:{file}",), digest="daily 08:00")
    for price in ("70", "99", "60"):
        coin.tick("C", price)
    assert messages(file) == []
    assert at(coin, "2025-03-02T07:59:59Z")["sent"] == 0
    assert at(coin, "2025-03-02T08:00:00Z")["sent"] == 1
    (message,) = messages(file)
    assert (message["type"], message["data"]["count"]) == ("alert.digest", 4)
    assert message["data"]["key"] == "digest:main/loss/1"
    assert listed(message) == ["main/loss/1", "main/more/1", "main/loss/2", "main/more/2"]
    assert message["data"]["alerts"][0]["data"]["value"] == "300"
    assert message["data"]["alerts"][0]["timestamp"] == "2025-03-01T12:01:00.000000Z"
    assert at(coin, "2025-03-03T08:00:00Z")["sent"] == 0


def test_each_channel_and_taxpayer_has_its_own(coin: House, tmp_path: Path) -> None:
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    coin.say(COIN, buy("b1", "10", "1000", asset="C"), taxpayer="other")
    channels = (f"file:{one}", f"file:{two}")
    coin.watch("loss", "200", channels=channels, digest="hourly")
    coin.watch("more", "300", channels=channels[:1], digest="hourly")
    coin.watch("loss", "200", channels=channels[:1], digest="hourly", taxpayer="other")
    coin.tick("C", "60")
    assert at(coin, "2025-03-01T13:00:00Z")["sent"] == 3
    found = {(path.name, message["data"]["taxpayer"]): listed(message)
             for path in (one, two) for message in messages(path)}  # fmt: skip
    assert found == {
        ("one.jsonl", "main"): ["main/loss/1", "main/more/1"],
        ("one.jsonl", "other"): ["other/loss/1"],
        ("two.jsonl", "main"): ["main/loss/1"],
    }


def test_rules_of_other_schedules_that_are_due_together_share_the_message(
    coin: House, tmp_path: Path
) -> None:
    file = tmp_path / "alerts.jsonl"
    coin.watch("a", "200", channels=(f"file:{file}",), digest="hourly")
    coin.watch("b", "200", channels=(f"file:{file}",), digest="daily 13:00")
    coin.tick("C", "60")
    at(coin, "2025-03-01T13:00:00Z")
    assert [listed(message) for message in messages(file)] == [["main/a/1", "main/b/1"]]


def test_urgent_never_waits(coin: House, tmp_path: Path) -> None:
    file = tmp_path / "alerts.jsonl"
    coin.watch("loud", "200", channels=(f"file:{file}",), digest="hourly", severity="urgent")
    coin.watch("calm", "200", channels=(f"file:{file}",), digest="hourly")
    coin.tick("C", "70")
    assert [message["data"]["key"] for message in messages(file)] == ["main/loud/1"]


def test_a_retry_has_the_same_key_and_body_and_what_fires_later_is_in_the_next(
    coin: House, tmp_path: Path
) -> None:
    file = tmp_path / "missing" / "alerts.jsonl"
    coin.watch("loss", "200", channels=(f"file:{file}",), digest="hourly")
    coin.tick("C", "70")
    assert at(coin, "2025-03-01T13:00:00Z")["retry"] == 1
    composed = coin.sql("SELECT key, payload FROM outbox WHERE key LIKE 'digest:%'")
    coin = coin.reopened()
    coin.tick("C", "99")
    coin.tick("C", "60")
    file.parent.mkdir()
    assert at(coin, "2025-03-01T13:30:00Z")["sent"] == 1
    assert [("digest:main/loss/1", line) for line in file.read_text().splitlines()] == composed
    assert at(coin, "2025-03-01T14:00:00Z")["sent"] == 1
    assert [listed(message) for message in messages(file)] == [["main/loss/1"], ["main/loss/2"]]
    assert messages(file)[1]["data"]["key"] == "digest:main/loss/2"
    coin.close()


def test_what_fires_at_the_digest_time_itself_is_in_the_next(coin: House, tmp_path: Path) -> None:
    file = f"file:{tmp_path / 'alerts.jsonl'}"
    coin.watch("loss", "200", channels=(file,), digest="hourly")
    at(coin, "2025-03-01T13:00:00Z")
    coin.ticks(("C", "70"))
    assert due(coin) == {"main/loss/1": "2025-03-01T14:00:00.000000Z"}


def test_it_waits_over_a_restart_and_goes_out_late_rather_than_never(
    coin: House, tmp_path: Path
) -> None:
    file = tmp_path / "alerts.jsonl"
    coin.watch("loss", "200", channels=(f"file:{file}",), digest="hourly")
    coin.tick("C", "70")
    coin.clock.advance(hours=1)
    coin.tick("X", "1")
    coin = coin.reopened()
    at(coin, "2025-03-03T17:20:00Z")
    assert [listed(message) for message in messages(file)] == [["main/loss/1"]]
    coin.close()


def test_two_processes_put_a_digest_together_once(coin: House, tmp_path: Path) -> None:
    file = tmp_path / "alerts.jsonl"
    coin.watch("loss", "200", channels=(f"file:{file}",), digest="hourly")
    coin.tick("C", "70")
    beside = coin.beside()
    at(coin, "2025-03-01T13:00:00Z")
    assert beside.app.market.deliver()["sent"] == 0
    assert len(messages(file)) == 1
    beside.close()


def test_what_is_acknowledged_before_is_left_out(coin: House, tmp_path: Path) -> None:
    file = tmp_path / "alerts.jsonl"
    for name in ("a", "b"):
        coin.watch(name, "200", channels=(f"file:{file}",), digest="hourly")
    coin.tick("C", "70")
    say(coin, AlertAcknowledged(effective_at=coin.clock.text, rule="a", crossing=1), "ack/a/1")
    at(coin, "2025-03-01T13:00:00Z")
    assert [listed(message) for message in messages(file)] == [["main/b/1"]]
    coin.tick("C", "99")
    coin.tick("C", "60")
    for rule in ("a", "b"):
        fact = AlertAcknowledged(effective_at=coin.clock.text, rule=rule, crossing=2)
        say(coin, fact, f"ack/{rule}/2")
    assert at(coin, "2025-03-01T14:00:00Z")["sent"] == 0


def test_a_snoozed_rule_waits_for_the_first_digest_after_the_snooze(
    coin: House, tmp_path: Path
) -> None:
    coin.watch("loss", "200", channels=(f"file:{tmp_path / 'a'}",), digest="daily 08:00")
    snooze(coin, "loss", "2025-03-03T10:00:00.000000Z")
    coin.tick("C", "70")
    assert due(coin) == {"main/loss/1": "2025-03-04T08:00:00.000000Z"}
    snooze(coin, "loss", "")  # it is woken
    assert due(coin) == {"main/loss/1": "2025-03-02T08:00:00.000000Z"}
    coin.clock.advance(minutes=1)
    snooze(coin, "loss", "2025-03-02T09:00:00.000000Z")
    assert due(coin) == {"main/loss/1": "2025-03-03T08:00:00.000000Z"}


def test_a_digest_time_in_quiet_hours_is_their_end(coin: House, tmp_path: Path) -> None:
    coin.watch(
        "loss", "200", channels=(f"file:{tmp_path / 'a'}",), digest="daily 06:00",
        quiet="22:00-07:30",
    )  # fmt: skip
    coin.tick("C", "70")
    assert due(coin) == {"main/loss/1": "2025-03-02T07:30:00.000000Z"}


def test_a_digest_that_was_put_together_is_not_held_by_a_rule_called_digest(
    coin: House, tmp_path: Path
) -> None:
    file = tmp_path / "missing" / "alerts.jsonl"
    coin.watch("digest", "200", channels=(f"file:{file}",), digest="hourly")
    coin.tick("C", "70")
    at(coin, "2025-03-01T13:00:00Z")
    snooze(coin, "digest", "2025-03-09T10:00:00.000000Z")
    assert due(coin)["digest:main/digest/1"] == "2025-03-01T13:00:05.000000Z"


def test_it_is_daily_on_the_taxpayers_clock_when_the_clocks_change(
    coin: House, tmp_path: Path
) -> None:
    """New York: 8:00 is 13:00 UTC until 8 March 2025, then 12:00."""
    coin.say({"id": "law", "type": "policy", "tz": "America/New_York"})
    coin.watch("loss", "200", channels=(f"file:{tmp_path / 'a'}",), digest="daily 08:00")
    at(coin, "2025-03-08T12:00:00Z")
    coin.tick("C", "70")
    coin.tick("C", "99")
    at(coin, "2025-03-08T14:00:00Z")
    coin.tick("C", "70")
    found = due(coin)
    assert found["main/loss/1"] == "2025-03-08T13:00:00.000000Z"
    assert found["main/loss/2"] == "2025-03-09T12:00:00.000000Z"


@pytest.mark.parametrize(
    ("text", "after", "then"),
    [
        ("daily 08:00", "2025-03-08T12:59:59Z", "2025-03-08T13:00:00Z"),
        ("daily 08:00", "2025-03-08T13:00:00Z", "2025-03-09T12:00:00Z"),
        # The clock goes from 2:00 to 3:00 on 9 March: 2:30 is half an hour after it would be 2:00.
        ("daily 02:30", "2025-03-09T06:00:00Z", "2025-03-09T07:30:00Z"),
        ("daily 02:30", "2025-03-09T07:30:00Z", "2025-03-10T06:30:00Z"),
        # It shows 1:30 twice on 2 November: at 5:30 and at 6:30 UTC.
        ("daily 01:30", "2025-11-02T05:00:00Z", "2025-11-02T05:30:00Z"),
        ("daily 01:30", "2025-11-02T05:30:00Z", "2025-11-03T06:30:00Z"),
        ("daily 00:00", "2025-03-08T12:00:00Z", "2025-03-09T05:00:00Z"),
        ("hourly", "2025-11-02T05:30:00Z", "2025-11-02T06:00:00Z"),
        ("hourly", "2025-11-02T06:00:00Z", "2025-11-02T07:00:00Z"),
        ("hourly", "2025-03-09T06:59:59.999999Z", "2025-03-09T07:00:00Z"),
    ],
)
def test_the_next_digest_time_in_new_york(text: str, after: str, then: str) -> None:
    next_digest = schedule(text)
    assert next_digest is not None
    found = next_digest(datetime.fromisoformat(after).astimezone(NEW_YORK))
    assert found.astimezone(UTC) == datetime.fromisoformat(then)


def test_full_hours_are_of_the_taxpayers_clock() -> None:
    next_digest = schedule("hourly")
    assert next_digest is not None
    local = datetime(2025, 3, 1, 12, 10, tzinfo=UTC).astimezone(ZoneInfo("Asia/Kolkata"))
    assert next_digest(local).astimezone(UTC) == datetime(2025, 3, 1, 12, 30, tzinfo=UTC)


def test_a_terminal_gets_a_line_for_the_digest_and_one_for_each_alert(
    coin: House, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("loss", "more"):
        coin.watch(name, "200", channels=("terminal",), digest="hourly")
    coin.tick("C", "50")
    assert capsys.readouterr().err == ""
    at(coin, "2025-03-01T13:00:00Z")
    head, *alerts = capsys.readouterr().err.splitlines()
    assert head == "DIGEST 2025-03-01T13:00:00  alerts: 2"
    assert [line[:51] for line in alerts] == [
        "  ALERT 2025-03-01T12:01:00  loss #1: harvestable_l",
        "  ALERT 2025-03-01T12:01:00  more #1: harvestable_l",
    ]


def test_a_digest_lists_figures_and_leaves_the_evidence_to_explain(
    coin: House, tmp_path: Path
) -> None:
    file = tmp_path / "alerts.jsonl"
    coin.watch("loss", "200", channels=(f"file:{file}",), digest="hourly", dwell_seconds=60)
    coin.tick("C", "70")
    coin.tick("C", "70.5")
    at(coin, "2025-03-01T13:00:00Z")
    ((alert,),) = (message["data"]["alerts"] for message in messages(file))
    assert {"marks", "lots"} & set(alert["data"]) == set()
    assert alert["data"]["lot_count"] == 1
    assert alert["data"]["pending_since"] == "2025-03-01T12:01:00.000000Z"
    assert len(message_lines(messages(file)[0])) == 2


def test_a_webhook_gets_it_under_the_key_of_the_digest_again_and_again(tmp_path: Path) -> None:
    secret = "whsec_" + base64.b64encode(b"a test secret of thirty-two bytes").decode()
    house = House(tmp_path / "t.db", webhook_secret=secret, webhook_allow_local=True)
    house.say(COIN, buy("b1", "10", "1000", asset="C"))
    with receiving() as receiver:
        receiver.statuses[:] = [500]
        house.watch("loss", "200", channels=(f"webhook:{receiver.url}",), digest="hourly")
        house.tick("C", "70")
        assert at(house, "2025-03-01T13:00:00Z")["retry"] == 1
        assert at(house, "2025-03-01T13:00:05Z")["sent"] == 1
        (_, first, body), (_, second, again) = receiver.got
    assert first["webhook-id"] == second["webhook-id"] == "digest:main/loss/1"
    assert body == again
    house.close()


@pytest.mark.parametrize(
    "text",
    ["weekly", "daily", "daily 24:00", "daily 8:00", "daily 08:60", "Hourly", "daily 08:00 "],
)
def test_a_digest_that_cannot_be_read_is_refused(text: str) -> None:
    rule = AlertRuleSet(
        effective_at="2025-03-01T12:00:00Z", name="loss", scope="all", metric="tax_saved",
        threshold="5", digest=text,
    )  # fmt: skip
    with pytest.raises(InvalidRule, match="daily 08:00"):
        checked_rule(rule)

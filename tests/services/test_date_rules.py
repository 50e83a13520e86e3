"""Rules whose metric is a day: told once, at the first instant known in its time."""

from __future__ import annotations

import pytest

from domain.decisions import AlertAcknowledged, AlertFired, AlertRuleSet
from domain.rules.registry import RULE_SETS
from infra.channels.terminal import alert_line
from services.alert_rules import InvalidRule, checked_for, checked_rule
from services.date_words import in_words
from services.default_rules import DEFAULT_RULES, missing
from services.delivery import outbox
from services.explain.alerts import explain_alert, find_alert
from services.explain.answer import Answer
from services.ledger import Offer
from tests.services.house import COIN, START, STOCK, House, Json, buy, sell

Brief = tuple[str, str, str, str]  # kind, day, group or lot, amount


def at(house: House, text: str) -> None:
    """The clock says so (UTC), and the engine hears of it."""
    house.clock.now = START.fromisoformat(text + "Z")
    house.app.market.facts_changed(house.clock.text)


def alerts(house: House, rule: str = "r") -> list[Json]:
    return [each for each in house.ask()["alerts"] if each["rule"] == rule]


def told(house: House, rule: str = "r") -> list[Brief]:
    """Every day that was told, in the order of telling."""
    return [
        (each["kind"], each["day"], each.get("lot", each.get("group", "")), each.get("amount", ""))
        for alert in alerts(house, rule)
        for each in alert["evidence"]["dates"]
    ]


def zone(name: str) -> Json:
    return {"id": "law", "type": "policy", "tz": name}


LOSS = (buy("b", "10", "1000"), sell("s", "2", "160", date="2025-03-01"))  # safe: 2025-04-01


# --- which day is which


def test_a_window_closes_on_the_last_day_on_which_a_purchase_washes(house: House) -> None:
    house.say(STOCK, *LOSS)
    house.watch("r", "1", metric="window_closes")
    at(house, "2025-03-29T23:59:59")
    assert told(house) == []
    at(house, "2025-03-30T00:00:00")
    assert told(house) == [("do_not_buy", "2025-03-31", "S", "40")]
    (alert,) = alerts(house)
    assert (alert["value"], alert["threshold"], alert["state"]) == ("1", "1", "firing")
    assert alert["evidence"]["dates"][0]["because"] == ["csv:s"]
    assert alert["evidence"]["dates"][0]["accounts"] == ["A"]


def test_buying_is_safe_from_the_day_after_it(house: House) -> None:
    house.say(STOCK, *LOSS)
    house.watch("r", "0", metric="safe_to_buy")
    at(house, "2025-03-31T23:59:59")
    assert told(house) == []
    at(house, "2025-04-01T00:00:00")
    assert told(house) == [("safe_to_buy", "2025-04-01", "S", "40")]


def test_the_window_of_a_purchase_closes_for_older_lots_too(house: House) -> None:
    house.say(STOCK, buy("old", "10", "1000"), buy("new", "1", "100", date="2025-03-01"))
    house.watch("r", "0", metric="window_closes")
    at(house, "2025-03-31T12:00:00")
    assert told(house) == [("do_not_sell", "2025-03-31", "S", "")]


def test_a_later_loss_moves_the_day_of_its_group(house: House) -> None:
    house.say(STOCK, *LOSS, sell("s2", "1", "70", date="2025-03-01", account="A"))
    house.watch("r", "0", metric="safe_to_buy")
    house.clock.advance(days=9)
    house.say(sell("s3", "1", "50", date="2025-03-10"))
    at(house, "2025-04-01T12:00:00")
    assert told(house) == []
    at(house, "2025-04-10T12:00:00")
    assert told(house) == [("safe_to_buy", "2025-04-10", "S", "50")]


def test_a_lot_turns_long_term_with_its_gain_or_loss_at_the_mark(house: House) -> None:
    house.say(STOCK, buy("b1", "10", "1000", date="2024-03-11"),
              buy("b2", "10", "1400", date="2024-03-11"))  # fmt: skip
    house.watch("r", "7", metric="long_term")
    house.ticks(("S", "120"))
    at(house, "2025-03-04T23:00:00")
    assert told(house) == []
    at(house, "2025-03-05T00:00:00")
    assert told(house) == [
        ("long_term", "2025-03-12", "csv:b1", "200"), ("long_term", "2025-03-12", "csv:b2", "-200"),
    ]  # fmt: skip
    (alert,) = alerts(house)
    assert [each["asset"] for each in alert["evidence"]["marks"]] == ["S"]


def test_the_year_ends_in_five_trading_days_with_a_loss_left(house: House) -> None:
    """24, 26, 29, 30 and 31 December 2025 are five: Christmas Day is none."""
    house.say(STOCK, buy("b", "10", "1000"))
    house.watch("r", "5", metric="year_end", amount="100")
    house.ticks(("S", "80"))
    at(house, "2025-12-22T23:59:00")
    assert told(house) == []
    at(house, "2025-12-23T00:00:00")
    assert told(house) == [("year_end", "2025-12-31", "", "200")]
    (alert,) = alerts(house)
    assert (alert["value"], alert["evidence"]["lots"][0]["lot"]) == ("5", "csv:b")
    at(house, "2026-01-01T00:00:00")
    assert [each["state"] for each in alerts(house)] == ["cleared"]
    at(house, "2026-12-24T00:00:00")
    assert told(house)[1:] == [("year_end", "2026-12-31", "", "200")]


def test_in_the_last_days_of_a_year_a_price_can_be_what_fires(house: House) -> None:
    house.say(STOCK, buy("b", "10", "1000"))
    house.watch("r", "5", metric="year_end", amount="100")
    house.ticks(("S", "95"))
    at(house, "2025-12-23T09:00:00")
    assert told(house) == []
    house.tick("S", "90.01")
    assert told(house) == []
    house.tick("S", "90")
    house.tick("S", "50")
    assert told(house) == [("year_end", "2025-12-31", "", "100")]
    at(house, "2026-02-01T09:00:00")
    house.tick("S", "40")
    assert len(told(house)) == 1


def test_a_closed_day_at_the_end_counts_to_the_trading_day_before(house: House) -> None:
    """31 December 2022 was a Saturday: on it there is nothing to tell any more."""
    house.clock.now = START.fromisoformat("2022-12-01T12:00:00Z")
    house.say(STOCK, buy("b", "10", "1000", date="2022-11-01"))
    house.ticks(("S", "80"))
    house.watch("late", "0", metric="year_end", amount="500")
    house.watch("r", "0", metric="year_end")
    at(house, "2022-12-30T12:00:00")
    assert told(house) == [("year_end", "2022-12-30", "", "200")]
    at(house, "2022-12-31T12:00:00")
    house.tick("S", "10")
    assert told(house, "late") == []


def test_a_stale_mark_makes_the_year_end_no_urgent_matter_but_a_day_stays_one(house: House) -> None:
    house.say(STOCK, buy("b", "10", "1000"), buy("b2", "1", "100", date="2024-12-31"))
    house.watch("r", "5", metric="year_end", severity="urgent")
    house.watch("l", "10", metric="long_term", severity="urgent")
    house.ticks(("S", "80"))
    at(house, "2025-12-23T00:00:00")
    sent = {
        logged.recorded.fact.rule: (logged.recorded.fact.severity, logged.recorded.fact.stale_marks)
        for logged in house.app.ledger.read(0, 100)
        if isinstance(logged.recorded.fact, AlertFired)
    }
    assert sent == {"r": ("notice", ("S",)), "l": ("urgent", ())}


# --- midnight is the taxpayer's


@pytest.mark.parametrize(
    ("tz", "before", "after"),
    [
        ("America/New_York", "2025-04-01T03:59:59", "2025-04-01T04:00:00"),
        ("Asia/Tokyo", "2025-03-31T14:59:59", "2025-03-31T15:00:00"),
    ],
)
def test_a_day_begins_at_midnight_of_the_taxpayer(
    house: House, tz: str, before: str, after: str
) -> None:
    house.say(zone(tz), STOCK, *LOSS)
    house.watch("r", "0", metric="safe_to_buy")
    at(house, before)
    assert told(house) == []
    at(house, after)
    assert told(house) == [("safe_to_buy", "2025-04-01", "S", "40")]


def test_a_mark_after_midnight_is_an_instant_like_any_other(house: House) -> None:
    house.say(STOCK, COIN, *LOSS)
    house.watch("r", "0", metric="safe_to_buy")
    house.clock.now = START.fromisoformat("2025-03-31T23:59:30Z")
    (fired,) = house.tick("C", "100")
    assert isinstance(fired, AlertFired)
    assert (fired.effective_at, fired.dates[0].day) == ("2025-04-01T00:00:30.000000Z", "2025-04-01")


# --- once


def test_a_day_is_told_once_also_after_restarts_and_rule_edits(house: House) -> None:
    house.say(STOCK, *LOSS)
    house.watch("r", "5", metric="safe_to_buy")
    at(house, "2025-03-27T12:00:00")
    house = house.reopened()
    house.tick("S", "90")
    at(house, "2025-03-28T12:00:00")
    house.watch("r", "3", metric="safe_to_buy")
    at(house, "2025-04-01T12:00:00")
    assert told(house) == [("safe_to_buy", "2025-04-01", "S", "40")]
    assert house.unequal() == []
    house.close()


def test_a_restart_in_between_tells_what_fell_due_meanwhile(house: House) -> None:
    house.say(STOCK, *LOSS)
    house.watch("r", "0", metric="safe_to_buy")
    at(house, "2025-03-31T12:00:00")
    house = house.reopened()
    at(house, "2025-04-01T12:00:00")
    assert told(house) == [("safe_to_buy", "2025-04-01", "S", "40")]
    house.close()


def test_two_processes_tell_a_day_once(house: House) -> None:
    house.say(STOCK, *LOSS)
    house.watch("r", "0", metric="safe_to_buy")
    beside = house.beside()
    at(beside, "2025-03-31T12:00:00")
    beside.clock.now = START.fromisoformat("2025-04-01T12:00:00Z")
    house.clock.now = beside.clock.now
    house.tick("S", "90")
    beside.tick("S", "91")
    at(house, "2025-04-01T13:00:00")
    assert told(house) == [("safe_to_buy", "2025-04-01", "S", "40")]
    beside.close()


def test_a_day_that_nobody_heard_of_in_time_is_told_late(house: House) -> None:
    """Nothing is heard on the weekend: it is told on Monday, two days late, then never again."""
    house.say(STOCK, buy("b", "10", "1000"), sell("s", "2", "160", date="2025-02-05"))
    house.watch("r", "0", metric="safe_to_buy")  # 2025-03-08 is a Saturday
    at(house, "2025-03-07T22:00:00")
    house = house.reopened()
    at(house, "2025-03-10T14:30:00")
    assert told(house) == [("safe_to_buy", "2025-03-08", "S", "40")]
    assert [each["value"] for each in alerts(house)] == ["-2"]
    at(house, "2025-03-11T14:30:00")
    assert [each["state"] for each in alerts(house)] == ["cleared"]
    house.close()


def test_after_a_week_it_is_told_no_more(house: House) -> None:
    house.say(STOCK, *LOSS)
    house.watch("r", "0", metric="safe_to_buy")
    at(house, "2025-04-09T12:00:00")
    assert told(house) == []


def test_a_day_that_was_past_when_its_fact_came_is_never_told(house: House) -> None:
    house.say(STOCK, buy("b", "10", "1000"))
    house.watch("r", "0", metric="safe_to_buy")
    at(house, "2025-04-02T12:00:00")
    house.say(LOSS[1])
    house = house.reopened()
    at(house, "2025-04-03T12:00:00")
    assert told(house) == []
    house.close()


def test_a_day_that_was_past_when_the_rule_came_is_never_told(house: House) -> None:
    house.say(STOCK, *LOSS)
    at(house, "2025-04-02T12:00:00")
    house.watch("r", "0", metric="safe_to_buy")
    assert told(house) == []


def test_a_late_fact_that_puts_something_near_is_told_at_once(house: House) -> None:
    house.say(STOCK, buy("b", "10", "1000"))
    house.watch("r", "5", metric="safe_to_buy")
    at(house, "2025-03-30T12:00:00")
    house.say(LOSS[1])
    assert told(house) == [("safe_to_buy", "2025-04-01", "S", "40")]


def test_a_correction_that_moves_the_day_makes_another_day(house: House) -> None:
    house.say(STOCK, *LOSS)
    house.watch("r", "5", metric="safe_to_buy")
    at(house, "2025-03-28T12:00:00")
    moved = sell("s", "2", "160", date="2025-03-02")
    house.say({"id": "s", "type": "correction", "fact": moved})
    assert [each[1] for each in told(house)] == ["2025-04-01", "2025-04-02"]
    house.say({"id": "s", "type": "correction", "fact": moved | {"date": "2025-02-20"}})
    at(house, "2025-04-05T12:00:00")
    assert [each[1] for each in told(house)] == ["2025-04-01", "2025-04-02"]


def test_a_purchase_that_washes_the_loss_ends_the_waiting(house: House) -> None:
    house.say(STOCK, *LOSS)
    house.watch("r", "0", metric="safe_to_buy")
    house.say(buy("again", "2", "150", date="2025-03-20"))
    at(house, "2025-04-01T12:00:00")
    assert told(house) == []


# --- several subjects, scopes


def test_all_that_falls_due_is_one_alert(house: House) -> None:
    other: Json = {"id": "Q", "type": "asset", "asset": "Q", "class": "stock"}
    house.say(STOCK, other, *LOSS, buy("q", asset="Q"),
              sell("sq", asset="Q", date="2025-03-01"))  # fmt: skip
    house.watch("r", "0", metric="safe_to_buy")
    at(house, "2025-04-01T12:00:00")
    assert [each["crossing"] for each in alerts(house)] == [1]
    assert [each[2] for each in told(house)] == ["Q", "S"]


@pytest.mark.parametrize(
    ("scope", "groups"),
    [("all", ["Q", "S"]), ("group:S", ["S"]), ("asset:T", ["S"]), ("account:B", ["Q"]),
     ("class:tokenized_security", ["S"]), ("class:crypto", [])],
)  # fmt: skip
def test_a_group_is_in_scope_with_any_asset_or_account_of_its_windows(
    house: House, scope: str, groups: list[str]
) -> None:
    token: Json = {"id": "T", "type": "asset", "asset": "T", "class": "tokenized_security",
                   "group": "S"}  # fmt: skip
    other: Json = {"id": "Q", "type": "asset", "asset": "Q", "class": "stock"}
    house.say(STOCK, token, other, *LOSS, buy("q", asset="Q", account="B"),
              sell("sq", asset="Q", account="B", date="2025-03-01"))  # fmt: skip
    house.watch("r", "0", metric="safe_to_buy", scope=scope)
    at(house, "2025-04-01T12:00:00")
    assert [each[2] for each in told(house)] == groups


def test_the_day_of_a_group_counts_windows_out_of_scope_too(house: House) -> None:
    """A loss booked in B a day later stands against buying, whoever asks for A."""
    house.say(STOCK, *LOSS, buy("c", "10", "1000", account="B"),
              sell("sc", "1", "80", date="2025-03-02", account="B"))  # fmt: skip
    house.watch("r", "0", metric="safe_to_buy", scope="account:A")
    at(house, "2025-04-01T12:00:00")
    assert told(house) == []
    at(house, "2025-04-02T12:00:00")
    assert told(house) == [("safe_to_buy", "2025-04-02", "S", "20")]


def test_a_lot_is_in_scope_by_its_account(house: House) -> None:
    house.say(STOCK, buy("b1", date="2024-03-04"), buy("b2", date="2024-03-04", account="B"))
    house.watch("r", "0", metric="long_term", scope="account:B")
    at(house, "2025-03-05T12:00:00")
    assert [each[2] for each in told(house)] == ["csv:b2"]


# --- the life of an alert


def test_it_waits_for_quiet_hours_and_is_acknowledged_like_any_other(house: House) -> None:
    house.say(STOCK, *LOSS)
    house.watch("r", "0", metric="safe_to_buy", quiet="22:00-07:00", channels=("terminal",))
    at(house, "2025-04-01T00:00:00")
    with house.app.projector.database.reading() as connection:
        (waiting,) = outbox(connection, "main")
    assert (waiting["key"], waiting["due_at"]) == ("main/r/1", "2025-04-01T07:00:00.000000Z")
    seen = AlertAcknowledged(effective_at=house.clock.text, rule="r", crossing=1)
    house.app.ledger.append([Offer("main", "thresher", "ack/r/1", seen)], house.clock.text)
    house.app.projector.catch_up(house.clock.day)
    assert [each["state"] for each in alerts(house)] == ["acknowledged"]


def test_during_a_cooldown_days_wait(house: House) -> None:
    other: Json = {"id": "Q", "type": "asset", "asset": "Q", "class": "stock"}
    house.say(STOCK, other, *LOSS, buy("q", asset="Q"),
              sell("sq", asset="Q", date="2025-03-02"))  # fmt: skip
    house.watch("r", "0", metric="safe_to_buy", cooldown_seconds=36 * 3600)
    at(house, "2025-04-01T00:00:00")
    house = house.reopened()
    at(house, "2025-04-02T11:59:59")
    assert [each[2] for each in told(house)] == ["S"]
    at(house, "2025-04-02T12:00:00")
    assert [each[2] for each in told(house)] == ["S", "Q"]
    house.close()


def test_a_lot_below_its_basis_is_told_with_a_loss_and_no_gain_below_zero() -> None:
    day = {"kind": "long_term", "lot": "b1", "asset": "S", "accounts": ["A"], "day": "2025-03-05"}
    said = in_words([day | {"amount": amount} for amount in ("-2500", "2500", "0", "")])
    start = "b1 (S, A) is long-term from 2025-03-05"
    assert said == [f"{start}{rest}" for rest in (", loss 2,500.00", ", gain 2,500.00",
                                                  ", gain 0.00", "")]  # fmt: skip


def test_what_it_says_and_how_it_is_explained(house: House) -> None:
    house.say(STOCK, buy("b1", date="2024-03-04", account="B"), *LOSS)
    house.watch("r", "0", metric="long_term")
    house.watch("w", "40", metric="window_closes")
    at(house, "2025-03-05T12:00:00")
    queries = house.app.queries
    view = queries.view("main")
    said = {}
    for name in ("r", "w"):
        found = find_alert(queries, view, f"{name}/1")
        assert found is not None
        answer = Answer(RULE_SETS["US"])
        explain_alert(answer, *found)
        said[name] = "; ".join(answer.lines)
    assert "csv:b1 (S, B) is long-term from 2025-03-05" in said["r"]
    assert "2025-03-31 is the last day on which buying S washes a booked loss of 40.00" in said["w"]
    dates = alerts(house, "w")[0]["evidence"]["dates"]
    line = alert_line(
        {"timestamp": "2025-03-05T12:00:00", "data": {"rule": "w", "crossing": 1,
         "dates": dates * 11}}
    )  # fmt: skip
    assert "w #1: 2025-03-31 is the last day" in line.plain
    assert line.plain.endswith("; and 1 more")


# --- other laws


@pytest.mark.parametrize("law", ["UK", "CA"])
def test_other_laws_have_windows_and_no_long_term(house: House, law: str) -> None:
    house.say({"id": "law", "type": "policy", "jurisdiction": law}, STOCK, *LOSS)
    house.watch("r", "0", metric="safe_to_buy")
    house.watch("never", "366", metric="long_term")
    at(house, "2025-03-31T12:00:00")
    assert told(house) == []
    at(house, "2025-04-01T12:00:00")
    assert told(house) == [("safe_to_buy", "2025-04-01", "S", "40")]
    assert told(house, "never") == []
    with pytest.raises(InvalidRule, match="knows no long-term gains"):
        checked_for(rule(metric="long_term"), RULE_SETS[law])


def test_a_british_year_ends_in_april(house: House) -> None:
    """5 April 2026 is Easter Sunday: the last trading day is Maundy Thursday."""
    house.say({"id": "law", "type": "policy", "jurisdiction": "UK"}, STOCK, buy("b", "10", "1000"))
    house.watch("r", "1", metric="year_end")
    house.ticks(("S", "80"))
    at(house, "2026-03-31T12:00:00")
    assert told(house) == []
    at(house, "2026-04-01T12:00:00")
    assert told(house) == [("year_end", "2026-04-02", "", "200")]


# --- what is refused, and what there is by default


def rule(**more: str) -> AlertRuleSet:
    given = {"name": "r", "scope": "all", "metric": "safe_to_buy", "threshold": "1"} | more
    return AlertRuleSet(effective_at="2025-03-01", **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"threshold": "1.5"}, "whole days"),
        ({"threshold": "-1"}, "whole days"),
        ({"threshold": "367"}, "whole days"),
        ({"amount": "5"}, "year_end alone"),
        ({"metric": "year_end", "amount": "-5"}, "zero or more"),
        ({"metric": "harvestable_loss", "amount": "5"}, "year_end alone"),
        ({"metric": "full_moon"}, "use one of"),
    ],
)
def test_what_cannot_be_watched_is_refused(change: dict[str, str], says: str) -> None:
    with pytest.raises(InvalidRule, match=says):
        checked_rule(rule(**change))


def test_default_rules_can_be_watched_and_are_added_once() -> None:
    us, uk = RULE_SETS["US"], RULE_SETS["UK"]
    every = [each.name for each in DEFAULT_RULES]
    assert [each.name for each in missing([], us, "2025-03-01")] == every
    assert [each.name for each in missing([], uk, "2025-03-01")] == [
        each for each in every if each != "long-term"
    ]
    assert missing(every, us, "2025-03-01") == []
    assert [each.name for each in missing(every[1:], us, "2025-03-01")] == every[:1]

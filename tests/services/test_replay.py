"""What rules would have said to a history: the same as they said to it while it happened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from domain.days import day_of
from domain.decisions import AlertRuleSet
from infra.replay_store import new_store
from projections.schema import Piece
from services.history import History, as_happened, as_recorded
from services.queries import Queries, View
from services.replay import Replay, Watched, replayed_alerts
from tests.services.house import COIN, STOCK, House, Json, buy, sell

Order = Callable[[Queries, View], History]
SHOWN = (
    "fired_at", "rule", "crossing", "scope", "metric", "threshold", "value", "tax_saved",
    "rearmed_at",
)  # fmt: skip
IRA: Json = {"id": "ira", "type": "account", "account": "IRA", "kind": "ira"}
PRICES = ("95", "60", "58", "70", "99", "55", "54", "101")
either_order = pytest.mark.parametrize("order", [as_happened, as_recorded])


def rule(name: str = "r", threshold: str = "30", **more: Any) -> AlertRuleSet:
    given = {"scope": "all", "metric": "harvestable_loss"} | more
    return AlertRuleSet(effective_at="", name=name, threshold=threshold, **given)


def history(house: House, order: Order = as_happened) -> History:
    return order(house.app.queries, house.app.queries.view("main"))


def fired(house: House, *rules: AlertRuleSet, order: Order = as_happened) -> list[Piece]:
    return replayed_alerts(new_store, history(house, order), Watched(rules))


def fields(rows: list[Piece]) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in SHOWN) for row in rows]


@either_order
@pytest.mark.parametrize(
    "watched",
    [rule(), rule(metric="tax_saved", threshold="10"), rule(metric="loss_percent"),
     rule(rearm_ratio="0.2"), rule(scope="class:crypto")],
    ids=["loss", "tax", "percent", "re-arm", "scope"],
)  # fmt: skip
def test_a_replay_says_what_was_said_live(
    house: House, order: Order, watched: AlertRuleSet
) -> None:
    house.watch("r", watched.threshold, scope=watched.scope, metric=watched.metric,
                rearm_ratio=watched.rearm_ratio)  # fmt: skip
    house.say(STOCK, COIN, buy("b"), buy("c", asset="C", account="W", amount="50"))
    for number, price in enumerate(PRICES):
        house.tick("S", price)
        house.tick("C", str(60 - 8 * number))
        if number == 4:
            house.clock.advance(seconds=1)
            house.say(buy("d", date=None, ts=house.clock.text, amount="99"))
    live = house.ask()["alerts"]
    assert live
    assert fields(fired(house, watched, order=order)) == fields(live)
    (first, *_) = fired(house, watched, order=order)
    assert first["evidence"]["lots"] == live[0]["evidence"]["lots"]


def test_marks_told_together_are_evaluated_instant_by_instant(house: House) -> None:
    house.say(STOCK, buy("b"))
    for price in PRICES:
        house.tick("S", price)
    told = history(house)
    with new_store() as store:
        replay = Replay(store, told, Watched((rule(),)))
        for step in told.steps:
            replay.tell(step)
        one_by_one = replay.alerts()
    assert [each["value"] for each in one_by_one] == ["40", "45"]
    assert fired(house, rule()) == one_by_one


def test_a_late_purchase_was_not_known_when_the_alert_fired(house: House) -> None:
    house.say(STOCK, IRA, buy("b"))
    house.tick("S", "60")  # on 1 March
    house.clock.advance(days=4)
    house.say(buy("i", date="2025-02-25", account="IRA", amount="90"))
    assert fired(house, rule()) == []  # the purchase blocks all of it
    (alert,) = fired(house, rule(), order=as_recorded)
    assert (alert["fired_at"][:10], alert["rearmed_at"][:10]) == ("2025-03-01", "2025-03-05")


def test_as_happened_takes_a_correction_for_what_it_corrects(house: House) -> None:
    house.say(STOCK, buy("b", amount="100"), buy("gone", amount="500"))
    house.tick("S", "60")
    house.clock.advance(minutes=1)
    house.say({"id": "gone", "type": "bust", "date": "2025-02-20"})
    correction = buy("b", amount="65")
    house.say({"id": "b", "type": "correction", "date": "2025-02-20", "fact": correction})
    assert fired(house, rule()) == []
    assert [each["value"] for each in fired(house, rule(), order=as_recorded)] == ["480"]


def test_a_rule_starts_on_its_day_with_what_it_finds_then(house: House) -> None:
    house.say(STOCK, buy("b"), sell("s", qty="0.5", date="2025-03-03", amount="30"))
    house.tick("S", "60")
    house.clock.advance(days=3)
    house.tick("S", "30")
    told, first = history(house), day_of("2025-03-02")
    rows = replayed_alerts(new_store, told, Watched((rule(),), first))
    assert [(each["fired_at"], each["value"]) for each in rows] == [
        ("2025-03-02T00:00:00.000000Z", "40"),
        ("2025-03-04T12:02:00.000000Z", "35"),
    ]
    assert replayed_alerts(new_store, told.until(first), Watched((rule(),), first + 9)) == []


def test_marks_before_the_day_of_the_rule_count_but_do_not_fire(house: House) -> None:
    house.say(STOCK, buy("b"))
    house.tick("S", "60")
    house.clock.advance(days=2)
    house.tick("S", "59")
    rows = replayed_alerts(new_store, history(house), Watched((rule(),), day_of("2025-03-02")))
    assert [(each["fired_at"][:10], each["value"]) for each in rows] == [("2025-03-02", "40")]


def test_a_day_begins_at_midnight_of_the_owner(house: House) -> None:
    house.say({"id": "p", "type": "policy", "tz": "America/New_York"}, STOCK, buy("b"))
    house.tick("S", "60")
    rows = replayed_alerts(new_store, history(house), Watched((rule(),), day_of("2025-03-01")))
    assert [each["fired_at"] for each in rows] == ["2025-03-01T12:01:00.000000Z"]
    house.clock.advance(days=1)
    house.tick("S", "60")
    rows = replayed_alerts(new_store, history(house), Watched((rule(),), day_of("2025-03-02")))
    assert [each["fired_at"] for each in rows] == ["2025-03-02T05:00:00.000000Z"]


def test_nothing_to_tell(house: House) -> None:
    assert fired(house, rule()) == []

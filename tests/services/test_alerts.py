"""Alert rules: once per crossing, re-armed below the level, recorded with their evidence."""

from __future__ import annotations

from typing import Any

import pytest

from domain.decisions import AlertFired, AlertRearmed, AlertRuleRemoved, AlertRuleSet
from services.alert_rules import InvalidRule, checked_rule
from services.ledger import Offer
from services.marks import Quote
from tests.services.house import COIN, STOCK, House, buy, sell


def said(crossings: list[AlertFired | AlertRearmed]) -> list[str]:
    return [
        f"{'fired' if isinstance(each, AlertFired) else 'rearmed'} {each.rule} "
        f"#{each.crossing} at {each.value}"
        for each in crossings
    ]


@pytest.fixture
def coin(house: House) -> House:
    """Ten coins bought for 1,000, and a rule at a loss of 200 (re-arms below 170)."""
    house.say(COIN, buy("b1", "10", "1000", asset="C"))
    house.watch("loss", "200")
    return house


def test_a_rule_fires_at_its_level_and_only_once(coin: House) -> None:
    assert said(coin.tick("C", "80.01")) == []
    assert said(coin.tick("C", "80")) == ["fired loss #1 at 200"]
    assert said(coin.tick("C", "70")) == []
    assert said(coin.tick("C", "80")) == []


def test_it_rearms_below_the_level_and_fires_again_with_the_next_number(coin: House) -> None:
    coin.tick("C", "80")
    assert said(coin.tick("C", "83")) == []  # a loss of 170 is not below 170
    assert said(coin.tick("C", "83.01")) == ["rearmed loss #1 at 169.9"]
    assert said(coin.tick("C", "90")) == []
    assert said(coin.tick("C", "60")) == ["fired loss #2 at 400"]
    assert said(coin.tick("C", "200")) == ["rearmed loss #2 at 0"]
    assert said(coin.tick("C", "79")) == ["fired loss #3 at 210"]
    assert [alert["crossing"] for alert in coin.ask()["alerts"]] == [1, 2, 3]


def test_a_rearm_ratio_of_one_rearms_right_below_the_threshold(house: House) -> None:
    house.say(COIN, buy("b1", "10", "1000", asset="C"))
    house.watch("loss", "200", rearm_ratio="1")
    house.tick("C", "80")
    assert said(house.tick("C", "80.000001")) == ["rearmed loss #1 at 199.99999"]


def test_the_scope_is_all_or_a_class_or_one_asset(house: House) -> None:
    house.say(STOCK, COIN, buy("b1", "10", "1000"), buy("b2", "10", "1000", asset="C"))
    house.watch("everything", "300")
    house.watch("coins", "200", scope="class:crypto")
    house.watch("share", "200", scope="asset:S")
    assert said(house.tick("S", "80")) == ["fired share #1 at 200"]
    assert said(house.tick("C", "90")) == ["fired everything #1 at 300"]
    assert said(house.tick("C", "79")) == ["fired coins #1 at 210"]
    assert said(house.tick("S", "100")) == [
        "rearmed everything #1 at 210", "rearmed share #1 at 0",
    ]  # fmt: skip


def test_the_metric_is_a_loss_or_the_tax_it_saves_or_a_share_of_basis(house: House) -> None:
    house.say(COIN, buy("b1", "10", "1000", asset="C"))
    house.watch("loss", "300")
    house.watch("tax", "70", metric="tax_saved")
    house.watch("percent", "25", metric="loss_percent")
    assert said(house.tick("C", "80")) == ["fired tax #1 at 70"]  # 200 at 35 %
    assert said(house.tick("C", "75")) == ["fired percent #1 at 25"]
    assert said(house.tick("C", "70")) == ["fired loss #1 at 300"]


def test_a_blocked_loss_is_not_harvestable(house: House) -> None:
    """A purchase of the last 30 days, still held, stands in the way of the whole loss."""
    house.say(STOCK, buy("b1", "10", "1000"), buy("b2", "10", "500", date="2025-02-20"))
    house.watch("loss", "100")
    assert said(house.tick("S", "50")) == []
    assert [o["harvestable"] for o in house.ask()["opportunities"]] == ["0"]
    house.clock.advance(days=21)
    assert said(house.tick("S", "50")) == []  # the 30th day after the purchase
    house.clock.advance(days=1)
    assert said(house.tick("S", "50")) == ["fired loss #1 at 500"]


def test_a_fact_can_make_the_crossing(coin: House) -> None:
    coin.tick("C", "90")
    coin.clock.advance(minutes=1)
    coin.say(buy("b2", "10", "1000", asset="C"))
    (alert,) = coin.ask()["alerts"]
    assert (alert["value"], alert["fired_at"]) == ("200", coin.clock.text)
    coin.say(sell("s1", "15", "1350", asset="C", date="2025-03-01"))
    (alert,) = coin.ask()["alerts"]
    assert alert["rearmed_at"] == coin.clock.text


def test_a_rule_that_is_set_on_a_loss_fires_at_once(house: House) -> None:
    house.say(COIN, buy("b1", "10", "1000", asset="C"))
    house.tick("C", "50")
    house.watch("loss", "200")
    assert [alert["value"] for alert in house.ask()["alerts"]] == ["500"]


def test_marks_of_one_instant_are_one_state_of_the_market(house: House) -> None:
    """One falls as the other rises: between the two marks there was no loss of 200."""
    house.say(STOCK, COIN, buy("b1", "10", "1000"), buy("b2", "10", "1000", asset="C"))
    house.tick("C", "85")
    house.tick("S", "100")
    house.watch("sum", "200")
    house.clock.advance(minutes=1)
    assert said(house.ticks(("S", "85"), ("C", "100"))) == []
    house.clock.advance(minutes=1)
    assert said(house.ticks(("S", "85"), ("C", "90"))) == ["fired sum #1 at 250"]


def test_an_older_mark_that_comes_late_changes_nothing(coin: House) -> None:
    coin.tick("C", "95")
    before = coin.ask()["opportunities"]
    late = Quote("C", "10", "2025-02-20T00:00:00.000000Z")
    assert coin.app.market.take([late]) == []
    assert coin.ask()["opportunities"] == before
    assert coin.app.market.counts.new == 2
    assert coin.unequal() == []


def test_a_mark_that_is_known_already_adds_nothing(coin: House) -> None:
    coin.tick("C", "95")
    coin.ticks(("C", "95"), ("C", "95"))
    assert coin.sql("SELECT count(*) FROM marks") == [(1,)]


PRICES = ("90", "79", "84", "78", "99", "60", "83", "100", "81", "80", "50", "84", "120", "1")


@pytest.mark.parametrize("every", [1, 2, 3])
def test_restarts_between_ticks_change_no_alert(coin: House, every: int) -> None:
    fired = []
    house = coin
    for count, price in enumerate(PRICES):
        fired += said(house.tick("C", price))
        if count % every == 0:
            house = house.reopened()
    house.close()
    straight = House(coin.path.with_name("straight.db"))
    straight.say(COIN, buy("b1", "10", "1000", asset="C"))
    straight.watch("loss", "200")
    assert fired == [line for price in PRICES for line in said(straight.tick("C", price))]
    assert len(fired) > 6
    straight.close()


def test_an_alert_is_a_fact_with_marks_lots_and_position(coin: House) -> None:
    head = coin.app.ledger.head()
    coin.tick("C", "75")
    (recorded,) = coin.app.ledger.stream("main", "thresher:alert/loss/1")
    fired = recorded.fact
    assert isinstance(fired, AlertFired)
    assert (fired.position, fired.effective_at) == (head, coin.clock.text)
    assert (fired.scope, fired.metric, fired.threshold) == ("all", "harvestable_loss", "200")
    assert [(m.asset, m.price, m.at) for m in fired.marks] == [("C", "75", coin.clock.text)]
    assert [(lot.lot, lot.account, lot.asset, lot.quantity, lot.harvestable)
            for lot in fired.lots] == [("csv:b1", "A", "C", "10", "250")]  # fmt: skip
    assert (fired.lot_count, fired.tax_saved) == (1, "87.5")


def test_evidence_holds_the_largest_lots_and_counts_the_others(house: House) -> None:
    lots = [buy(f"b{i}", "1", str(100 + i), asset="C") for i in range(150)]
    house.say(COIN, *lots)
    house.watch("loss", "200")
    house.tick("C", "50")
    (alert,) = house.ask()["alerts"]
    behind = alert["evidence"]["lots"]
    assert [lot["lot"] for lot in behind] == [f"csv:b{i}" for i in range(149, 49, -1)]
    (recorded,) = house.app.ledger.stream("main", "thresher:alert/loss/1")
    assert recorded.fact.lot_count == 150  # type: ignore[union-attr]


def test_a_rule_that_is_set_again_is_replaced(coin: House) -> None:
    coin.watch("loss", "500")
    assert said(coin.tick("C", "60")) == []
    assert said(coin.tick("C", "50")) == ["fired loss #1 at 500"]
    coin.watch("loss", "800")
    assert coin.ask()["alerts"][0]["rearmed_at"]  # 500 is below the new level
    assert said(coin.tick("C", "10")) == ["fired loss #2 at 900"]


def test_a_rule_that_is_removed_watches_no_longer(coin: House) -> None:
    fact = AlertRuleRemoved(effective_at=coin.clock.text, name="loss")
    coin.app.ledger.append([Offer("main", "thresher", "rule/loss", fact)], coin.clock.text)
    coin.app.projector.catch_up(coin.clock.day)
    coin.app.market.facts_changed()
    assert said(coin.tick("C", "10")) == []
    coin.watch("loss", "300")
    assert [alert["crossing"] for alert in coin.ask()["alerts"]] == [1]


def test_a_rule_of_one_taxpayer_never_sees_the_lots_of_another(coin: House) -> None:
    coin.say(COIN, buy("b1", "1000", "1000000", asset="C"), taxpayer="other")
    coin.watch("loss", "950000", taxpayer="other")
    assert said(coin.tick("C", "85")) == []
    assert said(coin.tick("C", "80")) == ["fired loss #1 at 200"]
    assert coin.ask(taxpayer="other")["alerts"] == []


def test_an_ira_gives_no_alert(house: House) -> None:
    house.say(COIN, {"id": "I", "type": "account", "account": "A", "kind": "ira"})
    house.say(buy("b1", "10", "1000", asset="C"))
    house.watch("loss", "1")
    assert said(house.tick("C", "1")) == []


def test_rules_and_facts_of_another_process_are_followed(coin: House) -> None:
    coin.tick("C", "99")
    beside = coin.beside()
    beside.say(buy("b2", "10", "3000", asset="C"))
    beside.watch("second", "2500")
    assert [alert["value"] for alert in coin.ask()["alerts"]] == ["2020"]
    assert said(coin.tick("C", "75")) == ["fired second #1 at 2500"]
    beside.close()


RULE: dict[str, Any] = {"effective_at": "2025-01-01", "name": "r", "scope": "all",
                        "metric": "harvestable_loss", "threshold": "5"}  # fmt: skip


@pytest.mark.parametrize(
    ("part", "value", "complaint"),
    [
        ("scope", "everything", "position:ACCOUNT/ASSET or lot:LOT"),
        ("scope", "class:", "position:ACCOUNT/ASSET or lot:LOT"),
        ("scope", "class:stocks", "the classes are stock, fund"),
        ("scope", "position:nope", "write position:ACCOUNT/ASSET"),
        ("scope", "position:broker/", "write position:ACCOUNT/ASSET"),
        ("scope", "position:/AAPL", "write position:ACCOUNT/ASSET"),
        ("metric", "joy", "harvestable_loss, tax_saved, loss_percent"),
        ("threshold", "0", "above zero"),
        ("threshold", "-1", "above zero"),
        ("rearm_ratio", "0", "between 0 and 1"),
        ("rearm_ratio", "1.01", "between 0 and 1"),
        ("channels", ("pigeon:home",), "terminal, kafka, file:PATH or webhook:URL"),
        ("channels", ("file:",), "terminal, kafka, file:PATH or webhook:URL"),
        ("channels", ("file:a b",), "terminal, kafka, file:PATH or webhook:URL"),
        ("channels", ("webhook:example.org/hook",), "webhook:https://..."),
    ],
)
def test_a_rule_that_cannot_be_watched_is_refused_with_the_reason(
    part: str, value: Any, complaint: str
) -> None:
    checked_rule(AlertRuleSet(**RULE))
    with pytest.raises(InvalidRule, match=complaint):
        checked_rule(AlertRuleSet(**(RULE | {part: value})))


def test_a_percentage_that_no_loss_can_reach_is_refused() -> None:
    percent = RULE | {"metric": "loss_percent"}
    checked_rule(AlertRuleSet(**(percent | {"threshold": "100"})))
    with pytest.raises(InvalidRule, match="above 100 % of the basis"):
        checked_rule(AlertRuleSet(**(percent | {"threshold": "100.01"})))


def test_two_processes_that_see_one_crossing_record_one_alert(coin: House) -> None:
    """The slower one had read the state before the faster one wrote: its alert is not the one."""
    slower = coin.beside()
    watch = slower.app.market.watch
    assert said(coin.tick("C", "80")) == ["fired loss #1 at 200"]
    at = coin.clock.text
    watch.tick([(1, Quote("C", "79", at))])
    assert watch.settle(at) == []
    assert [alert["value"] for alert in slower.ask()["alerts"]] == ["200"]
    assert said(slower.tick("C", "95")) == ["rearmed loss #1 at 50"]
    assert said(coin.tick("C", "70")) == ["fired loss #2 at 300"]
    assert coin.unequal() == []
    slower.close()


def test_marks_of_another_process_are_followed(coin: House) -> None:
    beside = coin.beside()
    beside.ask()
    coin.tick("C", "85")
    beside.say(buy("b2", "10", "1000", asset="C"))
    assert [alert["value"] for alert in beside.ask()["alerts"]] == ["300"]
    coin.app.market.refresh()
    beside.app.market.refresh()
    assert beside.ask() == coin.ask()
    assert coin.unequal() == []
    beside.close()


def test_of_two_prices_at_one_instant_the_one_stored_last_counts_also_after_a_restart(
    coin: House,
) -> None:
    coin.clock.advance(minutes=1)
    coin.ticks(("C", "90"), ("C", "95"), ("C", "90"), ("C", "94"), ("C", "94"))
    coin.app.market.refresh()
    assert [each["price"] for each in coin.ask()["opportunities"]] == ["94"]
    assert coin.unequal() == []
    again = coin.reopened()
    assert [each["price"] for each in again.ask()["opportunities"]] == ["94"]
    again.close()


def test_a_rule_looks_at_one_lot_or_at_one_position(house: House) -> None:
    """10 lost by each lot at 90; both lots are one position, the other account is not in it."""
    house.say(
        COIN,
        buy("one", "1", "100", asset="C", date="2025-01-02"),
        buy("two", "1", "100", asset="C", date="2025-01-03"),
        buy("three", "1", "100", asset="C", date="2025-01-03", account="B"),
    )
    house.watch("lot", "10", scope="lot:csv:one")
    house.watch("position", "20", scope="position:A/C")
    assert house.tick("C", "91") == []
    fired = house.tick("C", "90")
    assert said(fired) == ["fired lot #1 at 10", "fired position #1 at 20"]
    assert isinstance(fired[0], AlertFired)
    assert [lot.lot for lot in fired[0].lots] == ["csv:one"]

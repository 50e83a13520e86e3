"""Tokens without a better mark of their own: worth their share of what they are tokens of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from domain.decisions import AlertFired, AlertRuleSet
from infra.replay_store import new_store
from services.history import History, as_happened, as_recorded
from services.marks import Quote
from services.queries import Queries, View
from services.replay import Watched, replayed_alerts
from tests.services.house import COIN, STOCK, House, Json, buy

TOKEN: Json = {"id": "T", "type": "asset", "asset": "T", "class": "tokenized_security",
               "group": "S", "ratio": "0.1"}  # fmt: skip
CALL: Json = {"id": "O", "type": "asset", "asset": "O", "class": "option", "group": "S",
              "ratio": "100"}  # fmt: skip
SPLIT: Json = {"id": "p", "type": "split", "date": "2025-02-10", "asset": "S", "num": "2",
               "den": "1"}  # fmt: skip


@pytest.fixture
def tokens(house: House) -> House:
    """A hundred tokens of a tenth of a share, bought for 1,000; the share is not held."""
    house.say(STOCK, TOKEN, buy("b1", "100", "1000", asset="T"))
    return house


def mark(house: House, asset: str, price: str, kind: str = "trade") -> list[AlertFired]:
    """A mark of a kind, one minute later; the alerts that fired."""
    house.clock.advance(minutes=1)
    quote = Quote(asset, price, house.clock.text, source="feed", kind=kind)
    crossings = house.app.market.take([quote], confirmed=True)
    return [each for each in crossings if isinstance(each, AlertFired)]


def rows(house: House, **view: Any) -> dict[str, Json]:
    return {row["asset"]: row for row in house.ask(**view)["opportunities"]}


def price(house: House, asset: str = "T") -> str:
    """What the asset is valued at, by the live answer; the stored rows have to agree."""
    live = rows(house)[asset]["price"]
    house.app.market.refresh()
    assert rows(house)[asset]["price"] == live
    assert house.unequal() == []
    return str(live)


def test_a_token_is_worth_its_share_and_the_answer_says_so(tokens: House) -> None:
    mark(tokens, "S", "80")
    assert price(tokens) == "8"
    found = rows(tokens)["T"]
    assert (found["mark_kind"], found["mark_source"]) == ("derived", "S x 0.1")
    assert (found["mark_at"], found["loss"]) == (tokens.clock.text, "200")
    assert tokens.sql("SELECT asset, price FROM marks") == [("S", "80")]  # facts stay single
    assert rows(tokens.reopened()) == rows(tokens)


def test_a_tick_of_the_share_fires_the_rule_of_the_token_at_once(tokens: House) -> None:
    tokens.say(buy("b2", "10", "1000"))
    tokens.watch("token", "300", scope="asset:T")
    tokens.watch("both", "600")
    assert mark(tokens, "S", "71") == []
    both, token = mark(tokens, "S", "70")
    assert (both.rule, both.value, token.rule, token.value) == ("both", "600", "token", "300")
    shown = [(each.asset, each.price, each.kind, each.source) for each in both.marks]
    assert shown == [("S", "70", "trade", "feed"), ("T", "7", "derived", "S x 0.1")]
    assert {each.at for each in both.marks} == {tokens.clock.text}
    assert mark(tokens.reopened(), "S", "69") == []


def test_a_mark_of_its_own_counts_until_it_is_four_days_older(tokens: House) -> None:
    mark(tokens, "T", "6")
    mark(tokens, "S", "80")
    assert price(tokens) == "6"
    tokens.clock.advance(days=3)
    mark(tokens, "S", "70")
    assert price(tokens) == "6"
    tokens.clock.advance(days=2)
    mark(tokens, "S", "75")
    assert price(tokens) == "7.5"
    mark(tokens, "T", "6.5", "bid")
    assert price(tokens) == "6.5"


@pytest.mark.parametrize("is_held", [False, True])
def test_splits_of_the_share_count_whether_it_is_held_or_not(tokens: House, is_held: bool) -> None:
    if is_held:
        tokens.say(buy("b2", "1", "100"))
    mark(tokens, "S", "40")
    assert price(tokens) == "4"
    tokens.say(SPLIT)  # a token stands for a tenth of an old share: a fifth of a new one
    assert price(tokens) == "8"
    assert rows(tokens)["T"]["mark_source"] == "S x 0.2"
    tokens.say({"id": "p", "type": "bust", "date": "2025-02-11"})
    assert price(tokens) == "4"


def test_a_token_bought_after_the_split_has_its_ratio_of_then(house: House) -> None:
    house.say(STOCK, TOKEN, SPLIT, buy("b1", "100", "1000", asset="T", date="2025-02-20"))
    mark(house, "S", "40")
    assert price(house) == "4"


def test_a_ratio_without_an_end_is_a_fraction(house: House) -> None:
    thirds = SPLIT | {"num": "1", "den": "3"}
    house.say(STOCK, TOKEN, buy("b1", "100", "1000", asset="T"), thirds)
    mark(house, "S", "100")
    assert price(house) == "3.333333333333333333"
    assert rows(house)["T"]["mark_source"] == "S x 1/30"


@pytest.mark.parametrize("law", ["UK", "CA"])
def test_pools_know_the_share_as_well(house: House, law: str) -> None:
    house.say({"id": "law", "type": "policy", "jurisdiction": law}, STOCK, TOKEN)
    house.say(buy("b1", "100", "1000", asset="T"))
    house.watch("loss", "150")
    house.say(SPLIT)
    (alert,) = mark(house, "S", "40")
    assert [(each.asset, each.price) for each in alert.marks] == [("T", "8")]
    assert price(house) == "8"


def test_a_contract_is_no_token(house: House) -> None:
    house.say(STOCK, CALL, buy("b1", "1", "1000", asset="O"))
    mark(house, "S", "5")
    assert rows(house) == {}


def test_without_a_share_there_is_nothing_to_derive_from(house: House) -> None:
    house.say(TOKEN, buy("b1", "100", "1000", asset="T"))
    mark(house, "S", "80")
    assert rows(house) == {}
    house.say(STOCK)
    assert price(house) == "8"


def test_the_first_mark_of_a_token_comes_with_the_fact_that_tells_of_it(house: House) -> None:
    house.say(STOCK)
    house.watch("loss", "200")
    mark(house, "S", "80")
    house.say(TOKEN, buy("b1", "100", "1000", asset="T"))
    (alert,) = house.ask()["alerts"]
    assert alert["value"] == "200"
    house.say({"id": "b1", "type": "bust", "date": "2025-02-11"})
    assert [each["rearmed_at"] != "" for each in house.ask()["alerts"]] == [True]
    assert "T" not in house.app.projector.board.marks


def test_a_held_quote_of_the_share_moves_nothing(tokens: House) -> None:
    tokens.watch("loss", "500")
    mark(tokens, "S", "100")
    slip = Quote("S", "10", tokens.clock.text, source="other")
    assert tokens.app.market.take([slip]) == []
    assert tokens.app.projector.board.marks["T"].price == 10 * 10**18
    tokens.confirm(1)
    (alert,) = tokens.ask()["alerts"]
    assert alert["value"] == "900"


def test_what_is_set_by_hand_holds_for_share_and_token(tokens: House) -> None:
    mark(tokens, "S", "80", "manual")
    mark(tokens, "S", "50")
    assert price(tokens) == "8"
    mark(tokens, "T", "7", "manual")
    mark(tokens, "T", "3")
    assert price(tokens) == "7"


def test_every_tick_is_measured_by_the_latest_one_and_not_by_what_is_set_by_hand(
    tokens: House,
) -> None:
    tokens.say(buy("b2", "10", "1000"))
    mark(tokens, "S", "5", "manual")
    for told in ("80", "81", "79"):
        tokens.clock.advance(minutes=1)
        tokens.app.market.take([Quote("S", told, tokens.clock.text)])
    held = tokens.sql("SELECT price, state FROM held_marks")
    assert held == [("80", "agreed")]
    assert rows(tokens)["S"]["price"] == "5"


def test_what_a_token_is_comes_from_the_first_taxpayer_by_name(tokens: House) -> None:
    fifth = TOKEN | {"ratio": "0.2"}
    mark(tokens, "S", "40")
    assert price(tokens) == "4"
    tokens.watch("loss", "300")
    (alert,) = tokens.ask()["alerts"]
    assert (alert["value"], alert["rearmed_at"]) == ("600", "")
    tokens.say(STOCK, fifth, buy("b1", "1", "100", asset="T"), taxpayer="another")
    assert price(tokens) == "8"
    assert tokens.ask()["alerts"][0]["rearmed_at"] == tokens.clock.text  # a loss of 200
    tokens.say({"id": "b1", "type": "bust", "date": "2025-02-11"}, taxpayer="another")
    assert price(tokens) == "4"
    assert len(tokens.ask()["alerts"]) == 2


def test_two_processes_tell_the_same(tokens: House) -> None:
    beside = tokens.beside()
    tokens.watch("loss", "300")
    mark(beside, "S", "80")
    beside.say(SPLIT)
    beside.close()
    (alert,) = mark(tokens, "S", "35")
    assert (alert.value, alert.marks[0].price) == ("300", "7")


def test_a_past_day_is_answered_with_the_token_as_it_was(tokens: House) -> None:
    mark(tokens, "S", "80")
    before = tokens.clock.text
    tokens.clock.advance(minutes=1)
    tokens.say(SPLIT | {"date": "2025-03-03"})
    tokens.clock.advance(days=3)
    mark(tokens, "S", "30")
    assert price(tokens) == "6"
    past = rows(tokens, as_of="2025-03-01")
    assert (past["T"]["price"], past["T"]["mark_source"]) == ("8", "S x 0.1")
    today = tokens.clock.day
    assert rows(tokens, as_of=today)["T"] == rows(tokens)["T"]
    unknown = rows(tokens, as_of=today, known_at=before)
    assert unknown["T"]["price"] == "8"
    past_view = tokens.app.queries.view("main", "2025-03-01")
    assert tokens.app.queries.marks(past_view)["T"].kind == "derived"


@pytest.mark.parametrize("order", [as_happened, as_recorded])
def test_a_history_told_again_has_the_marks_of_the_share(
    tokens: House, order: Callable[[Queries, View], History]
) -> None:
    tokens.watch("loss", "300")
    mark(tokens, "S", "70")
    (live,) = tokens.ask()["alerts"]
    rule = AlertRuleSet(
        effective_at="", name="loss", scope="all", metric="harvestable_loss", threshold="300"
    )
    told = order(tokens.app.queries, tokens.app.queries.view("main"))
    (again,) = replayed_alerts(new_store, told, Watched((rule,)))
    assert (again["fired_at"], again["value"]) == (live["fired_at"], live["value"])
    assert again["evidence"]["marks"] == live["evidence"]["marks"]


def test_an_ask_fires_as_a_notice_and_counts_as_too_old(house: House) -> None:
    house.say(COIN, buy("b1", "1", "100", asset="C"))
    house.watch("loss", "10", severity="urgent")
    (alert,) = mark(house, "C", "90", "ask")
    assert (alert.severity, alert.stale_marks) == ("notice", ("C",))
    assert rows(house)["C"]["mark_stale"] is True
    view = house.app.queries.view("main")
    assert house.app.queries.harvest(view)[1] == ["C"]
    mark(house, "C", "95", "bid")
    assert rows(house)["C"]["mark_stale"] is False
    mark(house, "C", "80", "ask")  # a bid of the last minute is better
    assert rows(house)["C"]["price"] == "95"
    assert house.app.queries.harvest(view)[1] == []
    assert len(house.ask()["alerts"]) == 1  # what fired as a notice is said once


def test_a_share_with_nothing_but_an_ask_makes_no_token_urgent(tokens: House) -> None:
    tokens.watch("loss", "100", severity="urgent")
    (alert,) = mark(tokens, "S", "80", "ask")
    assert (alert.severity, alert.stale_marks) == ("notice", ("T",))
    assert (alert.marks[0].kind, alert.marks[0].source) == ("ask", "S x 0.1")
    (row,) = rows(tokens).values()
    assert row["mark_stale"] is True


def test_a_corrected_mark_takes_the_place_of_the_first_and_is_evaluated(house: House) -> None:
    house.say(STOCK, buy("b1", "10", "1000"))
    house.watch("loss", "300")
    at = house.clock.text
    for told, fired in (("80", 0), ("70", 1), ("90", 1)):
        house.app.market.take([Quote("S", told, at, source="feed")])
        assert rows(house)["S"]["price"] == told
        assert len(house.ask()["alerts"]) == fired
    assert [alert["rearmed_at"] for alert in house.ask()["alerts"]] == [at]
    assert rows(house.reopened())["S"]["price"] == "90"
    house.app.market.take([Quote("S", "80", at, source="feed")])  # told before, and so once more
    assert rows(house)["S"]["price"] == "80"

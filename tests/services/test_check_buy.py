"""Before buying: which losses it would wash, how much, until when; the state of each case."""

from __future__ import annotations

from typing import Any

import pytest

from services.check_buy import HypotheticalBuy, State, check_buy
from services.whatif import Unanswerable
from tests.services.house import COIN, STOCK, House, Json, buy, sell

A: Json = {"id": "A", "type": "account", "account": "A"}
IRA: Json = {"id": "R", "type": "account", "account": "R", "kind": "ira"}
SINGLE: Json = {"id": "p", "type": "profile", "filing_status": "single"}
SEEN = (A, IRA, SINGLE, STOCK)


def ask(house: House, qty: str = "1", as_of: str = "2025-02-20", **more: Any) -> Json:
    asset = more.pop("asset", "S")
    view = house.app.queries.view("main", as_of)
    return check_buy(house.app.queries, view, HypotheticalBuy(asset, qty, **more))


def test_a_purchase_of_what_was_never_sold_is_clear(house: House) -> None:
    house.say(*SEEN, buy("b", "10", "1000"))
    house.ticks(("S", "120"))
    answer = ask(house, as_of="2025-03-01")
    assert (answer["state"], answer["findings"], answer["coverage"]) == ("clear", [], [])
    assert answer["purchase"]["account"] == "A"


def test_a_booked_loss_is_washed_share_for_share_until_the_thirtieth_day(house: House) -> None:
    """Sold 10 at 20 below cost each: 4 units bought disallow 80 of the 200."""
    house.say(*SEEN, buy("b", "10", "1000"), sell("s", "10", "800"))
    answer = ask(house, "4", as_of="2025-03-05")
    assert (answer["state"], answer["disallowed"]) == ("would wash", "80")
    (row,) = answer["booked"]
    assert (row["event"], row["lot"], row["qty"]) == ("csv:s", "csv:b", "4")
    assert row["effect"].startswith("deferred")
    assert answer["safe_from"] == row["safe_from"] == "2025-03-06"
    assert ask(house, "4", as_of="2025-03-06")["state"] == "clear"


def test_in_an_ira_the_loss_is_lost_for_good(house: House) -> None:
    """Rev. Rul. 2008-5."""
    house.say(*SEEN, buy("b", "10", "1000"), sell("s", "10", "800"))
    answer = ask(house, "10", account="R")
    assert (answer["state"], answer["disallowed"]) == ("IRA risk: lost for good", "200")
    assert "lost for good" in answer["booked"][0]["effect"]
    assert "wash_ira" in {rule["rule"] for rule in answer["rules"]}


def test_a_spouse_may_take_the_basis_and_an_entity_by_default_does_not(house: House) -> None:
    m = {"id": "M", "type": "account", "account": "M", "owner": "spouse"}
    e = {"id": "E", "type": "account", "account": "E", "owner": "entity"}
    house.say(*SEEN, m, e, buy("b", "10", "1000"), sell("s", "10", "800"))
    assert ask(house, "5", account="M")["booked"][0]["effect"].startswith("deferred")
    answer = ask(house, "5", account="E")
    assert answer["booked"][0]["effect"] == (
        "disallowed: no basis takes it, since your company buys the units"
    )
    assert answer["state"] == "would wash"


def test_an_open_loss_is_blocked_if_the_other_lots_are_sold_within_thirty_days(
    house: House,
) -> None:
    """10 held at 100, marked 60: 3 units bought block 3 x 40 of the 400."""
    house.say(*SEEN, buy("b", "10", "1000"))
    house.ticks(("S", "60"))
    answer = ask(house, "3", as_of="2025-03-01")
    assert answer["state"] == "would wash"
    assert (answer["booked"], answer["safe_from"]) == ([], "")
    opened = answer["open"]
    assert opened["blocked"] == "120"
    assert (opened["last_day"], opened["safe_to_sell_from"]) == ("2025-03-31", "2025-04-01")
    assert [(lot["lot"], lot["loss"], lot["blocked"]) for lot in opened["lots"]] == [
        ("csv:b", "400", "120"),
    ]  # fmt: skip
    assert "lost for good" in ask(house, "3", as_of="2025-03-01", account="R")["state"]


def test_lots_sold_together_are_blocked_once(house: House) -> None:
    """Each of two lots alone would be blocked by the 5 units; together only 5 units are."""
    house.say(*SEEN, buy("b1", "5", "500"), buy("b2", "5", "600", seq=1))
    house.ticks(("S", "60"))
    opened = ask(house, "5", as_of="2025-03-01")["open"]
    assert [lot["blocked"] for lot in opened["lots"]] == ["200", "300"]
    assert opened["blocked"] == "200"  # the earliest loss first: 5 x 40


def test_units_that_a_booked_loss_uses_block_no_open_one(house: House) -> None:
    house.say(*SEEN, buy("b", "10", "1000"), sell("s", "4", "320", date="2025-02-20"))
    house.ticks(("S", "60"))
    answer = ask(house, "5", as_of="2025-03-01")
    assert answer["disallowed"] == "80"
    assert answer["open"]["blocked"] == "40"


def test_a_token_of_the_share_washes_it_at_its_ratio(house: House) -> None:
    token = {"id": "T", "type": "asset", "asset": "T", "class": "tokenized_security", "group": "S",
             "ratio": "0.1"}  # fmt: skip
    house.say(*SEEN, token, buy("b", "1", "100"), sell("s", "1", "80"))
    answer = ask(house, "5", asset="T")
    assert (answer["disallowed"], answer["booked"][0]["qty"]) == ("10", "0.5")


def test_a_coin_is_clear_and_its_hidden_window_is_named(house: House) -> None:
    more = {"asset": "C"}
    house.say(A, COIN, buy("b", "1", "100", **more), sell("s", "1", "80", **more))
    answer = ask(house, asset="C")
    assert (answer["state"], answer["booked"]) == ("clear", [])
    assert answer["coverage"]  # said, but no rule can reach what was not seen
    assert "no rule for crypto today" in answer["hidden"]["says"]
    assert (answer["hidden"]["disallowed"], answer["hidden"]["safe_from"]) == ("20", "2025-03-06")
    house.say({"id": "pol", "type": "policy", "wash_sale": "conservative"})
    answer = ask(house, asset="C", is_all=True)
    assert (answer["state"], answer["disallowed"], answer["hidden"]) == ("would wash", "20", None)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ((IRA, SINGLE, STOCK), "undeclared_account"),
        ((A, SINGLE, STOCK), "retirement_not_seen"),
        ((A, IRA, STOCK), "spouse_not_seen"),
        ((A, IRA, SINGLE, STOCK, sell("s", "99", "1")), "data_issue"),
        ((A, IRA, SINGLE, STOCK, buy("x", asset="Q")), "data_issue"),
    ],
)
def test_what_was_not_seen_makes_the_answer_incomplete(
    house: House, facts: tuple[Json, ...], code: str
) -> None:
    house.say(*facts, buy("b"))
    answer = ask(house)
    assert answer["state"] == "coverage incomplete"
    assert [gap["code"] for gap in answer["coverage"]] == [code]
    assert answer["coverage"][0]["remedy"]


def test_who_says_that_all_was_seen_is_believed(house: House) -> None:
    house.say(A, STOCK, buy("b"), sell("s", amount="120"))
    assert ask(house)["state"] == "coverage incomplete"
    assert ask(house, is_all=True)["state"] == "clear"


@pytest.mark.parametrize(
    ("complete", "state"),
    [("2025-02-20", "clear"), ("2025-12-31", "clear"), ("2025-02-19", "coverage incomplete")],
)
def test_who_stated_that_all_accounts_are_told_is_believed_up_to_that_day(
    house: House, complete: str, state: str
) -> None:
    stated = {"id": "p", "type": "profile", "accounts_complete": complete}
    house.say(A, STOCK, stated, buy("b"), sell("s", amount="120"))
    answer = ask(house)  # on 20 February
    assert answer["state"] == state
    codes = [gap["code"] for gap in answer["coverage"]]
    assert codes == ([] if state == "clear" else ["spouse_not_seen", "retirement_not_seen"])
    assert all(f"up to {complete} only" in gap["says"] for gap in answer["coverage"])


def test_complete_accounts_hide_no_other_gap(house: House) -> None:
    """An account without a kind and a fact that does not fit stay gaps; a later profile, which
    replaces the earlier whole, takes the statement back."""
    stated = {"id": "p", "type": "profile", "accounts_complete": "2025-12-31"}
    house.say(STOCK, stated, buy("b"), sell("s", "99", "1"))
    codes = [gap["code"] for gap in ask(house)["coverage"]]
    assert codes == ["undeclared_account", "data_issue"]
    house.say({"id": "p2", "type": "profile", "date": "2025-01-01", "filing_status": "mfj"})
    assert "spouse_not_seen" in {gap["code"] for gap in ask(house)["coverage"]}


def test_a_loss_that_cannot_be_valued_is_no_clear_one(house: House) -> None:
    house.say(*SEEN, buy("b"))
    answer = ask(house)
    assert answer["state"] == "coverage incomplete"
    assert answer["findings"][0]["says"] == "no mark of S: its open loss was not valued"


def test_an_account_that_nobody_declared_is_no_account_of_yours_for_certain(house: House) -> None:
    house.say(*SEEN, buy("b"), sell("s", amount="120"))
    answer = ask(house, account="irra")
    assert answer["state"] == "coverage incomplete"
    assert "account irra was never declared" in answer["findings"][0]["says"]


def test_an_unknown_asset_is_no_clear_one(house: House) -> None:
    house.say(*SEEN)
    answer = ask(house, asset="Q")
    assert (answer["state"], answer["coverage"][0]["code"]) == (State.INCOMPLETE, "unknown_asset")


def test_the_worst_finding_is_the_state_and_every_finding_is_listed(house: House) -> None:
    house.say(IRA, STOCK, buy("b", "10", "1000"), sell("s", "4", "320"))
    answer = ask(house, "5", account="R")
    states = [finding["state"] for finding in answer["findings"]]
    assert states[0] == answer["state"] == State.IRA_RISK
    assert states.count("coverage incomplete") == 3  # no spouse, account A, no mark of S


def test_a_view_sees_only_what_was_known_and_nothing_is_recorded(house: House) -> None:
    house.say(*SEEN, buy("b", "10", "1000"), sell("s", "10", "800"))
    before = house.ask()
    assert ask(house, as_of="2025-02-02")["booked"] == []  # before the sale
    assert ask(house)["state"] == "would wash"
    assert house.ask() == before
    assert house.unequal() == []


def test_the_ends_of_the_calendar_are_refused(house: House) -> None:
    house.say(*SEEN)
    with pytest.raises(Unanswerable):
        ask(house, as_of="9999-12-31")

"""Backtests: harvested at alerts and at year ends against the record, with figures by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from domain.days import day_of
from domain.decisions import AlertRuleSet
from infra.replay_store import new_store
from services.backtest import POLICIES, Question, backtest, year_ends
from services.history import as_happened
from services.marks import Quote
from services.replay import Watched
from tests.services.house import COIN, STOCK, House, Json, buy, sell

BOUGHT = buy("b", qty="100", amount="10000")  # 2025-01-02 in account A
# Alert at 60 on 3 February; its window is over on 6 March; the year ends at 90.
MARKS = {
    "2025-01-10": "100", "2025-02-03": "60", "2025-03-05": "50", "2025-03-06": "55",
    "2025-12-31": "90", "2026-01-05": "90",
}  # fmt: skip
IRA: Json = {"id": "ira", "type": "account", "account": "IRA", "kind": "ira"}
Lines = dict[str, Json]


def quotes(marks: dict[str, str], asset: str = "S") -> list[Quote]:
    return [Quote(asset, price, f"{day}T21:00:00.000000Z") for day, price in marks.items()]


def lines(
    house: House,
    *facts: Json,
    marks: dict[str, str] = MARKS,
    asset: str = "S",
    first: str | None = None,
    last: str | None = None,
    rebuys: bool = True,
    **rule: Any,
) -> Lines:
    """The backtest's lines by policy, of facts and marks recorded in the house."""
    house.say(STOCK, COIN, *facts)
    house.app.market.take(quotes(marks, asset), confirmed=True)
    watched = AlertRuleSet(
        effective_at="",
        name="r",
        **({"scope": "all", "metric": "harvestable_loss", "threshold": "3000"} | rule),
    )
    history = as_happened(house.app.queries, house.app.queries.view("main"))
    law = house.app.projector.taxpayer("main").portfolio.declared.policy.rules
    begin, end = (None if text is None else day_of(text) for text in (first, last))
    found = backtest(new_store, history, law, Question(Watched((watched,), begin), end, rebuys))
    assert [each["policy"] for each in found] == list(POLICIES)
    return {each["policy"]: each for each in found}


def only(line: Json, *names: str) -> tuple[Any, ...]:
    return tuple(line[name] for name in names)


def test_harvested_at_the_alert_and_bought_back_when_the_window_is_over(house: House) -> None:
    found = lines(house, BOUGHT)
    alert = found["at_alert"]
    assert only(alert, "alerts", "sales", "bought_back") == (1, 1, 1)
    assert only(alert, "harvested", "disallowed") == ("4000", "0")
    assert alert["timing"] == "500"  # sold at 60, back at 55: not at 50, which is a day too soon
    # 3,000 of 2025 and the 1,000 carried into 2026, at 35 %.
    assert [each["tax_saved"] for each in alert["tax_saved_by_year"]] == ["1050", "350"]
    assert only(alert, "tax_saved", "carried_forward") == ("1400", "0")


def test_harvested_at_the_last_mark_of_the_year(house: House) -> None:
    line = lines(house, BOUGHT)["at_year_end"]
    assert only(line, "alerts", "sales", "bought_back") == (0, 1, 0)
    assert only(line, "harvested", "tax_saved", "timing") == ("1000", "350", "0")


def test_not_harvesting_is_the_record_itself(house: House) -> None:
    line = lines(house, BOUGHT, sell("s", qty="10", amount="500"))["none"]
    assert only(line, "sales", "harvested", "tax_saved", "timing") == (0, "0", "0", "0")


def test_a_blocked_lot_is_not_sold_and_counts_once(house: House) -> None:
    ira = buy("i", date="2025-01-20", account="IRA", qty="10", amount="900")
    marks = MARKS | {"2025-02-10": "90", "2025-02-11": "60"}  # a second alert, still blocked
    line = lines(house, IRA, BOUGHT, ira, marks=dict(sorted(marks.items())))["at_alert"]
    assert only(line, "alerts", "sales", "harvested") == (2, 0, "0")
    assert only(line, "wash_sales_avoided", "loss_not_washed") == (1, "400")


def test_a_later_purchase_of_the_record_disallows(house: House) -> None:
    line = lines(house, BOUGHT, buy("l", date="2025-02-20", qty="25", amount="1300"))["at_alert"]
    assert only(line, "harvested", "disallowed") == ("4000", "1000")
    assert line["disallowed_in_all"] == "1000"


def test_buying_back_waits_too_where_the_loss_is_lost_already(house: House) -> None:
    again = buy("l", date="2025-02-20", account="B", qty="100", amount="5200")
    line = lines(house, BOUGHT, again, scope="account:A")["at_alert"]
    assert only(line, "disallowed", "timing") == ("4000", "500")


def test_what_a_fact_makes_fire_is_sold_at_the_next_mark(house: House) -> None:
    bought = BOUGHT | {"date": "2025-02-04"}
    marks = {"2025-02-03": "60", "2025-02-05": "70", "2025-12-31": "90"}
    line = lines(house, bought, marks=marks)["at_alert"]
    assert only(line, "alerts", "sales", "harvested") == (1, 1, "3000")


def test_buying_back_waits_for_the_window_of_a_sale_of_the_record(house: House) -> None:
    old = buy("o", date="2024-01-02", account="B", qty="10", amount="1000")
    sold = sell("s", date="2025-02-20", account="B", qty="10", amount="500")
    marks = MARKS | {"2025-03-22": "56", "2025-03-23": "57"}
    line = lines(house, old, BOUGHT, sold, marks=dict(sorted(marks.items())), scope="account:A")
    assert line["at_alert"]["bought_back"] == 1
    assert line["at_alert"]["timing"] == "300"  # back at 57
    assert line["at_alert"]["disallowed_in_all"] == "0"


@pytest.mark.parametrize(
    ("day", "timing"), [("2025-03-06", "500"), ("2025-02-04", "1000")], ids=["stock", "coin"]
)
def test_what_no_wash_sale_rule_covers_is_back_the_next_day(
    house: House, day: str, timing: str
) -> None:
    asset = "S" if day == "2025-03-06" else "C"
    bought = BOUGHT | {"asset": asset}
    marks = dict(sorted((MARKS | {"2025-02-04": "50"}).items()))
    assert lines(house, bought, marks=marks, asset=asset)["at_alert"]["timing"] == timing


def test_what_is_sold_stays_sold_without_buying_back(house: House) -> None:
    line = lines(house, BOUGHT, rebuys=False)["at_alert"]
    assert only(line, "sales", "bought_back", "timing") == (1, 0, "-3000")  # 60 against 90


def test_a_sale_of_the_record_of_units_that_are_out_is_cut(house: House) -> None:
    more = buy("m", date="2025-01-02", account="A", qty="20", amount="1000")  # no loss at 60
    sold = sell("s", date="2025-02-10", qty="90", amount="5580")
    line = lines(house, BOUGHT, more, sold)["at_alert"]
    assert only(line, "sales", "refitted", "bought_back") == (1, 1, 1)
    # 70 of the 90 were out: sold at 60 instead of 62; the other 30 came back at 55.
    assert line["timing"] == str(70 * (60 - 62) + 30 * (60 - 55))


def test_a_split_counts_for_what_is_out(house: House) -> None:
    split: Json = {"id": "x", "type": "split", "date": "2025-02-10", "asset": "S",
                   "num": "2", "den": "1"}  # fmt: skip
    line = lines(house, BOUGHT, split)["at_alert"]
    assert only(line, "bought_back", "timing") == (1, str(6000 - 200 * 55))


def test_a_transfer_moves_what_is_out(house: House) -> None:
    moved: Json = {"id": "t", "type": "transfer", "date": "2025-02-10", "from_account": "A",
                   "to_account": "B", "asset": "S", "qty": "100"}  # fmt: skip
    sold = sell("s", date="2025-04-10", account="B", qty="100", amount="7000")
    line = lines(house, BOUGHT, moved, sold)["at_alert"]
    assert only(line, "bought_back", "refitted", "timing") == (1, 1, "500")
    # A loss of 4,000 and a gain of 1,500 instead of a loss of 3,000: 500 more are taxed at 35 %.
    assert line["tax_saved"] == "-175"


def test_a_sale_where_it_was_moved_to_is_cut_too(house: House) -> None:
    moved: Json = {"id": "t", "type": "transfer", "date": "2025-02-10", "from_account": "A",
                   "to_account": "B", "asset": "S", "qty": "100"}  # fmt: skip
    sold = sell("s", date="2025-02-20", account="B", qty="100", amount="7000")
    line = lines(house, BOUGHT, moved, sold)["at_alert"]
    assert only(line, "bought_back", "refitted", "timing") == (0, 2, "-1000")


def test_a_lot_identified_that_is_gone_is_chosen_by_the_method(house: House) -> None:
    sold = sell("s", date="2025-04-10", qty="100", amount="7000",
                lots=[{"lot": "csv:b", "qty": "100"}])  # fmt: skip
    line = lines(house, BOUGHT, sold)["at_alert"]
    assert only(line, "bought_back", "refitted") == (1, 1)
    assert line["tax_saved"] == "-175"  # as above: what came back was sold at a gain of 1,500


def test_a_fact_that_the_fold_holds_out_counts_as_cut(house: House) -> None:
    short: Json = {"id": "so", "type": "short_open", "date": "2025-01-20", "account": "A",
                   "asset": "S", "qty": "100", "amount": "9000"}  # fmt: skip
    close: Json = {"id": "sc", "type": "short_close", "date": "2025-02-10", "account": "A",
                   "asset": "S", "qty": "100", "opens": "csv:so"}  # fmt: skip
    found = lines(house, BOUGHT, short, close)
    assert only(found["at_alert"], "sales", "refitted") == (1, 1)
    assert found["none"]["refitted"] == 0


def test_rules_watch_from_a_day_and_the_telling_ends_on_one(house: House) -> None:
    assert lines(house, BOUGHT, last="2025-02-02")["at_alert"]["alerts"] == 0
    assert lines(house, last="2025-02-03")["at_alert"]["timing"] == "0"
    late = lines(house, first="2025-02-20")["at_alert"]
    # Already below: it fires as a rule added that day would, and is sold at the next mark.
    assert only(late, "alerts", "harvested") == (1, "5000")
    after = lines(house, first="2026-01-01")
    assert (after["at_alert"]["alerts"], after["at_year_end"]["sales"]) == (0, 0)


def test_year_end_sells_in_the_scopes_of_the_rules_only(house: House) -> None:
    coins = buy("c", account="W", asset="C", qty="1", amount="500")
    house.app.market.take(quotes({"2025-12-30": "100"}, "C"), confirmed=True)
    assert lines(house, BOUGHT, coins, scope="asset:S")["at_year_end"]["sales"] == 1
    assert lines(house, scope="all")["at_year_end"]["sales"] == 2


@pytest.mark.parametrize(
    ("days", "last", "ends"),
    [
        (("2024-12-30", "2025-06-01"), None, ["2024-12-30"]),
        (("2024-12-30", "2025-12-31"), None, ["2024-12-30", "2025-12-31"]),
        (("2024-12-30",), None, []),
        (("2024-12-30",), "2024-12-31", ["2024-12-30"]),
        ((), None, []),
    ],
    ids=["later-mark", "last-day", "not-over", "told-to-its-end", "nothing"],
)
def test_a_year_ends_when_it_is_over(
    house: House, days: tuple[str, ...], last: str | None, ends: list[str]
) -> None:
    house.say(STOCK, BOUGHT | {"date": "2024-01-02"})
    house.app.market.take(quotes(dict.fromkeys(days, "1")), confirmed=True)
    history = as_happened(house.app.queries, house.app.queries.view("main"))
    law = house.app.projector.taxpayer("main").portfolio.declared.policy.rules
    found = year_ends(history.steps, law, None if last is None else day_of(last))
    assert sorted(at[:10] for at in found) == ends


@pytest.mark.parametrize("law", ["UK", "CA"])
def test_laws_of_pools_are_harvested_too(house: House, law: str) -> None:
    policy: Json = {"id": "p", "type": "policy", "jurisdiction": law}
    line = lines(house, policy, BOUGHT)["at_alert"]
    assert only(line, "sales", "bought_back", "harvested") == (1, 1, "4000")


def test_nothing_is_recorded_or_sent(house: House, tmp_path: Path) -> None:
    house.say(STOCK, BOUGHT)
    house.watch("r", "3000", channels=(f"file:{tmp_path / 'out'}",))
    house.app.market.take(quotes({"2025-01-10": "100"}), confirmed=True)
    head = house.app.ledger.head()
    marks = house.sql("SELECT count(*) FROM marks")
    assert lines(house, marks={})["none"]["alerts"] == 0
    assert (house.app.ledger.head(), house.sql("SELECT count(*) FROM marks")) == (head + 1, marks)
    assert house.sql("SELECT count(*) FROM outbox") == [(0,)]
    assert not (tmp_path / "out").exists()

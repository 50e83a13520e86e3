"""Explain: every figure opens to facts, rules, arithmetic, the positions it turns on, and gaps."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from domain.elections import default_policy, elect
from domain.policy import Policy
from domain.rules.positions import POSITIONS
from domain.rules.us import US
from services.explain import KINDS, NothingToExplain, explain
from services.explain.positions import taken
from services.refold import elects
from tests.services.house import COIN, STOCK, House, Json, buy, sell

IRA: Json = {"id": "R", "type": "account", "account": "R", "kind": "ira"}
FIGURES: Json = {"id": "p", "type": "profile", "filing_status": "single",
                 "tax": {"year": "2025", "ordinary_taxable": "60000"}}  # fmt: skip


def ask(house: House, id: str, as_of: str = "2025-03-05") -> Json:
    queries = house.app.queries
    return explain(queries, queries.view("main", as_of), id)


def text(answer: Json) -> str:
    return "\n".join(answer["arithmetic"])


def positions(answer: Json) -> dict[str, Any]:
    return {each["position"]: each for each in answer["positions"]}


def washed(house: House) -> None:
    """10 sold at 20 below cost; 4 bought five days before the sale, 3 later in an IRA."""
    house.say(
        IRA, STOCK, buy("b", "10", "1000"), buy("c", "4", "340", date="2025-01-29"),
        sell("s", "10", "800", lots=[{"lot": "b", "qty": "10"}]),
        buy("r", "3", "240", date="2025-02-10", account="R"),
    )  # fmt: skip


def test_every_answer_has_all_its_parts(house: House) -> None:
    washed(house)
    house.ticks(("S", "70"))
    for id in ("s", "b", "c", "r", "year:2025", "wash:s", "opportunity:c", "window:s"):
        answer = ask(house, id)
        assert answer["arithmetic"]
        assert answer["rules"]
        assert all(rule["source"] for rule in answer["rules"])
        assert {fact["ref"] for fact in answer["facts"]} & {"csv:s", "csv:b", "csv:c", "csv:r"}
        assert answer["law"] == US.version
        assert "spouse_not_seen" in {gap["code"] for gap in answer["coverage"]}


def test_nothing_is_missing_up_to_the_day_that_all_accounts_are_told(house: House) -> None:
    washed(house)
    a = {"id": "A", "type": "account", "account": "A"}
    house.say(a, {"id": "p", "type": "profile", "accounts_complete": "2026-01-31"})
    whole, later = (ask(house, "s", as_of=day) for day in ("2026-01-31", "2026-02-01"))
    assert (whole["not_seen"], whole["coverage"]) == ([], [])
    assert later["not_seen"] == ["spouse", "entity"]
    assert [gap["code"] for gap in later["coverage"]] == ["spouse_not_seen"]


def test_a_wash_match_is_a_figure_of_its_own(house: House) -> None:
    washed(house)
    answer = ask(house, "wash:s")
    assert answer["what"] == ["wash match"]
    assert [line.partition(":")[0] for line in answer["arithmetic"]] == ["wash sale"] * 2
    assert "loss of 80.00 on 4 S (csv:s) meets 4 S bought 2025-01-29" in text(answer)
    assert "loss of 60.00 on 3 S (csv:s) meets 3 S bought 2025-02-10 in R" in text(answer)
    assert {"wash_basis", "wash_ira"} <= {rule["rule"] for rule in answer["rules"]}
    assert ask(house, "wash:csv:c")["arithmetic"] == answer["arithmetic"][:1]


def test_only_the_positions_that_a_figure_turns_on_are_named(house: House) -> None:
    """c was bought before the sale of b and held beside it: its date turns on `overlap_days`."""
    washed(house)
    assert set(positions(ask(house, "sale:s"))) == set()
    found = positions(ask(house, "lot:c"))
    assert set(found) == {"overlap_days"}
    assert "held since 2024-12-28, 32 days tacked" in text(ask(house, "lot:c"))
    assert found["overlap_days"]["would_be"]["once"]["held since"] == "2025-01-02"


def test_an_earlier_lot_counts_by_a_position_with_its_other_answer(house: House) -> None:
    """b2 was bought before b1 was sold, and before it: with `ignore` the loss is allowed."""
    house.say(
        STOCK, buy("b1", date="2025-01-20", amount="90"), buy("b2", date="2025-01-25"),
        sell("s", lots=[{"lot": "b2", "qty": "1"}]),
    )  # fmt: skip
    found = positions(ask(house, "s"))["earlier_lots"]
    assert (found["taken"], found["default"], found["unsettled"]) == ("count", "count", True)
    would_be = found["would_be"]["ignore"]
    assert (would_be["disallowed"], would_be["taxable short-term"]) == ("0.00", "-20.00")
    assert found["source"]


def test_a_coin_shows_what_the_conservative_position_would_make_of_it(house: House) -> None:
    more = {"asset": "C"}
    house.say(COIN, buy("b", **more), sell("s", **more), buy("c", date="2025-02-20", **more))
    answer = ask(house, "s")
    assert "crypto is not under the wash-sale rule on that day" in text(answer)
    found = positions(answer)["wash_sale"]
    assert found["would_be"]["conservative"]["disallowed"] == "20.00"
    house.say({"id": "pol", "type": "policy", "wash_sale": "conservative"})
    found = positions(ask(house, "s"))["wash_sale"]
    assert (found["taken"], found["would_be"]["current"]["disallowed"]) == ("conservative", "0.00")


def test_an_opportunity_is_its_mark_what_is_blocked_and_two_years_side_by_side(
    house: House,
) -> None:
    house.say(STOCK, FIGURES, buy("b", "100", "10000"), buy("c", "30", "1800", date="2025-02-20"))
    house.ticks(("S", "60"))
    answer = ask(house, "opportunity:b")
    assert answer["what"] == ["opportunity"]
    assert "basis 10000.00 - value 6000.00 = loss 4000.00" in text(answer)
    assert "blocked: 1200.00, by the purchase csv:c until 2025-03-22" in text(answer)
    assert "harvestable: loss 4000.00 - blocked 1200.00 = 2800.00, short-term" in text(answer)
    assert "= 616.00 (brackets 2025)" in text(answer)  # 2800 at 22 %
    assert "csv:c" in {fact["ref"] for fact in answer["facts"]}
    assert "rates" not in positions(answer)


def test_without_figures_of_the_return_the_rates_are_named_as_a_position(house: House) -> None:
    house.say(STOCK, buy("b", "100", "10000"))
    house.ticks(("S", "60"))
    answer = ask(house, "opportunity:b")
    assert "= 1050.00 (default rates)" in text(answer)  # of 4000 only 3000 count now
    assert positions(answer)["rates"]["taken"] == "0.35 short, 0.15 long"


def test_a_year_is_explained_line_by_line(house: House) -> None:
    """ST -6000, LT -5000: 3000 of ST deducted, 3000 ST and 5000 LT carried (rulebook g.2)."""
    house.say(
        STOCK, {"id": "p", "type": "profile", "filing_status": "single",
                "taxable_income": {"2025": "50000"}},
        buy("b1", "1", "9000"), sell("s1", "1", "3000"),
        buy("b2", "1", "9000", date="2022-03-03", account="B"),
        sell("s2", "1", "4000", account="B", date="2025-02-04"),
    )  # fmt: skip
    answer = ask(house, "year:2025")
    lines = answer["arithmetic"]
    for line in (
        "short-term: 1 rows, proceeds 3000.00 - basis 9000.00 + disallowed 0.00 = -6000.00",
        "long-term: 1 rows, proceeds 4000.00 - basis 9000.00 + disallowed 0.00 = -5000.00",
        "yearly limit 3000 (filing status single)",
        "Schedule D line 7: -6000.00  net short-term, after line 6",
        "Schedule D line 16: -11000.00  lines 7 + 15",
        "carryover worksheet line 8: 3000.00  short-term carryover: line 5 - line 7, not below 0",
        "carryover worksheet line 13: 5000.00  long-term carryover: line 9 - line 12, not below 0",
        "carried into 2026: short 3000.00, long 5000.00",
    ):
        assert line in lines
    assert answer["what"] == ["tax year"]
    assert {"csv:p", "csv:s1", "csv:s2"} == {fact["ref"] for fact in answer["facts"]}
    assert {"netting", "carryover"} <= {rule["rule"] for rule in answer["rules"]}


def test_the_tax_of_a_year_shows_its_worksheet(house: House) -> None:
    house.say(STOCK, FIGURES, buy("b"), sell("s", amount="300"))
    answer = ask(house, "year:2025")
    assert "Schedule D Tax Worksheet line 47:" in text(answer)
    assert {"brackets", "niit"} <= {rule["rule"] for rule in answer["rules"]}


def test_a_years_positions_are_those_that_change_its_figures(house: House) -> None:
    more = {"asset": "C"}
    house.say(COIN, buy("b", **more), sell("s", **more), buy("c", date="2025-02-20", **more))
    found = positions(ask(house, "year:2025"))
    assert found["wash_sale"]["would_be"]["conservative"]["short-term"] == "0.00"
    assert "earlier_lots" not in found


def test_what_is_abandoned_is_nondeductible_by_a_position(house: House) -> None:
    house.say(COIN, buy("b", asset="C"),
              {"id": "x", "type": "abandon", "date": "2025-02-03", "account": "A", "asset": "C",
               "qty": "1"})  # fmt: skip
    answer = ask(house, "x")
    assert answer["what"] == ["nondeductible"]
    assert "took basis 100.00 along: not deductible" in text(answer)
    found = positions(answer)["abandonment"]["would_be"]
    assert found["capital"]["taxable short-term"] == "-100.00"
    assert set(found) == {"capital", "ordinary"}


def test_income_is_explained_by_its_value(house: House) -> None:
    house.say(COIN, {"id": "i", "type": "income", "date": "2025-02-03", "account": "A",
                     "asset": "C", "qty": "2", "amount": "50", "kind": "staking"})  # fmt: skip
    answer = ask(house, "i")
    assert answer["what"] == ["lot", "income"]
    assert "ordinary income: 2 C worth 50.00 when received; that value is their basis" in text(
        answer
    )
    assert "income" in {rule["rule"] for rule in answer["rules"]}


def test_a_sale_of_an_instant_names_the_zone_as_a_position(house: House) -> None:
    stamped = sell("s") | {"ts": "2025-02-03T02:00:00Z"}
    del stamped["date"]
    house.say(STOCK, buy("b"), stamped)
    assert positions(ask(house, "s"))["time_zone"]["taken"] == "UTC"
    assert "time_zone" not in positions(ask(house, "b", as_of="2025-02-01"))


def test_a_move_says_that_the_fee_leaves_first_by_convention(house: House) -> None:
    house.say(COIN, buy("b", "5", "500", asset="C"),
              {"id": "m", "type": "transfer", "date": "2025-02-03", "from": "A", "to": "B",
               "asset": "C", "qty": "3", "fee_qty": "1", "fee_amount": "90"})  # fmt: skip
    answer = ask(house, "m")
    assert answer["what"] == ["disposal", "move"]
    assert "move: 3 C from A to B; basis and dates go along" in text(answer)
    rules = {rule["rule"]: rule["source"] for rule in answer["rules"]}
    assert rules["fee_first"].startswith("Convention")
    assert "transfer_fee" not in positions(answer)  # the fee's own row is the same either way
    moved = positions(ask(house, "b"))["transfer_fee"]
    assert moved["would_be"]["add_to_basis"]["open basis"] == "490.00"


def test_a_method_that_is_a_convention_says_so(house: House) -> None:
    house.say(STOCK, {"id": "o", "type": "standing_order", "date": "2025-01-01", "account": "A",
                      "method": "MIN_TAX"}, buy("b"), sell("s"))  # fmt: skip
    answer = ask(house, "sale:s")
    assert "lots of A by MIN_TAX" in answer["arithmetic"]
    assert "method_order" in {rule["rule"] for rule in answer["rules"]}


@pytest.mark.parametrize("id", ["income:s", "opportunity:s", "year:1999", "year:x", "nothing:s"])
def test_a_kind_that_the_id_has_no_figure_of_is_said(house: House, id: str) -> None:
    washed(house)
    with pytest.raises(NothingToExplain):
        ask(house, id)


def test_explaining_records_and_changes_nothing(house: House) -> None:
    washed(house)
    before = house.ask()
    for id in ("s", "b", "year:2025"):
        queries = house.app.queries
        explain(queries, queries.view("main"), id)
    assert house.ask() == before
    assert house.unequal() == []


def test_the_kinds_of_an_id_are_those_of_the_manual() -> None:
    assert set(KINDS) == {
        "lot", "opportunity", "sale", "wash", "move", "left", "income", "window",
    }  # fmt: skip


ELSEWHERE = {"rules", "currency", "rate_short", "rate_long", "wash_versions"}


def test_every_switch_of_the_policy_is_a_row_with_its_default() -> None:
    """So that a new switch is explained and documented the day it is added."""
    names = {each.name for each in fields(Policy)} - ELSEWHERE
    assert set(POSITIONS) == names | {"wash_sale", "rates"}
    for position in POSITIONS.values():
        assert taken(default_policy(), position) == position.default
        assert position.default not in position.others
        assert position.question.endswith("?")
        assert set(position.rules) <= set(US.citations)


@pytest.mark.parametrize("name", sorted(set(POSITIONS) - {"wash_sale", "rates", "time_zone",
                                                          "lot_method"}))  # fmt: skip
def test_the_other_answers_are_those_that_can_be_elected(name: str) -> None:
    position = POSITIONS[name]
    truth = {"true": True, "false": False}
    for answer in (position.default, *position.others):
        elected = elect(default_policy(), elects(**{name: truth.get(answer, answer)}))
        assert taken(elected, position) == answer

"""United Kingdom: HMRC's published examples, and cases derived by hand from the sections."""

from __future__ import annotations

import pytest

from tests.domain.pool_books.told import Json, answer, buy, sell


def uk(*events: Json, as_of: str = "2030-12-31", **more: object) -> Json:
    return answer("UK", list(events), as_of, **more)


def matches(result: Json, at: int = 0) -> list[tuple[str, str, str]]:
    return [
        (piece["rule"], piece["qty"], piece["cost"])
        for piece in result["uk_disposals"][at]["matches"]
    ]


def pool(result: Json) -> tuple[str, str]:
    return result["uk_pool"]["qty"], result["uk_pool"]["cost"]


def test_a_disposal_takes_its_share_of_the_pool() -> None:
    """HMRC, Victoria: 100 for 1,000 and 50 for 125,000; 50 of 150 cost 126,000 x 50/150."""
    result = uk(buy("2016-05-01", 100, 1000), buy("2017-05-01", 50, 125000),
                sell("2018-05-01", 50, 300000))  # fmt: skip
    assert matches(result) == [("s104", "50", "42000")]
    assert result["uk_disposals"][0]["gain"] == "258000"
    assert pool(result) == ("100", "84000")


def test_what_is_bought_within_thirty_days_is_matched_before_the_pool() -> None:
    """HMRC, Melanie: 160,000 - 17,500 - 200,000 x 3,500/14,000 = 92,500; pool 150,000."""
    result = uk(buy("2017-01-01", 14000, 200000), sell("2018-08-30", 4000, 160000),
                buy("2018-09-11", 500, 17500))  # fmt: skip
    assert matches(result) == [("thirty_days", "500", "17500"), ("s104", "3500", "50000")]
    assert result["uk_disposals"][0]["gain"] == "92500"
    assert pool(result) == ("10500", "150000")


def test_the_thirtieth_day_counts_and_the_next_does_not() -> None:
    first = uk(buy("2020-01-01", 10, 100), sell("2024-03-01", 4, 80), buy("2024-03-31", 4, 60))
    assert matches(first) == [("thirty_days", "4", "60")]
    later = uk(buy("2020-01-01", 10, 100), sell("2024-03-01", 4, 80), buy("2024-04-01", 4, 60))
    assert matches(later) == [("s104", "4", "40")]
    assert pool(later) == ("10", "120")


def test_earlier_purchases_are_never_matched() -> None:
    """There is no look-back: the day before joins the pool (s.104)."""
    result = uk(buy("2020-01-01", 10, 100), buy("2024-02-29", 10, 300), sell("2024-03-01", 10, 90))
    assert matches(result) == [("s104", "10", "200")]
    assert result["uk_disposals"][0]["gain"] == "-110"


def test_a_day_keeps_its_own_purchases_from_earlier_disposals() -> None:
    """1 March sold 5; 11 March bought 6 and sold 4: same day first, 2 are left for 1 March."""
    result = uk(buy("2020-01-01", 10, 100), sell("2024-03-01", 5, 100),
                buy("2024-03-11", 6, 120), sell("2024-03-11", 4, 90))  # fmt: skip
    assert matches(result, 0) == [("thirty_days", "2", "40"), ("s104", "3", "30")]
    assert matches(result, 1) == [("same_day", "4", "80")]
    assert pool(result) == ("7", "70")


def test_the_earliest_purchases_and_the_earliest_disposals_come_first() -> None:
    result = uk(buy("2020-01-01", 20, 200), sell("2024-03-01", 5, 0), sell("2024-03-02", 5, 0),
                buy("2024-03-10", 3, 30), buy("2024-03-20", 4, 80))  # fmt: skip
    assert matches(result, 0) == [("thirty_days", "3", "30"), ("thirty_days", "2", "40")]
    assert matches(result, 1) == [("thirty_days", "2", "40"), ("s104", "3", "30")]


def test_the_accounts_of_one_person_are_one_and_those_of_a_spouse_are_not() -> None:
    result = uk(buy("2020-01-01", 10, 100), buy("2020-01-01", 10, 300, account="B"),
                sell("2024-03-01", 10, 500), buy("2024-03-05", 10, 400, account="wife"),
                sell("2024-03-06", 5, 1, account="wife"))  # fmt: skip
    assert len(result["uk_disposals"]) == 1
    assert matches(result) == [("s104", "10", "200")]
    assert {(lot["account"], lot["qty"], lot["basis"]) for lot in result["open_lots"]} == {
        ("B", "10", "200"), ("wife", "5", "200"),
    }  # fmt: skip
    assert [row["event"] for row in result["disposals"]] == ["e3"]


def test_a_move_between_own_accounts_is_no_event_and_its_network_fee_a_disposal() -> None:
    result = uk(
        buy("2020-01-01", 10, 100),
        {"type": "transfer", "date": "2024-03-01", "from": "A", "to": "own", "asset": "X",
         "qty": "8", "fee_qty": "1", "fee_amount": "30"},
        sell("2024-05-01", 8, 160, account="own"),
    )  # fmt: skip
    rows = [(row["qty"], row["gain"]) for row in result["uk_disposals"]]
    assert rows == [("1", "20"), ("8", "80")]
    assert pool(result) == ("1", "10")


def test_units_pass_to_a_spouse_at_their_cost() -> None:
    result = uk(
        buy("2020-01-01", 10, 100),
        {"type": "transfer", "date": "2024-03-01", "from": "A", "to": "wife", "asset": "X",
         "qty": "4"},
    )  # fmt: skip
    assert result["uk_disposals"] == []
    assert pool(result) == ("6", "60")
    lots = {(lot["account"], lot["basis"]) for lot in result["open_lots"]}
    assert lots == {("A", "60"), ("wife", "40")}


def test_a_split_inside_the_thirty_days_matches_share_for_share() -> None:
    """10 old sold; after 3 for 1, 12 new are 4 old: 4 met, 6 from the pool at 10 each."""
    split = {"type": "split", "date": "2024-03-10", "asset": "X", "num": "3", "den": "1"}
    result = uk(buy("2020-01-01", 20, 200), sell("2024-03-01", 10, 300), split,
                buy("2024-03-20", 12, 60))  # fmt: skip
    assert matches(result) == [("thirty_days", "4", "60"), ("s104", "6", "60")]
    assert pool(result) == ("42", "140")


def test_assets_of_one_group_are_one_pool_by_their_ratio() -> None:
    """One X10 is ten X: 1 X10 for 300 and 10 X for 100 are 20 units that cost 400."""
    result = uk(buy("2020-01-01", 10, 100), buy("2020-01-02", 1, 300, asset="X10"),
                sell("2024-03-01", 5, 200))  # fmt: skip
    assert matches(result) == [("s104", "5", "100")]
    assert {(lot["asset"], lot["qty"], lot["basis"]) for lot in result["open_lots"]} == {
        ("X", "5", "100"), ("X10", "1", "200"),
    }  # fmt: skip


def test_income_enters_the_pool_at_its_value_and_a_swap_is_a_disposal() -> None:
    swap = {"type": "swap", "date": "2024-06-01", "account": "A", "out": {"asset": "X", "qty": "5"},
            "in": {"asset": "Y", "qty": "2"}, "amount": "100", "fee": "7"}  # fmt: skip
    income = {"type": "income", "date": "2024-05-01", "account": "A", "asset": "X", "qty": "10",
              "amount": "60", "kind": "staking"}  # fmt: skip
    result = uk(buy("2020-01-01", 10, 99, fee="1"), income, swap)
    assert [(row["proceeds"], row["cost"]) for row in result["uk_disposals"]] == [("93", "40")]
    assert result["income"] == [{"event": "e2", "amount": "60"}]
    assert result["uk_pool"] == [{"asset": "X", "qty": "15", "cost": "120"},
                                 {"asset": "Y", "qty": "2", "cost": "100"}]  # fmt: skip


def test_the_rows_of_a_day_share_its_matches_by_units() -> None:
    """Two sales of one day are one: each takes two thirds and one third of every match."""
    result = uk(buy("2020-01-01", 30, 300), buy("2024-03-01", 3, 60), sell("2024-03-01", 6, 120),
                sell("2024-03-01", 3, 90, account="A"))  # fmt: skip
    rows = {(row["event"], row["lot"]): (row["qty"], row["basis"]) for row in result["disposals"]}
    assert rows == {("e3", "same_day"): ("2", "40"), ("e3", "s104"): ("4", "40"),
                    ("e4", "same_day"): ("1", "20"), ("e4", "s104"): ("2", "20")}  # fmt: skip
    assert result["totals"]["gain"] == result["uk_disposals"][0]["gain"] == "90"
    assert {(row["term"], row["box"], row["code"]) for row in result["disposals"]} == {("", "", "")}


def test_more_than_a_wallet_holds_is_no_disposal() -> None:
    result = uk(buy("2020-01-01", 5, 50, account="B"), sell("2024-03-01", 3, 30))
    assert result["error"] == "insufficient_units"
    assert result["uk_disposals"] == []
    assert pool(result) == ("5", "50")


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({"type": "gift_out", "account": "A", "asset": "X", "qty": "1"}, "gift_at_value"),
        ({"type": "transfer", "from": "A", "to": "firm", "asset": "X", "qty": "1"},
         "transfer_at_value"),
        ({"type": "transfer", "from": "A", "to": "plan", "asset": "X", "qty": "1"},
         "transfer_at_value"),
        ({"type": "short_open", "account": "A", "asset": "X", "qty": "1", "amount": "5"},
         "not_in_this_law"),
    ],
)  # fmt: skip
def test_what_this_law_needs_a_value_for_or_does_not_know_is_an_issue(
    event: Json, code: str
) -> None:
    result = uk(buy("2020-01-01", 5, 50), {"date": "2024-03-01"} | event)
    assert result["error"] == code
    assert pool(result) == ("5", "50")


def test_a_view_within_thirty_days_is_provisional() -> None:
    events = [buy("2020-01-01", 10, 100), sell("2024-03-01", 4, 20), buy("2024-03-25", 4, 30)]
    early = uk(*events, as_of="2024-03-20")
    assert early["uk_disposals"][0]["provisional"] is True
    assert matches(early) == [("s104", "4", "40")]
    assert "error" not in early
    assert [(row["event"], row["open_loss"], row["safe_from"]) for row in early["windows"]] == [
        ("e2", "20", "2024-04-01")
    ]
    late = uk(*events, as_of="2024-03-31")
    assert late["uk_disposals"][0]["provisional"] is False
    assert matches(late) == [("thirty_days", "4", "30")]
    assert late["windows"] == []


def test_capital_returned_reduces_the_pool_and_what_is_over_is_gain() -> None:
    back = {"type": "return_of_capital", "account": "A", "asset": "X"}
    result = uk(buy("2020-01-01", 10, 100), back | {"date": "2021-01-01", "amount": "70"},
                back | {"date": "2022-01-01", "amount": "50"})  # fmt: skip
    assert pool(result) == ("10", "0")
    assert [(row["event"], row["gain"]) for row in result["disposals"]] == [("e3", "20")]


def test_units_that_become_others_keep_their_cost() -> None:
    wrap = {"type": "convert", "date": "2021-01-01", "account": "A",
            "out": {"asset": "X", "qty": "4"}, "in": {"asset": "Y", "qty": "8"}}  # fmt: skip
    result = uk(buy("2020-01-01", 10, 100), wrap)
    assert result["disposals"] == []
    assert [(row["asset"], row["qty"], row["cost"]) for row in result["uk_pool"]] == [
        ("X", "6", "60"), ("Y", "8", "40"),
    ]  # fmt: skip


def test_burned_units_take_their_cost_along() -> None:
    burn = {"type": "abandon", "date": "2021-01-01", "account": "A", "asset": "X", "qty": "4"}
    result = uk(buy("2020-01-01", 10, 100), burn)
    assert pool(result) == ("6", "60")
    assert [(row["event"], row["basis"]) for row in result["nondeductible"]] == [("e2", "40")]


def test_harvest_takes_the_units_as_if_sold_today() -> None:
    """A holds 5 of 15 that cost 130; but a sale of today meets the 5 bought today for 30."""
    result = uk(buy("2020-01-01", 10, 100, account="B"), buy("2024-03-01", 5, 30),
                as_of="2024-03-01", marks={"X": "4"})  # fmt: skip
    rows = {row["account"]: row for row in result["harvest"]}
    assert (rows["A"]["qty"], rows["A"]["value"], rows["A"]["basis"]) == ("5", "20", "30")
    assert (rows["A"]["loss"], rows["A"]["blocked"], rows["A"]["harvestable"]) == ("10", "0", "10")

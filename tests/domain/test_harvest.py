"""Harvest: what a sale would allow today, and what stands in its way."""

from __future__ import annotations

import pytest

from tests.domain.make import Json, buy, cells, result, sell

FIELDS = ("lot", "loss", "blocked", "harvestable")
OLD = buy("old", "2025-01-15", "10", "1000")  # at a mark of 80: 20 lost on each


def found(*events: Json, as_of: str = "2025-06-30", **more: object) -> list[tuple[str, ...]]:
    answer = result(*events, as_of=as_of, marks={"X": "80", "Y": "80"}, **more)
    return sorted(cells(answer["harvest"], *FIELDS))


def test_a_loss_without_a_recent_purchase_is_free() -> None:
    assert found(OLD) == [("old", "200", "0", "200")]


def test_the_rest_of_a_purchase_does_not_block_itself() -> None:
    assert found(buy("new", "2025-06-29", "10", "1000")) == [("new", "200", "0", "200")]


@pytest.mark.parametrize(
    ("bought", "blocked"),
    [("2025-05-30", "0"), ("2025-05-31", "80"), ("2025-06-30", "80")],
)
def test_a_purchase_blocks_for_thirty_days(bought: str, blocked: str) -> None:
    rows = found(OLD, buy("new", bought, "4", "300"))
    assert rows == [("old", "200", blocked, str(200 - int(blocked)))]


@pytest.mark.parametrize("account", ["A", "B", "M", "R"])
def test_a_purchase_blocks_from_any_account(account: str) -> None:
    new = buy("new", "2025-06-20", "4", "300", account=account)
    assert ("old", "200", "80", "120") in found(OLD, new)


def test_units_sold_again_block_no_more() -> None:
    events = OLD, buy("new", "2025-06-10", "4", "300", account="B")
    sold = sell("s", "2025-06-20", "3", "270", account="B")
    assert found(*events, sold) == [("old", "200", "20", "180")]


def test_units_that_replaced_a_loss_already_block_no_more() -> None:
    gone = sell("s", "2025-06-05", "4", "320")  # 80 lost, all of it washed by `new`
    rows = found(OLD, gone, buy("new", "2025-06-10", "5", "350"))
    assert ("old", "120", "20", "100") in rows


def test_two_lots_may_block_each_other() -> None:
    rows = found(buy("one", "2025-06-10", "2", "200"), buy("two", "2025-06-20", "3", "300"))
    assert rows == [("one", "40", "40", "0"), ("two", "60", "40", "20")]


def test_an_earlier_lot_blocks_only_where_the_position_says_so() -> None:
    events = buy("one", "2025-06-10", "2", "200"), buy("two", "2025-06-20", "3", "300")
    rows = found(*events, policy={"earlier_lots": "ignore"})
    assert rows == [("one", "40", "40", "0"), ("two", "60", "0", "60")]


def test_coins_are_blocked_only_by_election() -> None:
    coins = [OLD | {"asset": "Y"}, buy("new", "2025-06-20", "4", "300", asset="Y")]
    assert found(*coins) == [("old", "200", "0", "200")]
    chosen = {"wash_sale": [{"from": "0001-01-01", "classes": ["crypto"]}]}
    assert found(*coins, policy=chosen) == [("old", "200", "80", "120")]


def test_parts_of_a_lot_that_went_and_came_back_are_blocked_as_one() -> None:
    move = {"type": "transfer", "asset": "X", "qty": "5"}
    there = move | {"id": "t1", "date": "2025-02-01", "from": "A", "to": "B"}
    back = move | {"id": "t2", "date": "2025-02-02", "from": "B", "to": "A"}
    rows = found(OLD, there, back, buy("new", "2025-06-20", "4", "300"))
    assert rows == [("old", "200", "80", "120")]


def test_a_gain_is_no_opportunity() -> None:
    assert found(buy("cheap", "2025-01-15", "10", "800")) == []


def test_a_plan_and_an_asset_without_a_mark_are_left_out() -> None:
    plan = OLD | {"account": "R"}
    answer = result(plan, OLD | {"id": "other"}, marks={"Y": "1"})
    assert answer["harvest"] == []
    assert found(plan) == []


def test_a_gift_is_measured_by_the_lower_value_and_from_the_gift() -> None:
    gift = buy("gift", "2025-02-03", "10", "900") | {
        "type": "gift_in", "donor_basis": "1500", "donor_acquired": "2020-01-01",
    }  # fmt: skip
    answer = result(gift, as_of="2025-06-30", marks={"X": "80"})
    assert cells(answer["harvest"], "lot", "loss", "term") == [("gift", "100", "S")]

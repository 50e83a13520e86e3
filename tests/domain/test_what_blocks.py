"""What an opportunity says beside the loss: the purchase in the way, until when, and the term."""

from __future__ import annotations

from typing import Any

import pytest

from domain.days import day_of, iso
from domain.exact import format_money, quantity
from domain.harvest import Opportunity, opportunities
from tests.domain.make import Json, buy, sell
from tests.domain.test_identified_units import folded


def found(
    *events: Json, price: str = "5", day: str = "2025-06-20", **policy: Any
) -> list[Opportunity]:
    marks = {"X": quantity(price), "Y": quantity(price)}
    made = folded(*events, policy=policy)
    return [
        each for book in made.books.values() for each in opportunities(book, marks, day_of(day))
    ]


def shown(each: Opportunity) -> tuple[str, ...]:
    until = iso(each.blocked_until) if each.blocked_until else ""
    amounts = (each.loss, each.blocked, each.harvestable)
    return (each.lot.ref, *map(format_money, amounts), each.blocked_by, until)


def test_the_last_purchase_that_is_needed_stands_in_the_way_to_the_end_of_its_window() -> None:
    """IRC 1091(a): 30 days after."""
    events = [
        buy("b1", "2025-01-06", "3", "60"),
        buy("b2", "2025-06-02", "2", "10", account="B"),
        buy("b3", "2025-06-09", "2", "10", account="B"),
        buy("b4", "2025-06-16", "2", "10", account="B"),
    ]
    assert [shown(each) for each in found(*events) if each.lot.ref == "b1"] == [
        ("b1", "45", "45", "0", "b3", "2025-07-09")
    ]
    one = buy("b1", "2025-01-06", "2", "40")
    assert shown(found(one, *events[1:])[0]) == ("b1", "30", "30", "0", "b2", "2025-07-02")
    ten = buy("b1", "2025-01-06", "10", "200")
    assert shown(found(ten, *events[1:])[0]) == ("b1", "150", "90", "60", "b4", "2025-07-16")


def test_nothing_in_the_way_has_no_name_and_no_day() -> None:
    (only,) = found(buy("b1", "2025-01-06", "3", "60"))
    assert shown(only) == ("b1", "45", "0", "45", "", "")
    assert (only.blocked_by, only.blocked_until) == ("", 0)


def test_a_purchase_of_its_own_lot_is_never_named() -> None:
    """Rev. Rul. 56-602."""
    (only,) = found(buy("b1", "2025-06-02", "3", "60"))
    assert shown(only) == ("b1", "45", "0", "45", "", "")


@pytest.mark.parametrize(
    ("bought", "day", "is_long", "left"),
    [
        ("2024-06-20", "2025-06-20", False, 1),
        ("2024-06-20", "2025-06-21", True, 0),
        ("2024-06-20", "2025-06-22", True, 0),
        ("2025-06-20", "2025-06-20", False, 366),
        ("2024-07-01", "2025-06-20", False, 12),
    ],
)
def test_an_opportunity_counts_the_days_until_it_is_long_term(
    bought: str, day: str, is_long: bool, left: int
) -> None:
    (only,) = found(buy("b1", bought, "1", "20"), day=day)
    assert (only.is_long, only.days_to_long) == (is_long, left)
    assert iso(only.acquired) == bought


def test_a_lot_worth_what_it_cost_is_no_opportunity_and_one_a_trifle_dearer_is() -> None:
    assert found(buy("b1", "2025-01-06", "1", "5")) == []
    trifle = "5." + "0" * 35 + "1"
    (only,) = found(buy("b1", "2025-01-06", "1", trifle))
    assert only.loss == 1


def pieces(price: str) -> list[Opportunity]:
    """Two pieces of b2 of one date and of unlike basis are sold together: gains meet losses."""
    events = [
        buy("b2", "2025-01-06", "2", "24"),
        {"id": "t", "type": "return_of_capital", "date": "2025-02-03", "account": "A",
         "asset": "X", "amount": "4"},
        buy("b3", "2025-06-02", "3", "15", account="B"),
    ]  # fmt: skip
    return [each for each in found(*events, price=price) if each.lot.ref == "b2"]


def test_a_return_of_capital_leaves_less_to_harvest() -> None:
    (only,) = pieces("5")
    assert shown(only) == ("b2", "10", "10", "0", "b3", "2025-07-02")
    assert pieces("10") == []


def test_a_loss_in_two_accounts_is_blocked_apart() -> None:
    events = [
        buy("b1", "2025-01-06", "2", "40"),
        buy("b2", "2025-01-07", "2", "40", account="B"),
        buy("b3", "2025-06-02", "1", "5", account="M"),
    ]
    assert [shown(each)[:4] for each in found(*events) if each.lot.ref != "b3"] == [
        ("b1", "30", "15", "15"),
        ("b2", "30", "15", "15"),
    ]


def test_a_split_counts_blocking_units_as_they_are_now() -> None:
    events = [
        buy("b1", "2025-01-06", "2", "80"),
        buy("b2", "2025-06-02", "1", "20", account="B"),
        {"id": "r", "type": "split", "date": "2025-06-10", "asset": "X", "num": "2", "den": "1"},
    ]
    assert shown(found(*events)[0]) == ("b1", "60", "30", "30", "b2", "2025-07-02")


def test_purchases_used_up_by_a_loss_do_not_block_and_the_rest_of_them_does() -> None:
    events = [
        buy("b0", "2025-01-03", "1", "20"),
        buy("b1", "2025-01-06", "2", "40"),
        buy("b2", "2025-06-02", "2", "10", account="B"),
        sell("s", "2025-06-05", "1", "6"),
    ]
    one = next(each for each in found(*events) if each.lot.ref == "b1")
    assert shown(one) == ("b1", "30", "15", "15", "b2", "2025-07-02")


def test_a_gift_worth_nothing_has_no_loss() -> None:
    gift = buy("g", "2025-01-06", "1", "0", type="gift_in", donor_basis="20")
    assert found(gift) == []


@pytest.mark.parametrize(("day", "blocked"), [("2025-12-31", "0"), ("2026-01-01", "15")])
def test_a_loss_is_blocked_by_the_rule_in_force_on_the_day_of_the_question(
    day: str, blocked: str
) -> None:
    events = [
        buy("b1", "2025-01-06", "1", "20", asset="Y"),
        buy("b2", "2025-12-20", "1", "5", asset="Y", account="B"),
    ]
    versions = [{"from": "2026-01-01", "classes": ["crypto"]}]
    (only,) = found(*events, day=day, wash_sale=versions)
    assert format_money(only.blocked) == blocked


def test_a_purchase_in_pieces_blocks_with_all_of_them() -> None:
    """Three of b2 lie in B, two in M; b1 has ten units at a loss of 15."""
    events = [
        buy("b1", "2025-01-06", "10", "200"),
        buy("b2", "2025-06-02", "5", "25", account="B"),
        {"id": "t", "type": "transfer", "date": "2025-06-05", "asset": "X", "from": "B",
         "to": "M", "qty": "2"},
    ]  # fmt: skip
    one = next(each for each in found(*events) if each.lot.ref == "b1")
    assert shown(one) == ("b1", "150", "75", "75", "b2", "2025-07-02")


def test_pieces_that_left_and_came_back_share_the_units_that_block_them() -> None:
    """b1 in three pieces of 4, 3 and 3 units; six units block the first and part of the second."""

    def out_and_back(number: int, qty: str) -> list[Json]:
        there = {"id": f"o{number}", "type": "transfer", "date": f"2025-02-0{number}",
                 "asset": "X", "from": "A", "to": "B", "qty": qty}  # fmt: skip
        back = there | {"id": f"i{number}", "date": f"2025-03-0{number}", "from": "B", "to": "A"}
        return [there, back]

    events = [
        buy("b1", "2025-01-06", "10", "200"),
        *out_and_back(1, "4"),
        *out_and_back(2, "3"),
        buy("b2", "2025-06-02", "6", "30", account="B"),
    ]
    parts = [each for each in found(*events) if each.lot.ref == "b1"]
    assert len(parts) == 3
    assert sum(each.lot.quantity for each in parts) == quantity("10")
    assert format_money(sum(each.blocked for each in parts)) == "90"
    left = 6 * quantity("1")
    for each in parts:
        units = min(left, each.lot.quantity)
        assert each.blocked == units * quantity("15")
        left -= units

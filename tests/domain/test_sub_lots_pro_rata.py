"""Part of one acquisition: from each of its sub-lots by their units, if that position is taken.

b holds sub-lots: units that took a disallowed loss, with days tacked, and units that did not.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from tests.domain.make import Json, buy, cells, result, sell


def after_a_loss(*more: Json, washed: str = "1", qty: str = "4", **policy: Any) -> Json:
    """`washed` units of b, bought at 12 each, each took a loss of 5."""
    events = [
        buy("a", "2025-01-06", washed, str(15 * int(washed))),
        sell("loss", "2025-01-20", washed, str(10 * int(washed))),
        buy("b", "2025-01-22", qty, str(12 * int(qty))),
        *more,
    ]
    return result(*events, policy={"sub_lots": "pro_rata"} | policy)


def rows(answer: Json, event: str = "s") -> list[tuple[Any, ...]]:
    return [
        row[1:]
        for row in cells(answer["disposals"], "event", "lot", "qty", "basis")
        if row[0] == event
    ]


@pytest.mark.parametrize("method", ["FIFO", "LIFO"])
def test_a_part_comes_from_each_sub_lot_in_proportion(method: str) -> None:
    answer = after_a_loss(sell("s", "2025-06-02", "2", "40"), lot_method=method)
    assert sorted(rows(answer)) == [("b", "0.5", "8.5"), ("b", "1.5", "18")]
    left = sorted(cells(answer["open_lots"], "lot", "qty", "basis"))
    assert left == [("b", "0.5", "8.5"), ("b", "1.5", "18")]


def test_without_the_position_the_tacked_sub_lot_goes_first() -> None:
    answer = after_a_loss(sell("s", "2025-06-02", "2", "40"), sub_lots="tacked_first")
    assert sorted(rows(answer)) == [("b", "1", "12"), ("b", "1", "17")]


@pytest.mark.parametrize(
    ("method", "sold"),
    [("FIFO", [("b", "1", "12"), ("b", "1", "17")]), ("LIFO", [("b", "2", "24")])],
)
def test_without_the_position_a_standing_order_spreads_nothing_either(
    method: str, sold: list[tuple[str, ...]]
) -> None:
    """LIFO takes the later tacked date first."""
    order = {"id": "so", "type": "standing_order", "date": "2025-05-02", "account": "A",
             "method": method}  # fmt: skip
    answer = after_a_loss(order, sell("s", "2025-06-02", "2", "40"), sub_lots="tacked_first")
    assert sorted(rows(answer)) == sold


def test_hifo_goes_by_basis_whatever_the_position() -> None:
    answer = after_a_loss(sell("s", "2025-06-02", "2", "40"), lot_method="HIFO")
    assert sorted(rows(answer)) == [("b", "1", "12"), ("b", "1", "17")]


def test_units_that_are_named_are_not_spread() -> None:
    named = sell("s", "2025-06-02", "1", "20", lots=[{"lot": "b", "qty": "1"}])
    assert rows(after_a_loss(named)) == [("b", "1", "17")]


def test_each_share_is_rounded_down_and_the_last_gives_the_rest() -> None:
    """One of three units: the first sub-lot, of 1, gives 1/3; the other, of 2, the rest."""
    answer = after_a_loss(sell("s", "2025-06-02", "1", "20"), qty="3")
    assert sorted(row[1] for row in rows(answer)) == [
        "0.333333333333333333",
        "0.666666666666666667",
    ]


def test_a_share_of_nothing_makes_no_row() -> None:
    answer = after_a_loss(sell("s", "2025-06-02", "0.000000000000000001", "20"))
    assert [row[:2] for row in rows(answer)] == [("b", "0.000000000000000001")]


@pytest.mark.parametrize("method", ["FIFO", "LIFO"])
def test_a_sale_takes_acquisition_after_acquisition_and_spreads_the_last(method: str) -> None:
    first, last = ("b", "c") if method == "FIFO" else ("c", "b")
    units = {"b": "4", "c": "2"}
    more = [buy("c", "2025-03-03", "2", "26"), sell("s", "2025-06-02", "5", "100")]
    sold = rows(after_a_loss(*more, lot_method=method))
    total = {lot: sum(Fraction(row[1]) for row in sold if row[0] == lot) for lot in units}
    assert total == {first: int(units[first]), last: 5 - int(units[first])}
    by_piece = sorted(row[1:] for row in sold if row[0] == "b")
    if method == "FIFO":
        assert by_piece == [("1", "17"), ("3", "36")]
    else:
        assert by_piece == [("0.75", "12.75"), ("2.25", "27")]


def test_all_of_an_acquisition_is_all_of_its_sub_lots_and_a_later_sale_finds_the_rest() -> None:
    more = [sell("s", "2025-06-02", "2", "40"), sell("t", "2025-06-03", "2", "40")]
    answer = after_a_loss(*more)
    assert sorted(rows(answer, "t")) == [("b", "0.5", "8.5"), ("b", "1.5", "18")]
    assert answer["open_lots"] == []


def test_what_was_sold_is_gone_and_what_was_not_can_be_sold() -> None:
    sales = [sell(f"s{day}", f"2025-06-0{day}", qty, "40") for day, qty in ((2, "1"), (3, "2"))]
    answer = after_a_loss(*sales)
    assert "error" not in answer
    assert len(rows(answer, "s3")) == 2
    too_much = after_a_loss(*sales, sell("s4", "2025-06-04", "2", "40"))
    assert too_much["error"] == "insufficient_units"
    assert rows(too_much, "s4") == []
    assert rows(after_a_loss(*sales, sell("s4", "2025-06-04", "1", "40")), "s4")


@pytest.mark.parametrize("method", ["FIFO", "LIFO"])
def test_an_acquisition_that_was_sold_by_name_is_passed_over(method: str) -> None:
    first, last = ("a", "b") if method == "FIFO" else ("b", "a")
    answer = result(
        buy("a", "2025-01-06", "2", "20"),
        buy("b", "2025-02-06", "2", "24"),
        sell("n", "2025-06-02", "2", "60", lots=[{"lot": first, "qty": "2"}]),
        sell("s", "2025-06-03", "1", "30"),
        policy={"sub_lots": "pro_rata", "lot_method": method},
    )
    assert rows(answer) == [(last, "1", {"a": "10", "b": "12"}[last])]

"""Lot methods: the order in which each sells the same lots."""

from __future__ import annotations

import pytest

from domain.lot_methods import LOT_METHODS
from tests.domain.make import Json, buy, cells, result, sell

LOTS = (
    buy("first", "2023-01-10", "1", "30"),
    buy("dear", "2023-02-10", "1", "90"),
    buy("cheap", "2025-09-10", "1", "10"),
    buy("twin", "2025-10-10", "1", "90"),
    buy("last", "2025-11-01", "1", "50"),
)
SOLD_IN_ORDER = {
    "FIFO": ["first", "dear", "cheap", "twin", "last"],
    "LIFO": ["last", "twin", "cheap", "dear", "first"],
    "HIFO": ["dear", "twin", "last", "first", "cheap"],
    # losses, dearest first; then long-term gains; then short-term gains
    "HIFO_LT": ["dear", "twin", "first", "last", "cheap"],
    # (price - basis) x rate: -30 x .35, -30 x .15, 10 x .35, 30 x .15, 50 x .35
    "MIN_TAX": ["twin", "dear", "last", "first", "cheap"],
}


def sales(method: str) -> Json:
    events = [*LOTS, *(sell(f"s{n}", f"2025-12-{n + 10}", "1", "60") for n in range(5))]
    return result(*events, policy={"lot_method": method})


@pytest.mark.parametrize("method", LOT_METHODS)
def test_a_method_sells_in_its_order(method: str) -> None:
    rows = sorted(cells(sales(method)["disposals"], "event", "lot"))
    assert [lot for _, lot in rows] == SOLD_IN_ORDER[method]


def test_every_method_on_offer_has_its_order_here() -> None:
    assert LOT_METHODS.keys() <= SOLD_IN_ORDER.keys()


def test_the_highest_basis_goes_by_unit_not_by_lot() -> None:
    found = result(
        buy("many", "2025-01-10", "10", "100"),
        buy("one", "2025-02-10", "1", "11"),
        sell("s", "2025-06-10", "1", "12"),
        policy={"lot_method": "HIFO"},
    )
    assert cells(found["disposals"], "lot", "basis") == [("one", "11")]


def test_a_method_that_is_not_on_offer_is_reported() -> None:
    found = result(*LOTS, policy={"lot_method": "DARTS"})
    assert found["error"] == "unsupported"


def order(id: str, date: str, method: str) -> Json:
    return {"id": id, "type": "standing_order", "date": date, "account": "A", "method": method}


@pytest.mark.parametrize("first_said", [0, 1])
def test_a_standing_order_acts_from_its_day_on_whenever_it_arrives(first_said: int) -> None:
    orders = [order("o1", "2025-11-20", "LIFO"), order("o2", "2025-12-11", "HIFO")]
    events = [orders[first_said], *LOTS, orders[1 - first_said]]
    events += [
        sell("before", "2025-11-15", "1", "60"),
        sell("lifo", "2025-12-01", "1", "60"),
        sell("hifo", "2025-12-15", "1", "60"),
    ]
    rows = cells(result(*events)["disposals"], "event", "lot")
    assert rows == [("before", "first"), ("lifo", "last"), ("hifo", "dear")]

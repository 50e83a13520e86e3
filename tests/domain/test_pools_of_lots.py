"""Pools: the order in which lots come out, and which pieces of one acquisition become one."""

from __future__ import annotations

from itertools import count
from typing import Any, cast

import pytest

from domain.accounts import Account
from domain.assets import Asset, asset_class
from domain.lot_methods import LOT_METHODS
from domain.lots import POOLED, Lot, Pool
from domain.wash_sales import WashSales

A, B = Account("A"), Account("B")
X = Asset("X", asset_class("stock"), "X")
serials = count(1)  # no two lots ever have the same


def piece(ref: str = "b", quantity: int = 10, basis: int = 100, **more: Any) -> Lot:
    """A piece that has absorbed a loss, at 10 a unit."""
    fields: dict[str, Any] = {
        "asset": X, "account": A, "acquired": 1000, "order": 1, "offset": 0,
        "serial": next(serials), "origin": 1000, "used": True,
    } | more  # fmt: skip
    return Lot(ref=ref, quantity=quantity, basis=basis, **fields)


def pool(method: str = "FIFO") -> Pool:
    wash = cast(WashSales, None)  # a pool hands it on and asks it nothing
    return Pool(method, LOT_METHODS[method].key, wash)


def pushed(*lots: Lot, pools_pieces: bool = False) -> tuple[Pool, list[Lot | None]]:
    made = pool()
    return made, [made.push(lot, pools_pieces) for lot in lots]


def test_neighbours_at_one_basis_per_unit_become_one_piece() -> None:
    first, second = piece(offset=5), piece(quantity=20, basis=200, offset=15)
    made, merged = pushed(first, second)
    assert merged == [None, first]
    assert (first.quantity, first.basis) == (0, 0)
    assert (second.quantity, second.basis, second.offset) == (30, 300, 5)
    assert list(made.lots()) == [second]


UNLIKE: list[dict[str, Any]] = [
    {"offset": 11},
    {"offset": 9},
    {"basis": 101},
    {"basis": 99},
    {"account": B},
    {"covered": True},
    {"inherited": True},
    {"loss_basis": 50},
    {"used": False},
    {"order": 2},
    {"acquired": 1001},
]


@pytest.mark.parametrize("unlike", UNLIKE, ids=str)
def test_pieces_that_a_figure_tells_apart_stay_apart(unlike: dict[str, Any]) -> None:
    first, second = piece(), piece(**({"offset": 10} | unlike))
    made, merged = pushed(first, second)
    assert merged == [None, None]
    assert {id(lot): lot.quantity for lot in made.lots()} == {id(first): 10, id(second): 10}


def test_a_piece_that_a_sale_has_picked_is_left_alone() -> None:
    first, second = piece(picked=True), piece(offset=10)
    assert pushed(first, second)[1] == [None, None]


def test_two_gifts_stay_apart_whatever_their_loss_side() -> None:
    first, second = piece(loss_basis=50), piece(offset=10, loss_basis=50)
    assert pushed(first, second)[1] == [None, None]


def test_a_piece_that_is_empty_is_not_taken_in() -> None:
    first, second, third = piece(), piece(offset=10), piece(offset=20)
    made = pool()
    made.push(first, pools_pieces=False)
    first.quantity = first.basis = 0
    assert made.push(second, pools_pieces=False) is None
    assert made.push(third, pools_pieces=False) is second


def test_by_position_pieces_of_one_acquisition_and_date_share_their_basis() -> None:
    first, second = piece(basis=150, offset=3), piece(offset=40)
    made, merged = pushed(first, second, pools_pieces=True)
    assert merged == [None, first]
    assert (second.quantity, second.basis, second.offset) == (20, 250, POOLED)
    assert list(made.lots()) == [second]


@pytest.mark.parametrize("unlike", [each for each in UNLIKE if not {"offset", "basis"} & set(each)])
def test_even_then_what_differs_in_law_stays_apart(unlike: dict[str, Any]) -> None:
    assert pushed(piece(), piece(**unlike), pools_pieces=True)[1] == [None, None]


def test_absorbers_that_are_gone_are_forgotten() -> None:
    made = pool()
    for order in range(50):
        made.push(piece(order=order), pools_pieces=False)
        for lot, _ in made_all(made):
            lot.quantity = 0
        made.push(piece(order=1000), pools_pieces=False)
        made.push(piece(order=1000, offset=10), pools_pieces=False)
        for lot, _ in made_all(made):
            lot.quantity = 0
    assert len(made.absorbers) <= 2 * len(made.heap) + 2


def made_all(made: Pool) -> list[tuple[Lot, int]]:
    """Everything that the pool holds, taken out."""
    made.quantity = sum(lot.quantity for lot in made.lots())
    return made.take(made.quantity)


@pytest.mark.parametrize(
    ("quantity", "taken"),
    [
        (5, [("b", 5)]),
        (10, [("b", 10)]),
        (11, [("b", 10), ("c", 1)]),
        (30, [("b", 10), ("c", 20)]),
    ],
)
def test_units_come_out_lot_by_lot_and_a_part_stays(
    quantity: int, taken: list[tuple[str, int]]
) -> None:
    first, gone, last = (
        piece("b", 10, used=False),
        piece("gone", 0, order=2, used=False),
        piece("c", 20, 200, order=3, used=False),
    )
    made, _ = pushed(last, gone, first)
    made.quantity = 30
    assert [(lot.ref, units) for lot, units in made.take(quantity)] == taken
    assert made.quantity == 30 - quantity
    whole = {ref for ref, units in taken if (ref, units) in {("b", 10), ("c", 20)}}
    assert {lot.ref for lot in made.lots()} == {"b", "c"} - whole


def test_a_new_method_orders_the_lots_that_are_there_anew() -> None:
    old, new = piece("old", order=1, used=False), piece("new", order=2, used=False)
    made, _ = pushed(old, new)
    made.quantity = 20
    made.reorder("LIFO", LOT_METHODS["LIFO"].key)
    assert made.method == "LIFO"
    assert [lot.ref for lot, _ in made.take(10)] == ["new"]
    made.push(new, pools_pieces=False)
    assert [lot.ref for lot, _ in made.take(10)] == ["new"]


@pytest.mark.parametrize("method", ["FIFO", "LIFO"])
def test_a_pool_names_the_method_that_its_lots_lie_in_the_order_of(method: str) -> None:
    made = pool(method)
    assert made.method == method
    made.reorder("HIFO", LOT_METHODS["HIFO"].key)
    assert made.method == "HIFO"

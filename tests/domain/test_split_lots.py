"""Splits, lot by lot and wallet by wallet (rulebook e.6), and how units of a group meet."""

from __future__ import annotations

from typing import NamedTuple, cast

import pytest

from domain.assets import Asset, asset_class
from domain.book import Book
from domain.days import day_of
from domain.disposals import Disposal
from domain.exact import ONE_DOLLAR, ONE_UNIT
from domain.weights import common_units, reduced
from tests.domain.make import Json, buy, cells, result, sell
from tests.domain.test_identified_units import folded

WEI = "0.000000000000000001"


def split(num: str, den: str, asset: str = "X") -> Json:
    return {"id": "split", "type": "split", "date": "2025-03-03", "asset": asset, "num": num,
            "den": den}  # fmt: skip


def book_of(*events: Json, **more: object) -> Book:
    (book,) = folded(*events, **more).books.values()
    assert isinstance(book, Book)
    return book


def test_a_split_changes_units_and_their_place_in_the_lot_and_neither_basis_nor_days() -> None:
    """10 for 100, 4 sold, then 3 for 2: units 4 to 9 of the lot become units 6 to 14."""
    book = book_of(buy("b", "2025-01-06", "10", "100"), sell("s", "2025-02-03", "4", "50"),
                   split("3", "2"))  # fmt: skip
    (lot,) = book.open_lots()
    assert (lot.offset, lot.quantity) == (6 * ONE_UNIT, 9 * ONE_UNIT)
    assert type(lot.offset) is type(lot.quantity) is int
    assert (lot.basis, lot.acquired) == (60 * ONE_DOLLAR, day_of("2025-01-06"))
    (pool,) = book.pools.values()
    assert (pool.method, pool.quantity) == ("FIFO", 9 * ONE_UNIT)


def test_a_split_reaches_every_account_and_what_stays_open_of_a_loss() -> None:
    """4 of 5 sold at a loss of 24; two for one: 8 new units and the 24 are open still."""
    book = book_of(buy("b1", "2025-01-06", "5", "50"), buy("b2", "2024-01-06", "3", "30",
                   account="B"), sell("s", "2025-02-20", "4", "16"), split("2", "1"))  # fmt: skip
    assert {lot.ref: lot.quantity for lot in book.open_lots()} == {
        "b1": 2 * ONE_UNIT, "b2": 6 * ONE_UNIT
    }  # fmt: skip
    assert book.weights == {"X": (1, 2)}
    assert list(book.washes) == ["X"]
    (loss,) = book.washes["X"].open_losses
    assert (loss.open_quantity, loss.open_loss) == (8 * ONE_UNIT, 24 * ONE_DOLLAR)


def test_every_lot_that_a_split_changed_is_told_once() -> None:
    """What shows lots reads the list of those that changed."""
    bought = [buy("b1", "2025-01-06", "3", "30"), buy("b2", "2025-01-07", "4", "50")]
    told, before = book_of(*bought, split("2", "1")).touched, book_of(*bought).touched
    assert [lot.ref for lot in told[len(before) :]] == ["b1", "b2"]
    assert [(lot.ref, lot.quantity) for lot in told[-2:]] == [
        ("b1", 6 * ONE_UNIT), ("b2", 8 * ONE_UNIT)
    ]  # fmt: skip


def test_a_lot_of_which_no_unit_is_left_gives_its_basis_away() -> None:
    """One new for two old, of two lots of the smallest unit: one of both, with the cost of both."""
    book = book_of(buy("b1", "2025-01-06", WEI, "30"), buy("b2", "2025-01-07", WEI, "50"),
                   split("1", "2"))  # fmt: skip
    assert [(lot.ref, lot.quantity, lot.basis) for lot in book.touched[-2:]] == [
        ("b1", 0, 0), ("b2", 1, 80 * ONE_DOLLAR)
    ]  # fmt: skip
    assert [lot.ref for lot in book.open_lots()] == ["b2"]


def test_wallets_that_share_a_pool_share_a_split_and_no_unit_is_lost() -> None:
    """Three wallets of one smallest unit, 3 for 2: four units, the middle one has the odd one."""
    accounts = [{"id": name, "custody": "self"} for name in ("A", "B", "C")]
    coins = [buy(f"b{name}", "2025-01-06", WEI, "10", account=name, asset="Y") for name in "ABC"]
    book = book_of(*coins, split("3", "2", asset="Y"), accounts=accounts,
                   policy={"self_custody_pool": "one"})  # fmt: skip
    (pool,) = {id(each): each for each in book.pools.values()}.values()
    assert (pool.wallets, pool.quantity) == ({"A": 1, "B": 2, "C": 1}, 4)


def test_capital_returned_beyond_the_basis_is_no_sale_that_a_broker_reports() -> None:
    """A 1099-DIV says it, no 1099-B does: box C or F, though the account is a broker's."""
    back = {"id": "r", "type": "return_of_capital", "account": "A", "asset": "X"}
    for day, box in (("2025-03-03", "C"), ("2026-03-03", "F")):
        answer = result(
            buy("b", "2025-01-06", "10", "100"),
            back | {"date": day, "amount": "130"},
            sell("s", day, "10", "1"),
            accounts=[{"id": "A", "custody": "broker"}],
        )
        assert ("r", "30", box) in cells(answer["disposals"], "event", "gain", "box")


class Held(NamedTuple):
    asset: Asset
    quantity: int


class Lost(NamedTuple):
    asset: Asset
    open_quantity: int


def meets(held: int, lost: int, lot: tuple[int, int], loss: tuple[int, int]) -> tuple[int, int]:
    """Units that meet, of a lot and a loss of these weights."""
    one, other = (Asset(name, asset_class("stock"), "G", ONE_UNIT) for name in ("lot", "loss"))
    weights = {"lot": lot, "loss": loss}
    return common_units(weights, cast(Disposal, Lost(other, lost)), Held(one, held))


@pytest.mark.parametrize(
    ("held", "lost", "lot", "loss", "common"),
    [
        (5, 4, (1, 1), (1, 1), (4, 4)),
        (4, 5, (1, 1), (1, 1), (4, 4)),
        (4, 4, (1, 1), (1, 1), (4, 4)),
        (12, 3, (1, 1), (3, 1), (9, 3)),  # three shares a unit
        (10, 4, (1, 1), (3, 1), (10, 4)),  # two shares short of less than one unit: all meet
        (9, 4, (1, 1), (3, 1), (9, 3)),  # a whole unit too many stays
        (3, 12, (3, 1), (1, 1), (3, 9)),
        (3, 10, (3, 1), (1, 1), (3, 10)),
        (10, 9, (1, 3), (1, 2), (10, 7)),  # a third and a half of a share
    ],
)
def test_units_meet_share_for_share_and_less_than_the_coarser_unit_stays_with_neither(
    held: int, lost: int, lot: tuple[int, int], loss: tuple[int, int], common: tuple[int, int]
) -> None:
    assert meets(held, lost, lot, loss) == common


def test_a_weight_is_in_its_lowest_terms() -> None:
    assert reduced(6 * ONE_UNIT, 4 * ONE_UNIT) == (3, 2)
    assert reduced(5, 1) == (5, 1)

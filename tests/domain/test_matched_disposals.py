"""United Kingdom: how the events of a day share its matches, and which losses stay open."""

from __future__ import annotations

import pytest

from domain.pool_books.book import PoolBook
from tests.domain.pool_books.records import book_of, plain
from tests.domain.pool_books.told import Json, buy, sell
from tests.domain.test_pool_records import WEI

OLD = buy("2020-01-06", 30, 300)
Row = tuple[str, ...]


def uk(*events: Json) -> PoolBook:
    return book_of("UK", *events)


def rows(book: PoolBook) -> list[Row]:
    fields = ("ref", "lot", "quantity", "proceeds", "own_basis", "acquired")
    return [tuple(plain(row)[name] for name in fields) for row in book.disposals]


def test_the_proceeds_of_an_event_are_shared_by_units_over_all_its_matches() -> None:
    """10 sold for 200: 2 met the day's own, 3 those of ten days later, 5 the pool; 20 a unit."""
    book = uk(OLD, buy("2024-03-01", 2, 50), sell("2024-03-01", 10, 200), buy("2024-03-11", 3, 45))
    assert rows(book) == [
        ("e3", "same_day", "2", "40", "50", "2024-03-01"),
        ("e3", "thirty_days", "3", "60", "45", "2024-03-11"),
        ("e3", "s104", "5", "100", "50", "2020-01-06"),
    ]


def test_units_that_cost_nothing_have_a_row_too() -> None:
    book = uk(OLD, buy("2024-03-01", 4, 0), sell("2024-03-01", 10, 200))
    assert rows(book) == [
        ("e3", "same_day", "4", "80", "0", "2024-03-01"),
        ("e3", "s104", "6", "120", "60", "2020-01-06"),
    ]


def test_a_row_too_small_for_its_asset_leaves_no_unit_uncounted() -> None:
    """The smallest bit of X10 is ten of X: three met X of the day, seven the pool."""
    book = uk(buy("2020-01-06", 1, 100, asset="X10"), buy("2024-03-01", "0.000000000000000003", 30),
              sell("2024-03-01", WEI, 10, asset="X10"))  # fmt: skip
    assert [(row[1], row[2], row[3]) for row in rows(book)] == [
        ("same_day", "0", "3"), ("s104", WEI, "7"),
    ]  # fmt: skip


def test_events_too_small_to_share_have_one_row_each_and_no_unit_is_lost() -> None:
    """Two sales of one smallest unit met one of the day and one of the pool: neither halves."""
    book = uk(OLD, buy("2024-03-01", WEI, 30), sell("2024-03-01", WEI, 10),
              sell("2024-03-01", WEI, 10))  # fmt: skip
    found = [(row[0], row[1], row[2], row[3]) for row in rows(book)]
    assert found == [
        ("e3", "same_day", WEI, "10"),
        ("e4", "same_day", WEI, "5"),
        ("e4", "s104", "0", "5"),
    ]
    assert sum(row.own_basis for row in book.disposals) == sum(each.cost for each in book.records)


@pytest.mark.parametrize(
    ("amount", "last", "opened"),
    [
        ("20", "2024-03-31", [("e2", "4", "20")]),
        ("20", "2024-04-01", []),
        ("40", "2024-03-31", []),
        ("60", "2024-03-31", []),
    ],
)
def test_a_loss_out_of_the_pool_is_open_until_the_thirtieth_day_after(
    amount: str, last: str, opened: list[Row]
) -> None:
    """4 that cost 40; the last fact of the book is a day within the 30, or the next."""
    book = uk(OLD, sell("2024-03-01", 4, amount), sell(last, 1, 90))
    open_losses = [plain(row) for row in book.washes["X"].open_losses]
    assert [(row["ref"], row["open_quantity"], row["open_loss"]) for row in open_losses] == opened

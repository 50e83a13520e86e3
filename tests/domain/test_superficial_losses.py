"""Canada: which acquisitions deny a loss, whose cost it joins, and what stays open after it."""

from __future__ import annotations

from typing import Any

import pytest

from domain.days import day_of
from domain.pool_books.book import PoolBook
from tests.domain.pool_books.records import REST_OF_A_LOT, book_of, plain
from tests.domain.pool_books.told import Json, buy, sell
from tests.domain.test_pool_records import WEI, converted, event, moved

OLD = buy("2020-01-06", 20, 200)


def ca(*events: Json, **more: Any) -> PoolBook:
    return book_of("CA", *events, **more)


def denied(book: PoolBook) -> list[str]:
    return [plain(row)["wash"] for row in book.disposals]


def costs(book: PoolBook) -> dict[str, str]:
    """What the units of each account cost."""
    return {lot.account.id: plain(lot)["basis"] for lot in book.open_lots()}


def test_a_match_names_the_purchase_its_account_and_the_units_on_both_sides() -> None:
    """10 of 20 sold at a loss of 50; 0.5 X10 bought later are 5 X: half of it, 25."""
    book = ca(OLD, sell("2024-01-01", 10, 50), buy("2024-01-10", "0.5", 40, asset="X10",
              account="B"))  # fmt: skip
    assert [plain(match) for match in book.matches()] == [
        {"loss": "e2", "replacement": "e3", "account": "B", "asset": "X10",
         "bought": "2024-01-10", "quantity": "0.5", "loss_quantity": "5", "disallowed": "25",
         "tacked_days": 0, "shifted": True, "into": None}
    ]  # fmt: skip
    assert costs(book) == {"A": "110", "B": "55"}


def test_units_that_a_spouse_takes_over_are_acquired_and_carry_the_loss_when_they_pass() -> None:
    """ITA 73(1): 10 pass at 100 on the 11th; the spouse acquired 10, so the 50 go along."""
    book = ca(OLD, sell("2024-01-01", 10, 50), moved("2024-01-11", "10", "A", "wife"))
    assert denied(book) == ["50"]
    assert costs(book) == {"wife": "150"}
    (match,) = book.matches()
    assert (match.account.id, match.replacement, match.asset.id) == ("wife", "e3", "X")


@pytest.mark.parametrize(
    "fact",
    [
        moved("2024-01-11", "5", "A", "B"),
        converted("2024-01-11", ("5", "X"), ("0.5", "X10")),
        event("abandon", "2024-01-11", "1"),
        sell("2024-01-11", 1, 30),
    ],
)
def test_what_is_moved_converted_given_up_or_sold_is_not_acquired(fact: Json) -> None:
    assert denied(ca(OLD, sell("2024-01-01", 10, 50), fact))[0] == "0"


def test_a_group_that_only_a_conversion_ever_filled_has_no_acquisition() -> None:
    book = ca(OLD, converted("2024-01-01", ("10", "X"), ("10", "Y")),
              sell("2024-01-05", 4, 10, asset="Y"))  # fmt: skip
    assert denied(book) == ["0"]


def test_who_comes_to_hold_some_only_after_the_period_held_none_at_its_end() -> None:
    """10 bought and sold within it; the spouse buys a month too late (s.54 (b))."""
    book = ca(buy("2024-01-01", 10, 100), sell("2024-01-05", 10, 50),
              buy("2024-03-01", 5, 20, account="wife"))  # fmt: skip
    assert denied(book) == ["0"]


def test_no_loss_no_denial_and_the_smallest_loss_is_one() -> None:
    """20 for 200, a purchase beside it: sold for exactly 40, then at the smallest loss there is."""
    events = [OLD, buy("2023-12-20", 4, 40)]
    even = ca(*events, sell("2024-01-01", 4, 40))
    assert (denied(even), even.matches(), even.washes["X"].open_losses) == (["0"], [], [])
    tiny = [buy("2023-12-20", "0.999999999999999999", WEI, account="B"), buy("2023-12-21", WEI, 0)]
    assert [row.wash for row in ca(*tiny, sell("2024-01-01", WEI, 0)).disposals] == [1]
    assert [row.is_provisional for row in ca(*tiny, sell("2024-01-01", WEI, 0),
                                             as_of="2024-01-01").records] == [True]  # fmt: skip


def test_two_losses_that_go_to_one_later_purchase_both_join_its_cost() -> None:
    """2 and 2 of 20 sold at losses of 16 and 12; 5 bought for 50: 160 + 50 + 28."""
    book = ca(OLD, sell("2024-01-01", 2, 4), sell("2024-01-02", 2, 8), buy("2024-01-10", 5, 50))
    assert denied(book) == ["16", "12"]
    assert costs(book) == {"A": "238"}


def test_who_bought_twice_takes_the_loss_for_no_more_than_is_still_held() -> None:
    """S 10, P 8, B 13: 40 of 50. The spouse holds 3 of the 8: 15; the other 25 stay with A."""
    wife = {"account": "wife"}
    book = ca(OLD, buy("2023-12-20", 4, 40, **wife), buy("2023-12-21", 4, 40, **wife),
              sell("2023-12-28", 5, 60, **wife), sell("2024-01-01", 10, 50))  # fmt: skip
    assert denied(book) == ["40"]
    assert costs(book) == {"A": "125", "wife": "45"}
    assert [(plain(match)["replacement"], plain(match)["disallowed"], plain(match)["quantity"])
            for match in book.matches()] == [("e2", "15", "3"), ("e2", "25", "5")]  # fmt: skip


def test_the_loss_of_what_was_sold_again_goes_to_no_registered_plan() -> None:
    """The plan holds most, but what joins its cost is lost: the seller's own units take it."""
    book = ca(buy("2019-01-07", 100, 100, account="plan"), OLD,
              buy("2023-12-20", 5, 40, account="wife"), sell("2023-12-28", 5, 60, account="wife"),
              sell("2024-01-01", 5, 20))  # fmt: skip
    assert denied(book) == ["30"]
    assert costs(book) == {"A": "180", "plan": "100"}


def test_what_no_purchase_denied_yet_is_open_until_the_thirtieth_day_after() -> None:
    """S 10, P 4: 20 of 50 denied; 6 units and 30 are open while the book is within 30 days."""
    for last, is_open in (("2024-01-31", True), ("2024-02-01", False)):
        book = ca(OLD, sell("2024-01-01", 10, 50), buy("2024-01-10", 4, 40),
                  sell(last, 1, 90))  # fmt: skip
        row = plain(book.disposals[0])
        expected = ("6", "30") if is_open else ("0", "0")
        assert (row["wash"], row["open_quantity"], row["open_loss"]) == ("20", *expected)
        assert [each.ref for each in book.washes["X"].open_losses] == ["e2"] * is_open


def test_a_loss_denied_whole_leaves_nothing_open() -> None:
    book = ca(OLD, sell("2024-01-01", 4, 20), buy("2024-01-10", 4, 40))
    assert book.washes["X"].open_losses == []


def test_open_units_of_another_ratio_are_counted_in_their_own() -> None:
    """0.7 of one X10 sold: the one X bought is a tenth of it, six tenths stay open."""
    book = ca(buy("2020-01-06", 2, 200, asset="X10"), sell("2024-01-01", "0.7", 35, asset="X10"),
              buy("2024-01-10", 1, 10))  # fmt: skip
    row = plain(book.disposals[0])
    assert (row["wash"], row["open_quantity"], row["open_loss"]) == ("5", "0.6", "30")


def test_purchases_of_the_last_thirty_days_are_listed_with_what_is_held_of_them() -> None:
    """The last fact is of 31 January: 1 January counts, the day before not; 3 of 8 are held."""
    book = ca(buy("2023-12-31", 2, 20), buy("2024-01-01", 5, 50, account="B"),
              buy("2024-01-20", 8, 80, account="own"), sell("2024-01-31", 5, 60, account="own"),
              )  # fmt: skip
    found = [
        (each.ref, each.order, each.day, each.sold, [plain(lot) for lot in each.pieces])
        for each in book.washes["X"].recent
    ]
    same = REST_OF_A_LOT | {"ref": "pool", "asset": "X", "basis": "0", "acquired": "2023-12-31"}
    first = {"account": "B", "quantity": "5", "order": 1, "serial": 1, "origin": "2024-01-01"}
    second = {"account": "own", "quantity": "3", "order": 2, "serial": 2, "origin": "2024-01-20"}
    assert found == [
        ("e2", 1, day_of("2024-01-01"), (), [same | first]),
        ("e3", 2, day_of("2024-01-20"), (), [same | second]),
    ]


def test_a_superficial_loss_of_the_spouse_makes_no_row_and_stays_in_her_pool() -> None:
    """She sells 4 of 10 at 5 (cost 10 each) and buys 4 again: 60 + 20 paid + 20 denied."""
    book = book_of("CA", buy("2024-01-02", 10, 100, account="wife"),
                   sell("2024-03-01", 4, 20, account="wife"),
                   buy("2024-03-11", 4, 20, account="wife"))  # fmt: skip
    assert book.disposals == []
    assert [(plain(lot)["account"], plain(lot)["quantity"], plain(lot)["basis"])
            for lot in book.open_lots()] == [("wife", "10", "100")]  # fmt: skip

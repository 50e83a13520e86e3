"""What a loss on closing a short sale leaves in a book when other sales wash it, field by field."""

from __future__ import annotations

from typing import Any

import pytest

from domain.book import Book
from domain.days import day_of
from domain.exact import money, quantity
from domain.wash_sales import NEVER
from tests.domain.make import Json, buy, sell
from tests.domain.records import all_told, folded, told
from tests.domain.test_short_sales import TEN_FOR_1000, closed, held, opened

LEAST = "0.000000000000000001"
SPLIT = {"id": "two", "type": "split", "date": "2025-03-04", "asset": "X", "num": "2", "den": "1"}


def squeezed(*others: Json, **more: Any) -> Book:
    """The book of ten units sold short for 1000 on 3 March and bought back for 1200 on the 10th."""
    return folded(
        opened("o", *TEN_FOR_1000),
        buy("b", "2025-03-10", "10", "1200"),
        closed("c", "2025-03-10", "10", "o", "b"),
        *others,
        **more,
    )


def washed(**more: Any) -> dict[str, Any]:
    """A match of the loss of 200 in full, unless said otherwise."""
    return {
        "loss": "c", "asset": "X", "quantity": quantity("10"), "loss_quantity": quantity("10"),
        "disallowed": money("200"), "tacked_days": 0, "shifted": False, "into": None,
    } | more  # fmt: skip


@pytest.mark.parametrize("day", ["2025-03-05", "2025-03-20"], ids=["before", "after"])
def test_a_sale_that_washes_the_loss_is_named_with_its_account_and_day(day: str) -> None:
    """IRC 1091(e): the loss joins nothing, so no days are tacked and nothing is shifted."""
    book = squeezed(held(), sell("s", day, "10", "900", account="B"))
    assert all_told(book.matches()) == [washed(replacement="s", account="B", bought=day_of(day))]


def test_another_short_that_is_open_takes_the_loss_off_its_proceeds() -> None:
    book = squeezed(opened("o2", "2025-03-20", "10", "1500", account="B"))
    day = day_of("2025-03-20")
    match = washed(replacement="o2", account="B", bought=day, shifted=True)
    assert all_told(book.matches()) == [match]
    assert book.shorts is not None
    assert told(book.shorts.by_ref["o2"]) == {
        "serial": 4, "ref": "o2", "account": "B", "asset": "X", "day": day,
        "units": quantity("10"), "proceeds": money("1300"),
    }  # fmt: skip


def test_a_short_of_the_least_unit_is_open_still() -> None:
    """Of a loss of 200 on ten units, the part of 10**-18 unit is 20 in the last places."""
    book = squeezed(opened("o2", "2025-03-20", LEAST, "1500", account="B"))
    ((shifted, disallowed),) = [(match.shifted, match.disallowed) for match in book.matches()]
    assert (shifted, disallowed) == (True, money("200") // quantity("10"))


def test_a_short_that_is_closed_already_takes_no_loss() -> None:
    book = squeezed(
        held("5", account="A"),
        opened("o2", "2025-03-04", "5", "600"),
        closed("c2", "2025-03-05", "5", "o2", "h"),
    )
    half = {"quantity": quantity("5"), "loss_quantity": quantity("5"), "disallowed": money("100")}
    match = washed(replacement="o2", account="A", bought=day_of("2025-03-04"), **half)
    assert all_told(book.matches()) == [match]
    assert book.shorts is not None
    assert told(book.shorts.by_ref["o2"])["proceeds"] == 0


def test_a_sale_that_is_used_up_matches_no_more() -> None:
    """The short sale of 11 March goes to the first loss; the second finds that of 3 March alone."""
    book = squeezed(
        opened("o2", "2025-03-11", "10", "1500", account="B"),
        opened("o3", "2025-03-12", "20", "2000"),
        buy("b3", "2025-03-14", "20", "2200"),
        closed("c3", "2025-03-14", "20", "o3", "b3"),
    )
    matches = [(match.loss.ref, match.replacement, match.quantity) for match in book.matches()]
    assert matches == [("c", "o2", quantity("10")), ("c3", "o", quantity("10"))]


def test_an_old_sale_does_not_stop_the_loss_from_waiting_for_a_new_one() -> None:
    book = squeezed(
        held("20"),
        sell("old", "2025-01-10", "10", "500", account="B"),
        sell("s", "2025-03-20", "10", "900", account="B"),
    )
    assert [match.replacement for match in book.matches()] == ["s"]


def test_all_sales_of_the_thirtieth_day_wash_the_loss() -> None:
    last = ("2025-04-09", "3", "270")
    book = squeezed(held(), sell("s1", *last, account="B"), sell("s2", *last, account="B"))
    matches = [(match.replacement, match.disallowed) for match in book.matches()]
    assert matches == [("s1", money("60")), ("s2", money("60"))]


def test_a_sale_right_after_a_split_is_in_new_units_already() -> None:
    book = folded(
        held(),
        opened("o", *TEN_FOR_1000),
        SPLIT,
        sell("s", "2025-03-05", "3", "150", account="B"),
        buy("b", "2025-03-10", "20", "1200"),
        closed("c", "2025-03-10", "20", "o", "b"),
    )
    ((units, disallowed),) = [(match.quantity, match.disallowed) for match in book.matches()]
    assert (units, disallowed) == (quantity("3"), money("30"))


def test_what_is_owed_after_a_split_is_whole_units() -> None:
    book = folded(opened("o", *TEN_FOR_1000), SPLIT)
    assert book.shorts is not None
    assert told(book.shorts.by_ref["o"]) == {
        "serial": 0, "ref": "o", "account": "A", "asset": "X", "day": day_of("2025-03-03"),
        "units": quantity("20"), "proceeds": money("1000"),
    }  # fmt: skip


TWO_GROUPS = [
    opened("y", "2025-01-02", "1", "50", asset="Y"),
    buy("y1", "2025-01-03", "5", "100", asset="Y"),
    {"id": "w", "type": "convert", "date": "2025-01-04", "account": "A",
     "out": {"asset": "Y", "qty": "1"}, "in": {"asset": "X", "qty": "1"}},
    opened("o1", "2025-03-03", "2", "200"),
    opened("o2", "2025-03-04", "2", "200"),
    buy("b", "2025-03-05", "10", "900"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("closes", "kept_from"),
    [
        ([], "2025-03-03"),
        ([closed("c1", "2025-03-06", "1", "o1", "b")], "2025-03-03"),
        ([closed("c1", "2025-03-06", "2", "o1", "b")], "2025-03-04"),
        ([closed("c1", "2025-03-06", "2", "o1", "b"),
          closed("c2", "2025-03-06", "2", "o2", "b")], None),
    ],
    ids=["two open", "one in part", "one closed", "both closed"],
)  # fmt: skip
def test_purchases_are_kept_for_the_oldest_short_of_the_group_that_is_open(
    closes: list[Json], kept_from: str | None
) -> None:
    """Reg. 1.1091-1(g). A short of another group in the same book keeps none of this one."""
    book = folded(*TWO_GROUPS, *closes)
    assert book.washes["X"].kept_from == (NEVER if kept_from is None else day_of(kept_from))
    assert book.washes["Y"].kept_from == day_of("2025-01-02")

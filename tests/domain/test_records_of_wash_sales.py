"""What the wash-sale rule leaves in a book: matches, purchases and lots, field by field."""

from __future__ import annotations

from typing import Any

import pytest

from domain.book import Book
from domain.days import day_of
from domain.exact import money, quantity
from tests.domain.make import Json, buy, sell
from tests.domain.records import all_told, folded, told
from tests.domain.test_options import exercise
from tests.domain.test_short_sales import closed, opened

KEPT = {"sold_replacements": "count"}
OLD = buy("old", "2024-01-02", "10", "1000", account="B")
BOUGHT = day_of("2025-02-03")
LOST = day_of("2025-02-20")


def lost(qty: str, amount: str, id: str = "loss") -> Json:
    """Units of `old`, in account B, sold at a loss on 20 February."""
    return sell(id, "2025-02-20", qty, amount, account="B")


def sold_from(lot: str, qty: str, amount: str, id: str = "out", **more: Any) -> Json:
    return sell(id, "2025-02-10", qty, amount, lots=[{"lot": lot, "qty": qty}], **more)


def moved(id: str, qty: str, lot: str, **more: str) -> Json:
    return {
        "id": id, "type": "transfer", "date": "2025-02-04", "asset": "X", "from": "A", "to": "B",
        "qty": qty, "lots": [{"lot": lot, "qty": qty}],
    } | more  # fmt: skip


def wrapped(id: str, qty: str) -> Json:
    """Units of stock X in account A become as many of Y, which is another group."""
    legs = {"out": {"asset": "X", "qty": qty}, "in": {"asset": "Y", "qty": qty}}
    return {"id": id, "type": "convert", "date": "2025-02-05", "account": "A"} | legs


def matched(**more: Any) -> dict[str, Any]:
    """A match of ten units of `new`, in account A, with a loss of 200 on as many of `old`."""
    return {
        "loss": "loss", "replacement": "new", "account": "A", "asset": "X", "bought": BOUGHT,
        "quantity": quantity("10"), "loss_quantity": quantity("10"), "disallowed": money("200"),
        "tacked_days": LOST - day_of("2024-01-02"), "shifted": True, "into": None,
    } | more  # fmt: skip


def found(book: Book) -> list[tuple[str, str, str, int]]:
    """Whose loss met what, in which account, and how many units of it."""
    return [
        (match.loss.ref, match.replacement, match.account.id, match.quantity)
        for match in book.matches()
    ]


@pytest.mark.parametrize("day", ["2025-02-03", "2025-03-03"], ids=["before", "after"])
def test_a_match_names_both_sides_and_says_what_went_over(day: str) -> None:
    """IRC 1091(d), 1223(3): the loss and the days of the units sold join those bought."""
    book = folded(OLD, lost("10", "800"), buy("new", day, "10", "900"))
    assert all_told(book.matches()) == [matched(bought=day_of(day))]


def test_what_an_ira_bought_takes_neither_the_loss_nor_the_days() -> None:
    """Rev. Rul. 2008-5."""
    book = folded(OLD, buy("new", "2025-02-03", "10", "900", account="R"), lost("10", "800"))
    assert all_told(book.matches()) == [matched(account="R", tacked_days=0, shifted=False)]


def test_shares_of_an_exercised_option_are_bought_on_the_day_of_the_exercise() -> None:
    book = folded(
        OLD,
        buy("c", "2024-01-02", "1", "30", asset="C"),
        lost("10", "800"),
        exercise("2025-03-03", "1", "10", amount="870"),
        assets=[{"id": "X", "class": "stock", "group": "X"},
                {"id": "C", "class": "option", "group": "X"}],
    )  # fmt: skip
    assert all_told(book.matches()) == [matched(replacement="e", bought=day_of("2025-03-03"))]


def gone(**more: Any) -> dict[str, Any]:
    """A match with units that left on row `out` before the loss: no days go over."""
    return matched(tacked_days=0, into="out", **more)


def test_a_match_with_units_gone_names_their_purchase_and_their_row() -> None:
    new = buy("new", "2025-02-03", "10", "900")
    book = folded(OLD, new, sold_from("new", "10", "950"), lost("10", "800"), policy=KEPT)
    assert all_told(book.matches()) == [gone()]


def test_shares_of_an_exercised_option_that_are_gone_were_bought_by_the_exercise() -> None:
    book = folded(
        OLD,
        buy("c", "2024-01-02", "1", "30", asset="C"),
        exercise("2025-02-03", "1", "10", amount="870"),
        sold_from("e", "10", "950"),
        lost("10", "800"),
        assets=[{"id": "X", "class": "stock", "group": "X"},
                {"id": "C", "class": "option", "group": "X"}],
        policy=KEPT,
    )  # fmt: skip
    assert all_told(book.matches()) == [gone(replacement="e")]


def test_converted_units_that_are_gone_were_bought_when_they_were_bought() -> None:
    book = folded(
        buy("old", "2024-01-02", "10", "1000", account="B", asset="Y"),
        buy("new", "2025-02-03", "10", "900"),
        wrapped("w", "10"),
        sold_from("new", "10", "950", asset="Y"),
        lost("10", "800") | {"asset": "Y"},
        policy=KEPT | {"wash_sale": "conservative"},
    )
    assert all_told(book.matches()) == [gone(asset="Y")]


def test_units_gone_take_one_loss_after_the_other_from_the_front() -> None:
    """Four of ten take 80, three more take 60; the last three may still take another."""
    book = folded(
        OLD,
        buy("new", "2025-02-03", "10", "900"),
        sold_from("new", "10", "950"),
        lost("4", "320", id="one") | {"seq": 1},
        lost("3", "240", id="two") | {"seq": 2},
        policy=KEPT,
    )
    four, three = quantity("4"), quantity("3")
    assert all_told(book.matches()) == [
        gone(loss="one", quantity=four, loss_quantity=four, disallowed=money("80")),
        gone(loss="two", quantity=three, loss_quantity=three, disallowed=money("60")),
    ]
    assert book.disposals[0].moved_in == money("140")
    (purchase,) = book.washes["X"].recent
    assert all_told(purchase.sold) == [
        {"row": "out", "quantity": quantity("3"), "offset": quantity("7")}
    ]


def spread(*losses: Json) -> Book:
    """Of ten units bought B got the first two and the next two; the four behind them are gone.

    The split makes two of each; the last four of the twenty are still in A.
    """
    return folded(
        OLD,
        buy("new", "2025-02-03", "10", "900"),
        moved("t1", "2", "new"),
        moved("t2", "2", "new"),
        sold_from("new", "4", "380"),
        {"id": "two", "type": "split", "date": "2025-02-12", "asset": "X", "num": "2", "den": "1"},
        *losses,
        policy=KEPT,
    )


def test_units_held_and_gone_take_losses_in_their_places_after_a_split_too() -> None:
    """Each loss of four new units finds the next four, and nothing else."""
    four = quantity("4")
    losses = [lost("4", "160", id=f"loss{at}") | {"seq": at + 1} for at in range(5)]
    book = spread(*losses)
    assert found(book) == [
        ("loss0", "new", "B", four),
        ("loss1", "new", "B", four),
        ("loss2", "new", "A", four),
        ("loss3", "new", "A", four),
        ("loss4", "new", "A", four),
    ]
    assert [match.into is not None for match in book.matches()] == [
        False, False, True, True, False
    ]  # fmt: skip


def test_units_gone_are_whole_units_after_a_split() -> None:
    (purchase,) = spread().washes["X"].recent
    eight = quantity("8")
    assert all_told(purchase.sold) == [{"row": "out", "quantity": eight, "offset": eight}]


def test_of_one_purchase_taxable_units_come_before_those_of_an_ira() -> None:
    """Of ten units an IRA bought, four went to another IRA, six were given out; A sold three."""
    book = folded(
        OLD,
        buy("new", "2025-02-03", "10", "900", account="R"),
        moved("t1", "4", "new", **{"from": "R", "to": "Q"}),
        moved("t2", "6", "new", **{"from": "R", "to": "A"}),
        sold_from("new", "3", "300"),
        lost("6", "480"),
        accounts=[{"id": "A"}, {"id": "B"}, {"id": "R", "type": "ira"}, {"id": "Q", "type": "ira"}],
        policy=KEPT | {"replacement_order": "taxable_first"},
    )
    assert found(book) == 2 * [("loss", "new", "A", quantity("3"))]


def test_pieces_of_one_purchase_that_are_converted_apart_can_be_moved_and_replace_still() -> None:
    book = folded(
        buy("old", "2024-01-02", "10", "1000", account="B", asset="Y"),
        buy("new", "2025-02-03", "10", "900"),
        wrapped("w1", "4"),
        wrapped("w2", "4"),
        moved("t", "2", "new", asset="Y", date="2025-02-06"),
        lost("10", "800") | {"asset": "Y"},
        policy={"wash_sale": "conservative"},
    )
    two, four = quantity("2"), quantity("4")
    assert found(book) == [
        ("loss", "new", "B", two), ("loss", "new", "A", two), ("loss", "new", "A", four),
    ]  # fmt: skip


def test_units_used_up_by_a_gain_are_used_and_change_in_nothing_else() -> None:
    """By the position that gains use replacements up too."""
    book = folded(
        buy("old", "2024-01-02", "10", "500", account="B"),
        buy("new", "2025-02-03", "10", "900"),
        lost("10", "800"),
        policy={"gain_units": "in_order"},
    )
    (lot,) = book.open_lots()
    plain = folded(buy("new", "2025-02-03", "10", "900")).open_lots()[0]
    own = {"serial": lot.serial, "order": 1, "used": True}
    assert told(lot) == told(plain) | own
    assert book.matches() == []


def test_an_overlap_that_counts_once_takes_no_day_away() -> None:
    """The units sold were bought after those that replace them: no day of theirs is new."""
    book = folded(
        buy("new", "2025-02-03", "10", "900"),
        OLD | {"date": "2025-02-05"},
        lost("10", "800"),
        policy={"overlap_days": "once"},
    )
    assert all_told(book.matches()) == [matched(tacked_days=0)]


def test_a_purchase_kept_for_an_open_short_sale_replaces_no_units_sold_today() -> None:
    """It lies within 30 days of the day the short was opened, not of this loss."""
    book = folded(
        OLD,
        buy("new", "2025-01-03", "10", "900"),
        opened("o", "2025-01-10", "1", "100", asset="X"),
        lost("10", "800"),
    )
    assert [purchase.ref for purchase in book.washes["X"].recent] == ["new"]
    assert book.matches() == []


def test_a_loss_on_closing_a_short_sale_waits_as_of_the_day_of_its_opening() -> None:
    """Reg. 1.1091-1(g): it stands before a loss that was made between opening and closing."""
    book = folded(
        OLD,
        buy("held", "2024-01-03", "10", "1000"),
        opened("o", "2025-02-18", "10", "800"),
        lost("10", "800"),
        closed("c", "2025-02-24", "10", "o"),
        buy("new", "2025-03-10", "10", "900"),
    )
    assert found(book) == [("c", "new", "A", quantity("10"))]
    assert [row.ref for row in book.washes["X"].open_losses] == ["loss"]


def day_traded(rounds: int) -> list[Json]:
    """A unit bought and one of a hundred sold at a loss, again and again within 30 days."""
    events = [buy("old", "2024-01-02", "100", "10000")]
    for at in range(rounds):
        events += [
            buy(f"b{at}", "2025-02-03", "1", "90", seq=2 * at + 1),
            sell(f"s{at}", "2025-02-03", "1", "90", seq=2 * at + 2),
        ]
    return events


def test_purchases_that_are_used_up_are_forgotten_before_their_30_days_are_over() -> None:
    """Or every loss of a day trader would walk past all purchases of the month."""
    book = folded(*day_traded(60))
    assert len(book.matches()) == 60
    assert len(book.washes["X"].recent) < 30


@pytest.mark.parametrize("rounds", range(5, 15))
def test_what_is_left_of_a_purchase_is_not_forgotten_with_those_that_are_used_up(
    rounds: int,
) -> None:
    new = buy("new", "2025-02-04", "10", "900")
    losses = [sell(f"loss{at}", "2025-02-05", "1", "90", seq=at + 1) for at in range(2)]
    book = folded(*day_traded(rounds), new, *losses)
    assert found(book)[rounds:] == [(f"loss{at}", "new", "A", quantity("1")) for at in range(2)]

"""What exercised and expired options and written ones leave in a book, field by field."""

from __future__ import annotations

from typing import Any

import pytest

from domain.days import day_of
from domain.exact import money, quantity
from tests.domain.make import Json, buy, cells
from tests.domain.records import all_told, folded, told
from tests.domain.test_options import exercise, expire, write
from tests.domain.test_options import told as told_by

ASSETS = [
    {"id": "X", "class": "stock", "group": "X"},
    {"id": "C", "class": "option", "group": "X"},
    {"id": "D", "class": "option", "group": "X"},
]
EXERCISED = day_of("2025-03-03")


def exercised_from_two_lots(custody: str) -> Any:
    """Three calls of two purchases become 300 shares at a strike of 1000 and a fee of 10."""
    return folded(
        buy("c1", "2024-01-02", "1", "30", asset="C"),
        buy("c2", "2025-01-02", "2", "90", asset="C"),
        exercise("2025-03-03", "3", "300", amount="890"),
        assets=ASSETS,
        accounts=[{"id": "A", "custody": custody}],
    )


@pytest.mark.parametrize(("custody", "covered"), [("broker", True), ("self", False)])
def test_shares_of_each_option_lot_are_a_lot_one_after_the_other(
    custody: str, covered: bool
) -> None:
    """One acquisition of one day; a broker that delivered them knows their basis."""
    book = exercised_from_two_lots(custody)
    common = {
        "ref": "e", "asset": "X", "account": "A", "acquired": EXERCISED, "origin": EXERCISED,
        "order": 2, "covered": covered, "used": False, "picked": False, "inherited": False,
        "loss_basis": -1, "gift_day": 0,
    }  # fmt: skip
    first = {"quantity": quantity("100"), "basis": money("330"), "offset": 0}
    second = {
        "quantity": quantity("200"), "basis": money("690"), "offset": quantity("100"),
    }  # fmt: skip
    lots = all_told(book.open_lots())
    serials = [lot.pop("serial") for lot in lots]
    assert lots == [common | first, common | second]
    # options 0 and 1; then the units given, and the shares got, of the one and the other
    assert serials == [3, 5]
    assert book.next_serial == 6


def test_the_options_leave_with_their_basis_and_no_row() -> None:
    book = exercised_from_two_lots("broker")
    common = {"kind": "exercised", "ref": "e", "asset": "C"}
    assert all_told(book.departures) == [
        common | {"lot": "c1", "quantity": quantity("1"), "basis": money("30")},
        common | {"lot": "c2", "quantity": quantity("2"), "basis": money("90")},
    ]
    assert book.disposals == []


def test_whoever_keeps_lots_hears_of_the_shares_and_that_the_options_are_gone() -> None:
    book = exercised_from_two_lots("broker")
    last = {lot.serial: lot for lot in book.touched}
    assert [lot for lot in last.values() if lot.quantity] == book.open_lots()
    assert [lot.quantity for lot in last.values() if lot.asset.id == "C"] == [0] * 4


def test_days_of_a_giver_end_with_the_exercise() -> None:
    """A donor's days count for the option (IRC 1223(2)), but shares are bought on exercise."""
    gift = {
        "id": "g", "type": "gift_in", "date": "2025-01-02", "account": "A", "asset": "C",
        "qty": "1", "donor_basis": "30", "donor_acquired": "2020-01-02", "amount": "40",
    }  # fmt: skip
    answer = told_by(gift, exercise("2025-03-03", "1", "100"))
    assert cells(answer["open_lots"], "lot", "basis", "acquired") == [("e", "1040", "2025-03-03")]


def test_a_written_option_that_expires_is_a_row_with_its_premium_alone() -> None:
    """IRC 1234(b)(1): short-term whatever the days; nothing was held, so nothing is covered."""
    book = folded(
        write("w1", "2023-01-03", "1", "31"),
        write("w2", "2023-01-04", "1", "41"),
        write("w3", "2024-01-03", "4", "121"),
        expire("2025-03-03", "4"),
        buy("b", "2025-03-04", "1", "100"),
        assets=ASSETS,
    )
    sold = day_of("2025-03-03")
    common = {
        "ref": "e", "account": "A", "asset": "C", "own_basis": 0, "sold": sold, "order": 0,
        "is_long": False, "covered": False, "inherited": False, "chosen_by": "option_written",
        "wash": 0, "open_quantity": 0, "open_loss": 0, "wash_classes": frozenset(), "moved_in": 0,
        "opened": 0, "short_ref": "",
    }  # fmt: skip
    units = [("w1", "1", "30", "2023-01-03"), ("w2", "1", "40", "2023-01-04"),
             ("w3", "2", "60", "2024-01-03")]  # fmt: skip
    assert all_told(book.disposals) == [
        common
        | {"serial": 3 + at, "lot": lot, "quantity": quantity(qty), "proceeds": money(premium)}
        | {"acquired": day_of(day), "origin": day_of(day)}
        for at, (lot, qty, premium, day) in enumerate(units)
    ]
    assert [lot.serial for lot in book.open_lots()] == [6]
    assert book.shorts is not None
    assert told(book.shorts.by_ref["w3"]) == {
        "serial": 2, "ref": "w3", "account": "A", "asset": "C", "day": day_of("2024-01-03"),
        "units": quantity("2"), "proceeds": money("60"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("lot_method", "rule", "lot"),
    [
        ("FIFO", "fifo", "c1"),
        ("MIN_TAX", "standing_order", "c2"),
        ("HIFO_LT", "standing_order", "c3"),
    ],
)
def test_a_bought_option_expires_by_the_method_at_a_price_of_nothing(
    lot_method: str, rule: str, lot: str
) -> None:
    """A loss of 100 at 35 % spares more tax than one of 120 at 15 %, dearer as it is."""
    book = folded(
        buy("c1", "2023-01-03", "1", "10", asset="C"),
        buy("c3", "2023-01-04", "1", "120", asset="C"),
        buy("c2", "2025-01-02", "1", "100", asset="C"),
        expire("2025-03-03", "1"),
        assets=ASSETS,
        policy={"lot_method": lot_method},
    )
    assert [(row.lot, row.chosen_by) for row in book.disposals] == [(lot, rule)]


def close(opens: str, **more: Any) -> Json:
    return {
        "id": "x", "type": "short_close", "date": "2025-03-10", "account": "A", "asset": "C",
        "qty": "2", "opens": opens,
    } | more  # fmt: skip


REMEDY = "record the short_open that it closes, or correct `opens` or the quantity"


@pytest.mark.parametrize(
    ("fact", "says"),
    [
        (close("w", qty="2.5"), "closes 2.5 C of short sale w, of which 2 were open then"),
        (close("v"), "closes 2 C of short sale v, of which 0 were open then"),
        (close("w", asset="D"), "closes 2 D of short sale w, of which 2 were open then"),
        (close("w", account="B"), "closes 2 C of short sale w, of which 2 were open then"),
    ],
    ids=["too many", "unknown", "another option", "another account"],
)
def test_a_close_of_what_is_not_open_there_says_what_was(fact: Json, says: str) -> None:
    held = [
        buy(f"b{a}{c}", "2025-01-02", "5", "90", account=a, asset=c) for a in "AB" for c in "CD"
    ]
    book = folded(write("w", "2025-01-03", "2", "31"), *held, fact, assets=ASSETS)
    (found,) = book.issues
    assert told(found) == {
        "ref": "x", "code": "no_such_short_sale", "says": says, "remedy": REMEDY,
        "blocking": True,
    }  # fmt: skip
    assert book.disposals == []


def test_a_close_names_the_rule_that_chose_the_units_and_the_short_sale() -> None:
    book = folded(
        write("w", "2025-01-03", "2", "31"),
        buy("c", "2025-01-04", "2", "20", asset="C"),
        close("w"),
        assets=ASSETS,
    )
    (row,) = book.disposals
    assert (row.lot, row.chosen_by, row.short_ref) == ("c", "fifo", "w")


def test_a_close_finds_a_short_sale_that_its_own_source_told() -> None:
    """A fact's id is source and id there, parted by the first colon."""
    book = folded(
        write("bank:w:1", "2025-01-03", "2", "31"),
        buy("bank:c", "2025-01-04", "2", "20", asset="C"),
        close("w:1", id="bank:2025:7"),
        assets=ASSETS,
    )
    assert [(row.short_ref, row.proceeds) for row in book.disposals] == [("bank:w:1", money("30"))]

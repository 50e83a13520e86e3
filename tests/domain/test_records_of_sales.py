"""What sales and capital paid back leave in a book: rows, lots and departures, field by field."""

from __future__ import annotations

from typing import Any

import pytest

from domain.days import day_of
from domain.exact import money, quantity
from tests.domain.make import Json, buy, sell
from tests.domain.records import all_told, folded, issue, told
from tests.domain.test_records_of_facts import gift, moved, open_lots, out, returned
from tests.domain.test_short_sales import closed, opened

FIVE_AND_FIVE = (
    buy("b1", "2024-01-02", "5", "500"),
    buy("b2", "2024-01-03", "5", "600"),
)


def row_of(lot: str, bought: str, units: str, **more: Any) -> dict[str, Any]:
    """A row of X in A, chosen first in, first out and not under the wash-sale rule."""
    day = day_of(bought)
    return {
        "lot": lot, "account": "A", "asset": "X", "quantity": quantity(units), "own_basis": 0,
        "acquired": day, "origin": day, "is_long": True, "covered": True, "inherited": False,
        "chosen_by": "fifo", "wash": 0, "open_quantity": 0, "open_loss": 0,
        "wash_classes": frozenset(), "moved_in": 0, "opened": 0, "short_ref": "",
    } | more  # fmt: skip


def test_each_lot_of_a_sale_has_a_row_with_its_share_of_the_proceeds() -> None:
    book = folded(*FIVE_AND_FIVE, sell("s", "2025-03-03", "8", "960"))
    sold = {"ref": "s", "sold": day_of("2025-03-03")}
    first = {"serial": 3, "order": 0, "proceeds": money("600"), "own_basis": money("500")}
    second = {"serial": 4, "order": 1, "proceeds": money("360"), "own_basis": money("360")}
    assert all_told(book.disposals) == [
        row_of("b1", "2024-01-02", "5", **sold, **first),
        row_of("b2", "2024-01-03", "3", **sold, **second),
    ]


def test_units_sold_for_just_their_basis_use_up_no_replacement() -> None:
    """IRC 1091(a) speaks of a loss; there is none."""
    book = folded(
        buy("old", "2024-01-02", "5", "500"),
        buy("new", "2025-03-03", "5", "500"),
        sell("s", "2025-03-04", "5", "500"),
    )
    assert book.matches() == []
    assert [(lot.ref, lot.used) for lot in book.open_lots()] == [("new", False)]


def test_what_is_left_of_a_lot_keeps_its_place_after_every_sale() -> None:
    sales = [sell("s1", "2025-03-03", "4", "900"), sell("s2", "2025-03-04", "3", "900")]
    (lot,) = folded(buy("b", "2024-01-02", "10", "1000"), *sales).open_lots()
    assert (lot.quantity, lot.offset) == (quantity("3"), quantity("7"))


def test_a_sale_in_an_account_that_reports_nothing_is_a_departure() -> None:
    held = buy("b", "2024-01-02", "10", "1000", account="R")
    book = folded(held, sell("s", "2025-03-03", "4", "300", account="R"))
    assert all_told(book.departures) == [
        {"kind": "not_reported", "ref": "s", "lot": "b", "asset": "X", "quantity": quantity("4"),
         "basis": money("400")}
    ]  # fmt: skip
    assert book.disposals == []


@pytest.mark.parametrize(
    ("proceeds", "basis", "acquired", "is_long"),
    [
        ("59", "60", "2025-01-02", False),
        ("60", "60", "2020-01-02", True),
        ("80", "80", "2020-01-02", True),
        ("100", "100", "2020-01-02", True),
        ("101", "100", "2020-01-02", True),
    ],
)
def test_only_at_a_loss_has_a_gift_the_basis_and_the_day_of_its_value(
    proceeds: str, basis: str, acquired: str, is_long: bool
) -> None:
    """IRC 1015(a), 1223(2): worth 60 when given; from there to the donor's 100 nothing is won."""
    book = folded(gift("100", "60"), sell("s", "2025-03-03", "10", proceeds))
    (row,) = book.disposals
    found = (row.own_basis, row.acquired, row.is_long)
    assert found == (money(basis), day_of(acquired), is_long)


def test_every_row_of_a_close_names_the_short_sale_and_counts_as_of_its_opening() -> None:
    """Units bought on that day were held then, later ones were not (decision 0009)."""
    book = folded(
        buy("before", "2025-01-02", "2", "240"),
        buy("same", "2025-03-03", "2", "240"),
        opened("o", "2025-03-03", "6", "600"),
        buy("after", "2025-03-04", "2", "240"),
        closed("c", "2025-03-10", "6", "o"),
    )
    day = day_of("2025-03-03")
    assert [(row.lot, row.short_ref, row.opened) for row in book.disposals] == [
        ("before", "o", day), ("same", "o", day), ("after", "o", 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("gone", "policy"),
    [
        (sell("e", "2025-03-03", "10", "950"), {"gain_units": "in_order"}),
        (out("abandon", "10"), {"sold_replacements": "count", "abandonment": "capital"}),
    ],
    ids=["another position", "no sale"],
)
def test_units_gone_replace_none_unless_by_that_position_and_sold(gone: Json, policy: Json) -> None:
    book = folded(
        buy("old", "2024-01-02", "10", "1000", account="B"),
        buy("new", "2025-02-20", "10", "900"),
        gone,
        sell("loss", "2025-03-04", "10", "800", account="B"),
        policy=policy,
    )
    assert [row.ref for row in book.disposals] == ["e", "loss"]
    assert book.matches() == []


def test_a_token_sold_long_term_of_which_nobody_spoke_is_asked_about() -> None:
    token = {"id": "T", "class": "nft", "group": "T"}
    book = folded(
        buy("b", "2024-01-02", "1", "100", asset="T"),
        sell("s", "2025-03-03", "1", "300", asset="T"),
        assets=[token],
    )
    assert all_told(book.issues) == [
        issue(
            "s",
            "collectible_not_stated",
            "T was sold long-term as no collectible, but nobody said whether it is one "
            "(Notice 2023-27)",
            "declare the asset with collectible true or false and a collectible_reason",
            blocking=False,
        )
    ]


@pytest.mark.parametrize(
    "last",
    [
        sell("e", "2025-03-03", "8", "960"),
        sell("e", "2025-03-03", "3", "360"),
        out("gift_out", "8"),
        out("abandon", "5"),
        returned("10"),
        moved("X", "8", date="2025-03-03"),
    ],
    ids=["two sold", "one sold in part", "given", "abandoned", "paid back", "moved"],
)
def test_whoever_keeps_lots_hears_of_every_lot_that_changed(last: Json) -> None:
    """Of what is gone as empty, of what is left with the units that it has now."""
    before, after = folded(*FIVE_AND_FIVE), folded(*FIVE_AND_FIVE, last)
    was, now = ({lot.serial: told(lot) for lot in book.open_lots()} for book in (before, after))
    heard = {lot.serial: lot.quantity for lot in after.touched[len(before.touched) :]}
    assert {at for at in was.keys() | now if was.get(at) != now.get(at)} <= heard.keys()
    in_hand = {at: lot["quantity"] for at, lot in now.items() if at in heard}
    assert {at: units for at, units in heard.items() if units != 0} == in_hand


@pytest.mark.parametrize(("amount", "left"), [("70", "30"), ("100", "0"), ("110", "0")])
def test_capital_paid_back_takes_the_basis_for_losses_down_to_nothing(
    amount: str, left: str
) -> None:
    """A gift of a donor's basis of 200 that was worth 100."""
    (lot,) = open_lots(gift("200", "100"), returned(amount))
    basis = money("200") - money(amount)
    assert (lot["basis"], lot["loss_basis"]) == (basis, money(left))


@pytest.mark.parametrize(("bought", "is_long"), [("2024-03-02", True), ("2024-03-03", False)])
def test_capital_beyond_the_basis_is_a_gain_with_the_days_of_its_lot(
    bought: str, is_long: bool
) -> None:
    """IRC 301(c)(3): 120 over two lots of 50 each is a gain of 10 on each; nothing was sold."""
    book = folded(
        buy("b1", bought, "5", "50"),
        buy("b2", bought, "5", "50", type="inherit"),
        returned("120"),
    )
    common = {
        "ref": "r", "sold": day_of("2025-03-03"), "proceeds": money("10"),
        "chosen_by": "return_of_capital",
    }  # fmt: skip
    heir = {"covered": False, "inherited": True, "is_long": True}
    assert all_told(book.disposals) == [
        row_of("b1", bought, "5", serial=2, order=0, **common, is_long=is_long),
        row_of("b2", bought, "5", serial=3, order=1, **common, **heir),
    ]
    assert book.next_serial == 4
    assert [(lot.quantity, lot.basis) for lot in book.open_lots()] == 2 * [(quantity("5"), 0)]

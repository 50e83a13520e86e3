"""The order in which lots are sold: sort keys of every method, pools and their splits."""

from __future__ import annotations

from typing import Any

import pytest

from domain.accounts import Account
from domain.assets import Asset, asset_class
from domain.days import day_of
from domain.exact import ONE_DOLLAR, ONE_UNIT
from domain.lot_methods import LOT_METHODS, Offer
from domain.lots import INHERITED, Lot, part_of
from tests.domain.make import buy, cells, result, sell

A = Account("A")
X = Asset("X", asset_class("stock"), "X")
DAY = day_of("2025-06-02")
LONG = day_of("2024-06-01")
SHORT = day_of("2024-06-02")


def lot(ref: str, dollars: int, order: int = 1, acquired: int = SHORT, **more: Any) -> Lot:
    """Two units with a basis of `dollars` each."""
    return Lot(
        ref=ref, asset=X, account=A, quantity=2 * ONE_UNIT, basis=2 * dollars * ONE_DOLLAR,
        acquired=acquired, order=order, offset=more.pop("offset", 0),
        serial=more.pop("serial", order), origin=acquired, **more,
    )  # fmt: skip


def offer(dollars: int, units: int = 2, short: int = 30, long: int = 10) -> Offer:
    return Offer(DAY, units * dollars * ONE_DOLLAR, units * ONE_UNIT, short, long)


def order(method: str, *lots: Lot, at: Offer | None = None) -> str:
    """The refs of lots as a method sells them."""
    row = LOT_METHODS[method]
    key = row.priced(at) if at is not None and row.priced else row.key
    return " ".join(each.ref for each in sorted(lots, key=lambda each: key(each)[:-1]))


def test_fifo_goes_by_acquisition_then_date_then_place() -> None:
    lots = [
        lot("d", 1, order=2),
        lot("c", 1, order=1, acquired=SHORT, offset=5),
        lot("b", 1, order=1, acquired=SHORT, offset=4),
        lot("a", 1, order=1, acquired=LONG, offset=9),
    ]
    assert order("FIFO", *lots) == "a b c d"
    assert order("FIFO", lot("b", 1, serial=2), lot("a", 1, serial=1)) == "a b"


def test_lifo_goes_by_the_last_acquisition_then_the_later_date_then_place() -> None:
    lots = [
        lot("d", 1, order=1, acquired=LONG),
        lot("c", 1, order=1, acquired=SHORT, offset=5),
        lot("b", 1, order=1, acquired=SHORT, offset=4),
        lot("a", 1, order=2, acquired=LONG),
    ]
    assert order("LIFO", *lots) == "a b c d"
    assert order("LIFO", lot("b", 1, serial=2), lot("a", 1, serial=1)) == "a b"


def test_hifo_goes_by_basis_per_unit_then_fifo() -> None:
    lots = [
        lot("e", 4),
        lot("d", 5, order=2),
        lot("c", 5, order=1, acquired=SHORT, offset=1),
        lot("b", 5, order=1, acquired=SHORT),
        lot("a", 6, order=3),
        lot("aa", 5, order=1, acquired=LONG, offset=7),
    ]
    assert order("HIFO", *lots) == "a aa b c d e"


@pytest.mark.parametrize("method", ["HIFO", "HIFO_LT", "MIN_TAX"])
@pytest.mark.parametrize("dollars", [5, 25])
def test_what_is_equal_to_eighteen_decimals_half_up_ties(method: str, dollars: int) -> None:
    below, half = lot("below", dollars, order=1), lot("half", dollars, order=2)
    below.basis += ONE_UNIT - 1  # of two units: under half of the last decimal
    assert order(method, half, below, at=offer(10)) == "below half"
    half.basis += ONE_UNIT  # half of the last decimal each
    assert order(method, below, half, at=offer(10)) == "half below"


def test_the_price_of_a_unit_is_rounded_half_up_too() -> None:
    """Net 10 and half of the last decimal: a gain of one 10^-18, taxed at the higher rate."""
    long, short = lot("long", 10, order=2, acquired=LONG), lot("short", 10, order=1)
    below = Offer(DAY, 20 * ONE_DOLLAR + ONE_UNIT - 1, 2 * ONE_UNIT, 30, 10)
    half = Offer(DAY, 20 * ONE_DOLLAR + ONE_UNIT, 2 * ONE_UNIT, 30, 10)
    assert order("MIN_TAX", long, short, at=below) == "short long"  # no tax on either
    assert order("MIN_TAX", long, short, at=half) == "long short"


def test_hifo_lt_sells_losses_then_long_gains_then_short_gains() -> None:
    lots = [
        lot("short-low", 1, order=1),
        lot("short-high", 9, order=2),
        lot("long-low", 1, order=3, acquired=LONG),
        lot("long-high", 8, order=4, acquired=LONG),
        lot("loss-low", 11, order=5),
        lot("loss-high", 12, order=6, acquired=LONG),
    ]
    assert order("HIFO_LT", *lots, at=offer(10)) == (
        "loss-high loss-low long-high long-low short-high short-low"
    )


def test_a_lot_sold_at_its_basis_is_no_loss() -> None:
    at_cost, long_gain = lot("at-cost", 10, order=1), lot("long-gain", 3, order=2, acquired=LONG)
    assert order("HIFO_LT", at_cost, long_gain, at=offer(10)) == "long-gain at-cost"
    at_cost.basis += 1
    assert order("HIFO_LT", at_cost, long_gain, at=offer(10)) == "at-cost long-gain"


def test_hifo_lt_breaks_ties_first_in_first_out() -> None:
    lots = [lot("c", 5, order=2), lot("b", 5, order=1, offset=1), lot("a", 5, order=1)]
    assert order("HIFO_LT", *lots, at=offer(10)) == "a b c"


def test_min_tax_sells_what_is_taxed_least() -> None:
    """(price - basis) x rate: 10 - 9 at 30 is less than 10 - 4 at 10."""
    lots = [
        lot("short", 9, order=1),
        lot("long", 4, order=2, acquired=LONG),
        lot("long-loss", 15, order=3, acquired=LONG),
        lot("short-loss", 12, order=4),
    ]
    assert order("MIN_TAX", *lots, at=offer(10)) == "short-loss long-loss short long"
    equal = offer(10, short=10, long=10)
    assert order("MIN_TAX", *lots, at=equal) == "long-loss short-loss short long"


def test_min_tax_breaks_ties_first_in_first_out() -> None:
    lots = [lot("c", 5, order=2), lot("b", 5, order=1, offset=1), lot("a", 5, order=1)]
    assert order("MIN_TAX", *lots, at=offer(10)) == "a b c"


def test_the_day_that_ends_a_year_counts() -> None:
    """IRC 1222(3): bought on 2 June 2024, sold on 2 June 2025, is short-term still."""
    assert order("HIFO_LT", lot("a", 5), lot("b", 4, acquired=LONG), at=offer(10)) == "b a"


def test_inherited_units_are_long_from_the_start() -> None:
    inherited = lot("b", 4, acquired=DAY, inherited=True)
    assert order("HIFO_LT", lot("a", 5), inherited, at=offer(10)) == "b a"
    assert (inherited.acquired_text, inherited.long_from) == (INHERITED, DAY)
    assert (lot("a", 5).acquired_text, lot("a", 5).long_from) == ("2024-06-02", DAY + 1)


def gift(ref: str, donor: int, value: int, given: int = SHORT) -> Lot:
    made = lot(ref, donor, acquired=LONG)
    made.loss_basis, made.gift_day = 2 * value * ONE_DOLLAR, given
    return made


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (15, "plain gift"),  # a gain over the donor's 12, long-term as the donor held it
        (13, "plain gift"),
        (11, "plain gift"),  # between: no gain and no loss, the donor's date
        (7, "gift plain"),  # a loss from the value of 8 at the gift; plain gains 1
    ],
)
def test_a_gift_counts_with_the_basis_that_this_sale_gives_it(price: int, expected: str) -> None:
    """IRC 1015(a): the donor's basis for a gain, the value at the gift for a loss."""
    plain = lot("plain", price + 1 if price > 10 else price - 1, order=2)
    assert order("HIFO_LT", plain, gift("gift", 12, 8), at=offer(price)) == expected


@pytest.mark.parametrize("price", [8, 9, 11, 12])
def test_a_gift_with_no_gain_and_no_loss_is_held_from_the_donors_day(price: int) -> None:
    """Long-term, so before a short-term lot that is sold at its basis."""
    lots = [lot("short", price, order=0), gift("gift", 12, 8)]
    assert order("HIFO_LT", *lots, at=offer(price)) == "gift short"
    assert order("MIN_TAX", *lots, at=offer(price)) == "short gift"


def test_a_gift_that_was_worth_nothing_has_a_loss_side_of_nothing() -> None:
    small_loss = lot("small-loss", 6, order=2)
    assert order("HIFO_LT", gift("gift", 12, 0), small_loss, at=offer(5)) == "small-loss gift"


def test_a_loss_on_a_gift_is_held_from_the_gift() -> None:
    rates = {"short": 30, "long": 10}
    lately, long_ago = gift("lately", 12, 8, SHORT), gift("long-ago", 12, 8, LONG)
    assert order("MIN_TAX", long_ago, lately, at=offer(7, **rates)) == "lately long-ago"


@pytest.mark.parametrize("method", ["HIFO_LT", "MIN_TAX"])
def test_units_that_leave_without_a_price_go_by_hifo(method: str) -> None:
    lots = [lot("b", 4, acquired=LONG), lot("a", 5)]
    assert order(method, *lots) == "a b"


@pytest.mark.parametrize(
    ("total", "units", "of_units", "part"),
    [(10, 1, 3, 3), (10, 3, 3, 10), (0, 1, 3, 0), (7, 0, 5, 0), (11, 4, 5, 8)],
)
def test_a_part_is_rounded_down_and_the_whole_is_all(
    total: int, units: int, of_units: int, part: int
) -> None:
    assert part_of(total, units, of_units) == part


def test_the_offer_is_the_sales_net_proceeds_by_unit() -> None:
    """A fee of 8 on 4 units at 12 nets 10 each: a basis of 11 is a loss, one of 9 a gain."""
    events = [
        buy("low", "2025-01-06", "4", "36"),
        buy("high", "2025-01-07", "4", "44"),
        sell("s", "2025-06-02", "4", "48", fee="8"),
    ]
    sold = result(*events, policy={"lot_method": "HIFO_LT"})["disposals"]
    assert cells(sold, "lot", "qty", "gain") == [("high", "4", "-4")]

"""Loss curves give, at any price, what valuing the lots one by one gives."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from domain.book import Book
from domain.days import day_of
from domain.harvest import opportunities
from domain.loss_curves import NEVER, Curve, Curves, Lines, curves_of, lines_of, merged
from tests.domain.make import Json, buy, scenario
from tests.domain.records import folded
from tests.domain.replay import history, portfolio_of, some_histories


@some_histories
def test_the_curves_of_a_book_give_the_sum_over_its_lots(seed: int) -> None:
    rng = Random(seed)
    told = history(seed)
    for book in portfolio_of(told).books.values():
        assert isinstance(book, Book)
        day = day_of(told["as_of"]) - rng.randint(0, 60)
        known = curves_of(book, day)
        for _ in range(8):
            price = rng.randint(0, 300 * 10**18)
            exact = {(curve.asset.id, curve.account.id): 0 for curve in known.curves}
            by_term = dict.fromkeys(exact, (0, 0))
            for one in opportunities(book, dict.fromkeys(book.weights, price), day):
                key = (one.lot.asset.id, one.lot.account.id)
                exact[key] += one.harvestable
                short, long = by_term[key]
                by_term[key] = (
                    (short, long + one.harvestable) if one.is_long
                    else (short + one.harvestable, long)
                )  # fmt: skip
            for curve in known.curves:
                key = (curve.asset.id, curve.account.id)
                short = curve.short.loss(price) if curve.short else 0
                long = curve.long.loss(price) if curve.long else 0
                if curve.is_loose:
                    assert short + long >= exact[key]
                else:
                    assert (short, long) == by_term[key]


@some_histories
def test_until_the_day_that_they_name_the_curves_stay_the_same(seed: int) -> None:
    told = history(seed)
    for book in portfolio_of(told).books.values():
        assert isinstance(book, Book)
        day = day_of(told["as_of"]) - 40
        known = curves_of(book, day)
        last = min(known.until - 1, day + 400)
        assert curves_of(book, last).curves == known.curves
        assert known.until > day


def test_a_line_ends_where_the_loss_ends() -> None:
    portfolio = portfolio_of(scenario(buy("b", "2025-01-02", "3", "10")))
    (curve,) = curves_of(portfolio.books["X"], day_of("2025-06-01")).curves  # type: ignore[arg-type]
    assert curve.short is not None
    assert curve.long is None
    assert curve.cost == 10 * 10**36
    third = 10 * 10**18 // 3
    assert curve.short.loss(third) == 10**18  # 10/3 is no decimal: a trifle is left
    assert curve.short.loss(third + 1) == 0
    assert curve.short.loss(0) == 10 * 10**36


@pytest.mark.parametrize("price", range(8))
def test_merged_lines_are_the_sum_of_their_parts(price: int) -> None:
    parts = [lines_of([(5, 12, 2), (1, 3, 2)]), lines_of([(3, 4, 1)])]
    assert merged(parts).loss(price) == sum(each.loss(price) for each in parts)
    assert merged(parts[:1]) is parts[0]


MONEY, UNIT = 10**36, 10**18


def drawn(*events: Json, day: str = "2025-06-20", **more: Any) -> Curves:
    """The curves of a small scenario's one book on a day."""
    return curves_of(folded(*events, **more), day_of(day))


def loss(lines: Lines | None, price: int) -> int | None:
    """What lines come to at a price in dollars, in 10**-36; None if there are none."""
    return None if lines is None else lines.loss(price * UNIT)


def moved(number: int, source: str, target: str, qty: str) -> Json:
    return {"id": f"t{number}", "type": "transfer", "date": f"2025-02-0{number}", "asset": "X",
            "from": source, "to": target, "qty": qty}  # fmt: skip


PIECES = (  # b1 in two pieces of A, four units and six
    buy("b1", "2025-01-06", "10", "200"),
    moved(1, "A", "B", "4"),
    moved(2, "B", "A", "4"),
)
RECENT = buy("b2", "2025-06-02", "3", "15", account="B")


def test_pieces_that_meet_a_purchase_have_a_bound_of_the_loss() -> None:
    """The whole loss of b1, 150, though three of its units are blocked."""
    own, other = drawn(*PIECES, RECENT).curves
    assert (own.account.id, own.is_loose, own.cost) == ("A", True, 200 * MONEY)
    assert (loss(own.short, 5), own.long) == (150 * MONEY, None)
    assert (other.account.id, other.is_loose, loss(other.short, 4)) == ("B", False, 3 * MONEY)


def test_pieces_without_a_purchase_in_the_way_are_one_line() -> None:
    (curve,) = drawn(*PIECES).curves
    assert (curve.is_loose, loss(curve.short, 5), loss(curve.short, 20)) == (False, 150 * MONEY, 0)
    assert curve.short is not None
    assert (len(curve.short.breaks), curve.short.units[0]) == (1, 10 * UNIT)


def test_of_one_piece_the_units_that_are_blocked_count_for_nothing() -> None:
    """Six of nine are free; what six cost at 100/9 a unit is rounded up."""
    (curve, _) = drawn(buy("b1", "2025-01-06", "9", "100"), RECENT).curves
    assert curve.short is not None
    assert (curve.is_loose, curve.cost) == (False, 100 * MONEY)
    assert (curve.short.units[0], curve.short.basis[0]) == (6 * UNIT, -(-100 * MONEY * 6 // 9))


def test_a_lot_that_is_blocked_whole_has_no_line() -> None:
    (curve, _) = drawn(buy("b1", "2025-01-06", "3", "60"), RECENT).curves
    assert (curve.short, curve.long, curve.cost) == (None, None, 60 * MONEY)


def test_lots_of_one_account_add_up_by_term() -> None:
    """b0 is long from 21 June 2025, so on that day; b1 and b2 are short."""
    lots = (
        buy("b0", "2024-06-20", "1", "30"),
        buy("b1", "2025-01-06", "2", "40"),
        buy("b2", "2025-01-07", "1", "15"),
    )
    (curve,) = drawn(*lots, day="2025-06-21").curves
    assert (curve.asset.id, curve.account.id, curve.cost) == ("X", "A", 85 * MONEY)
    assert [loss(curve.short, price) for price in (10, 17, 20)] == [25 * MONEY, 6 * MONEY, 0]
    assert [loss(curve.long, price) for price in (10, 29, 30)] == [20 * MONEY, MONEY, 0]
    (before,) = drawn(*lots, day="2025-06-20").curves
    assert (before.long, loss(before.short, 10)) == (None, 45 * MONEY)


@pytest.mark.parametrize(
    ("day", "until"),
    [
        ("2025-06-01", "2025-06-02"),  # b2 is bought
        ("2025-06-02", "2025-07-03"),  # b2 blocks no more
        ("2025-07-03", "2026-01-07"),  # b1 is long
        ("2026-01-07", "2026-06-03"),  # b2 is long
        ("2026-06-03", None),
    ],
)
def test_curves_stay_until_a_purchase_begins_or_ends_to_block_or_a_lot_is_long(
    day: str, until: str | None
) -> None:
    known = drawn(buy("b1", "2025-01-06", "3", "60"), RECENT, day=day)
    assert known.until == (NEVER if until is None else day_of(until))


def test_an_inherited_lot_is_long_and_waits_for_no_day() -> None:
    """IRC 1223(9)."""
    left = buy("h", "2025-06-02", "2", "40") | {"type": "inherit"}
    known = drawn(left)
    (curve,) = known.curves
    assert (curve.short, loss(curve.long, 15)) == (None, 10 * MONEY)
    assert known.until == NEVER


def test_curves_of_some_lots_leave_out_the_others() -> None:
    book = folded(buy("b1", "2025-01-06", "3", "60"), buy("b2", "2025-02-03", "1", "9"))
    (curve,) = curves_of(book, day_of("2025-06-20"), lambda lot: lot.ref == "b2").curves
    assert (curve.cost, loss(curve.short, 1)) == (9 * MONEY, 8 * MONEY)


@pytest.mark.parametrize(
    ("day", "until"),
    [("2025-06-05", "2025-06-10"), ("2025-06-12", "2025-07-03"), ("2025-07-05", "2025-07-11")],
)
def test_curves_stay_until_the_first_window_of_several_ends(day: str, until: str) -> None:
    more = buy("b3", "2025-06-10", "1", "5", account="B")
    assert drawn(RECENT, more, day=day).until == day_of(until)


def test_curves_stay_until_the_law_of_wash_sales_changes() -> None:
    law = {"wash_sale": [{"from": "0001-01-01", "classes": []},
                         {"from": "2025-06-25", "classes": ["stock"]}]}  # fmt: skip
    assert drawn(RECENT, policy=law).until == day_of("2025-06-25")


@pytest.mark.parametrize(
    ("basis", "units", "losses"),
    [
        (1, 1, [1, 0, 0]),  # the least lot that there is
        (19, 10, [19, 9, 0]),
        (11, 10, [11, 1, 0]),
        (20, 10, [20, 10, 0]),
    ],
)
def test_a_line_counts_as_long_as_there_is_a_loss(
    basis: int, units: int, losses: list[int]
) -> None:
    (curve,) = drawn(RECENT).curves
    line = Curve(curve.asset, curve.account)
    line.add(False, basis, units)
    line.close()
    assert line.short is not None
    assert [line.short.loss(price) for price in range(3)] == losses


@pytest.mark.parametrize(("basis", "units"), [(0, 10), (10, 0), (0, 0)])
def test_what_cost_nothing_or_is_no_unit_has_no_line(basis: int, units: int) -> None:
    (curve,) = drawn(RECENT).curves
    line = Curve(curve.asset, curve.account)
    line.add(True, basis, units)
    line.close()
    assert (line.short, line.long) == (None, None)

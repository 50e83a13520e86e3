"""The correlation of two prices: known series, gaps, splits, and what is not known."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from random import Random

import pytest

from domain.days import day_of
from services.correlation import DAYS, LEAST, Correlation, DailyPrices, Prices, correlated
from services.marks import Quote
from tests.services.house import House

DAY = day_of("2025-01-01")
CENT = 10**16


def prices(*cents: int, step: int = 1) -> Prices:
    return {DAY + step * number: price * CENT for number, price in enumerate(cents)}


def moving(seed: int, length: int = LEAST + 1) -> list[int]:
    """Cents, never the same twice in a row."""
    rng, price, found = Random(seed), 10_000, []
    for _ in range(length):
        price += rng.choice((-1, 1)) * rng.randint(1, 500)
        found.append(price)
    return found


def by_hand(one: list[int], other: list[int]) -> Decimal:
    """Pearson's coefficient of the returns, in decimals and not in floats."""
    xs, ys = deviations(one), deviations(other)
    return dot(xs, ys) / (dot(xs, xs) * dot(ys, ys)).sqrt()


def deviations(line: list[int]) -> list[Decimal]:
    returns = [Decimal(end) / Decimal(start) - 1 for start, end in pairwise(line)]
    mean = sum(returns, Decimal(0)) / len(returns)
    return [each - mean for each in returns]


def dot(one: list[Decimal], other: list[Decimal]) -> Decimal:
    return sum((x * y for x, y in zip(one, other, strict=True)), Decimal(0))


@pytest.mark.parametrize("seed", range(20))
def test_it_is_that_of_the_returns(seed: int) -> None:
    one, other = moving(seed), moving(seed + 100)
    found = correlated(prices(*one), prices(*other))
    assert found == Correlation(round(100 * by_hand(one, other)), LEAST)


def test_the_same_moves_at_another_price_are_a_one_and_opposite_ones_a_minus_one() -> None:
    one = [100 * 2 ** (n % 2) for n in range(LEAST + 1)]
    assert correlated(prices(*one), prices(*(7 * each for each in one))).shown == "1.00"
    other = [100 * 2 ** ((n + 1) % 2) for n in range(LEAST + 1)]
    assert correlated(prices(*one), prices(*other)).shown == "-1.00"


def test_days_without_a_price_of_both_are_left_out_on_both_sides() -> None:
    """Both returns span the same days: the other's moves in between count for nothing."""
    one, other = moving(1, 60), moving(2, 60)
    gaps = {10, 11, 30, 58}
    holey = {day: price for day, price in prices(*other).items() if day - DAY not in gaps}
    found = correlated(prices(*one), holey)
    kept = [number for number in range(60) if number not in gaps]
    expected = by_hand([one[n] for n in kept], [other[n] for n in kept])
    assert found == Correlation(round(100 * expected), 55)
    assert found == correlated(holey, prices(*one))


def test_fewer_than_twenty_returns_are_unknown_and_no_zero() -> None:
    one = prices(*moving(1, LEAST))
    assert correlated(one, one) == Correlation(None, LEAST - 1)
    assert correlated(one, one).shown == "unknown"
    assert correlated(one, {}) == Correlation(None, 0)


def test_a_price_that_stood_still_says_nothing() -> None:
    still = prices(*([100] * 30))
    assert correlated(still, prices(*moving(1, 30))) == Correlation(None, 29)


def test_from_a_price_of_zero_there_is_no_return() -> None:
    one = moving(1, 40)
    other = [*one[:5], 0, *one[6:]]
    assert correlated(prices(*one), prices(*other)).days == 38


def test_a_return_over_the_day_of_a_split_is_left_out() -> None:
    """The second goes two for one on its eleventh day; every other return is the same."""
    one = moving(1, 40)
    other = [price if n < 10 else price // 2 for n, price in enumerate(each * 2 for each in one)]
    found = correlated(prices(*one), prices(*other), [DAY + 10])
    assert found == Correlation(100, 38)
    assert correlated(prices(*one), prices(*other)).shown != "1.00"


def read(house: House, before: str, known_at: str | None = None) -> dict[int, int]:
    return dict(DailyPrices(house.app.database, before, known_at).of("S"))


def test_the_last_mark_of_each_whole_day_counts(house: House) -> None:
    quotes = [Quote("S", price, f"{at}.000000Z") for price, at in (
        ("1", "2025-01-01T10:00:00"), ("2", "2025-01-01T20:00:00"), ("3", "2025-01-03T09:00:00"),
        ("4", "2025-01-03T09:00:01"), ("5", "2025-01-04T00:00:00"),
    )]  # fmt: skip
    house.app.market.take([*quotes, Quote("T", "9", quotes[-1].at)], confirmed=True)
    first, third = DAY, DAY + 2
    assert read(house, "2025-01-04") == {first: 2 * 10**18, third: 4 * 10**18}
    assert list(read(house, "2025-01-05")) == [first, third, DAY + 3]
    assert read(house, "2025-01-01") == {}


def test_of_marks_of_one_instant_the_one_stored_last_counts(house: House) -> None:
    at = "2025-01-01T10:00:00.000000Z"
    house.app.market.take([Quote("S", "2", at), Quote("S", "1", at)], confirmed=True)
    assert read(house, "2025-01-02") == {DAY: 10**18}


def test_only_the_last_days_and_what_was_known_count(house: House) -> None:
    old, young = "2025-01-01T23:59:59.999999Z", "2025-01-02T00:00:00.000000Z"
    house.app.market.take([Quote("S", "1", old), Quote("S", "2", young)], confirmed=True)
    then = house.clock.text
    house.clock.advance(days=1)
    house.app.market.take([Quote("S", "3", "2025-01-02T05:00:00.000000Z")], confirmed=True)
    assert DAYS == 90
    assert read(house, "2025-04-01") == {DAY: 10**18, DAY + 1: 3 * 10**18}
    assert read(house, "2025-04-02") == {DAY + 1: 3 * 10**18}
    assert read(house, "2025-04-02", then) == {DAY + 1: 2 * 10**18}

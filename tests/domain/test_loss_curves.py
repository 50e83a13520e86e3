"""Loss curves give, at any price, what valuing the lots one by one gives."""

from __future__ import annotations

from random import Random

import pytest

from domain.book import Book
from domain.days import day_of
from domain.harvest import opportunities
from domain.loss_curves import curves_of, lines_of, merged
from tests.domain.make import buy, scenario
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

"""The ladder: rewinding to a rung and folding on equals folding anew, wherever the fact belongs."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest

from domain import checkpoints
from domain.checkpoints import Ladder
from domain.decisions import AssetDeclared, Bust
from domain.fact_codec import Correction
from domain.facts import Buy, Fact, Sell
from domain.portfolio import Portfolio
from projections.schema import Piece
from services.written import Written
from tests.domain.replay import (
    Said,
    history,
    in_order,
    portfolio_of,
    reordered,
    some_histories,
    state,
    trades_of,
)


@pytest.fixture
def tiny_ladders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ladders for every book, with a rung for every entry."""
    monkeypatch.setattr(checkpoints, "SMALL", 0)
    monkeypatch.setattr(checkpoints, "_STEP", 1)


def looked_at(portfolio: Portfolio) -> None:
    """As a projection does after every settle."""
    for book in portfolio.books.values():
        book.rewound = None


@pytest.mark.usefixtures("tiny_ladders")
@some_histories
def test_facts_one_by_one_in_any_order_end_as_one_fold(seed: int) -> None:
    late = reordered(seed, history(seed))
    portfolio = portfolio_of(late, ())
    for ref, fact in trades_of(late):
        portfolio.add(ref, fact)
        portfolio.settle()
        looked_at(portfolio)
    as_of = late["as_of"]
    assert state(portfolio, as_of) == state(portfolio_of(in_order(late)), as_of)


@pytest.mark.usefixtures("tiny_ladders")
@some_histories
def test_sums_follow_what_is_taken_back(seed: int) -> None:
    late = reordered(seed, history(seed))
    portfolio = portfolio_of(late, ())
    written: dict[str, Written] = {}
    for ref, fact in trades_of(late):
        portfolio.add(ref, fact)
        portfolio.settle()
        for name in portfolio.refolded:
            written.pop(name, None)
        for name, book in portfolio.books.items():
            written.setdefault(name, Written()).advance(book)
    for name, book in portfolio.books.items():
        fresh = Written()
        fresh.advance(book)
        assert written[name].sums.sums == fresh.sums.sums
        assert written[name].disposals == fresh.disposals


def busy(count: int) -> list[Said]:
    """Trades of one fund, some a day, that wash each other."""
    draw = random.Random("ladder")
    said: list[Said] = []
    held, price = 0, 100
    for number in range(count):
        day = (date(2024, 1, 2) + timedelta(days=number // 3)).isoformat()
        price = max(20, price + draw.randint(-5, 5))
        units = draw.randint(1, 9)
        sells = held > 40 and draw.random() < 0.6
        kind = Sell if sells else Buy
        held += -units if sells else units
        fact: Fact = kind(
            effective_at=day, seq=10 * number, account="A", asset="X", quantity=str(units),
            amount=str(units * price),
        )  # fmt: skip
        said.append((f"t{number}", fact))
    return said


def fund() -> Portfolio:
    portfolio = Portfolio()
    declared = AssetDeclared(effective_at="0001-01-01", asset="X", asset_class="fund", group="X")
    portfolio.add("asset/X", declared)
    return portfolio


def told(said: list[Said]) -> Portfolio:
    portfolio = fund()
    for ref, fact in said:
        portfolio.add(ref, fact)
    portfolio.settle()
    looked_at(portfolio)
    return portfolio


def shown(portfolio: Portfolio) -> Piece:
    return state(portfolio, "2029-12-31")


@pytest.mark.parametrize("places", [1, 10, 100, 700, 1999])
def test_a_late_fact_folds_only_what_comes_after_it(places: int) -> None:
    said = busy(2000)
    late = said[-places]
    rest = [each for each in said if each is not late]
    portfolio = told(rest)
    book = portfolio.books["X"]
    portfolio.add(*late)
    portfolio.settle()
    assert shown(portfolio) == shown(told(said))
    if 1 < places <= 100:
        assert portfolio.books["X"] is book  # set back, not made anew
        assert book.rewound is not None
        assert len({row.ref for row in book.rewound.rows}) <= 2 * places + 20


@pytest.mark.parametrize("change", ["correction", "bust"])
def test_corrections_and_busts_take_the_same_path(change: str) -> None:
    said = busy(1500)
    ref, fact = said[-20]
    assert isinstance(fact, Buy | Sell)
    portfolio = told(said)
    book = portfolio.books["X"]
    changed = Buy(
        effective_at=fact.effective_at, seq=fact.seq, account="A", asset="X", quantity="3",
        amount="333",
    )  # fmt: skip
    if change == "bust":
        portfolio.add(ref, Bust(effective_at=fact.effective_at))
        left = [each for each in said if each[0] != ref]
    else:
        portfolio.add(ref, Correction(effective_at=fact.effective_at, seq=fact.seq, fact=changed))
        left = [(each, changed) if each == ref else (each, known) for each, known in said]
    portfolio.settle()
    assert portfolio.books["X"] is book
    assert shown(portfolio) == shown(told(left))


def test_a_small_book_has_no_rungs_and_a_large_one_few() -> None:
    assert _ladder(told(busy(900))).rungs == []
    portfolio = told(busy(3000))
    assert 5 <= len(_ladder(portfolio).rungs) <= 16
    for ref, fact in busy(3400)[3000:]:
        portfolio.add(ref, fact)
        portfolio.settle()
    assert len(_ladder(portfolio).rungs) <= 20


def _ladder(portfolio: Portfolio) -> Ladder:
    ladder = portfolio._ladders["X"]
    assert isinstance(ladder, Ladder)
    return ladder

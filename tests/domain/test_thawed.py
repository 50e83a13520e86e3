"""A portfolio kept as bytes at any point goes on as if nothing had been."""

from __future__ import annotations

import random

import pytest

from domain import checkpoints
from domain.entries import OrderKey
from domain.portfolio import Portfolio
from domain.thawed import Thawed, kept_state
from services.snapshot_codec import digest_of, packed, unpacked
from tests.domain.arrivals import Said, arrivals
from tests.domain.make import buy, scenario
from tests.domain.replay import (
    declarations_of,
    history,
    portfolio_of,
    reordered,
    some_histories,
    state,
)


def thawed(portfolio: Portfolio, told: list[Said]) -> Thawed:
    """The portfolio through bytes; `told` is what the log holds of it."""
    kept = kept_state(portfolio)
    assert kept is not None
    data = packed(kept)
    past = list(told)
    return Thawed(unpacked(data, digest_of(data)), lambda: iter(past))


def looked_at(portfolio: Portfolio) -> None:
    """A projection has written what changed."""
    portfolio.settle()
    for book in portfolio.books.values():
        book.rewound = None
        book.touched.clear()


@some_histories
def test_cut_anywhere_a_portfolio_goes_on_as_if_it_had_not_been(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(f"thawed {seed}")
    if rng.random() < 0.7:  # rungs at every entry, so that what is late rewinds
        monkeypatch.setattr(checkpoints, "SMALL", 0)
        monkeypatch.setattr(checkpoints, "_STEP", 1)
    scenario = reordered(seed, history(seed))
    batches = [declarations_of(scenario), *arrivals(rng, scenario)]
    whole, cut = Portfolio(), Portfolio()
    told: list[Said] = []
    for batch in batches:
        for ref, fact in batch:
            whole.add(ref, fact)
            cut.add(ref, fact)
        looked_at(whole)
        looked_at(cut)
        told += batch
        assert state(cut, scenario["as_of"]) == state(whole, scenario["as_of"])
        if rng.random() < 0.5:
            cut = thawed(cut, told)
    assert (cut.trades, cut.decisions) == (whole.trades, whole.decisions)
    assert keys(cut) == keys(whole)


def keys(portfolio: Portfolio) -> dict[str, list[OrderKey]]:
    """The entries of each book, by their order."""
    return {name: [each.key for each in entries] for name, entries in portfolio.entries.items()}


def test_books_that_are_computed_anew_are_not_kept() -> None:
    """United Kingdom: the pool is read from all facts each time."""
    bought = buy("b", "2025-01-06", "1", "100")
    portfolio = portfolio_of(scenario(bought, policy={"jurisdiction": "UK"}))
    portfolio.settle()
    assert kept_state(portfolio) is None


def test_what_a_portfolio_never_had_it_has_not_after_the_thaw() -> None:
    portfolio = portfolio_of(scenario(buy("b", "2025-01-06", "1", "100")))
    looked_at(portfolio)
    with pytest.raises(AttributeError, match="a_name_of_nothing"):
        thawed(portfolio, []).a_name_of_nothing  # noqa: B018

"""One book folded alone is that book: as it stands, with a fact more, under another position."""

from __future__ import annotations

import random
from typing import Any

import pytest

from domain.days import iso
from domain.facts import Buy, Convert, Swap
from domain.kept_book import KeptBook
from domain.portfolio import Portfolio
from domain.rules.positions import POSITIONS
from services.refold import elects, refolded
from tests.domain.replay import history, portfolio_of, trades_of

REF = "whatif:buy"
SEEDS = pytest.mark.parametrize("seed", range(120))
# Positions that are read while folding one book, and not by what another book made of a swap.
ALONE = sorted(set(POSITIONS) - {"wash_sale", "rates", "time_zone", "lot_method", "wrap"})


def figures(book: KeptBook) -> list[Any]:
    """Rows, matches, lots and departures of a book, exact."""
    return [
        [(row.ref, row.lot, row.account.id, row.quantity, row.proceeds, row.basis, row.acquired,
          row.sold, row.wash, row.open_quantity, row.open_loss, row.is_long, row.chosen_by)
         for row in book.disposals],
        [(match.loss.ref, match.replacement, match.quantity, match.disallowed, match.shifted)
         for match in book.matches()],
        sorted((lot.ref, lot.account.id, lot.asset.id, lot.quantity, lot.basis, lot.acquired,
                lot.used, lot.offset) for lot in book.open_lots()),
        [(gone.kind, gone.ref, gone.lot, gone.quantity, gone.basis) for gone in book.departures],
        [(issue.ref, issue.code) for issue in book.issues],
    ]  # fmt: skip


@SEEDS
def test_a_book_folded_alone_is_the_book_of_the_portfolio(seed: int) -> None:
    portfolio = portfolio_of(history(seed))
    for name, book in portfolio.books.items():
        assert figures(refolded(portfolio, name)) == figures(book)


@SEEDS
def test_a_hypothetical_purchase_is_what_the_real_one_would_be(seed: int) -> None:
    scenario = history(seed)
    rng = random.Random(f"buy {seed}")
    portfolio = portfolio_of(scenario)
    name = rng.choice(sorted(portfolio.books))
    book = portfolio.books[name]
    asset = rng.choice(sorted({entry.asset.id for entry in portfolio.entries[name]}))
    account = rng.choice(sorted(portfolio.declared.declared_accounts))
    last = max(each.last_key[0] for each in portfolio.books.values())
    fact = Buy(
        effective_at=f"{iso(last)}T23:59:58", account=account, asset=asset, quantity="7",
        amount="70", seq=1 << 30,
    )  # fmt: skip
    before = figures(book)
    hypothetical = refolded(portfolio, name, [(REF, fact)])
    real = portfolio_of(scenario, [*trades_of(scenario), (REF, fact)])
    assert figures(hypothetical) == figures(real.books[name])
    assert figures(book) == before


@SEEDS
def test_another_position_is_what_it_would_be_from_the_start(seed: int) -> None:
    scenario = history(seed)
    portfolio = portfolio_of(scenario)
    if any(isinstance(fact, Swap | Convert) for fact in portfolio.trades.values()):
        portfolio = without_swaps(scenario)
    position = random.Random(f"position {seed}").choice(ALONE)
    truth = {"true": True, "false": False}
    for answer in (POSITIONS[position].default, *POSITIONS[position].others):
        election = elects(**{position: truth.get(answer, answer)})
        real = Portfolio()
        for ref, fact in [*portfolio.decisions.items(), *portfolio.trades.items()]:
            real.add(ref, fact)
        real.add("whatif:position", election)
        real.settle()
        for name, book in real.books.items():
            assert figures(refolded(portfolio, name, election=election)) == figures(book)


def without_swaps(scenario: dict[str, Any]) -> Portfolio:
    """The history without facts of two books: whether one is refused may change in the other."""
    kept = [
        (ref, fact) for ref, fact in trades_of(scenario) if not isinstance(fact, Swap | Convert)
    ]
    return portfolio_of(scenario, kept)

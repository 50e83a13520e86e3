"""Corrections and busts: the state is as if only the last word had ever been said."""

from __future__ import annotations

import random
from typing import cast, get_args

import msgspec
import pytest

from domain.decisions import Bust
from domain.fact_codec import Correction, Trade
from domain.facts import Buy, Fact
from domain.portfolio import Portfolio
from tests.domain.replay import (
    Json,
    Said,
    history,
    portfolio_of,
    reordered,
    some_histories,
    state,
    trades_of,
)

TRADES = get_args(Trade)
how_it_settles = pytest.mark.parametrize("settle_each", [False, True], ids=["once", "each"])


def wrong(rng: random.Random, scenario: Json, fact: Fact) -> Fact:
    """Another trade that the source first reported under the same id."""
    if rng.random() < 0.5:
        asset = rng.choice(scenario["assets"])["id"]
        account = rng.choice(scenario["accounts"])["id"]
        return Buy(
            effective_at=fact.effective_at, account=account, asset=asset, quantity="3", amount="9"
        )
    return msgspec.structs.replace(fact, effective_at="2024-02-29T12:00:00")


def corrected(seed: int, scenario: Json) -> list[Said]:
    """The facts, three of them told wrongly at first and mended later."""
    rng = random.Random(f"wrong {seed}")
    said = trades_of(scenario)
    places = [at for at, (_, fact) in enumerate(said) if isinstance(fact, TRADES)]
    for at in sorted(rng.sample(places, min(3, len(places))), reverse=True):
        ref, fact = said[at]
        said[at] = (ref, wrong(rng, scenario, fact))
        mended = Correction(effective_at=fact.effective_at, seq=fact.seq, fact=cast(Trade, fact))
        said.insert(rng.randint(at + 1, len(said)), (ref, mended))
    return said


def busted(seed: int, scenario: Json) -> list[Said]:
    """The facts, and among them three that the source takes back."""
    rng = random.Random(f"bust {seed}")
    said = trades_of(scenario)
    for number in range(3):
        ref = f"ghost{number}"
        at = rng.randint(0, len(said))
        moment = rng.choice(said)[1].effective_at
        asset = rng.choice(scenario["assets"])["id"]
        account = rng.choice(scenario["accounts"])["id"]
        ghost = Buy(
            effective_at=moment, seq=-1, account=account, asset=asset, quantity="2", amount="777"
        )
        said.insert(at, (ref, ghost))
        said.insert(rng.randint(at + 1, len(said)), (ref, Bust(effective_at=moment)))
    return said


@how_it_settles
@some_histories
def test_a_corrected_history_is_the_true_one(seed: int, settle_each: bool) -> None:
    scenario = reordered(seed, history(seed))
    amended = portfolio_of(scenario, corrected(seed, scenario), settle_each=settle_each)
    as_of = scenario["as_of"]
    assert state(amended, as_of) == state(portfolio_of(scenario), as_of)


@how_it_settles
@some_histories
def test_a_busted_trade_leaves_no_trace(seed: int, settle_each: bool) -> None:
    scenario = reordered(seed, history(seed))
    amended = portfolio_of(scenario, busted(seed, scenario), settle_each=settle_each)
    as_of = scenario["as_of"]
    assert state(amended, as_of) == state(portfolio_of(scenario), as_of)


def bought(quantity: str) -> Buy:
    return Buy(effective_at="2025-03-03", account="A", asset="X", quantity=quantity, amount="10")


def mend(quantity: str) -> Correction:
    return Correction(effective_at="2025-03-03", fact=bought(quantity))


BUST = Bust(effective_at="2025-03-03")


@how_it_settles
@pytest.mark.parametrize(
    ("said", "held"),
    [
        ([bought("1"), mend("2")], ["2"]),
        ([bought("1"), mend("2"), mend("3")], ["3"]),
        ([bought("1"), BUST], []),
        ([bought("1"), BUST, bought("2")], ["2"]),
        ([bought("1"), BUST, mend("2")], ["2"]),
        ([bought("1"), bought("2")], ["2"]),
        ([mend("2")], ["2"]),
        ([BUST], []),
    ],
)
def test_a_stream_counts_once_with_its_last_word(
    said: list[Fact], held: list[str], settle_each: bool
) -> None:
    scenario = {
        "schema": "tlh-golden/1", "id": "one", "as_of": "2025-12-31", "events": [],
        "assets": [{"id": "X", "class": "crypto", "group": "X"}],
    }  # fmt: skip
    facts = [("b1", fact) for fact in said]
    portfolio = portfolio_of(scenario, facts, settle_each=settle_each)
    assert [lot["qty"] for lot in state(portfolio, "2025-12-31")["lots"]] == held
    assert portfolio.all_issues() == []


def test_a_late_fact_folds_only_its_own_book() -> None:
    scenario = {
        "schema": "tlh-golden/1", "id": "two", "as_of": "2025-12-31", "events": [],
        "assets": [{"id": name, "class": "crypto", "group": name} for name in ("X", "Y")],
    }  # fmt: skip
    other = Buy(effective_at="2025-03-04", account="A", asset="Y", quantity="1", amount="1")
    portfolio: Portfolio = portfolio_of(scenario, [("b1", bought("1")), ("b2", other)])
    portfolio.add("b0", msgspec.structs.replace(bought("5"), effective_at="2025-01-02"))
    portfolio.settle()
    assert portfolio.changed == portfolio.refolded == {"X"}

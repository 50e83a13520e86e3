"""Histories with a hole, and with conversions between groups, against the oracle."""

from __future__ import annotations

import random

from tests.domain.agreement import in_order, late, must_agree
from tests.domain.replay import (
    Json,
    history,
    portfolio_of,
    reordered,
    some_histories,
    state,
    trades_of,
)

ACQUIRE = {"buy", "swap", "income", "gift_in", "inherit", "transfer"}


def holed(seed: int, scenario: Json) -> tuple[Json, str]:
    """A history without one of its acquisitions, so that later events may not be covered."""
    rng = random.Random(f"hole {seed}")
    missing = rng.choice([each["id"] for each in scenario["events"] if each["type"] in ACQUIRE])
    kept = [each for each in scenario["events"] if each["id"] != missing]
    return scenario | {"events": kept}, missing


def parted(scenario: Json) -> Json:
    """The same history with every coin in a group of its own, so that conversions join groups."""
    assets = [
        each | {"group": each["id"], "ratio": "1"} if each["class"] == "crypto" else each
        for each in scenario["assets"]
    ]
    return scenario | {"assets": assets}


@some_histories
def test_a_history_with_a_hole_gives_what_the_oracle_gives(seed: int) -> None:
    scenario, _ = holed(seed, reordered(seed, history(seed)))
    must_agree(seed, scenario, in_order)


@some_histories
def test_the_missing_fact_that_comes_last_lets_in_all_that_was_held_out(seed: int) -> None:
    whole = reordered(seed, history(seed))
    scenario, missing = holed(seed, whole)
    said = dict(trades_of(whole))
    late = {ref: fact for ref, fact in said.items() if ref != missing} | {missing: said[missing]}
    mended = portfolio_of(scenario, late.items(), settle_each=True)
    assert state(mended, whole["as_of"]) == state(portfolio_of(whole), whole["as_of"])


@some_histories
def test_conversions_between_groups_give_what_the_oracle_gives(seed: int) -> None:
    scenario = parted(reordered(seed, history(seed)))
    must_agree(seed, scenario, lambda each: late(seed, each))


@some_histories
def test_groups_that_a_conversion_joins_late_end_where_all_at_once_ends(seed: int) -> None:
    scenario = parted(reordered(seed, history(seed)))
    one_by_one = portfolio_of(scenario, settle_each=True)
    as_of = scenario["as_of"]
    assert state(one_by_one, as_of) == state(portfolio_of(scenario), as_of)

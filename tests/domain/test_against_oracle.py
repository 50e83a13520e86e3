"""Random histories: the engine against the unit-by-unit oracle, in any order of arrival."""

from __future__ import annotations

from tests.domain.replay import (
    answer,
    canonical,
    every_history,
    history,
    in_order,
    portfolio_of,
    reordered,
    state,
)
from tests.oracle.differences import differences
from tests.oracle.unit_simulator import simulate


@every_history
def test_a_history_gives_what_the_oracle_gives(seed: int) -> None:
    scenario = history(seed)
    assert differences(answer(scenario), simulate(scenario)) == []


@every_history
def test_a_history_that_arrives_out_of_order_gives_what_the_oracle_gives(seed: int) -> None:
    scenario = reordered(seed, history(seed))
    assert differences(answer(scenario), simulate(scenario)) == []


@every_history
def test_the_order_of_arrival_changes_no_digit(seed: int) -> None:
    arrived = reordered(seed, history(seed))
    assert canonical(answer(arrived)) == canonical(answer(in_order(arrived)))


@every_history
def test_facts_that_come_one_by_one_end_where_all_at_once_end(seed: int) -> None:
    arrived = reordered(seed, history(seed))
    one_by_one = portfolio_of(arrived, settle_each=True)
    as_of = arrived["as_of"]
    assert state(one_by_one, as_of) == state(portfolio_of(arrived), as_of)

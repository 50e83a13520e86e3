"""Random histories: the engine against the unit-by-unit simulator, in any order of arrival.

A failure prints its seed and the smallest history that shows it: `agreement.must_agree`.
"""

from __future__ import annotations

from tests.domain.agreement import as_known, in_order, late, must_agree
from tests.domain.replay import (
    every_history,
    history,
    portfolio_of,
    reordered,
    some_histories,
    state,
)


@every_history
def test_a_history_told_late_and_wrongly_ends_as_the_simulator_ends(seed: int) -> None:
    must_agree(seed, history(seed), lambda scenario: late(seed, scenario))


@every_history
def test_a_history_told_at_once_ends_as_the_simulator_ends(seed: int) -> None:
    must_agree(seed, history(seed), in_order)


@some_histories
def test_what_was_known_on_a_day_is_what_the_simulator_knows(seed: int) -> None:
    scenario = history(seed)
    for asked in scenario["snapshots"]:
        day, known_at = asked["as_of"], asked.get("known_at")
        must_agree(seed, scenario, lambda each: as_known(each, day, known_at))  # noqa: B023


@some_histories
def test_facts_that_come_one_by_one_end_digit_by_digit_where_all_at_once_end(seed: int) -> None:
    arrived = reordered(seed, history(seed))
    one_by_one = portfolio_of(arrived, settle_each=True)
    as_of = arrived["as_of"]
    assert state(one_by_one, as_of) == state(portfolio_of(arrived), as_of)

"""The random histories are worth comparing: each position moves a figure, each kind occurs."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import date

import pytest

from . import unit_reports
from .histories import WEIGHTS, random_scenario
from .history_setup import SWITCHES
from .unit_simulator import Simulation, simulated
from .units import Json

MOST_SEEDS = 400
AUTOMATIC = {"full_exit": "sell"}  # kinds that are written as another
POSITIONS = [name for name in SWITCHES if name != "rates"]


def histories(seeds: int) -> Iterator[Json]:
    for seed in range(seeds):
        yield random_scenario(random.Random(seed))


def state(scenario: Json) -> Json:
    sim = simulated(scenario, scenario["as_of"], None)
    day = date.fromisoformat(scenario["as_of"])
    return unit_reports.answer(sim, day, scenario["marks"], scenario["profile"])


@pytest.mark.parametrize("name", POSITIONS)
def test_a_position_moves_a_figure_of_some_history(name: str) -> None:
    """A position that no history feels would be compared in vain."""
    for seed in range(MOST_SEEDS):
        scenario = random_scenario(random.Random(seed))
        other = scenario | {"policy": scenario["policy"] | {name: SWITCHES[name][0]}}
        if state(other) != state(scenario):
            return
    pytest.fail(f"no history of {MOST_SEEDS} feels {name}")


def test_every_kind_of_event_occurs() -> None:
    kinds = Counter(e["type"] for each in histories(100) for e in each["events"])
    wanted = {AUTOMATIC.get(kind, kind) for kind in [*WEIGHTS, "basis_allocation"]} - {"oversell"}
    assert set(kinds) == wanted


def test_losses_are_disallowed_in_all_ways() -> None:
    """By held units, by later ones, in an IRA, by sold units, for a short of each kind."""
    seen: Counter[str] = Counter()
    for scenario in histories(150):
        seen.update(ways(simulated(scenario, scenario["as_of"], None)))
    assert set(seen) == {"row", "window", "owned short", "short against sales", "refused"}


def ways(sim: Simulation) -> Iterator[str]:
    """How losses of a history were treated."""
    for row in sim.sales:
        if row.wash:
            short = row.kind == "short_close"
            owned = short and row.order[0] < row.sold
            yield "owned short" if owned else "short against sales" if short else "row"
    if sim.pending:
        yield "window"
    if sim.refused:
        yield "refused"


def test_a_seed_gives_the_same_history_again() -> None:
    assert list(histories(20)) == list(histories(20))

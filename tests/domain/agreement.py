"""Where the engine and the unit-by-unit simulator do not agree about a history."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import pytest

from domain.days import day_of
from domain.portfolio import Portfolio
from tests.domain.arrivals import arrivals
from tests.domain.engine_answer import engine_answer
from tests.domain.replay import Said, portfolio_of, trades_of
from tests.oracle.differences import differences
from tests.oracle.shrinking import smallest
from tests.oracle.unit_reports import answer
from tests.oracle.unit_simulator import Simulation, simulated

Json = dict[str, Any]
SHOWN = 12


def wanted(scenario: Json, sim: Simulation) -> Json:
    """What the simulator says of a state."""
    marks = scenario["marks"]
    sections = answer(sim, date.fromisoformat(scenario["as_of"]), marks, scenario["profile"])
    refused = [{"event": event, "code": code} for event, code in sim.refused]
    left_out = ("totals", "error")
    return {k: v for k, v in sections.items() if k not in left_out} | {"refused": refused}


def compared(scenario: Json, portfolio: Portfolio, known_at: str | None = None) -> list[str]:
    """Lines about every figure that differs at `as_of`."""
    sim = simulated(scenario, scenario["as_of"], known_at)
    return differences(engine_answer(portfolio, scenario, sim.place), wanted(scenario, sim))


def in_order(scenario: Json) -> list[str]:
    """All facts at once."""
    return compared(scenario, portfolio_of(scenario, until_day=day_of(scenario["as_of"])))


def late(seed: int, scenario: Json) -> list[str]:
    """Facts in any order and in batches; some are corrected, some were never so."""
    portfolio = portfolio_of(scenario, (), until_day=day_of(scenario["as_of"]))
    for batch in arrivals(random.Random(f"arrival {seed}"), scenario):
        fed(portfolio, batch)
    return compared(scenario, portfolio)


def fed(portfolio: Portfolio, batch: Sequence[Said]) -> None:
    """One batch, settled."""
    for ref, fact in batch:
        portfolio.add(ref, fact)
    portfolio.settle()


def as_known(scenario: Json, as_of: str, known_at: str | None) -> list[str]:
    """The state at the end of another day, from what was recorded by then."""
    asked = scenario | {"as_of": as_of}
    sim = simulated(asked, as_of, known_at)
    known = {event.raw["id"] for event in sim.timeline}
    said = [(ref, fact) for ref, fact in trades_of(asked) if ref in known]
    return compared(asked, portfolio_of(asked, said, until_day=day_of(as_of)), known_at)


def must_agree(seed: int, scenario: Json, check: Callable[[Json], list[str]]) -> None:
    """Fails with the seed, what differs, and the smallest such history if the check finds any."""
    if check(scenario):
        small = smallest(scenario, lambda each: bool(check(each)))
        lines = [f"seed {seed}", *check(small)[:SHOWN], json.dumps(small)]
        pytest.fail("\n".join(lines), pytrace=False)

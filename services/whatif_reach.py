"""What if a target loss is to be reached: the cheapest lots, sold together and proved by a fold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from domain.exact import format_money, money
from domain.portfolio import Portfolio
from services.harvest_all import losing, sold_together
from services.queries import Queries, View
from services.whatif_choice import choose
from services.whatif_effect import standing
from services.whatif_lots import Candidate, Costs, above, unblocked

_ROUNDS = 5
Answer = dict[str, Any]


def reach(queries: Queries, view: View, target: int, costs: Costs) -> Answer:
    """Lots that harvest at least `target` (10**-36) at the least cost, sold on the view's day.

    A lot's harvest alone is what is weighed; the fold of all that are chosen says what they
    harvest together, and if that falls short more is chosen, some times over. Where recent
    purchases block something the choice is also made as if they did not (one purchase blocks
    each lot alone, but only once together), and the better of the two answers is given.
    `is_reached` says whether the target was met, `harvestable` what the fold gives.
    """
    before = standing(queries, view)
    found = losing(queries, view, before)
    ways = [above(found, 1)]
    if any(part.blocked for each in found for part in each.parts):
        ways.append(unblocked(found))
    answers = (each for way in ways for each in _tries(queries, view, before, way, target, costs))
    return min(answers, key=_rank)


def _tries(
    queries: Queries,
    view: View,
    before: Portfolio,
    found: list[Candidate],
    target: int,
    costs: Costs,
) -> Iterator[Answer]:
    """Answers until one meets the target or nothing more can be sold."""
    wanted, tried = target, None
    for _ in range(_ROUNDS):
        choice, rule = choose(found, wanted, costs)
        sales = [(each.candidate, each.units) for each in choice]
        if sales == tried:
            return
        tried = sales
        answer = sold_together(queries, view, before, sales, costs)
        short_of = target - money(answer["harvestable"])
        yield {
            "target": format_money(target),
            "is_reached": short_of <= 0,
            "short_of_target": format_money(max(0, short_of)),
            "chosen": rule,
            **answer,
        }
        if short_of <= 0:
            return
        wanted += short_of


def _rank(answer: Answer) -> tuple[int, int, int]:
    """Nearest to the target, then least cost, then least sold."""
    return money(answer["short_of_target"]), money(answer["cost"]), money(answer["value"])

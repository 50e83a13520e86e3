"""Choosing lots that harvest a target loss at the least cost.

All lots but one are sold whole, one may be sold in part. With few lots every such choice is
weighed (exact). With more: lots by cost per dollar of loss, the cheapest first, until the target
is met; with and without giving back, dearest first, those that the others make needless; then the
one lot is sold in part that saves most (a greedy rule: close to the least cost, without a proof).
Each lot counts with what it harvests if sold alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

from domain.exact import ONE_DOLLAR
from services.whatif_lots import Candidate, Costs

FEW = 10
EXACT = f"exact: every choice was weighed (at most {FEW} lots), one lot possibly sold in part"
GREEDY = "greedy: least cost per dollar of loss first, the best lot sold in part"


@dataclass(frozen=True, slots=True)
class Sold:
    """First units of a lot: what they harvest alone, what they cost, what they are worth."""

    candidate: Candidate
    units: int
    harvested: int
    cost: int
    value: int


Choice = tuple[Sold, ...]


def choose(found: Iterable[Candidate], target: int, costs: Costs) -> tuple[Choice, str]:
    """The choice and how it was made; every lot if all together miss the target (10**-36)."""
    offers = [_sold(each, each.units, costs) for each in found]
    useful = [each for each in offers if each.harvested > 0]
    rule = EXACT if len(useful) <= FEW else GREEDY
    if sum(each.harvested for each in useful) <= target:
        return tuple(useful), rule
    covers = _minimal(useful, target) if rule == EXACT else _greedy(useful, target)
    return min((_trimmed(each, target, costs) for each in covers), key=_rank), rule


def _sold(candidate: Candidate, units: int, costs: Costs) -> Sold:
    value = units * candidate.price
    return Sold(candidate, units, candidate.realised(units, costs), costs.of(value), value)


def _rank(choice: Choice) -> tuple[int, int, int]:
    """Least cost; then the least sold, in fewest sales."""
    return sum(each.cost for each in choice), sum(each.value for each in choice), len(choice)


def _minimal(useful: list[Sold], target: int) -> Iterator[Choice]:
    """Every set that meets the target and would not without any one of its lots."""
    for size in range(1, len(useful) + 1):
        for choice in combinations(useful, size):
            spare = sum(each.harvested for each in choice) - target
            if 0 <= spare < min(each.harvested for each in choice):
                yield choice


def _greedy(useful: list[Sold], target: int) -> Iterator[Choice]:
    chosen: list[Sold] = []
    total = 0
    for each in sorted(useful, key=_dearness):
        if total >= target:
            break
        chosen.append(each)
        total += each.harvested
    yield tuple(chosen)
    for each in sorted(chosen, key=_dearness, reverse=True):
        if total - each.harvested >= target:
            chosen.remove(each)
            total -= each.harvested
    yield tuple(chosen)


def _dearness(sold: Sold) -> tuple[int, int]:
    """Cost, then value sold, for each dollar of loss."""
    return (
        sold.cost * ONE_DOLLAR // sold.harvested,
        sold.value * ONE_DOLLAR // sold.harvested,
    )


def _trimmed(choice: Choice, target: int, costs: Costs) -> Choice:
    """The choice with the one lot sold in part that makes it cheapest."""
    spare = sum(each.harvested for each in choice) - target
    trimmed = [choice]
    for place, each in enumerate(choice):
        units = each.candidate.least_units(each.harvested - spare, costs)
        part = _sold(each.candidate, units, costs)
        if part.harvested >= each.harvested - spare:
            trimmed.append((*choice[:place], part, *choice[place + 1 :]))
    return min(trimmed, key=_rank)

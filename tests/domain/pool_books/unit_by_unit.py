"""The two laws again, unit by unit in fractions, written from the law apart from the engine.

Whole units of one asset and one person. A history is a list of (day, kind, units, amount) in
order; a sale of more than is held does not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

DAYS = 30


class Told(NamedTuple):
    """One trade; `kind` is buy or sell, `day` a number."""

    day: int
    kind: str
    units: int
    amount: int


def covered(history: list[Told]) -> Iterator[Told]:
    """The trades that count."""
    held = 0
    for told in history:
        if told.kind == "buy":
            held += told.units
        elif told.units > held:
            continue
        else:
            held -= told.units
        yield told


@dataclass
class Unit:
    """One unit bought, with its even share of what the day's purchases cost."""

    day: int
    cost: Fraction
    is_free: bool = True


Matched = dict[int, list[tuple[str, int, Fraction]]]  # day: rule, day bought (-1: pool), cost


def united_kingdom(history: list[Told]) -> tuple[Matched, int, Fraction]:
    """Each unit sold with the unit it met; then units and cost of the pool."""
    counted = list(covered(history))
    days = sorted({told.day for told in counted})
    bought: dict[int, list[Unit]] = {}
    to_match: dict[int, int] = {}
    for day in days:
        of_day = [told for told in counted if told.day == day]
        units = sum(told.units for told in of_day if told.kind == "buy")
        cost = sum(told.amount for told in of_day if told.kind == "buy")
        bought[day] = [Unit(day, Fraction(cost, units)) for _ in range(units)]
        to_match[day] = sum(told.units for told in of_day if told.kind == "sell")
    matched: Matched = {day: [] for day in days if to_match[day]}

    def meet(day: int, on: int, rule: str) -> None:
        for unit in bought[on]:
            if unit.is_free and to_match[day]:
                unit.is_free = False
                to_match[day] -= 1
                matched[day].append((rule, on, unit.cost))

    for day in days:
        meet(day, day, "same_day")
    for day in days:
        for later in days:
            if day < later <= day + DAYS:
                meet(day, later, "thirty_days")
    pool: list[Fraction] = []
    for day in days:
        pool += [unit.cost for unit in bought[day] if unit.is_free]
        for _ in range(to_match[day]):
            average = sum(pool, Fraction(0)) / len(pool)
            pool = [average] * (len(pool) - 1)
            matched[day].append(("s104", -1, average))
    return matched, len(pool), sum(pool, Fraction(0))


class Sold(NamedTuple):
    """A disposition: cost and denied loss."""

    proceeds: int
    cost: Fraction
    denied: Fraction


def canada(history: list[Told], last_day: int) -> tuple[list[Sold], int, Fraction]:
    """Each disposition; then units and cost of the pool as it is known on `last_day`."""
    counted = [told for told in covered(history) if told.day <= last_day]
    sold: list[Sold] = []
    held, cost = 0, Fraction(0)
    joins: dict[int, Fraction] = {}
    for place, told in enumerate(counted):
        if told.kind == "buy":
            held += told.units
            cost += told.amount + joins.get(place, Fraction(0))
            continue
        share = cost * told.units / held
        held, cost = held - told.units, cost - share
        loss, denied = share - told.amount, Fraction(0)
        if loss > 0:
            units = least(counted, told)
            denied = loss * units / told.units
            early = sum(
                each.units for each in counted[:place]
                if each.kind == "buy" and each.day >= told.day - DAYS
            )  # fmt: skip
            now = min(units, early, held)
            cost += loss * now / told.units
            units -= now
            for at in range(place + 1, len(counted)):
                if counted[at].kind == "buy" and counted[at].day <= told.day + DAYS:
                    now = min(units, counted[at].units)
                    joins[at] = joins.get(at, Fraction(0)) + loss * now / told.units
                    units -= now
            assert units == 0, "one person alone holds what he acquired"
        sold.append(Sold(told.amount, share, denied))
    return sold, held, cost


def least(counted: list[Told], sale: Told) -> int:
    """The least of S, P and B."""
    p = sum(each.units for each in counted
            if each.kind == "buy" and abs(each.day - sale.day) <= DAYS)  # fmt: skip
    b = sum(each.units if each.kind == "buy" else -each.units
            for each in counted if each.day <= sale.day + DAYS)  # fmt: skip
    return min(sale.units, p, b)

"""Resting rules: guarded by prices that an earlier process found, their books not even loaded.

A guard holds as long as the facts, the rule and its state are the same and nothing dated changes:
then the rule cannot have crossed, whatever the prices did meanwhile, unless one is beyond it now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from services.live.triggers import Key

if TYPE_CHECKING:
    from services.live.engine import Engine
    from services.live.watched import Watched


class RestingRule(msgspec.Struct, frozen=True):
    """A rule by name, its state as text, and its prices per asset (hexadecimal, 10**-18)."""

    name: str
    watched: str
    below: dict[str, str] = {}
    above: dict[str, str] = {}


class Rest(msgspec.Struct, frozen=True):
    """A taxpayer's guards: they hold on the tax days from `day` to before `until`.

    `zone`: of its policy, empty for UTC. `position`: of the log; its facts up to there count.
    """

    zone: str
    day: int
    until: int
    position: int
    rules: list[RestingRule]


def rests(engine: Engine, position: int) -> Iterator[tuple[str, Rest]]:
    """What can be said of each taxpayer whose rules wait for prices alone."""
    below, above = _prices(engine)
    for name, keys in engine._rules_of.items():
        holder, known = engine._holders.get(name), engine.resting.get(name)
        if holder is not None:
            zone = engine._zones[name]
            days = "" if zone is None else zone.key, holder.day, holder.until
        elif known is not None:
            days = known.zone, known.day, known.until
        else:
            continue
        rules = [
            RestingRule(key[1], repr(engine.watched[key]), below.get(key, {}), above.get(key, {}))
            for key in sorted(keys)
            if key in engine.triggers._guards and key not in engine._due
            and _is_plain(engine.watched[key])
        ]  # fmt: skip
        if rules:
            yield name, Rest(*days, position, rules)


def lay_to_rest(engine: Engine, key: Key, watched: Watched, rest: Rest | None) -> bool:
    """Guards a rule by what is stored of it; False if that is not about this rule and state."""
    rules = () if rest is None else rest.rules
    known = next((each for each in rules if each.name == key[1]), None)
    if rest is None or known is None or known.watched != repr(watched):
        return False
    zone = ZoneInfo(rest.zone) if rest.zone else None
    engine.watched[key] = watched
    engine._rules_of.setdefault(key[0], set()).add(key)
    engine._zones[key[0]] = zone
    engine._days.setdefault(zone, 0)
    engine._minute = ""  # so that the day is looked at before anybody is asked
    engine.resting[key[0]] = rest
    engine.triggers.guard(key, _numbers(known.below), _numbers(known.above))
    return True


def over(resting: dict[str, Rest], days: Mapping[ZoneInfo | None, int]) -> list[str]:
    """Takes out and returns the taxpayers whose guards hold no more on these days."""
    today = {"" if zone is None else zone.key: day for zone, day in days.items()}
    names = [
        name for name, rest in resting.items() if not rest.day <= today[rest.zone] < rest.until
    ]
    for name in names:
        del resting[name]
    return names


def _is_plain(watched: Watched) -> bool:
    """Whether a rule waits for prices alone: what else it may have is at its default."""
    return watched == type(watched)(
        watched.metric, watched.scope, watched.threshold, watched.level, watched.crossing,
        watched.firing, watched.cooldown_seconds, watched.ready_at,
    )  # fmt: skip


def _prices(engine: Engine) -> tuple[dict[Key, dict[str, str]], dict[Key, dict[str, str]]]:
    below: dict[Key, dict[str, str]] = {}
    above: dict[Key, dict[str, str]] = {}
    for asset, slot in engine.triggers.slots.items():
        for item in filter(engine.triggers._stands, slot.below):
            below.setdefault(item[2], {})[asset] = f"{-item[0]:x}"
        for item in filter(engine.triggers._stands, slot.above):
            above.setdefault(item[2], {})[asset] = f"{item[0]:x}"
    return below, above


def _numbers(prices: Mapping[str, str]) -> dict[str, int]:
    return {asset: int(price, 16) for asset, price in prices.items()}

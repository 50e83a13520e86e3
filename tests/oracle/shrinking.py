"""The smallest history that still shows what a history shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .units import Json


def smallest(scenario: Json, fails: Callable[[Json], bool]) -> Json:
    """Drop events and positions, one at a time, as long as the history still fails."""
    shorter = True
    while shorter:
        shorter = False
        for candidate in smaller(scenario):
            if still(candidate, fails):
                scenario, shorter = candidate, True
                break
    return scenario


def still(candidate: Json, fails: Callable[[Json], bool]) -> bool:
    """Whether it fails; a history that makes no sense any more does not count."""
    try:
        return fails(candidate)
    except (ArithmeticError, AssertionError, LookupError, ValueError):
        return False


def smaller(scenario: Json) -> Iterator[Json]:
    """The history without its second half, its first, each event, each position."""
    events, policy = scenario["events"], scenario["policy"]
    half = len(events) // 2
    if half > 1:
        yield scenario | {"events": events[:half]}
        yield scenario | {"events": events[half:]}
    for at in range(len(events) - 1, -1, -1):
        yield scenario | {"events": events[:at] + events[at + 1 :]}
    for name in policy:
        yield scenario | {"policy": {k: v for k, v in policy.items() if k != name}}

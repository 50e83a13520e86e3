"""Room for tax saved: by how much losses may move before a rule on the tax saved can cross.

The tax saved grows, or stays, when a loss grows, whatever the law makes of it. So a limit for the
loss of each term is enough: while all are within theirs, the tax saved is on its side as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from domain.loss_curves import Lines
from domain.years import Outlook
from services.live.sweep_parts import Term
from services.live.triggers import ANY
from services.live.watched import Watched
from services.statement import Mark

_GROWTH, _TRIES = 16, 12
_HALVINGS = 8  # of the room found, at most 1/256 is given away


def room(
    legs: Mapping[Term, list[tuple[str, Lines]]],
    outlook: Outlook,
    watched: Watched,
    marks: Mapping[str, Mark],
) -> dict[Term, int]:
    """Per term the loss (10**-36) up to which an armed rule cannot fire, or down to which a firing
    one cannot re-arm. `legs`: the lines in its scope. One that is across: a loss never kept to.
    """
    losses = {
        term: sum(lines.loss(marks[asset].price) for asset, lines in each if asset in marks)
        for term, each in legs.items()
    }

    def saved(step: int) -> int:
        return outlook.saved(
            {(outlook.year, *term): -max(0, loss + step) for term, loss in losses.items()}
        )

    if watched.firing:
        step = _furthest(lambda step: saved(-step) >= watched.level, watched.level)
        return {term: _at_least(loss, step) for term, loss in losses.items()}
    step = _furthest(lambda step: saved(step) < watched.threshold, watched.threshold)
    return {term: -1 if step < 0 else loss + step for term, loss in losses.items()}


def _at_least(loss: int, step: int) -> int:
    """The loss that is `step` less; no loss is less than nothing, so that needs no limit."""
    if step < 0:
        return ANY
    return loss - step if loss > step else -ANY


def _furthest(is_safe: Callable[[int], bool], first: int) -> int:
    """A step near the last one that is safe; -1 if none is. What is past an unsafe one is not."""
    if not is_safe(0):
        return -1
    low, high = 0, first
    for _ in range(_TRIES):
        if not is_safe(high):
            break
        low, high = high, high * _GROWTH
    else:
        return low
    for _ in range(_HALVINGS):
        middle = (low + high) // 2
        low, high = (middle, high) if is_safe(middle) else (low, middle)
    return low

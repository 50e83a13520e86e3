"""A watched rule with its state, and what it says when it crosses."""

from __future__ import annotations

from dataclasses import dataclass, field

from domain.decisions import AlertDate
from domain.exact import ONE_DOLLAR
from services.alert_rules import after_cooldown
from services.live.dwell import Dwell
from services.live.holder import Found
from services.live.triggers import Key


@dataclass(slots=True)
class Watched:
    """A rule and its state. `threshold` and `level` (below it re-arms) as the metric's values.

    `ready_at`: the instant before which it does not fire again.
    """

    metric: str
    scope: str
    threshold: int
    level: int
    crossing: int = 0
    firing: bool = False
    cooldown_seconds: int = 0
    ready_at: str = ""
    dwell: Dwell = field(default_factory=Dwell)

    def cool_from(self, fired_at: str) -> None:
        """It fired at an instant (UTC): the cooldown counts from then."""
        self.ready_at = after_cooldown(fired_at, self.cooldown_seconds)


@dataclass(frozen=True, slots=True)
class Crossing:
    """A rule fired (`value` reached its threshold) or was re-armed.

    Neither if `dwell` is PENDING (it waits from now on) or LAPSED (no longer); `since`: the instant
    from which on it waited, or waits.
    """

    key: Key
    fired: bool
    crossing: int
    value: int
    found: Found
    tax_saved: int
    dates: tuple[AlertDate, ...] = ()
    dwell: str = ""
    since: str = ""


def level_below(threshold: int, ratio: int) -> int:
    """The value below which a rule re-arms; `ratio` in 10**-36."""
    level: int = -(-threshold * ratio // ONE_DOLLAR)
    return level

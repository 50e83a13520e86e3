"""The engine: rules and their states in memory; says who crosses when prices, facts or days move.

It asks a rule only when a price reaches its guard, its taxpayer's facts or rules change, or a
dated change of its taxpayer is due; and values its lots only if the curves say that it may
cross. It stores and sends nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from zoneinfo import ZoneInfo

from domain.days import moment_key, sortable_instant
from domain.exact import ONE_DOLLAR
from services.live.guards import ONE, Metric, until_it_fires, until_it_rearms
from services.live.holder import Found, Holder
from services.live.resting import Rest, over
from services.live.triggers import Key, Triggers
from services.read_models import Taxpayer
from services.statement import Mark


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

    def cool_from(self, fired_at: str) -> None:
        """It fired at an instant (UTC): the cooldown counts from then."""
        if self.cooldown_seconds:
            fired = datetime.fromisoformat(fired_at).replace(tzinfo=UTC)
            self.ready_at = sortable_instant(fired + timedelta(seconds=self.cooldown_seconds))


@dataclass(frozen=True, slots=True)
class Crossing:
    """A rule fired (`value` reached its threshold) or was re-armed."""

    key: Key
    fired: bool
    crossing: int
    value: int
    found: Found
    tax_saved: int


class Engine:
    """Rules by (taxpayer, name). `load` gives a taxpayer's state.

    For those who measure: `asked` counts rules whose curves were looked at, `valued` those whose
    lots were. `resting`: taxpayers that are not loaded, as all their rules are guarded already.
    """

    def __init__(self, load: Callable[[str], Taxpayer]) -> None:
        self.watched: dict[Key, Watched] = {}
        self.triggers = Triggers()
        self.now = ""
        self.asked = self.valued = 0
        self.resting: dict[str, Rest] = {}
        self._load = load
        self._rules_of: dict[str, set[Key]] = {}
        self._holders: dict[str, Holder] = {}
        self._zones: dict[str, ZoneInfo | None] = {}
        self._days: dict[ZoneInfo | None, int] = {}
        self._timers: dict[ZoneInfo | None, list[tuple[int, str]]] = {}
        self._due: set[Key] = set()
        self._cooling: list[tuple[str, Key]] = []
        self._minute = ""

    def watch(self, key: Key, watched: Watched) -> None:
        """Takes a rule up; it is due."""
        name = key[0]
        self.watched[key] = watched
        self._rules_of.setdefault(name, set()).add(key)
        self._due.add(key)
        if name not in self._zones:
            zone = self._load(name).portfolio.declared.policy.zone
            self._zones[name] = zone
            self._days.setdefault(zone, 0)
            self._minute = ""

    def forget(self, name: str) -> None:
        """Drops the rules of a taxpayer, and what is known of its books."""
        self._holders.pop(name, None)
        self.resting.pop(name, None)
        self._zones.pop(name, None)
        for key in self._rules_of.pop(name, ()):
            del self.watched[key]
            self.triggers.forget(key)
            self._due.discard(key)

    def moved(self, assets: Collection[str], marks: Mapping[str, Mark]) -> None:
        """The board has other marks of these assets: who is reached is due."""
        for asset in self.triggers.scan((each, marks[each].price) for each in assets):
            self.reach(asset)

    def reach(self, asset: str) -> None:
        """Whoever waits for the price that the asset has now is due."""
        self._due |= self.triggers.reached(asset)

    def advance(self, at: str) -> bool:
        """The instant is `at`; time never goes back. On a new day, whom it changes is due.

        Returns whether anybody is due.
        """
        self.now = max(self.now, at)
        while self._cooling and self._cooling[0][0] <= self.now:
            self._due |= {heappop(self._cooling)[1]} & self.watched.keys()
        if self.now[:16] != self._minute:
            self._minute = self.now[:16]
            self._new_days()
        return bool(self._due)

    def _new_days(self) -> None:
        for zone, known in self._days.items():
            day = self._days[zone] = max(known, moment_key(self.now, zone)[0])
            timers = self._timers.setdefault(zone, [])
            while timers and timers[0][0] <= day:
                _, name = heappop(timers)
                holder = self._holders.get(name)
                if holder is not None and holder.until <= day:
                    del self._holders[name]
                    self._due |= self._rules_of.get(name, set())
        for name in over(self.resting, self._days):
            self._due |= self._rules_of.get(name, set())

    def crossings(self, marks: Mapping[str, Mark]) -> Iterator[Crossing]:
        """Asks the rules that are due, in the order of their keys, and guards them anew."""
        due, self._due = sorted(self._due), set()
        for key in due:
            watched, holder = self.watched[key], self._holder(key[0])
            metric = holder.metric(watched.metric, watched.scope)
            prices = {asset: marks[asset].price for asset in metric.assets if asset in marks}
            self.asked += 1
            found = None
            if self._may_cross(watched, metric, prices):
                found = self._value(key, marks)
            self._guard(key, metric, prices)
            if found is not None:
                yield found

    def _holder(self, name: str) -> Holder:
        holder = self._holders.get(name)
        if holder is None:
            zone = self._zones[name]
            holder = self._holders[name] = Holder(self._load(name), self._days[zone])
            heappush(self._timers.setdefault(zone, []), (holder.until, name))
        return holder

    def _may_cross(self, watched: Watched, metric: Metric, prices: Mapping[str, int]) -> bool:
        """Whether the curves leave it open; they are no lower than the value."""
        if not watched.firing and self.now < watched.ready_at:
            return False
        if metric.opaque:
            return True
        bound = metric.at(prices)(ONE)
        if watched.firing:
            return bound < watched.level or not metric.is_exact
        return bound >= watched.threshold

    def _value(self, key: Key, marks: Mapping[str, Mark]) -> Crossing | None:
        watched, holder = self.watched[key], self._holder(key[0])
        self.valued += 1
        value, found = holder.value(watched.metric, watched.scope, marks)
        if not watched.firing and value >= watched.threshold:
            watched.crossing, watched.firing = watched.crossing + 1, True
            watched.cool_from(self.now)
            return Crossing(key, True, watched.crossing, value, found, holder.saved(found))
        if watched.firing and value < watched.level:
            watched.firing = False
            return Crossing(key, False, watched.crossing, value, [], 0)
        return None

    def _guard(self, key: Key, metric: Metric, prices: Mapping[str, int]) -> None:
        watched = self.watched[key]
        if watched.firing:
            self.triggers.guard(key, {}, until_it_rearms(metric, prices, watched.level))
        elif self.now < watched.ready_at:
            self.triggers.forget(key)
            heappush(self._cooling, (watched.ready_at, key))
        else:
            self.triggers.guard(key, until_it_fires(metric, prices, watched.threshold), {})


def level_below(threshold: int, ratio: int) -> int:
    """The value below which a rule re-arms; `ratio` in 10**-36."""
    level: int = -(-threshold * ratio // ONE_DOLLAR)
    return level

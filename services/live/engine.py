"""The engine: rules and their states in memory; says who crosses when prices, facts or days move.

It asks a rule only when a price reaches its guard, its taxpayer's facts or rules change, or a
dated change of its taxpayer is due; and values its lots only if the curves say that it may
cross. It stores and sends nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Set
from heapq import heappop, heappush
from zoneinfo import ZoneInfo

from domain.days import moment_key
from services.live.date_rules import DateRule, DateRules, Now, RecordedAt
from services.live.dwell import LAPSED, PENDING
from services.live.guards import ONE, Metric, until_it_fires, until_it_rearms
from services.live.holder import Holder
from services.live.resting import Rest, over
from services.live.triggers import Key, Triggers, prices_of
from services.live.watched import Crossing, Watched
from services.statement import Mark
from services.written import Taxpayer


class Engine:
    """Rules by (taxpayer, name). `load` gives a taxpayer's state, `recorded_at` when a fact of it
    was recorded (empty: always known).

    For those who measure: `asked` counts rules whose curves were looked at, `valued` those whose
    lots were. For the sweep: `stale` names taxpayers whose books or rules may be others than it
    saw, `touched` the rules that were asked since. `resting`: taxpayers that need not be loaded,
    as their rules are guarded already.
    """

    def __init__(
        self, load: Callable[[str], Taxpayer], recorded_at: RecordedAt = lambda name, ref: ""
    ) -> None:
        self.dates = DateRules(load, recorded_at)
        self.watched: dict[Key, Watched] = {}
        self.triggers = Triggers()
        self.now = ""
        self.asked = self.valued = 0
        self.stale: set[str] = set()
        self.touched: set[Key] = set()
        self.resting: dict[str, Rest] = {}
        self._load = load
        self._rules_of: dict[str, set[Key]] = {}
        self._holders: dict[str, Holder] = {}
        self._zones: dict[str, ZoneInfo | None] = {}
        self._days: dict[ZoneInfo | None, int] = {}
        self._timers: dict[ZoneInfo | None, list[tuple[int, str]]] = {}
        self._due: set[Key] = set()
        self._cooling: list[tuple[str, Key]] = []  # ends of cooldowns, and of dwells
        self._minute = ""

    def watch(self, key: Key, watched: Watched) -> None:
        """Takes a rule up; it is due."""
        self.watched[key] = watched
        self._rules_of.setdefault(key[0], set()).add(key)
        self._due.add(key)
        if watched.dwell.since:
            heappush(self._cooling, (watched.dwell.until, key))
        self.stale.add(key[0])
        self._follow_days(key[0])

    def watch_date(self, key: Key, rule: DateRule) -> None:
        """Takes a rule up whose metric is a day; it is due."""
        self.dates.watch(key, rule)
        self._follow_days(key[0])

    def _follow_days(self, name: str) -> None:
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
        self.dates.forget(name)
        self.stale.add(name)
        for key in self._rules_of.pop(name, ()):
            del self.watched[key]
            self.triggers.forget(key)
            self._due.discard(key)

    def moved(self, assets: Collection[str], marks: Mapping[str, Mark]) -> None:
        """The board has other marks of these assets: who is reached is due."""
        for asset in self.triggers.scan(prices_of(assets, marks)):
            self.reach(asset)
        if self.dates.triggers.slots:
            self.dates.moved(assets, marks)

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
        return self.dates.advance(self.now) or bool(self._due)

    def _new_days(self) -> None:
        for zone, known in self._days.items():
            day = self._days[zone] = max(known, moment_key(self.now, zone)[0])
            if day > known:
                self.dates.new_day({name for name in self._zones if self._zones[name] == zone})
            timers = self._timers.setdefault(zone, [])
            while timers and timers[0][0] <= day:
                _, name = heappop(timers)
                holder = self._holders.get(name)
                if holder is not None and holder.until <= day:
                    del self._holders[name]
                    self.stale.add(name)
                    self._due |= self._rules_of.get(name, set())
        for name in over(self.resting, self._days):
            self.stale.add(name)
            self._due |= self._rules_of.get(name, set())

    def crossings(self, marks: Mapping[str, Mark]) -> Iterator[Crossing]:
        """Asks the rules that are due, in the order of their keys, and guards them anew; then
        those whose metric is a day.
        """
        yield from self.ask(self.take_due(), marks)
        yield from self.told(marks)

    def take_due(self) -> set[Key]:
        """The rules that are due; they are due no more, so whoever takes them asks them."""
        due, self._due = self._due, set()
        return due

    def ask(
        self,
        keys: Collection[Key],
        marks: Mapping[str, Mark],
        spared: Callable[[Key, Metric], bool] = lambda key, metric: False,
    ) -> Iterator[Crossing]:
        """Asks these rules, in the order of their keys; all are guarded anew but the `spared`."""
        self.touched.update(keys)
        for key in sorted(keys):
            watched, holder = self.watched[key], self.holder(key[0])
            metric = holder.metric(watched.metric, watched.scope)
            prices = {asset: marks[asset].price for asset in metric.assets if asset in marks}
            self.asked += 1
            found = None
            if self._may_cross(watched, metric, prices):
                found = self._value(key, marks)
            if spared(key, metric):
                self.triggers.forget(key)
            else:
                self._guard(key, metric, prices)
            if found is not None:
                yield found

    def told(self, marks: Mapping[str, Mark]) -> Iterator[Crossing]:
        """Asks the rules whose metric is a day and that are due."""
        now = Now(self.now, marks, self._day, self._zones.__getitem__, self.holder)
        for told in self.dates.told(now):
            yield Crossing(
                told.key, told.fired, told.crossing, told.value, told.found, told.tax_saved,
                told.dates,
            )  # fmt: skip

    def _day(self, name: str) -> int:
        return self._days[self._zones[name]]

    def rules_of(self, name: str) -> set[Key]:
        """The rules of a taxpayer."""
        return self._rules_of.get(name, set())

    @property
    def due(self) -> Set[Key]:
        """Who has to be asked at the next evaluation."""
        return self._due

    def is_asleep(self, name: str) -> bool:
        """Whether a taxpayer rests, and nothing has asked for its books yet."""
        return name in self.resting and name not in self._holders

    def holder(self, name: str) -> Holder:
        """A taxpayer's books as rules see them today, made if they are not known."""
        holder = self._holders.get(name)
        if holder is None:
            if name in self.resting:
                self.stale.add(name)
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
        if self.now < watched.dwell.until:
            return bound < watched.threshold or not metric.is_exact
        return bound >= watched.threshold or bool(watched.dwell.since)

    def _value(self, key: Key, marks: Mapping[str, Mark]) -> Crossing | None:
        watched, holder = self.watched[key], self.holder(key[0])
        self.valued += 1
        value, found = holder.value(watched.metric, watched.scope, marks)
        if watched.firing and value < watched.level:
            watched.firing = False
            return Crossing(key, False, watched.crossing, value, [], 0)
        if watched.firing or (value < watched.threshold and not watched.dwell.since):
            return None
        if value < watched.threshold:
            since = watched.dwell.end()
            return Crossing(
                key, False, watched.crossing + 1, value, [], 0, dwell=LAPSED, since=since
            )
        if watched.dwell.seconds and not watched.dwell.since:
            watched.dwell.start(self.now)
            heappush(self._cooling, (watched.dwell.until, key))
            return Crossing(
                key, False, watched.crossing + 1, value, found, 0, dwell=PENDING, since=self.now
            )
        if self.now < watched.dwell.until:
            return None
        watched.crossing, watched.firing = watched.crossing + 1, True
        watched.cool_from(self.now)
        saved, since = holder.saved(found), watched.dwell.end()
        return Crossing(key, True, watched.crossing, value, found, saved, since=since)

    def _guard(self, key: Key, metric: Metric, prices: Mapping[str, int]) -> None:
        watched = self.watched[key]
        if watched.firing:
            self.triggers.guard(key, {}, until_it_rearms(metric, prices, watched.level))
        elif watched.dwell.since:
            self.triggers.guard(key, {}, until_it_rearms(metric, prices, watched.threshold))
        elif self.now < watched.ready_at:
            self.triggers.forget(key)
            heappush(self._cooling, (watched.ready_at, key))
        else:
            self.triggers.guard(key, until_it_fires(metric, prices, watched.threshold), {})

"""Rules whose metric is a day: asked when facts change and at each midnight of the taxpayer.

A day of a subject is told once by a rule, at the first instant known in its time. Of the year's
end the loss left is asked too, so in its last days prices are watched as for any other rule.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import msgspec

from domain.days import day_of, moment_key
from domain.decisions import AlertDate
from domain.exact import ONE_DOLLAR, money
from projections.schema import Piece
from services.alert_rules import YEAR_END, after_cooldown
from services.live.dates import Dates, key_of, of_year, year_end
from services.live.guards import ONE, until_it_fires
from services.live.holder import Found, Holder
from services.live.triggers import Key, Triggers, prices_of
from services.statement import Marks
from services.trading_days import trading_days_left
from services.written import Taxpayer

_LOSS = "harvestable_loss"
RecordedAt = Callable[[str, str], str]


@dataclass(slots=True)
class DateRule:
    """A rule and its state. `days`: how long before; `amount`: of the year's end, in 10**-36.

    `since`: the instant from which it watches. `told`: keys of the days it told; `open`: the last
    day of each of its alerts that is not over, by crossing. `ready_at`: not before that instant.
    """

    metric: str
    scope: str
    days: int
    amount: int = 0
    since: str = ""
    crossing: int = 0
    cooldown_seconds: int = 0
    ready_at: str = ""
    told: set[tuple[str, ...]] = field(default_factory=set)
    open: dict[int, int] = field(default_factory=dict)

    def tell(self, crossing: int, dates: Iterable[AlertDate], fired_at: str, day: int) -> None:
        """A crossing about these days fired at an instant of a tax day."""
        self.crossing = crossing
        self.open[crossing] = day
        for each in dates:
            self.told.add(key_of(each))
            self.open[crossing] = max(self.open[crossing], day_of(each.day))
        self.ready_at = after_cooldown(fired_at, self.cooldown_seconds)


@dataclass(frozen=True, slots=True)
class Told:
    """A rule fired (`dates` fell due, `value` days before the first), or its days are over."""

    key: Key
    fired: bool
    crossing: int
    value: int
    dates: tuple[AlertDate, ...] = ()
    found: Found = field(default_factory=list)
    tax_saved: int = 0


@dataclass(frozen=True, slots=True)
class Now:
    """The instant at which rules are asked; `day` says which tax day of a taxpayer it is."""

    at: str
    marks: Marks
    day: Callable[[str], int]
    zone: Callable[[str], ZoneInfo | None]
    holder: Callable[[str], Holder]


class DateRules:
    """Date rules by (taxpayer, name). `recorded_at` gives the instant a fact was last recorded."""

    def __init__(self, load: Callable[[str], Taxpayer], recorded_at: RecordedAt) -> None:
        self.rules: dict[Key, DateRule] = {}
        self.triggers = Triggers()
        self._rules_of: dict[str, set[Key]] = {}
        self._load = load
        self._recorded_at = recorded_at
        self._dates: dict[str, Dates] = {}
        self._due: set[Key] = set()
        self._cooling: set[Key] = set()

    def watch(self, key: Key, rule: DateRule) -> None:
        """Takes a rule up; it is due."""
        self.rules[key] = rule
        self._rules_of.setdefault(key[0], set()).add(key)
        self._due.add(key)

    def forget(self, name: str) -> None:
        """Drops the rules of a taxpayer, and its days."""
        self._dates.pop(name, None)
        for key in self._rules_of.pop(name, ()):
            del self.rules[key]
            self.triggers.forget(key)
            self._due.discard(key)
            self._cooling.discard(key)

    def moved(self, assets: Collection[str], marks: Marks) -> None:
        """The board has other marks of these assets: who waits for them is due."""
        for asset in self.triggers.scan(prices_of(assets, marks)):
            self._due |= self.triggers.reached(asset)

    def new_day(self, names: Collection[str]) -> None:
        """A new day began for these taxpayers."""
        for name in names:
            self._due |= self._rules_of.get(name, set())

    def advance(self, now: str) -> bool:
        """Whose cooldown is over is due. Returns whether anybody is due."""
        if self._cooling:
            ready = {key for key in self._cooling if self.rules[key].ready_at <= now}
            self._cooling -= ready
            self._due |= ready
        return bool(self._due)

    def told(self, now: Now) -> Iterator[Told]:
        """Asks the rules that are due, in the order of their keys."""
        due, self._due = sorted(self._due), set()
        for key in due:
            rule, day = self.rules[key], now.day(key[0])
            yield from _over(key, rule, day)
            if now.at < rule.ready_at:
                self._cooling.add(key)
                continue
            ask = self._year_end if rule.metric == YEAR_END else self._days
            found = ask(key, rule, day, now)
            if found is not None:
                rule.tell(found.crossing, found.dates, now.at, day)
                yield found

    def _days(self, key: Key, rule: DateRule, day: int, now: Now) -> Told | None:
        dates = self._dates.get(key[0])
        if dates is None:
            dates = self._dates[key[0]] = Dates(self._load(key[0]).portfolio)
        due = tuple(
            each
            for each in dates.due(rule.metric, rule.scope, day, rule.days, now.marks)
            if key_of(each) not in rule.told
            and (day_of(each.day) >= day or self._was_known(key[0], rule, each, now))
        )
        if not due:
            return None
        left = day_of(due[0].day) - day
        return Told(key, True, rule.crossing + 1, left * ONE_DOLLAR, due)

    def _was_known(self, name: str, rule: DateRule, date: AlertDate, now: Now) -> bool:
        """Whether a day that is past could have been told: rule and facts were there by then."""
        zone = now.zone(name)

        def by_then(instant: str) -> bool:
            return not instant or moment_key(instant, zone)[0] <= day_of(date.day)

        return by_then(rule.since) and all(
            by_then(self._recorded_at(name, ref)) for ref in date.because
        )

    def _year_end(self, key: Key, rule: DateRule, day: int, now: Now) -> Told | None:
        self.triggers.forget(key)
        law = self._load(key[0]).portfolio.declared.policy.rules
        last = year_end(law, day, rule.days)
        if not last or key_of(of_year(last, 0)) in rule.told:
            return None
        holder, threshold = now.holder(key[0]), max(1, rule.amount)
        metric = holder.metric(_LOSS, rule.scope)
        prices = {each: now.marks[each].price for each in metric.assets if each in now.marks}
        if metric.opaque or metric.at(prices)(ONE) >= threshold:
            loss, found = holder.value(_LOSS, rule.scope, now.marks)
            if loss >= threshold:
                left = trading_days_left(law.exchange, day, last)
                date, saved = of_year(last, loss), holder.saved(found)
                return Told(key, True, rule.crossing + 1, left * ONE_DOLLAR, (date,), found, saved)
        self.triggers.guard(key, until_it_fires(metric, prices, threshold), {})
        return None


def _over(key: Key, rule: DateRule, day: int) -> Iterator[Told]:
    """The alerts whose days have passed: they are cleared."""
    for crossing, last in sorted(rule.open.items()):
        if last < day:
            del rule.open[crossing]
            yield Told(key, False, crossing, (last - day) * ONE_DOLLAR)


def date_rule(rule: Piece, known: Iterable[Piece], zone: ZoneInfo | None) -> DateRule:
    """A rule of the read model with the state that its alerts left it in, oldest first."""
    made = DateRule(
        rule["metric"], rule["scope"], money(rule["threshold"]) // ONE_DOLLAR,
        money(rule["amount"]), rule["since"], cooldown_seconds=rule["cooldown_seconds"],
    )  # fmt: skip
    for alert in known:
        if alert["rule"] == rule["name"]:
            dates = msgspec.convert(alert["evidence"]["dates"], list[AlertDate])
            day = moment_key(alert["fired_at"], zone)[0]
            made.tell(alert["crossing"], dates, alert["fired_at"], day)
            if alert["rearmed_at"]:
                del made.open[alert["crossing"]]
    return made

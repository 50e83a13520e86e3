"""Alerting: a rule that crosses at the latest marks becomes a fact, once.

A rule is armed until its metric reaches the threshold (it fires), then firing until the metric
is below threshold x re-arm ratio (it re-arms). Nobody is valued at a tick that cannot make a
rule cross: `services.live` knows the prices at which one can. Delivery is another service.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from zoneinfo import ZoneInfo

from domain.days import moment_key
from domain.decisions import AlertFired, AlertLot, AlertMark, AlertRearmed
from domain.exact import ONE_DOLLAR, format_money, format_quantity, money
from projections import alerts
from projections.schema import Piece
from services.ledger import Ledger, Offer, Outcome
from services.live.guards import until_it_fires, until_it_rearms
from services.live.holder import Found, Holder
from services.live.triggers import Key, Triggers
from services.marks import Quote, shown
from services.projector import Projector

SOURCE = "thresher"
LOTS_IN_EVIDENCE = 100
_NOTHING: Piece = {}


@dataclass(slots=True)
class _Watched:
    """A rule and its state; level: what re-arms it when the metric is below."""

    rule: Piece
    threshold: int
    level: int
    crossing: int = 0
    firing: bool = False


class Watch:
    """Evaluates alert rules when marks, facts or days change.

    `checks` counts exact valuations of a rule, for those who measure.
    """

    def __init__(self, projector: Projector, ledger: Ledger) -> None:
        self._projector = projector
        self._ledger = ledger
        self._watched: dict[Key, _Watched] = {}
        self._holders: dict[str, Holder] = {}
        self._zones: dict[str, ZoneInfo | None] = {}  # of each watched taxpayer
        self._days: dict[ZoneInfo | None, int] = {}  # tax day of each zone
        self._timers: dict[ZoneInfo | None, list[tuple[int, str]]] = {}  # by zone: day, taxpayer
        self._triggers = Triggers()
        self._due: set[Key] = set()
        self._now = self._minute = ""
        self.checks = 0
        projector.changed |= set(ledger.taxpayers())
        self.reload()

    def reload(self) -> None:
        """Takes up rules and facts that changed; all others stay as they are guarded."""
        changed, self._projector.changed = self._projector.changed, set()
        with self._projector.database.reading() as connection:
            rules = {(each["taxpayer"], each["name"]): each for each in alerts.rules(connection)}
            for key in self._watched.keys() | rules.keys():
                known = self._watched.get(key)
                if (known.rule if known else _NOTHING) != rules.get(key, _NOTHING):
                    changed.add(key[0])
            for name in changed:
                self._forget(name)
            for key in sorted(key for key in rules if key[0] in changed):
                self._watched[key] = _watched(rules[key])
                self._due.add(key)
            for name in changed & {taxpayer for taxpayer, _ in rules}:
                self._take_up_states(name, alerts.read(connection, name))

    def follow(self) -> None:
        """Takes up what other commands did meanwhile: facts, rules, marks."""
        self._projector.follow()
        if self._projector.changed:
            self.reload()

    def tick(
        self, stored: Sequence[tuple[int, Quote]], recorded_at: str
    ) -> list[AlertFired | AlertRearmed]:
        """Takes stored marks of one instant in and evaluates the rules that they reach."""
        board = self._projector.board
        self.moved({quote.asset for id, quote in stored if board.take(id, quote)})
        return self.evaluate(stored[0][1].at, recorded_at)

    def moved(self, assets: Collection[str]) -> None:
        """The board has other marks of these assets: who is reached is due."""
        marks = self._projector.board.marks
        for asset in self._triggers.scan((each, marks[each].price) for each in assets):
            self._due |= self._triggers.reached(asset)

    def evaluate(self, at: str, recorded_at: str) -> list[AlertFired | AlertRearmed]:
        """Evaluates the rules that are due at the instant `at`; crossings are appended.

        Time never goes back: a mark that comes late is valued now.
        """
        self._now = max(self._now, at)
        self._advance()
        due, self._due = sorted(self._due), set()
        offers = [offer for key in due if (offer := self._evaluate(key)) is not None]
        for key in due:
            self._guard(key)
        if not offers:
            return []
        outcomes = self._ledger.append(offers, recorded_at)
        self._projector.catch_up(self._now[:10])
        if any(outcome is not Outcome.NEW for outcome in outcomes):
            # Another process saw the crossing first: its alert is the one.
            self._projector.changed |= {offer.taxpayer for offer in offers}
            self.reload()
        return [
            offer.fact
            for offer, outcome in zip(offers, outcomes, strict=True)
            if outcome is Outcome.NEW and isinstance(offer.fact, AlertFired | AlertRearmed)
        ]

    def _forget(self, name: str) -> None:
        self._holders.pop(name, None)
        self._zones.pop(name, None)
        for key in [key for key in self._watched if key[0] == name]:
            del self._watched[key]
            self._triggers.forget(key)
            self._due.discard(key)

    def _take_up_states(self, name: str, known: Sequence[Piece]) -> None:
        policy = self._projector.taxpayer(name).portfolio.declared.policy
        self._zones[name] = policy.zone
        self._days.setdefault(policy.zone, 0)
        self._minute = ""
        for alert in known:
            watched = self._watched.get((name, alert["rule"]))
            if watched is not None and alert["crossing"] > watched.crossing:
                watched.crossing, watched.firing = alert["crossing"], not alert["rearmed_at"]

    def _advance(self) -> None:
        """When it is a new day in a zone, the taxpayers for whom it changes something are due."""
        if self._now[:16] == self._minute:
            return
        self._minute = self._now[:16]
        for zone, known in self._days.items():
            day = self._days[zone] = max(known, moment_key(self._now, zone)[0])
            timers = self._timers.setdefault(zone, [])
            while timers and timers[0][0] <= day:
                _, name = heappop(timers)
                holder = self._holders.get(name)
                if holder is not None and holder.until <= day:
                    del self._holders[name]
                    self._due |= {key for key in self._watched if key[0] == name}

    def _holder(self, name: str) -> Holder:
        holder = self._holders.get(name)
        if holder is None:
            zone = self._zones[name]
            holder = Holder(self._projector.taxpayer(name), self._days[zone])
            self._holders[name] = holder
            heappush(self._timers.setdefault(zone, []), (holder.until, name))
        return holder

    def _guard(self, key: Key) -> None:
        """Sets the prices at which the rule has to be asked again."""
        watched, prices = self._watched[key], {}
        metric = self._holder(key[0]).metric(watched.rule["metric"], watched.rule["scope"])
        for asset in metric.assets():
            mark = self._projector.board.marks.get(asset)
            if mark is not None:
                prices[asset] = mark.price
        if watched.firing:
            self._triggers.guard(key, {}, until_it_rearms(metric, prices, watched.level))
        else:
            self._triggers.guard(key, until_it_fires(metric, prices, watched.threshold), {})

    def _evaluate(self, key: Key) -> Offer | None:
        taxpayer, name = key
        watched, holder = self._watched[key], self._holder(taxpayer)
        rule = watched.rule
        self.checks += 1
        value, found = holder.value(rule["metric"], rule["scope"], self._projector.board.marks)
        if not watched.firing and value >= watched.threshold:
            watched.crossing, watched.firing = watched.crossing + 1, True
            fired = self._fired(watched, value, found, holder)
            return Offer(taxpayer, SOURCE, f"alert/{name}/{watched.crossing}", fired)
        if watched.firing and value < watched.level:
            watched.firing = False
            rearmed = AlertRearmed(
                effective_at=self._now, rule=name, crossing=watched.crossing,
                value=format_money(value),
            )  # fmt: skip
            return Offer(taxpayer, SOURCE, f"rearmed/{name}/{watched.crossing}", rearmed)
        return None

    def _fired(self, watched: _Watched, value: int, found: Found, holder: Holder) -> AlertFired:
        rule = watched.rule
        found = sorted(found, key=lambda one: (-one.harvestable, one.lot.serial))
        marks = self._projector.board.marks
        behind = sorted({one.lot.asset.id for one in found})
        return AlertFired(
            effective_at=self._now,
            rule=rule["name"],
            crossing=watched.crossing,
            scope=rule["scope"],
            metric=rule["metric"],
            threshold=rule["threshold"],
            value=format_money(value),
            position=self._projector.position,
            channels=tuple(rule["channels"].split()),
            marks=tuple(AlertMark(**shown(marks[asset])) for asset in behind),
            lots=tuple(
                AlertLot(
                    one.lot.ref,
                    one.lot.account.id,
                    one.lot.asset.id,
                    format_quantity(one.lot.quantity),
                    format_money(one.harvestable),
                )
                for one in found[:LOTS_IN_EVIDENCE]
            ),
            lot_count=len(found),
            tax_saved=format_money(holder.saved(found)),
        )


def _watched(rule: Piece) -> _Watched:
    threshold = money(rule["threshold"])
    level = -(-threshold * money(rule["rearm_ratio"]) // ONE_DOLLAR)
    return _Watched(rule, threshold, level)

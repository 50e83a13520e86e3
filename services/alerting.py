"""Alerting: a rule that crosses at the latest marks becomes a fact, once.

A rule is armed until its metric reaches the threshold (it fires), then firing until the metric
is below threshold x re-arm ratio (it re-arms). A rule with dwell is pending in between: it fires
at the first instant known at or after the end of its dwell, if no instant known was below.
Nobody is valued at a tick that cannot make a rule cross: see `services.live`. Delivery is another
service.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from domain.decisions import AlertFired, AlertLot, AlertMark, AlertRearmed
from domain.exact import format_money, format_quantity, money
from projections import alerts, pending
from projections.schema import Piece
from services.alert_rules import DATE_METRICS, NOTICE
from services.ledger import Ledger, Offer, Outcome
from services.live.date_rules import date_rule
from services.live.engine import Engine
from services.live.resting import lay_to_rest
from services.live.watched import Crossing, Watched, level_below
from services.mark_policy import is_weak
from services.marks import Quote, shown
from services.pending import dwell_fact, known_dwell
from services.projector import Projector
from services.rests import load, save

if TYPE_CHECKING:
    from services.intake import Intake
    from services.live.relief import Relief

SOURCE = "thresher"
LOTS_IN_EVIDENCE = 100
_log = logging.getLogger(__name__)
WORTH_WRITING = 20  # what rules wait for is stored when one in so many was asked

_Rules = dict[str, dict[str, Piece]]  # by taxpayer and name


class Watch:
    """Evaluates alert rules when marks, facts or days change."""

    def __init__(self, projector: Projector, ledger: Ledger) -> None:
        self.engine = Engine(projector.taxpayer, self._recorded_at)
        self._projector = projector
        self._ledger = ledger
        self._rules: _Rules = {}
        self._seen: list[Offer] = []
        self._rests = load(projector)
        projector.all_changed()
        self.reload()
        self._rests = {}
        self.moved(projector.board.marks)  # whoever rests is asked if a price is beyond its guard

    def rest(self) -> None:
        """Stores what every rule waits for, so that the next process need not ask it.

        A few rules that were asked since are not worth writing all: they are asked once more.
        """
        if self.engine.asked * WORTH_WRITING >= len(self.engine.watched) > 0:
            save(self._projector, self.engine)

    def reload(self) -> None:
        """Takes up rules and facts that changed; all others stay as they are guarded."""
        changed, self._projector.changed = self._projector.changed, set()
        ruled, self._projector.ruled = self._projector.ruled, set()
        # Who has no rule here, and told of none since, has none.
        asked = ruled | (changed & self._rules.keys())
        rules, fired, waits = self._stored(asked) if asked else ({}, {}, {})
        changed |= {name for name in ruled if self._rules.get(name) != rules.get(name)}
        for name in changed:
            self.engine.forget(name)
            self._rules.pop(name, None)
        for name in sorted(changed & rules.keys()):
            self._rules[name] = rules[name]
            for rule in rules[name].values():
                self._take_up(rule, fired.get(name, ()), waits.get(name, ()))
        self.moved(self._projector.board.moved_by_facts())

    def _stored(self, names: set[str]) -> tuple[_Rules, dict[str, Any], dict[str, Any]]:
        """The rules of some taxpayers, their alerts, and what was pending, as stored."""
        with self._projector.database.reading() as connection:
            rules = alerts.rules_of(connection, sorted(names))
            fired = alerts.taxpayers(connection, rules)
            waits = pending.taxpayers(connection, rules)
            return (
                rules,
                {name: alerts.read(connection, name) for name in fired},
                {name: pending.latest(connection, name) for name in waits},
            )

    def _take_up(self, rule: Piece, fired: Sequence[Piece], waits: Sequence[Piece]) -> None:
        key = rule["taxpayer"], rule["name"]
        if rule["metric"] in DATE_METRICS:
            zone = self._projector.taxpayer(key[0]).portfolio.declared.zone
            self.engine.watch_date(key, date_rule(rule, fired, zone))
        else:
            watched = _watched(rule, fired)
            watched.dwell = known_dwell(rule, waits)
            if not lay_to_rest(self.engine, key, watched, self._rests.get(key[0])):
                self.engine.watch(key, watched)

    def _recorded_at(self, taxpayer: str, ref: str) -> str:
        versions = self._ledger.stream(taxpayer, ref)
        return versions[-1].recorded_at if versions else ""

    def follow(self, *, is_current: bool = False) -> None:
        """Takes up what other commands did meanwhile: facts, rules; `is_current`: to the log
        nothing was done."""
        if not is_current:
            self._projector.follow()
        if self._projector.changed or self._projector.ruled:
            self.reload()
        else:
            self.moved(self._projector.board.moved_by_facts())

    def tick(self, stored: Sequence[tuple[int, Quote]]) -> None:
        """Takes stored marks of one instant in and evaluates the rules that they reach."""
        self.take(stored)
        self.evaluate(stored[0][1].at)

    def take(self, stored: Iterable[tuple[int, Quote]]) -> None:
        """Takes stored marks in, in their order; nobody is asked about them yet."""
        board = self._projector.board
        self.moved({asset for id, quote in stored for asset in board.take(id, quote)})

    @cached_property
    def relief(self) -> Relief:
        """The sweep beside the engine, made when first needed: numpy takes long to import."""
        from services.live.relief import Relief  # noqa: PLC0415

        return Relief(self.engine)

    @property
    def is_relieved(self) -> bool:
        """Whether rules are parked after an overload: each evaluation is by the sweep."""
        return "relief" in self.__dict__ and bool(self.relief.parked)

    def latest(self, stored: Sequence[tuple[int, Quote]], *, is_behind: bool) -> None:
        """Takes stored marks of several instants in, and evaluates the rules once, at the last.

        `is_behind`: nobody is guarded anew meanwhile.
        """
        self.take(stored)
        self.engine.advance(max(quote.at for _, quote in stored))
        self._relieved(is_behind=is_behind)

    def audit(self) -> None:
        """Has the sweep look for crossings that the engine missed."""
        self.engine.advance(self.engine.now)  # whoever was taken up since has a day as well
        self._see(self.relief.audit(self._projector.board.marks))

    def moved(self, assets: Collection[str]) -> None:
        """The board has other marks of these assets: who is reached is due."""
        self.engine.moved(assets, self._projector.board.marks)

    def evaluate(self, at: str) -> None:
        """Evaluates the rules that are due at the instant `at`; `settle` records who crosses.

        Time never goes back: a mark that comes late is valued now.
        """
        is_due = self.engine.advance(at)
        if self.is_relieved:
            self._relieved(is_behind=False)
        elif is_due:
            self._see(self.engine.crossings(self._projector.board.marks))

    def _relieved(self, *, is_behind: bool) -> None:
        marks = self._projector.board.marks
        self._see(self.relief.crossings(marks, is_behind=is_behind))
        self._see(self.engine.told(marks))

    def _see(self, crossings: Iterable[Crossing]) -> None:
        self._seen += map(self._offer, crossings)

    def settle(
        self, recorded_at: str, intake: Intake | None = None
    ) -> list[AlertFired | AlertRearmed]:
        """Appends the crossings seen since, all at once, and returns those that were new.

        An `intake` is stored with them, if there are any (`has_news`); raises PositionMoved if it
        cannot be.
        """
        offers, self._seen = self._seen, []
        if not offers:
            return []
        outcomes = self._ledger.append(offers, recorded_at, intake and (lambda outcomes: intake))
        self._projector.catch_up(self.engine.now[:10])
        if any(outcome is not Outcome.NEW for outcome in outcomes):
            # Another process saw the crossing first: its alert is the one.
            others = {offer.taxpayer for offer in offers}
            self._projector.changed |= others
            self._projector.ruled |= others
            self.reload()
        new: list[AlertFired | AlertRearmed] = []
        for offer, outcome in zip(offers, outcomes, strict=True):
            if outcome is Outcome.NEW and isinstance(offer.fact, AlertFired | AlertRearmed):
                new.append(offer.fact)
                if isinstance(offer.fact, AlertFired):
                    where = {"taxpayer": offer.taxpayer, "position": offer.fact.position}
                    _log.info("alert fired", extra=where)
        return new

    @property
    def has_news(self) -> bool:
        """Whether there is anything to settle."""
        return bool(self._seen)

    def _offer(self, seen: Crossing) -> Offer:
        taxpayer, name = seen.key
        if seen.dwell:
            dwell, marks = self.engine.watched[seen.key].dwell, self._projector.board.marks
            position, now = self._projector.position, self.engine.now
            return Offer(
                taxpayer, SOURCE,
                *dwell_fact(seen, self._rules[taxpayer][name], dwell, now, position, marks),
            )  # fmt: skip
        if seen.fired:
            return Offer(taxpayer, SOURCE, f"alert/{name}/{seen.crossing}", self._fired(seen))
        rearmed = AlertRearmed(
            effective_at=self.engine.now, rule=name, crossing=seen.crossing,
            value=format_money(seen.value),
        )  # fmt: skip
        return Offer(taxpayer, SOURCE, f"rearmed/{name}/{seen.crossing}", rearmed)

    def _fired(self, seen: Crossing) -> AlertFired:
        rule = self._rules[seen.key[0]][seen.key[1]]
        found = sorted(seen.found, key=lambda one: (-one.harvestable, one.lot.serial))
        marks = self._projector.board.marks
        behind = {one.lot.asset.id: one.lot.asset.asset_class.name for one in found}
        # What a lot would gain counts for no date, so its mark may be old.
        valued = behind.keys() | {each.asset for each in seen.dates if each.asset in marks}
        stale = [
            asset
            for asset, its_class in sorted(behind.items())
            if is_weak(marks[asset].kind, marks[asset].at, its_class, self.engine.now)
        ]
        return AlertFired(
            effective_at=self.engine.now,
            rule=rule["name"],
            crossing=seen.crossing,
            scope=rule["scope"],
            metric=rule["metric"],
            threshold=rule["threshold"],
            value=format_money(seen.value),
            position=self._projector.position,
            channels=tuple(rule["channels"].split()),
            marks=tuple(AlertMark(**shown(marks[asset])) for asset in sorted(valued)),
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
            tax_saved=format_money(seen.tax_saved),
            severity=NOTICE if stale else rule["severity"],
            stale_marks=tuple(stale),
            pending_since=seen.since,
            dates=seen.dates,
        )


def _watched(rule: Piece, known: Sequence[Piece]) -> Watched:
    """A rule with the state that its alerts left it in, oldest first."""
    threshold = money(rule["threshold"])
    level = level_below(threshold, money(rule["rearm_ratio"]))
    watched = Watched(
        rule["metric"], rule["scope"], threshold, level, cooldown_seconds=rule["cooldown_seconds"]
    )
    for alert in known:
        if alert["rule"] == rule["name"] and alert["crossing"] > watched.crossing:
            watched.crossing, watched.firing = alert["crossing"], not alert["rearmed_at"]
            watched.cool_from(alert["fired_at"])
    return watched

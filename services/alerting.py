"""Alerting: a rule that crosses at the latest marks becomes a fact, once.

A rule is armed until its metric reaches the threshold (it fires), then firing until the metric
is below threshold x re-arm ratio (it re-arms). Nobody is valued at a tick that cannot make a
rule cross: see `services.live`. Delivery is another service.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from domain.decisions import AlertFired, AlertLot, AlertMark, AlertRearmed
from domain.exact import format_money, format_quantity, money
from projections import alerts
from projections.schema import Piece
from services.alert_rules import NOTICE
from services.ledger import Ledger, Offer, Outcome
from services.live.engine import Crossing, Engine, Watched, level_below
from services.live.resting import lay_to_rest
from services.live.triggers import Key
from services.mark_policy import is_stale
from services.marks import Quote, shown
from services.projector import Projector
from services.rests import load, save

SOURCE = "thresher"
LOTS_IN_EVIDENCE = 100
WORTH_WRITING = 20  # what rules wait for is stored when one in so many was asked


class Watch:
    """Evaluates alert rules when marks, facts or days change."""

    def __init__(self, projector: Projector, ledger: Ledger) -> None:
        self.engine = Engine(projector.taxpayer)
        self._projector = projector
        self._ledger = ledger
        self._rules: dict[Key, Piece] = {}
        self._rests = load(projector)
        projector.changed |= set(ledger.taxpayers())
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
        with self._projector.database.reading() as connection:
            rules = {(each["taxpayer"], each["name"]): each for each in alerts.rules(connection)}
            for key in self._rules.keys() | rules.keys():
                if self._rules.get(key) != rules.get(key):
                    changed.add(key[0])
            for name in changed:
                self.engine.forget(name)
            fired = {
                name: alerts.read(connection, name)
                for name in changed & alerts.taxpayers(connection)
            }
        for key, rule in rules.items():
            if key[0] in changed:
                watched = _watched(rule, fired.get(key[0], ()))
                if not lay_to_rest(self.engine, key, watched, self._rests.get(key[0])):
                    self.engine.watch(key, watched)
        self._rules = rules

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
        self.engine.moved(assets, self._projector.board.marks)

    def evaluate(self, at: str, recorded_at: str) -> list[AlertFired | AlertRearmed]:
        """Evaluates the rules that are due at the instant `at`; crossings are appended.

        Time never goes back: a mark that comes late is valued now.
        """
        if not self.engine.advance(at):
            return []
        offers = [
            self._offer(crossing) for crossing in self.engine.crossings(self._projector.board.marks)
        ]
        if not offers:
            return []
        outcomes = self._ledger.append(offers, recorded_at)
        self._projector.catch_up(self.engine.now[:10])
        if any(outcome is not Outcome.NEW for outcome in outcomes):
            # Another process saw the crossing first: its alert is the one.
            self._projector.changed |= {offer.taxpayer for offer in offers}
            self.reload()
        return [
            offer.fact
            for offer, outcome in zip(offers, outcomes, strict=True)
            if outcome is Outcome.NEW and isinstance(offer.fact, AlertFired | AlertRearmed)
        ]

    def _offer(self, seen: Crossing) -> Offer:
        taxpayer, name = seen.key
        if seen.fired:
            return Offer(taxpayer, SOURCE, f"alert/{name}/{seen.crossing}", self._fired(seen))
        rearmed = AlertRearmed(
            effective_at=self.engine.now, rule=name, crossing=seen.crossing,
            value=format_money(seen.value),
        )  # fmt: skip
        return Offer(taxpayer, SOURCE, f"rearmed/{name}/{seen.crossing}", rearmed)

    def _fired(self, seen: Crossing) -> AlertFired:
        rule = self._rules[seen.key]
        found = sorted(seen.found, key=lambda one: (-one.harvestable, one.lot.serial))
        marks = self._projector.board.marks
        behind = {one.lot.asset.id: one.lot.asset.asset_class.name for one in found}
        stale = [asset for asset in sorted(behind)
                 if is_stale(marks[asset].at, behind[asset], self.engine.now)]  # fmt: skip
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
            marks=tuple(AlertMark(**shown(marks[asset])) for asset in sorted(behind)),
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

"""Alerting: rules against values at the latest marks; a crossing becomes a fact, once.

A rule is armed until its metric reaches the threshold (it fires), then firing until the metric
is below threshold x re-arm ratio (it re-arms). Delivery is another service.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from domain.assets import Asset
from domain.days import moment_key
from domain.decisions import AlertFired, AlertLot, AlertMark, AlertRearmed, AlertRuleSet
from domain.errors import ThresherError
from domain.exact import ONE_DOLLAR, format_money, format_quantity, money
from domain.harvest import Opportunity, opportunities
from projections import alerts
from projections.schema import Piece
from services.ledger import Ledger, Offer, Outcome
from services.marks import Quote, shown
from services.projector import Projector
from services.statement import saved_by

SOURCE = "thresher"
METRICS = ("harvestable_loss", "tax_saved", "loss_percent")
SCHEMES = ("terminal", "file", "webhook")
LOTS_IN_EVIDENCE = 100


class InvalidRule(ThresherError, ValueError):
    """An alert rule that cannot be watched; the message says which part and why."""


@dataclass(slots=True)
class _State:
    crossing: int = 0
    firing: bool = False


@dataclass(slots=True)
class _Valued:
    """A book's opportunities at the marks, and the basis of its lots that have a mark."""

    found: list[Opportunity]
    basis: dict[str, int]


class Watch:
    """Evaluates alert rules when marks, facts or days change."""

    def __init__(self, projector: Projector, ledger: Ledger) -> None:
        self._projector = projector
        self._generation = -1
        self._ledger = ledger
        self._valued: dict[tuple[str, str], _Valued] = {}
        self._days: dict[str, int] = {}
        self._holders: dict[str, set[tuple[str, str]]] = {}
        self._rules: list[Piece] = []
        self._states: dict[tuple[str, str], _State] = {}
        self.reload()

    def reload(self) -> None:
        """Reads rules and their states anew: at the start and after portfolios changed."""
        self._generation = self._projector.generation
        with self._projector.database.reading() as connection:
            self._rules = alerts.rules(connection)
            watched = sorted({rule["taxpayer"] for rule in self._rules})
            self._states = {}
            for taxpayer in watched:
                for alert in alerts.read(connection, taxpayer):
                    state = self._states.setdefault((taxpayer, alert["rule"]), _State())
                    if alert["crossing"] > state.crossing:
                        state.crossing, state.firing = alert["crossing"], not alert["rearmed_at"]
        self._valued, self._holders = {}, {}
        for taxpayer in watched:
            for name, book in self._projector.taxpayer(taxpayer).portfolio.books.items():
                for asset in book.weights:
                    self._holders.setdefault(asset, set()).add((taxpayer, name))

    def follow(self) -> None:
        """Takes up what other commands did meanwhile: facts, rules, marks."""
        self._projector.follow()
        if self._generation != self._projector.generation:
            self.reload()

    def tick(
        self, stored: Sequence[tuple[int, Quote]], recorded_at: str
    ) -> list[AlertFired | AlertRearmed]:
        """Takes stored marks of one instant in and evaluates the rules that they touch."""
        board = self._projector.board
        changed = {quote.asset for id, quote in stored if board.take(id, quote)}
        touched = {holder for asset in changed for holder in self._holders.get(asset, ())}
        for holder in touched:
            self._valued.pop(holder, None)
        taxpayers = {taxpayer for taxpayer, _ in touched}
        return self.evaluate(stored[0][1].at, recorded_at, taxpayers)

    def evaluate(
        self, at: str, recorded_at: str, taxpayers: Iterable[str] | None = None
    ) -> list[AlertFired | AlertRearmed]:
        """Evaluates rules at the instant `at`; crossings are appended and projected."""
        only = None if taxpayers is None else set(taxpayers)
        offers = [
            offer
            for rule in self._rules
            if only is None or rule["taxpayer"] in only
            for offer in self._evaluate_rule(rule, at)
        ]
        if not offers:
            return []
        outcomes = self._ledger.append(offers, recorded_at)
        self._projector.catch_up(at[:10])
        if any(outcome is not Outcome.NEW for outcome in outcomes):
            self.reload()  # another process saw the crossing first: its alert is the one
        return [
            offer.fact
            for offer, outcome in zip(offers, outcomes, strict=True)
            if outcome is Outcome.NEW and isinstance(offer.fact, AlertFired | AlertRearmed)
        ]

    def _evaluate_rule(self, rule: Piece, at: str) -> list[Offer]:
        taxpayer, name = rule["taxpayer"], rule["name"]
        value, found = self._value(rule, at)
        state = self._states.setdefault((taxpayer, name), _State())
        threshold = money(rule["threshold"])
        if not state.firing and value >= threshold:
            state.crossing, state.firing = state.crossing + 1, True
            fired = self._fired(rule, at, state.crossing, value, found)
            return [Offer(taxpayer, SOURCE, f"alert/{name}/{state.crossing}", fired)]
        if state.firing and value * ONE_DOLLAR < threshold * money(rule["rearm_ratio"]):
            state.firing = False
            rearmed = AlertRearmed(
                effective_at=at, rule=name, crossing=state.crossing, value=format_money(value)
            )
            return [Offer(taxpayer, SOURCE, f"rearmed/{name}/{state.crossing}", rearmed)]
        return []

    def _value(self, rule: Piece, at: str) -> tuple[int, list[Opportunity]]:
        taxpayer = self._projector.taxpayer(rule["taxpayer"])
        policy = taxpayer.portfolio.declared.policy
        day = moment_key(at, policy.zone)[0]
        valued = self._valued_books(rule["taxpayer"], day)
        found = [
            one for book in valued for one in book.found if _in_scope(rule["scope"], one.lot.asset)
        ]
        if rule["metric"] == "tax_saved":
            return saved_by(taxpayer.portfolio, found, day, taxpayer.sums()), found
        loss = sum(one.harvestable for one in found)
        if rule["metric"] == "harvestable_loss":
            return loss, found
        assets = taxpayer.portfolio.declared.assets
        basis = sum(
            amount
            for book in valued
            for asset, amount in book.basis.items()
            if _in_scope(rule["scope"], assets[asset])
        )
        return (100 * loss * ONE_DOLLAR // basis if basis else 0), found

    def _valued_books(self, name: str, day: int) -> list[_Valued]:
        if self._days.get(name) != day:
            self._days[name] = day
            self._valued = {key: kept for key, kept in self._valued.items() if key[0] != name}
        marks = {asset: mark.price for asset, mark in self._projector.board.marks.items()}
        valued = []
        for book_name, book in self._projector.taxpayer(name).portfolio.books.items():
            known = self._valued.get((name, book_name))
            if known is None:
                basis: dict[str, int] = {}
                for lot in book.open_lots():
                    if lot.account.reports and lot.asset.id in marks:
                        basis[lot.asset.id] = basis.get(lot.asset.id, 0) + lot.basis
                known = _Valued(opportunities(book, marks, day), basis)
                self._valued[name, book_name] = known
            valued.append(known)
        return valued

    def _fired(
        self, rule: Piece, at: str, crossing: int, value: int, found: list[Opportunity]
    ) -> AlertFired:
        taxpayer = self._projector.taxpayer(rule["taxpayer"])
        day = moment_key(at, taxpayer.portfolio.declared.policy.zone)[0]
        found = sorted(found, key=lambda one: (-one.harvestable, one.lot.serial))
        marks = self._projector.board.marks
        behind = sorted({one.lot.asset.id for one in found})
        return AlertFired(
            effective_at=at,
            rule=rule["name"],
            crossing=crossing,
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
            tax_saved=format_money(saved_by(taxpayer.portfolio, found, day, taxpayer.sums())),
        )


def checked_rule(rule: AlertRuleSet) -> AlertRuleSet:
    """The rule if it can be watched; raises InvalidRule."""
    kind, _, what = rule.scope.partition(":")
    if rule.scope != "all" and (kind not in ("class", "asset") or not what):
        raise InvalidRule(f"scope {rule.scope!r}: use all, class:NAME or asset:ID")
    if rule.metric not in METRICS:
        raise InvalidRule(f"metric {rule.metric!r}: use one of {', '.join(METRICS)}")
    if money(rule.threshold) <= 0:
        raise InvalidRule(f"threshold {rule.threshold}: use an amount above zero")
    if not 0 < money(rule.rearm_ratio) <= ONE_DOLLAR:
        raise InvalidRule(f"re-arm ratio {rule.rearm_ratio}: use a share between 0 and 1")
    for channel in rule.channels:
        scheme, _, target = channel.partition(":")
        if scheme not in SCHEMES or (scheme != "terminal" and not target) or " " in channel:
            raise InvalidRule(f"channel {channel!r}: use terminal, file:PATH or webhook:URL")
    return rule


def _in_scope(scope: str, asset: Asset) -> bool:
    kind, _, what = scope.partition(":")
    if kind == "asset":
        return asset.id == what
    return kind == "all" or asset.asset_class.name == what

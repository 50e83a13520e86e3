"""A replay: a history told again, step by step, to parts of its own that send nothing.

The parts are the product's: ledger, projector, market and watch, over a store that the caller
makes for it and throws away. Nothing of it reaches the ledger that the history is from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

import msgspec

from domain.decisions import AlertFired, AlertRearmed, AlertRuleSet
from domain.portfolio import Portfolio
from domain.years import Key
from projections import alerts
from projections.schema import Piece
from services.alerting import SOURCE
from services.database import Database
from services.history import History, Step, Told
from services.ledger import Ledger, Offer
from services.market import Market
from services.marks import Quote
from services.projector import Projector
from services.statement import Marks

Store = tuple[Database, Ledger]  # both empty, and used by nobody else
NewStore = Callable[[], AbstractContextManager[Store]]
Crossings = list[AlertFired | AlertRearmed]
_MARKS_AT_ONCE = 1000  # instants
_SHOWN = (
    "fired_at", "rule", "crossing", "scope", "metric", "threshold", "value", "tax_saved",
    "rearmed_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Watched:
    """Rules, and the tax day from which they watch; None: from the first step."""

    rules: tuple[AlertRuleSet, ...] = ()
    first: int | None = None


class Replay:
    """One telling of a history into an empty store; what an owner does in it are more facts."""

    def __init__(self, store: Store, history: History, watched: Watched) -> None:
        database, self._ledger = store
        self._history = history
        self._watched = watched
        self._is_watching = False
        self._now = ""
        self._waiting: list[Quote] = []  # marks that no rule asked for yet
        self._projector = Projector(database, self._ledger, delivers=False)
        self._market = Market(database, self._ledger, self._projector, self._clock, {})
        if history.declared and history.steps:
            self.record(history.declared, history.steps[0].at)

    @property
    def portfolio(self) -> Portfolio:
        """The books as told so far."""
        return self._projector.taxpayer(self._history.taxpayer).portfolio

    @property
    def sums(self) -> dict[Key, int]:
        """Column (h) of all books by year, term and collectible (money, 10**-36)."""
        return self._projector.taxpayer(self._history.taxpayer).sums()

    @property
    def marks(self) -> Marks:
        """The latest mark of every asset told so far."""
        self._take()
        return self._projector.board.marks

    def tell(self, step: Step) -> Crossings:
        """A step into the replayed store; what the rules say to it.

        Before the first step of the rules' time they are added, and say what they find then.
        """
        crossings = self._begin(step) if not self._is_watching else []
        if step.facts:
            crossings += self.record(step.facts, step.at)
        self._now = step.at
        self._waiting += step.quotes
        if self._is_watching and self._watched.rules:
            crossings += self._take()
        return crossings

    def record(self, facts: Sequence[Told], at: str) -> Crossings:
        """Facts (ref, fact) recorded and valued at the instant `at`; what the rules say to them."""
        self.note(facts, at)
        return self._market.facts_changed(at)

    def note(self, facts: Sequence[Told], at: str) -> None:
        """Facts recorded, without asking the rules yet."""
        self._now = at
        taxpayer = self._history.taxpayer
        offers = []
        for ref, fact in facts:
            source, _, external_id = ref.partition(":")
            offers.append(Offer(taxpayer, source, external_id, fact))
        self._ledger.append(offers, at)
        self._projector.catch_up(at[:10])

    def alerts(self) -> list[Piece]:
        """What fired, oldest first, with the marks and lots behind it."""
        with self._projector.database.reading() as connection:
            found = alerts.read(connection, self._history.taxpayer)
        return [
            {name: each[name] for name in _SHOWN}
            | {"evidence": {name: each["evidence"][name] for name in ("marks", "lots")}}
            for each in found
        ]

    def _begin(self, step: Step) -> Crossings:
        first = self._watched.first
        if first is not None and step.day < first:
            return []
        self._take()
        self._is_watching = True
        at = step.at if first is None else min(step.at, self._history.midnight(first))
        return self.record([(f"{SOURCE}:rule/{rule.name}", _quiet(rule, at))
                            for rule in self._watched.rules], at)  # fmt: skip

    def _take(self) -> Crossings:
        waiting, self._waiting = self._waiting, []
        # They were taken for marks when they were recorded: none is held again.
        return self._market.take(waiting, confirmed=True) if waiting else []

    def _clock(self) -> datetime:
        return datetime.fromisoformat(self._now)


def replayed_alerts(new_store: NewStore, history: History, watched: Watched) -> list[Piece]:
    """What rules would have said to a history: when, which crossing, value, when re-armed."""
    with new_store() as store:
        replay = Replay(store, history, watched)
        for step in _together(history.steps, watched.first or 0):
            replay.tell(step)
        return replay.alerts()


def _together(steps: Iterable[Step], first: int) -> Iterator[Step]:
    """The same with marks that no fact comes between as one step, up to `first` and from there.

    The market evaluates instant by instant all the same.
    """
    for (has_marks, _), run in groupby(steps, lambda each: (bool(each.quotes), each.day >= first)):
        if not has_marks:
            yield from run
            continue
        known = list(run)
        for start in range(0, len(known), _MARKS_AT_ONCE):
            part = known[start : start + _MARKS_AT_ONCE]
            quotes = tuple(quote for step in part for quote in step.quotes)
            yield replace(part[-1], quotes=quotes)


def _quiet(rule: AlertRuleSet, at: str) -> AlertRuleSet:
    """The rule from `at` on, and without a way out."""
    return msgspec.structs.replace(rule, effective_at=at, channels=())

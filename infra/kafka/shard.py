"""A shard at work: one partition of facts, the log and tables that they go to, and their rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from domain.days import sortable_instant
from domain.decisions import AlertFired
from infra.composition import App
from infra.kafka.records import Record, dead, fact_offer
from services.changes_out import WINDOWS
from services.collector import paused, settle
from services.evaluated import EvaluatedOfShard, settled_at
from services.intake import DeadLetter, Intake, Step
from services.ledger import Offer, Outcome
from services.mark_intake import Stored
from services.market import Market
from services.marks import first_recorded_at
from services.projector import Projector
from services.windows_out import follow_windows

_OF_ANOTHER = (
    "key: the message is not in the partition of its key: send it with Kafka's own partitioner, "
    "murmur2 (librdkafka: partitioner=murmur2_random)"
)
_CHANGED = "id: is already recorded with other content; send a correction"


class Shard:
    """Taken up from what is stored, whoever had it before. Of two that have it at once the one that
    took it up first is refused with PositionMoved, and must be let go."""

    def __init__(self, app: App, number: int, tell: Callable[[], object]) -> None:
        self.number = number
        self._told = 0, 0
        self._clock = app.clock
        with paused():
            mine = app.of_shard(number)
            self.ledger, self._database = mine.ledger, mine.database
            evaluated = EvaluatedOfShard(mine.database, number)
            self.projector = Projector(
                mine.database, self.ledger, until_mark=evaluated.last, keeps_opportunities=False
            )
            self.projector.catch_up(self._now[:10])
            if WINDOWS in app.settings.published:
                follow_windows(self.projector, self._now)
            self.market = Market(
                mine.database, self.ledger, self.projector, app.clock, {}, evaluated
            )
            self.market.tell = lambda targets: tell()
        self.market.taken_up(
            settled_at(mine.database, self.ledger, self.projector.position, evaluated.last)
        )
        if app.is_process:
            settle()

    def take(self, step: Step, records: Sequence[Record]) -> tuple[list[Outcome], int]:
        """Appends the facts of a batch of messages and brings all that follows up to date.

        Returns what became of each fact, and how many messages could not be used.
        """
        read = [(record, self._offer(record)) for record in records]
        offers = [found for _, found in read if isinstance(found, Offer)]
        places = [record for record, found in read if isinstance(found, Offer)]
        unusable = [found for _, found in read if isinstance(found, DeadLetter)]
        recorded_at, steps = self._now, (step, *self.market.steps())

        def intake(outcomes: Sequence[Outcome]) -> Intake:
            conflicts = [
                dead(record, _CHANGED)
                for record, outcome in zip(places, outcomes, strict=True)
                if outcome is Outcome.CONFLICT
            ]
            return Intake(steps, [*unusable, *conflicts], recorded_at)

        outcomes = self.ledger.append(offers, recorded_at, intake)
        self.market.evaluated_moved()
        self.projector.catch_up(recorded_at[:10])
        self.market.taken_up(recorded_at)
        return outcomes, len(unusable) + outcomes.count(Outcome.CONFLICT)

    def follow(self, stored: Stored) -> list[float]:
        """Asks its rules at marks that were stored.

        Returns of each alert that fired the seconds since its marks were taken in, by whichever
        worker; of several batches the first.
        """
        first = self.projector.board.last_id + 1
        crossings = self.market.follow(stored)
        fired = sum(isinstance(each, AlertFired) for each in crossings)
        return [self._seconds_since(first)] * fired if fired else []

    def idle(self) -> None:
        """Time goes on without marks: rules that wait for it are asked, and those that commands
        changed meanwhile."""
        self.market.follow()
        self.project()
        self.market.taken_up()
        self.market.keep_evaluated()

    def project(self) -> None:
        """What a command appended and, as it was killed, did not project; or is about to."""
        if self.projector.position < self.ledger.head():
            self.projector.catch_up(self._now[:10])

    def unseen(self, last: int) -> int:
        """How many marks up to the mark `last` its rules were not asked at yet."""
        return max(0, last - self.projector.board.last_id)

    def news(self) -> tuple[int, int]:
        """How many alerts fired, and how many were re-armed, since it was asked last."""
        counts, told = self.market.counts, self._told
        self._told = counts.fired, counts.rearmed
        return counts.fired - told[0], counts.rearmed - told[1]

    def _seconds_since(self, mark: int) -> float:
        with self._database.reading() as connection:
            taken_at = first_recorded_at(connection, mark)
        return max(0.0, (self._clock() - datetime.fromisoformat(taken_at)).total_seconds())

    def close(self) -> None:
        """Gives its connection back; what it had in memory is not needed."""
        self.ledger.close()

    @property
    def _now(self) -> str:
        return sortable_instant(self._clock())

    def _offer(self, record: Record) -> Offer | DeadLetter:
        offer = fact_offer(record)
        if isinstance(offer, Offer) and not self.ledger.owns(offer.taxpayer):
            return dead(record, _OF_ANOTHER)
        return offer

"""The market: quotes are stored, then rules are evaluated instant by instant, then delivered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, groupby

from domain.days import sortable_instant
from domain.decisions import AlertFired, AlertRearmed
from services.alerting import Watch
from services.asset_facts import AssetFacts
from services.collector import paused
from services.database import Clock, Database
from services.delivery import Channels
from services.evaluated import Evaluated
from services.held_marks import decide, held_quote
from services.intake import Intake, Step
from services.ledger import Ledger
from services.live.pace import is_behind, is_of_the_past
from services.mark_intake import MarkIntake, Stored
from services.marks import Quote, stored_after
from services.projector import Projector
from services.queries import Queries
from services.sending import deliver

AUDITED_EVERY = timedelta(seconds=1)
ASKED_EVERY = timedelta(seconds=1)  # by the clock, while no quote comes
CHECKPOINTED_EVERY = 4_000  # marks
MOST_MARKS = 10_000  # read and evaluated together, by who follows the marks


@dataclass(slots=True)
class MarketCounts:
    """What a run of quotes did.

    `conflated` are new marks that no rule saw, as a later one of their asset came with them while
    the market was behind. `missed` are crossings that only the self-audit found.
    """

    quotes: int = 0
    new: int = 0
    held: int = 0
    fired: int = 0
    rearmed: int = 0
    conflated: int = 0
    missed: int = 0


class Market:
    """Takes quotes in batches; every batch is durable before rules see it.

    `max_behind`: how old the newest mark that waits may be before a live feed is conflated; None:
    each instant is evaluated, however long it takes. `is_late`: the last batch was older. `tell`
    is called when something fired, with the targets: it delivers at once, or wakes whoever does.
    """

    def __init__(
        self, database: Database, ledger: Ledger, projector: Projector, clock: Clock,
        channels: Channels, evaluated: Evaluated | None = None,
    ) -> None:  # fmt: skip
        self.counts = MarketCounts()
        self.max_behind: timedelta | None = None
        self.is_late = False
        self.tell: Callable[[Collection[str]], object] = self.deliver
        self.watch = Watch(projector, ledger)
        self._database = database
        self._projector = projector
        self._queries = Queries(projector, ledger, clock)
        self._ledger = ledger
        self._clock = clock
        self._channels = channels
        self._intake = MarkIntake(database, AssetFacts([ledger]))
        self._evaluated = evaluated
        self._audited: datetime | None = None
        self._since_checkpoint = CHECKPOINTED_EVERY  # whatever was there before
        self._is_live: bool | None = None  # whether quotes are of these days; None: none came yet
        self._timed: datetime | None = None  # when the clock was looked at last, for who waits
        self._has_timed = False  # whether rules were asked by it

    def take(
        self, quotes: Sequence[Quote], *, confirmed: bool = False
    ) -> list[AlertFired | AlertRearmed]:
        """Stores quotes, evaluates rules at each instant in turn, and delivers what fired.

        A quote that jumps is held instead (services/held_marks.py), unless it is `confirmed`.
        What counts is what the store held after it: a mark that was known adds nothing, and
        marks that another process stored meanwhile count in their order.
        """
        recorded_at = sortable_instant(self._clock())
        with paused():
            if quotes and not self._is_live:
                self._hear(max(quote.at for quote in quotes))
            self.watch.follow()
            board = self._projector.board
            taken = self._intake.take(board, quotes, recorded_at, confirmed=confirmed)
            self.counts.quotes += len(quotes)
            self.counts.held += taken.held
            crossings = self._see(taken.stored, recorded_at)
        self._since_checkpoint += len(taken.stored)
        if self._since_checkpoint >= CHECKPOINTED_EVERY:
            self._since_checkpoint = 0
            self._database.checkpoint()  # now that nobody waits for what fired
        return crossings

    def follow(self, stored: Stored = ()) -> list[AlertFired | AlertRearmed]:
        """Evaluates rules at marks that somebody stored, each instant in turn, and settles.

        `stored`: the latest of them, if they are at hand; what is missing before is read.
        """
        self.watch.follow()
        last = self._projector.board.last_id
        fresh = [each for each in stored if each[0] > last]
        if not fresh or fresh[0][0] != last + 1:
            with self._database.reading() as connection:
                fresh = stored_after(connection, last, MOST_MARKS)
        return self._see(fresh, sortable_instant(self._clock())) if fresh else []

    def _see(self, new: Stored, recorded_at: str) -> list[AlertFired | AlertRearmed]:
        self._evaluate(new)
        self._audit()
        self.counts.new += len(new)
        return self._settle(recorded_at)

    def _settle(self, recorded_at: str) -> list[AlertFired | AlertRearmed]:
        """Appends what was seen, with how far the marks are settled by it, and delivers it."""
        evaluated, last = self._evaluated, self._projector.board.last_id
        moves_on = evaluated is not None and self.watch.has_news
        intake = Intake(evaluated.steps(last), (), recorded_at) if evaluated else None
        crossings = self.watch.settle(recorded_at, intake)
        if evaluated is not None and moves_on:
            evaluated.moved(last)
        self._count(crossings)
        if crossings:
            self.tell(_targets(crossings))
        return crossings

    def steps(self) -> tuple[Step, ...]:
        """What whoever appends facts moves with them: up to which mark rules were asked."""
        return self._evaluated.steps(self._projector.board.last_id) if self._evaluated else ()

    def evaluated_moved(self) -> None:
        """Those steps were stored with facts."""
        if self._evaluated is not None:
            self._evaluated.moved(self._projector.board.last_id)

    def keep_evaluated(self) -> None:
        """Stores up to which mark rules were asked; when there is time, or before an end."""
        if self._evaluated is not None:
            self._evaluated.keep(self._projector.board.last_id)

    def _evaluate(self, new: Stored) -> None:
        """Rules at each instant in turn; of what waits too long, at the last instant only.

        The clock is asked before each instant, as it goes on while rules are asked.
        """
        self.is_late = False
        newest = max((quote.at for _, quote in new), default="")
        instants = [list(group) for _, group in groupby(new, key=lambda stored: stored[1].at)]
        if not instants and self.watch.is_relieved:  # a pause: some of the parked are guarded again
            self.watch.evaluate(self.now)
        for number, instant in enumerate(instants):
            if self._is_conflating(newest):
                waiting = list(chain.from_iterable(instants[number:]))
                self.counts.conflated += _conflated(quote for _, quote in waiting)
                self.watch.latest(waiting, is_behind=self.is_late)
                return
            self.watch.tick(instant)

    def _is_conflating(self, newest: str) -> bool:
        """Whether the market is late, or rules are still parked since it was.

        With rules parked the sweep would run at each instant, and the market be late again.
        """
        if self.max_behind is None:
            return False
        now = self._clock()
        self.is_late = is_behind(newest, now, self.max_behind)
        return self.is_late or (self.watch.is_relieved and is_behind(newest, now, timedelta(0)))

    def _audit(self) -> None:
        """The self-audit, if the last is a second ago or more."""
        now = self._clock()
        if self._audited is not None and abs(now - self._audited) < AUDITED_EVERY:
            return
        self._audited = now
        self.watch.audit()
        self.counts.missed = self.watch.relief.missed

    def audit(self) -> list[AlertFired | AlertRearmed]:
        """The self-audit at once: crossings that the engine missed, appended and delivered now."""
        self._audited = None
        self._audit()
        return self._settle(sortable_instant(self._clock()))

    @property
    def now(self) -> str:
        """The instant up to which rules were evaluated; empty before the first."""
        return self.watch.engine.now

    def confirm(self, held: int) -> Quote:
        """Makes a held quote a mark after all; raises NoSuchHeldMark.

        Stored first: if this stops in between, it is still listed and can be confirmed again.
        """
        with self._database.reading() as connection:
            quote = held_quote(connection, held)
        self.take([quote], confirmed=True)
        self._decide(held, "confirmed")
        return quote

    def reject(self, held: int) -> Quote:
        """Lets a held quote never become a mark; raises NoSuchHeldMark."""
        return self._decide(held, "rejected")

    def facts_changed(self, at: str | None = None) -> list[AlertFired | AlertRearmed]:
        """After facts were projected: they move losses without a tick, at the marks of now."""
        with self._database.reading() as connection:
            moved = self._projector.board.follow(connection)
        return self._changed(moved, at)

    def taken_up(self, at: str | None = None) -> list[AlertFired | AlertRearmed]:
        """The same for who follows the marks: at the board as it is, those after come in turn."""
        return self._changed((), at)

    def time_passed(self) -> list[AlertFired | AlertRearmed]:
        """For who awaits quotes and gets none: rules are asked by the clock, once a second.

        Not while the quotes are of the past: what waits then, waits for their time.
        """
        now = self._clock()
        self._timed = self._timed or now  # at first the pause may be short
        if self._is_live is False or abs(now - self._timed) < ASKED_EVERY:
            return []
        self._timed, self._has_timed = now, True
        return self.taken_up()

    def _hear(self, newest: str) -> None:
        """Quotes came: are they of these days, or of the past? Once of these days, for good.

        If it is the past, and the clock was asked before it began, rules start anew, as in a
        process of its own: time never goes back, so they would see all of it at the time of now.
        """
        self._is_live = not is_of_the_past(newest, self._clock())
        if self._has_timed and not self._is_live:
            self._has_timed = False
            self.watch = Watch(self._projector, self._ledger)

    def _changed(self, moved: Collection[str], at: str | None) -> list[AlertFired | AlertRearmed]:
        self.watch.reload()
        self.watch.moved(moved)
        recorded_at = sortable_instant(self._clock())
        self.watch.evaluate(at or recorded_at)
        return self._settle(recorded_at)

    def rest(self) -> None:
        """Stores what every rule waits for: before a process ends, or when there is time."""
        self.watch.rest()

    def deliver(self, first: Collection[str] = ()) -> dict[str, int]:
        """Sends what is due in the outbox; to these targets first."""
        return deliver(self._database, self._channels, self._clock, first)

    def refresh(self) -> None:
        """Brings the stored opportunities of whom is loaded to the latest marks and today.

        Those of others are computed when they are asked for.
        """
        for taxpayer in sorted(self._projector.taxpayers):
            self._projector.refresh(taxpayer, self._queries.today(taxpayer))

    def _decide(self, held: int, state: str) -> Quote:
        with self._database.writing_marks() as connection:
            return decide(connection, held, state, sortable_instant(self._clock()))

    def _count(self, crossings: Sequence[AlertFired | AlertRearmed]) -> None:
        fired = sum(isinstance(each, AlertFired) for each in crossings)
        self.counts.fired += fired
        self.counts.rearmed += len(crossings) - fired


def _conflated(quotes: Iterable[Quote]) -> int:
    """How many instants' prices of an asset a later one among these replaces."""
    prices = {(quote.asset, quote.at) for quote in quotes}
    return len(prices) - len({asset for asset, _ in prices})


def _targets(crossings: Iterable[AlertFired | AlertRearmed]) -> list[str]:
    """Where what fired is sent to, each once."""
    fired = (each for each in crossings if isinstance(each, AlertFired))
    return list(dict.fromkeys(chain.from_iterable(each.channels for each in fired)))

"""The market: quotes are stored, then rules are evaluated instant by instant, then delivered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from itertools import chain, groupby, takewhile

from sqlalchemy import Connection

from domain.days import sortable_instant
from domain.decisions import AlertFired, AlertRearmed
from services.alerting import Watch
from services.asset_facts import AssetFacts
from services.collector import paused
from services.database import Clock, Database
from services.delivery import Channels, targets
from services.evaluated import Evaluated, EvaluatedOfFile, settled_at
from services.held_marks import DAYS_AHEAD
from services.intake import Intake, Step
from services.ledger import Ledger
from services.live.pace import Pace, is_behind
from services.mark_intake import MarkIntake, Stored
from services.market_counts import MarketCounts, conflated
from services.marks import Quote, last_id, store, stored_after
from services.progress import OtherVersion
from services.projector import Projector
from services.queries import Queries
from services.sending import deliver

AUDITED_EVERY = timedelta(seconds=1)
MOST_MARKS = 10_000  # read and evaluated together, by who follows the marks


class Market:
    """Takes quotes in batches; every batch is stored before rules see it, and written through with
    what they say of it, or soon after.

    `max_behind`: how old the newest mark that waits may be before a live feed is conflated; None:
    each instant is evaluated, however long it takes. `is_late`: the last batch was older. `tell`
    is called when something fired, with the targets: it delivers at once, or wakes whoever does.
    """

    def __init__(
        self, database: Database, ledger: Ledger, projector: Projector, clock: Clock,
        channels: Channels, evaluated: Evaluated | None = None, days_ahead: int = DAYS_AHEAD,
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
        self._intake = MarkIntake(database, AssetFacts([ledger]), days_ahead)
        self._evaluated = evaluated or Evaluated()
        self._settled = projector.board.last_id  # the last mark that rules were asked about here,
        self._elsewhere = 0  # and in another process
        self._is_current = False  # whether no other process went on with the log
        self._audited: datetime | None = None
        self._pace = Pace()

    def take(
        self, quotes: Sequence[Quote], *, confirmed: bool = False
    ) -> list[AlertFired | AlertRearmed]:
        """Stores quotes, evaluates rules at each instant in turn, and delivers what fired.

        A quote that jumps, or is of a day to come, is held instead (services/held_marks.py),
        unless it is `confirmed`.
        What counts is what the store held after it: a mark that was known adds nothing, and
        marks that another process stored meanwhile count in their order.
        """
        recorded_at = sortable_instant(self._clock())
        with paused():
            if quotes and self._pace.turns_back(quotes, self._clock):
                self.watch = Watch(self._projector, self._ledger)
            taken = self._intake.take(
                self._projector.board, quotes, recorded_at, confirmed=confirmed, beside=self._look
            )
            stored = self._join(taken.stored, recorded_at[:10])
            self.counts.quotes += len(quotes)
            self.counts.held += taken.held
            crossings = self._see(stored, recorded_at)
        count = len(taken.stored) + taken.held
        self._database.through.stored(count, is_written=bool(crossings))
        return crossings

    def _look(self, connection: Connection) -> None:
        """In a snapshot: what is settled here is kept, or known to others; did others go on?"""
        self._elsewhere = self._evaluated.keep_in(connection, self._settled)
        try:
            self._is_current = self._projector.is_current(connection)
        except OtherVersion:
            self._is_current = False  # whoever follows says so, when the marks are stored

    def _join(self, stored: Stored, today: str) -> Stored:
        """Takes up what other processes did until then: facts, rules, crossings.

        Rules are asked at the marks of a snapshot with what the log said in that snapshot: at
        earlier marks what was appended since would be of the future.
        """
        if self._is_current and self._elsewhere <= self._settled:
            self.watch.follow(is_current=True)
            return stored
        while True:
            self._projector.catch_up(today)
            self.watch.follow()
            with self._database.reading() as connection:
                self._elsewhere = self._evaluated.look_in(connection)
                self._is_current = self._projector.is_current(connection)
                stored = stored_after(connection, self._projector.board.last_id)
            if self._is_current and self._ledger.head() == self._projector.position:
                return stored

    def bring_in(self, quotes: Sequence[Quote]) -> int:
        """Stores prices of the past; rules are asked about the latest of them, at the next chance.

        Marks that wait to be asked about go on waiting, and these with them. Returns how many are
        new.
        """
        board = self._projector.board
        with self._database.writing_marks() as connection:
            before = last_id(connection)
            new = store(connection, quotes, sortable_instant(self._clock()))
            fresh = stored_after(connection, board.last_id)
            nobody_waits = self._evaluated.keep_in(connection, self._settled) >= before
            if nobody_waits and fresh:
                self._evaluated.keep_in(connection, fresh[-1][0])
        if nobody_waits:
            self.watch.take(fresh)
            self._settled = board.last_id
        self._database.through.flush()
        self._database.through.stored(new, is_written=True)
        return new

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
        moves_on = self.watch.has_news
        crossings = self.watch.settle(recorded_at, Intake(evaluated.steps(last), (), recorded_at))
        self._settled = last
        if moves_on:
            evaluated.moved(last)
        self.counts.crossed(crossings)
        if crossings:
            self.tell(targets(crossings))
        return crossings

    def steps(self) -> tuple[Step, ...]:
        """What whoever appends facts moves with them: up to which mark rules were asked."""
        return self._evaluated.steps(self._settled)

    def evaluated_moved(self) -> None:
        """Those steps were stored with facts."""
        self._evaluated.moved(self._settled)

    def keep_evaluated(self) -> None:
        """Stores up to which mark rules were asked; when there is time, or before an end."""
        self._evaluated.keep(self._settled)

    def _evaluate(self, new: Stored) -> None:
        """Rules at each instant in turn; of what waits too long, at the last instant only.

        The clock is asked before each instant, as it goes on while rules are asked.
        """
        self.is_late = False
        elsewhere = list(takewhile(lambda stored: stored[0] <= self._elsewhere, new))
        self.watch.take(elsewhere)
        new = new[len(elsewhere) :]
        newest = max((quote.at for _, quote in new), default="")
        instants = [list(group) for _, group in groupby(new, key=lambda stored: stored[1].at)]
        if not instants and self.watch.is_relieved:  # a pause: some of the parked are guarded again
            self.watch.evaluate(self.now)
        for number, instant in enumerate(instants):
            if self._is_conflating(newest):
                waiting = list(chain.from_iterable(instants[number:]))
                self.counts.conflated += conflated(quote for _, quote in waiting)
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

    def facts_changed(self, at: str | None = None) -> list[AlertFired | AlertRearmed]:
        """After facts were projected: they move losses without a tick, at the marks of now."""
        if isinstance(self._evaluated, EvaluatedOfFile):
            crossings = self.take(())
            while more := crossings and self.take(()):  # with them the log was read on
                crossings += more
            return crossings + self._changed((), at)
        with self._database.reading() as connection:
            moved = self._projector.board.follow(connection)
        return self._changed(moved, at)

    def taken_up(self, at: str | None = None) -> list[AlertFired | AlertRearmed]:
        """The same for who follows the marks: at the board as it is, those after come in turn."""
        return self._changed((), at)

    def resume(self) -> list[AlertFired | AlertRearmed]:
        """For who goes on where a killed process ended: as it was then, then mark by mark."""
        projector = self._projector
        if self._evaluated.look() > self._settled:
            return self.take(())  # others went on: as it was then is no more
        at = settled_at(self._database, self._ledger, projector.position, self._settled)
        return self._changed((), at) + self.take(())

    def time_passed(self) -> list[AlertFired | AlertRearmed]:
        """For who awaits quotes and gets none: rules are asked by the clock, once a second.

        Not while the quotes are of the past: what waits then, waits for their time.
        """
        if not self._pace.is_time(self._clock()):
            return []
        crossings = self.facts_changed()
        self.keep_evaluated()
        return crossings

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

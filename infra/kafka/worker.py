"""The worker: messages of Kafka into the ledger and the market, each exactly once.

How far a partition was read is kept in the transaction of what was read, and moves by
compare-and-set. So a message counts once, whatever is delivered twice; and of two workers that
believe they own a partition the second to commit is refused, lets go and starts from what is
stored. What Kafka knows of offsets is a hint for those who watch the lag.

Facts belong to the shard of their partition. Marks are stored by whoever owns their partition, and
every shard follows them in the database.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, suppress
from datetime import datetime
from typing import Any

from kafka import KafkaConsumer
from kafka.errors import (
    KafkaError,
    LogTruncationError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)
from kafka.structs import MemberState, OffsetAndMetadata

from domain.days import sortable_instant
from infra.composition import App
from infra.kafka.consumer import check_range
from infra.kafka.mark_stream import MarkStream
from infra.kafka.records import Record
from infra.kafka.shard import Shard
from infra.kafka.topics import Topics
from infra.metrics import Metrics
from infra.readiness import NOT_JOINED, StreamChecks
from services.collector import paused, settle_again
from services.intake import Intake, PositionMoved, Step, move, position
from services.ledger import Outcome

POLL_MS = 50
SHARDS_AT_ONCE = 2  # one computes, one waits for the server; as many connections has the pool
IDLE_SECONDS = 1.0
_log = logging.getLogger(__name__)


class Worker:
    """Takes in what it is assigned, a batch a step; between two steps nothing is half done.

    `tell` is called after alerts fired: a relay may wait for it. `checks` is told after each step
    how much waits.
    """

    def __init__(
        self, app: App, consumer: KafkaConsumer, names: Topics, checks: StreamChecks,
        metrics: Metrics, tell: Callable[[], object] | None = None,
    ) -> None:  # fmt: skip
        self.metrics = metrics
        self.shards: dict[int, Shard] = {}
        self._app = app
        self._consumer = consumer
        self._names = names
        self._checks = checks
        self._wake = tell or (lambda: None)
        self._ends: dict[Any, int] = {}  # of those: one after the last message there is
        self._marks = MarkStream(app)
        self._next: dict[Any, int] = {}  # by partition that is ours: what the database said last
        self._idled = 0.0
        self._has_let_go = False
        self._at_once = ThreadPoolExecutor(SHARDS_AT_ONCE, "shard")

    def step(self) -> int:
        """Takes in what is there, or waits a little; returns how many messages it read."""
        batches = self._poll()
        fresh = self._hold(self._consumer.assignment())
        mine = batches.keys() - fresh
        facts = {each for each in mine if each.topic == self._names.facts}
        # Facts first: a mark that came with them values what they bought.
        for some in (facts, mine - facts):
            self._take_all({each: batches[each] for each in some})
        self._follow()
        self._say_what_waits()
        return sum(map(len, batches.values()))

    def close(self) -> None:
        """Lets every shard go, with all that it settled."""
        self._at_once.shutdown()
        with ExitStack() as at_end:
            for shard in self.shards.values():
                at_end.callback(shard.close)
            for shard in self.shards.values():
                with suppress(PositionMoved):
                    shard.market.keep_evaluated()
        self.shards = {}

    def _poll(self) -> dict[Any, Sequence[Record]]:
        """What came. A partition that cannot be read from where the consumer is, or that it does
        not know where to read, is held anew."""
        try:
            found: dict[Any, Sequence[Record]] = self._consumer.poll(timeout_ms=POLL_MS)
        except (NoOffsetForPartitionError, OffsetOutOfRangeError) as error:
            lost = error.args[0]
        except LogTruncationError as error:
            lost = error.divergent_offsets
        else:
            return found
        for partition in lost:
            self._next.pop(partition, None)
        return {}

    def _hold(self, assigned: Collection[Any]) -> set[Any]:
        """Forgets what is no longer ours; takes up one shard that is, so that polls go on.

        Returns the partitions that are ours from now on: they are read from where the database
        says, so what was fetched before is fetched again.
        """
        for partition in self._ends.keys() - set(assigned):
            self._next.pop(partition, None)
            del self._ends[partition]
            self.metrics.lag.remove(partition.topic, partition.partition)
        fresh = {each for each in assigned if each not in self._next}
        if fresh:
            self._seek(fresh)
        mine = {each.partition for each in assigned if each.topic == self._names.facts}
        for number in self.shards.keys() - mine:
            self._let_go(number)
        if self._has_let_go and self._app.is_process:
            settle_again()
        self._has_let_go = False
        for number in sorted(mine - self.shards.keys())[:1]:
            self._shard(number)
        return fresh

    def _seek(self, fresh: Collection[Any]) -> None:
        """Reads on from where the database says. Raises OutOfRange if that is not there.

        The ends are asked for last: whoever else reads on meanwhile is not beyond them.
        """
        firsts = self._consumer.beginning_offsets(fresh)
        stored = {each: self._stored(each, firsts[each]) for each in fresh}
        self._ends |= self._consumer.end_offsets(fresh)
        for partition, place in stored.items():
            check_range(partition, place, firsts[partition], self._ends[partition])
            self._consumer.seek(partition, place)
        self._next |= stored

    def _let_go(self, number: int) -> None:
        self.shards.pop(number).close()
        self._has_let_go = True  # its memory goes in _hold, when nobody holds it any more
        self.metrics.position.remove(number)
        _log.info("shard let go", extra={"partition": number})

    def _shard(self, number: int) -> Shard:
        if number not in self.shards:
            start = time.monotonic()
            shard = self.shards[number] = Shard(self._app, number, self._wake)
            told = {"partition": number, "position": shard.projector.position}
            _log.info(
                "shard taken up", extra=told | {"seconds": round(time.monotonic() - start, 3)}
            )
        return self.shards[number]

    def _take_all(self, batches: Mapping[Any, Sequence[Record]]) -> None:
        """Two shards at a time, which have nothing in common: as the server works for one, another
        is read. What becomes of them is told when none is at work."""
        with paused():  # nearly all that a batch makes is gone at its end, and none of it a cycle
            begun = [
                (each, self._at_once.submit(self._take, each, records))
                for each, records in batches.items()
            ]
            wait([taken for _, taken in begun])
        for partition, taken in begun:
            try:
                self._next[partition] = taken.result()
            except PositionMoved as moved:
                self._refused(moved, partition)
                continue
            place = OffsetAndMetadata(self._next[partition], "", -1)
            with suppress(KafkaError):  # a hint; the truth is stored already
                self._consumer.commit_async({partition: place})

    def _take(self, partition: Any, records: Sequence[Record]) -> int:
        """Stores what is new of a batch, with all that follows; returns what comes next."""
        expected = self._next[partition]
        fresh = [record for record in records if record.offset >= expected]
        if not fresh:
            return expected
        step = Step(partition.topic, partition.partition, expected, records[-1].offset + 1)
        with self.metrics.batch_seconds.labels(partition.topic).time():
            if partition.topic == self._names.facts:
                outcomes, unusable = self._shard(partition.partition).take(step, fresh)
                self.metrics.facts.inc(outcomes.count(Outcome.NEW))
            else:
                unusable = self._marks.take(step, fresh, sortable_instant(self._app.clock()))
        self.metrics.dead.inc(unusable)
        self.metrics.messages.labels(partition.topic).inc(len(fresh))
        return step.next

    def _follow(self) -> None:
        """Every shard sees the marks that were stored; now and then, that time goes on."""
        stored = self._marks.since()
        is_idle = time.monotonic() - self._idled >= IDLE_SECONDS
        for shard in list(self.shards.values()):
            try:
                if shard.unseen(self._marks.last):
                    for seconds in shard.follow(stored):
                        self.metrics.tick_to_alert.observe(seconds)
                    if is_idle:  # a stream of marks that never pauses must not hold this up
                        shard.project()
                        shard.market.keep_evaluated()
                elif is_idle:
                    shard.idle()
            except PositionMoved as moved:
                self._refused(moved, None, shard.number)
            self._tell(shard)
        if is_idle:
            self._idled = time.monotonic()

    def _refused(self, moved: PositionMoved, partition: Any, shard: int | None = None) -> None:
        """Another worker read on: what we know of that place is stale, and starts anew."""
        self.metrics.moved.inc()
        self._next.pop(partition, None)
        if partition is not None and partition.topic == self._names.facts:
            shard = partition.partition
        _log.warning("another worker read on", extra={"partition": shard, "reason": str(moved)})
        if shard in self.shards:
            self._let_go(shard)

    def _say_what_waits(self) -> None:
        """Of each partition and shard that is ours, to Prometheus and to the checks."""
        behind = {}
        for partition in self._next.keys() & self._ends.keys():
            end = max(self._ends[partition], self._consumer.highwater(partition) or 0)
            waiting = max(0, end - self._next[partition])
            self._ends[partition] = end
            behind[f"{partition.topic}/{partition.partition}"] = waiting
            self.metrics.lag.labels(partition.topic, partition.partition).set(waiting)
        for number, shard in self.shards.items():
            behind[f"{self._names.marks}/shard {number}"] = shard.unseen(self._marks.last)
        self._checks.stepped(behind, self._not_ready())

    def _not_ready(self) -> dict[str, str]:
        """What no count of messages shows. A member to which no partition fell has joined too."""
        state = self._consumer.group_metadata().state
        failed = {} if self._ends or state is MemberState.STABLE else dict(NOT_JOINED)
        mine = {each.partition for each in self._ends if each.topic == self._names.facts}
        for number in sorted(mine - self.shards.keys()):
            failed[f"shard/{number}"] = "is assigned and not taken up yet"
        return failed

    def _tell(self, shard: Shard) -> None:
        """To Prometheus, what a shard did since it was asked last."""
        fired, rearmed = shard.news()
        self.metrics.alerts.labels("fired").inc(fired)
        self.metrics.alerts.labels("rearmed").inc(rearmed)
        self.metrics.own_facts.inc(fired + rearmed)
        self.metrics.missed.set(sum(each.market.counts.missed for each in self.shards.values()))
        if shard.number in self.shards:
            self.metrics.position.labels(shard.number).set(shard.projector.position)
        if shard.market.now:
            self.metrics.last_mark.set(datetime.fromisoformat(shard.market.now).timestamp())

    def _stored(self, partition: Any, first: int) -> int:
        """How far a partition was read; marks that are gone unread are passed over."""
        place = partition.topic, partition.partition
        with self._app.database.writing() as connection:
            stored = position(connection, *place)
            if stored < first and partition.topic == self._names.marks:
                move(connection.exec_driver_sql, Intake((Step(*place, None, first),), (), ""))
                told = {"partition": place[1], "position": stored, "offset": first}
                _log.warning("marks were deleted unread", extra=told)
                return first
        return stored

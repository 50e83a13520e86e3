"""The relay: sends what is due until it is stopped, whoever put it into the outbox.

Each target has a line of its own, a thread, so that one that is slow or away holds up no other;
where a pass met a failure the target rests, longer each time. Any number of relays may run.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from threading import Event, Thread

from sqlalchemy import Connection

from domain.days import sortable_instant
from infra.composition import App
from services.changes_out import due_streams, make_tables
from services.sending import Sent, due_targets, send_due

Job = Callable[[Callable[[], bool]], Sent]  # given: whether to stop before the next message
Jobs = Callable[[], Mapping[str, Job]]  # by name, those that have something to send
LOOK_SECONDS, LOOK_SECONDS_BUSY = 0.05, 0.015
_BUSY_SECONDS = 1  # after something was sent, more is likely soon
REST_SECONDS, REST_SECONDS_MOST = 1, 60
# Receivers of webhooks are strangers, and may take 15 s each: they get lines of their own. Each
# line takes two connections to the database at most, and its pool has twelve.
_STRANGERS, _STRANGERS_AT_ONCE, _OTHERS_AT_ONCE = "webhook", 5, 4
_log = logging.getLogger(__name__)


class Relay:
    """Runs jobs, each in a line of its own, and of one name one at a time."""

    def __init__(self, jobs: Jobs) -> None:
        self.total = Sent()
        self._jobs = jobs
        self._stopped, self._woken = Event(), Event()
        self._running: dict[str, Future[Sent]] = {}
        self._failures: dict[str, int] = {}
        self._busy_until = 0.0
        self._rests_until: dict[str, float] = {}
        self._strangers = ThreadPoolExecutor(_STRANGERS_AT_ONCE, "strangers")
        self._others = ThreadPoolExecutor(_OTHERS_AT_ONCE, "targets")

    def run(self, is_stopped: Callable[[], bool]) -> None:
        """Sends until stopped, and ends after the messages that are on their way.

        An error that is not a target's ends it, and is raised.
        """
        try:
            while not is_stopped():
                self.step()
                is_busy = time.monotonic() < self._busy_until
                self._woken.wait(LOOK_SECONDS_BUSY if is_busy else LOOK_SECONDS)
                self._woken.clear()
        finally:
            self._stopped.set()
            self._strangers.shutdown()
            self._others.shutdown()
        self._settle()

    def step(self) -> None:
        """Starts what has something to send, neither runs nor rests."""
        self._settle()
        now = time.monotonic()
        for name, job in self._jobs().items():
            if name not in self._running and self._rests_until.get(name, 0) <= now:
                pool = self._strangers if name.startswith(_STRANGERS) else self._others
                self._running[name] = pool.submit(job, self._stopped.is_set)
                self._busy_until = now + _BUSY_SECONDS

    def once(self) -> Sent:
        """Tries what is due now once, one after the other; returns the counts.

        Left is what is for a target that is away, or what another relay is at.
        """
        left: set[str] = set()
        while jobs := {name: job for name, job in self._jobs().items() if name not in left}:
            for name, job in jobs.items():
                done = job(self._stopped.is_set)
                self.total.add(done)
                if done.away or not done.has_moved:
                    left.add(name)
        return self.total

    def wake(self) -> None:
        """Something is due now: no need to wait for the next look."""
        self._woken.set()

    def _settle(self) -> None:
        for name, job in list(self._running.items()):
            if job.done():
                del self._running[name]
                done = job.result()  # raises what the job raised
                self.total.add(done)
                self._rest(name, done)

    def _rest(self, name: str, done: Sent) -> None:
        if not done.failed:
            self._failures.pop(name, None)
            self._rests_until.pop(name, None)
            return
        failures = 0 if done.sent else self._failures.get(name, 0)
        seconds = min(REST_SECONDS << failures, REST_SECONDS_MOST)
        self._failures[name] = min(failures + 1, REST_SECONDS_MOST)
        self._rests_until[name] = time.monotonic() + seconds
        # The channel alone: a receiver's address may hold its secret.
        said = {"channel": name.partition(":")[0], "seconds": seconds}
        _log.warning("a delivery failed, its target rests", extra=said)


class Beside:
    """A relay in a thread beside what the process does."""

    def __init__(self, relay: Relay) -> None:
        self.wake = relay.wake
        self._relay = relay
        self._error: Exception | None = None
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="relay")
        self._thread.start()

    def check(self) -> None:
        """Raises the error that ended it, if one did."""
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Ends it after the messages that are on their way."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._relay.run(self._stopped.is_set)
        except Exception as error:  # raised again by check
            self._error = error


def relay_of(app: App) -> Relay:
    """A relay of all that leaves: the outbox, and to Kafka dead letters and changes as well."""
    make_tables(app.database)

    def jobs() -> dict[str, Job]:
        with app.database.reading() as connection:
            found: dict[str, Job] = {
                target: partial(send_due, app.database, app.channels, target, app.clock)
                for target in due_targets(connection, app.clock())
            }
            if app.settings.kafka:
                found |= _streams(app, connection)
        return found

    return Relay(jobs)


def _streams(app: App, connection: Connection) -> dict[str, Job]:
    from infra.kafka.changes import send_changes  # noqa: PLC0415
    from infra.kafka.letters import are_untold, tell  # noqa: PLC0415
    from infra.kafka.topics import topics  # noqa: PLC0415

    names, found = topics(app.settings.kafka_prefix), dict[str, Job]()
    if app.settings.is_postgres and are_untold(connection):
        found["dead letters"] = partial(
            tell, app.database, app.kafka, names.dead_letters, sortable_instant(app.clock())
        )
    for stream in due_streams(connection):
        found[stream] = partial(send_changes, app.database, app.kafka, names, stream)
    return found

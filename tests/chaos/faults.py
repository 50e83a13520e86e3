"""What breaks: processes, servers and connections, at seeded moments, while messages come in."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from random import Random

from tests.chaos.fleet import Fleet
from tests.servers.kafka import Broker
from tests.servers.postgres import Cluster
from tests.servers.proxy import Cut, Proxy

SESSION_SECONDS = 3  # a worker that is silent for so long is replaced
WORKER, RELAY, ALL = "worker", "deliver", "run --port 0"


class Faults:
    """Does what is planned when it is due. `done` counts faults by name."""

    def __init__(
        self, random: Random, fleet: Fleet, cluster: Cluster, broker: Broker, proxy: Proxy
    ) -> None:
        self.done: Counter[str] = Counter()
        self._random = random
        self._fleet = fleet
        self._cluster = cluster
        self._broker = broker
        self._proxy = proxy
        self._plan: list[tuple[float, Callable[[], None]]] = []

    def plan(self, name: str, after_seconds: float) -> None:
        """Has a fault of `KINDS` happen then."""

        def happen() -> None:
            self.done[name] += 1
            KINDS[name](self)

        self._later(after_seconds, happen)

    def do_what_is_due(self) -> None:
        """Does all that is due now; some of it plans what comes after."""
        now = time.monotonic()
        due = [each for each in self._plan if each[0] <= now]
        self._plan = [each for each in self._plan if each[0] > now]
        for _, act in sorted(due, key=lambda each: each[0]):
            act()

    @property
    def is_pending(self) -> bool:
        """Whether something is planned still, or a connection still to be cut."""
        return bool(self._plan) or self._proxy.is_armed

    def kill_worker(self) -> None:
        """Another takes its place at once, as a member of its own."""
        self._fleet.kill(self._random.choice(self._fleet.of(WORKER)))

    def kill_relay(self) -> None:
        """Alone, or with the worker that is in its process."""
        self._fleet.kill(self._random.choice([*self._fleet.of(RELAY), *self._fleet.of(ALL)]))

    def one_less(self) -> None:
        """One ends in good order; some time later there are as many as before."""
        self._fleet.stop(self._random.choice(self._fleet.of(WORKER)))
        self._later(2, self._more)

    def one_more(self) -> None:
        """One joins, and some time later one ends."""
        self._more()
        self._later(4, lambda: self._fleet.stop(self._random.choice(self._fleet.of(WORKER))))

    def freeze_worker(self) -> None:
        """It stands still for longer than its session, and then goes on as if it had not."""
        member = self._random.choice(self._fleet.of(WORKER))
        member.freeze()
        self._later(SESSION_SECONDS + 2, member.thaw)

    def crash_database(self) -> None:
        self._cluster.crash()
        self._cluster.start()

    def crash_broker(self) -> None:
        self._broker.kill()
        self._broker.start()

    def cut_before_commit(self) -> None:
        self._proxy.arm(Cut.BEFORE)

    def cut_after_commit(self) -> None:
        self._proxy.arm(Cut.AFTER)

    def cut_connections(self) -> None:
        self._proxy.cut_all()

    def _more(self) -> None:
        self._fleet.start(WORKER)

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        self._plan.append((time.monotonic() + seconds, act))


KINDS: dict[str, Callable[[Faults], None]] = {
    each.__name__: each
    for each in (
        Faults.kill_worker, Faults.kill_relay, Faults.one_less, Faults.one_more,
        Faults.freeze_worker, Faults.crash_database, Faults.crash_broker,
        Faults.cut_before_commit, Faults.cut_after_commit, Faults.cut_connections,
    )
}  # fmt: skip


def dealt(seed: int) -> list[str]:
    """The faults of a round, in order: two rounds in a row have each kind once."""
    names = sorted(KINDS)
    Random(f"thresher-faults-{seed // 2}").shuffle(names)
    return names[seed % 2 :: 2]

"""What keeps a process from being ready, by name of the check; the checks behind /readyz."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import Connection, inspect
from sqlalchemy.exc import SQLAlchemyError

from domain.errors import ThresherError
from infra.database import open_database, open_memory
from infra.settings import Settings
from projections.schema import CHECKPOINTS
from services.database import Clock, Database
from services.standing import partitions

_SILENT_AFTER_SECONDS = 60  # a step takes less; to take a shard up may not, and is not ready
NOT_JOINED = {"group": "the worker is no member of its consumer group yet"}
_log = logging.getLogger(__name__)


def watched_database(settings: Settings) -> Database:
    """The store for one that only looks: nothing is asked yet, and it may be away by then."""
    if settings.is_postgres:
        from infra.postgres.opening import watched  # noqa: PLC0415  the driver is for servers alone

        return watched(settings.database_url)
    if settings.memory:
        return open_memory(settings.memory)
    return open_database(settings.database_path, is_there=True)


class StoreChecks:
    """Store reachable, schema of this version, every partition projected, none being rebuilt.

    `max_lag`: how many facts read models may be behind. Safe to call from any thread.
    """

    def __init__(
        self, settings: Settings, database: Database, clock: Clock, max_lag: int
    ) -> None:  # fmt: skip
        self._settings = settings
        self._database = database
        self._clock = clock
        self._max_lag = max_lag

    def __call__(self) -> dict[str, str]:
        """Why each check that fails does; of an error only that there is one: the log has it."""
        try:
            with self._database.reading() as connection:
                return self._schema(connection) or self._projected(connection)
        except (SQLAlchemyError, ThresherError):
            _log.warning("store not read", exc_info=True)
            return {"store": "cannot be read"}

    def _schema(self, connection: Connection) -> dict[str, str]:
        if self._settings.is_postgres:
            from infra.postgres.migrate import NotMigrated, check  # noqa: PLC0415

            try:
                check(connection, self._settings.database_url)
            except NotMigrated:
                return {"schema": "is of another version: run thresher migrate"}
        elif not inspect(connection).has_table(CHECKPOINTS.name):
            return {"schema": "holds no read models yet: run thresher import"}
        return {}

    def _projected(self, connection: Connection) -> dict[str, str]:
        failed = {}
        for each in partitions(connection, self._clock()):
            if each.rebuilt < 1:
                failed[f"rebuild/{each.number}"] = f"{each.rebuilt:.0%} of it is there"
            elif each.lag > self._max_lag:
                failed[f"projection/{each.number}"] = (
                    f"{each.lag} facts behind, at most {self._max_lag}"
                )
        return failed


class StreamChecks:
    """Whether a worker is caught up with its partitions, as it says itself after each step.

    A member of the group that owns none stands by, and is ready for it. Told by the worker, asked
    in other threads.
    """

    def __init__(self, max_lag: int, clock: Clock = lambda: datetime.now(UTC)) -> None:
        self._max_lag = max_lag
        self._clock = clock
        self._said: tuple[datetime, dict[str, int], dict[str, str]] = (clock(), {}, NOT_JOINED)

    def stepped(self, behind: Mapping[str, int], failed: Mapping[str, str]) -> None:
        """A step ended; how many messages wait, by where they do, and what else is not ready."""
        self._said = self._clock(), dict(behind), dict(failed)

    def __call__(self) -> dict[str, str]:
        """What is behind or not ready, and whether the worker stands still."""
        stepped, behind, others = self._said
        failed = others | {
            f"stream/{name}": f"{waiting} messages behind, at most {self._max_lag}"
            for name, waiting in behind.items()
            if waiting > self._max_lag
        }
        still = (self._clock() - stepped).total_seconds()
        if still > _SILENT_AFTER_SECONDS:
            failed["worker"] = f"has not finished a step for {still:.0f} s"
        return failed

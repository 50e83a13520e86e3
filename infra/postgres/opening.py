"""Opens the parts of the store on PostgreSQL, or says in one line why it cannot."""

from __future__ import annotations

import psycopg
from eventsourcing.persistence import PersistenceError
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from domain.errors import ThresherError
from infra.postgres.database import open_database
from infra.postgres.migrate import NotMigrated, check, migrate
from infra.postgres.place import STILL_SECONDS, connection_parts, shown
from services.database import Database
from services.ledger import Ledger

_STORE = "infra.postgres.event_store:FactPostgresFactory"
_PATIENCE_SECONDS = 5  # half of what Prometheus waits for a scrape


class ServerNotReached(ThresherError):
    """PostgreSQL does not answer, or refuses."""


def database(url: str, *, reconnects: bool = True, is_service: bool = False) -> Database:
    """Read models and permanent tables; raises ServerNotReached, NotMigrated.

    `is_service`: a writer that stands still is replaced, so it must not keep its lock.
    """
    opened = open_database(
        url, reconnects=reconnects, still_seconds=STILL_SECONDS if is_service else 0
    )
    try:
        with opened.reading() as connection:
            check(connection, url)
    except DBAPIError as error:
        opened.reader.dispose()
        raise ServerNotReached(f"{shown(url)}: {_first_line(error.orig)}") from error
    except NotMigrated:
        opened.reader.dispose()
        raise
    return opened


def watched(url: str) -> Database:
    """The same for one that only looks: nothing is asked yet, and no answer is waited for long."""
    options = make_url(url).query.get("options", "")
    limits = {
        "connect_timeout": str(_PATIENCE_SECONDS),
        "options": f"{options} -c statement_timeout={_PATIENCE_SECONDS}s".strip(),
    }
    place = make_url(url).update_query_dict(limits)
    return open_database(place.render_as_string(hide_password=False))


def ledger(url: str, shard: int = 0, shards: int = 1) -> Ledger:
    """The log of one of so many shards; raises ServerNotReached."""
    try:
        # The pool would only say that it had no connection in time, not why.
        psycopg.connect(**connection_parts(url)).close()  # type: ignore[arg-type]
        place = {"POSTGRES_URL": url, "SHARD": str(shard), "SHARDS": str(shards)}
        return Ledger({"PERSISTENCE_MODULE": _STORE, **place})
    except (PersistenceError, psycopg.Error) as error:
        raise ServerNotReached(f"{shown(url)}: {_first_line(error)}") from error


def migrated(url: str, role: str, shards: int | None) -> tuple[str, int]:
    """Brings the schema to this version; returns its revision, and how many shards it has.

    Raises ServerNotReached, WrongShards.
    """
    try:
        return migrate(url, role, shards)
    except DBAPIError as error:
        raise ServerNotReached(f"{shown(url)}: {_first_line(error.orig)}") from error


def _first_line(error: BaseException | None) -> str:
    return str(error).strip().partition("\n")[0]

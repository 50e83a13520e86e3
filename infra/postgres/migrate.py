"""The schema on PostgreSQL: made and moved forward by `thresher migrate`, never at start."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect

from domain.errors import ThresherError
from infra.postgres import shards as all_shards
from infra.postgres.place import engine_url, shown
from projections.schema import METADATA
from services.read_models import PROJECTIONS
from services.snapshots import CACHES

_MIGRATIONS = Path(__file__).parent / "migrations"
_NOT_OURS = ("facts", "heads", "alembic_version")  # changed by migrations and the append alone
_LOCK = "SELECT pg_advisory_lock(hashtext('thresher.migrate'))"


class NotMigrated(ThresherError):
    """The schema is not the one of this version."""


def migrate(url: str, role: str = "", shards: int | None = None) -> tuple[str, int]:
    """Brings the schema to this version and lets `role` use it; returns its revision and shards.

    One at a time: a second process waits. The role can append to the log and read it, and
    change tables that are not the log; it can create nothing. `shards`: into how many logs the
    facts are parted, for good; None: as many as there are. Raises WrongShards.
    """
    engine = create_engine(engine_url(url), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as lock:
            lock.exec_driver_sql(_LOCK)
            config = _config(url)
            command.upgrade(config, "head")
            with engine.connect().execution_options(isolation_level="READ COMMITTED") as tables:
                METADATA.create_all(tables)  # read models of this version; rebuilt at will
                CACHES.create_all(tables)
                if shards is not None:
                    all_shards.make(tables, shards)
                if role:
                    _grant(tables, role)
                known = all_shards.count(tables)
                tables.commit()
    finally:
        engine.dispose()
    return _head(), known


def check(connection: Connection, url: str) -> None:
    """Raises NotMigrated unless the schema is the one of this version."""
    known = MigrationContext.configure(connection).get_current_revision()
    missing = known == _head() and [
        each.table.name
        for each in PROJECTIONS
        if not inspect(connection).has_table(each.table.name)
    ]
    if known != _head() or missing:
        raise NotMigrated(
            f"{shown(url)}: the schema is of revision {known or 'none'}, this version needs "
            f"{_head()}: run thresher migrate"
        )


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["url"] = engine_url(url)
    return config


def _head() -> str:
    head = ScriptDirectory(str(_MIGRATIONS)).get_current_head()
    assert head is not None
    return head


def _grant(connection: Connection, role: str) -> None:
    quoted = connection.dialect.identifier_preparer.quote(role)
    for statement in (
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {quoted}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {quoted}",
        *(
            f"GRANT INSERT, UPDATE, DELETE ON {table} TO {quoted}"
            for table in inspect(connection).get_table_names()
            if table not in _NOT_OURS
        ),
        f"GRANT EXECUTE ON FUNCTION thresher_append TO {quoted}",
    ):
        connection.exec_driver_sql(statement)

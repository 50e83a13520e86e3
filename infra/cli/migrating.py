"""The `migrate` command: makes the schema on a PostgreSQL server, or moves it forward."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.cli.options import settings
from infra.cli.output import stderr


def migrate_command(
    role: Annotated[
        str, typer.Option(help="A login that may append to the log and use the tables, no more.")
    ] = "",
    shards: Annotated[
        int | None,
        typer.Option(help="Logs, and so partitions: for good, once there are facts (new: 1)."),
    ] = None,
) -> None:
    """Make the schema of this version on the PostgreSQL server of THRESHER_DATABASE_URL.

    Run it as the owner of the database, before the first start and after each update; all other
    commands refuse an older schema and change none.
    """
    place = settings()
    if not place.is_postgres:
        stderr().print("an SQLite file needs no migration: tables are made when it is opened")
        return
    from infra.postgres import opening  # noqa: PLC0415

    revision, logs = opening.migrated(place.database_url, role, shards)
    parts = "1 shard" if logs == 1 else f"{logs} shards"
    stderr().print(f"the schema is of revision {revision}, the log has {parts}", highlight=False)

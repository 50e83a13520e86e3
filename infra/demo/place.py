"""Where the demo's ledger lies: a file of its own, made anew by every run."""

from __future__ import annotations

import os
import shlex
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from domain.errors import ThresherError
from infra.settings import Settings

TAXPAYER = "demo"
NAME = "thresher-demo.db"
_BESIDE = ("", "-wal", "-shm", "-journal")


class NotADemoLedger(ThresherError):
    """The file holds something else, and the demo starts from nothing: it must not replace it."""


def place(settings: Settings, chosen: Path | None) -> Path:
    """The file chosen, else one beside the configured ledger, else one in a temporary folder."""
    if chosen is not None:
        return chosen.absolute()
    beside = settings.database_path.absolute().with_name(NAME)
    try:
        beside.parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        pass
    if os.access(beside.parent, os.W_OK):
        return beside
    return Path(tempfile.mkdtemp(prefix="thresher-demo-")) / NAME


def clear(path: Path) -> None:
    """Removes the ledger of an earlier demo. Raises NotADemoLedger if it is anything else."""
    if path.exists() and not _is_demo(path):
        raise NotADemoLedger(
            f"{path} is not the ledger of an earlier demo; choose another file with --database"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    for ending in _BESIDE:
        path.with_name(path.name + ending).unlink(missing_ok=True)


def command(path: Path, arguments: str) -> str:
    """A `thresher` command on the demo's ledger, as a shell takes it."""
    url = shlex.quote(f"sqlite:///{path}")
    other = os.environ.get("THRESHER_TAXPAYER", "") not in ("", TAXPAYER)
    taxpayer = f"THRESHER_TAXPAYER={TAXPAYER} " if other else ""
    return f"THRESHER_DATABASE_URL={url} {taxpayer}thresher {arguments}"


def _is_demo(path: Path) -> bool:
    """Whether every fact in the file is the demo person's; an empty file counts."""
    if not path.is_file():
        return False
    if not path.stat().st_size:
        return True
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            if "facts" not in tables:
                return not tables
            ids = connection.execute("SELECT originator_id FROM facts")
            return all(name.startswith(f"{TAXPAYER}:") for (name,) in ids) and _no_marks_alone(
                connection, tables
            )
    except sqlite3.DatabaseError:
        return False


def _no_marks_alone(connection: sqlite3.Connection, tables: set[str]) -> bool:
    """A ledger without facts but with marks is somebody's beginning."""
    if "marks" not in tables:
        return True
    (facts,) = connection.execute("SELECT count(*) FROM facts").fetchone()
    (marks,) = connection.execute("SELECT count(*) FROM marks").fetchone()
    return bool(facts or not marks)

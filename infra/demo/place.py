"""Where the demo's ledger lies: a file of its own, made anew by every run."""

from __future__ import annotations

import os
import shlex
import sqlite3
import tempfile
from contextlib import closing, suppress
from pathlib import Path

from domain.errors import ThresherError
from infra.demo.material import trade_ids
from infra.settings import Settings

TAXPAYER = "demo"
SOURCE = "csv"  # as `thresher import` has it, so that an import of the trades adds nothing
NAME = "thresher-demo.db"
_BESIDE = ("", "-wal", "-shm", "-journal")


class NotADemoLedger(ThresherError):
    """The file holds something else, and the demo starts from nothing: it must not replace it."""


def place(settings: Settings, chosen: Path | None) -> Path:
    """The file chosen, else one beside the configured ledger, else one in a temporary folder."""
    if chosen is not None:
        return chosen.absolute()
    beside = settings.database_path.absolute().with_name(NAME)
    with suppress(OSError):
        beside.parent.mkdir(parents=True, exist_ok=True)
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


def on(path: Path) -> str:
    """What goes before a command so that it works on the demo's ledger, as a shell takes it."""
    url = shlex.quote(f"sqlite:///{path}")
    other = os.environ.get("THRESHER_TAXPAYER", "") not in ("", TAXPAYER)
    return f"THRESHER_DATABASE_URL={url}" + (f" THRESHER_TAXPAYER={TAXPAYER}" if other else "")


def _is_demo(path: Path) -> bool:
    """Whether the file holds the demo's own facts and nothing else; an empty file counts."""
    if not path.is_file():
        return False
    if not path.stat().st_size:
        return True
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            tables = {name for (name,) in found}
            if not {"facts", "marks"} & tables:
                return not tables
            facts = connection.execute("SELECT originator_id FROM facts").fetchall()
            (marks,) = connection.execute("SELECT count(*) FROM marks").fetchone()
    except sqlite3.DatabaseError:
        return False
    return bool(facts or not marks) and all(_of_demo(stream) for (stream,) in facts)


def _of_demo(stream: str) -> bool:
    taxpayer, source, id = stream.split(":", 2)
    own = source in ("declared", "thresher") or (source == SOURCE and id in trade_ids())
    return taxpayer == TAXPAYER and own

"""Marks on a file: written through, and their log copied into the file, beside the work.

The machine does both, and no rule waits for it. A crash of the machine, not of the process, loses
the marks of the last moments at most; never one that an alert stands on, as the commit of facts
writes through all that came before.
"""

from __future__ import annotations

import os
import sqlite3
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from services.database import Through

FLUSHED_EVERY = 200  # marks, and when none come
CHECKPOINTED_EVERY = 5_000
LONG = 3_000  # pages of the log: from then on it is begun anew, once all of it is copied
_PAUSE = 0.002  # seconds, for a few pages
_BESIDE = ThreadPoolExecutor(1, "write-through")
_write = getattr(os, "fdatasync", os.fsync)  # on Linux without the time of the change


class WriteThrough(Through):
    """Of one file with its write-ahead log. An error is raised when it is told of the next marks,
    or closed.
    """

    def __init__(self, engine: Engine, log: Path) -> None:
        self._engine = engine
        self._log = log
        self._flushed: Future[None] = _BESIDE.submit(lambda: None)
        self._copied = _BESIDE.submit(lambda: 0)
        self._is_written = False  # the file, up to a moment ago
        self._unwritten = 0
        self._since = CHECKPOINTED_EVERY  # whatever was there before

    def flush(self) -> None:
        # Without a log, all is in the file and written.
        with suppress(FileNotFoundError), self._log.open("rb") as opened:
            _write(opened.fileno())

    def stored(self, marks: int, *, is_written: bool) -> None:
        self._since += marks
        self._unwritten = 0 if is_written else self._unwritten + marks
        is_time = self._unwritten >= FLUSHED_EVERY or (self._unwritten and not marks)
        if is_time and self._flushed.done():
            self._flushed.result()  # raises what it met
            self._unwritten = 0
            self._flushed = _BESIDE.submit(self.flush)
        if self._copied.done() and self._flushed.done():
            self._go_on_with_copy(is_time=marks > 0 and self._since >= CHECKPOINTED_EVERY)

    def close(self) -> None:
        self._flushed.result()
        if self._unwritten:
            self._unwritten = 0
            self.flush()
        self._copied.result()

    def _go_on_with_copy(self, *, is_time: bool) -> None:
        """While commits go on, some pages are always left, so that a log would only grow.

        SQLite writes the file through only if no commit comes as it copies. So of a long log the
        few pages that are left are copied in a pause; as they are written through commits go on;
        and what those left is so little that it is copied here. The next commit begins it anew.
        """
        pages = self._copied.result()  # raises what it met
        if pages < LONG:
            self._is_written = False
            if is_time:
                self._since = 0
                self._copied = _BESIDE.submit(self._copy)
        elif not self._is_written:
            self._is_written = True
            self._copied = _BESIDE.submit(self._copy)
            time.sleep(_PAUSE)
        else:
            self._copy()
            self._copied = _BESIDE.submit(lambda: 0)

    def _copy(self) -> int:
        """The log into the file, as far as nobody reads what was before; returns its pages.

        It takes milliseconds, which a commit would take. If it cannot be now, a later one does it.
        """
        known = suppress(sqlite3.OperationalError, DBAPIError)
        with known, self._engine.connect() as connection:
            plain: Any = connection.connection.driver_connection
            for _ in range(2):  # the second has little to do
                ((_, pages, _),) = plain.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            return int(pages)
        return 0

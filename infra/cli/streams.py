"""Text streams: files (plain or gzip), and pipes followed live, line by line."""

from __future__ import annotations

import gzip
import os
import select
import signal
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from threading import Event
from typing import IO, TextIO, cast

DRAINED_SECONDS = 0.002  # who writes line by line has written the next one by then
IDLE_SECONDS = 0.1
WAKE_SECONDS = 1  # while a pipe stays silent: what waits for the clock is looked at then
_CHUNK = 1 << 16


def open_text(path: Path) -> TextIO:
    """A text file; bytes that are no UTF-8 come through marked, and are refused row by row."""
    if path.suffix == ".gz":
        packed = cast("IO[bytes]", _Unpacked(path))
        return TextIOWrapper(packed, "utf-8-sig", errors="surrogateescape", newline="")
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")


class _Unpacked(gzip.GzipFile):
    """A damaged archive is an error of the file system."""

    def read1(self, size: int = -1) -> bytes:
        try:
            return super().read1(size)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise OSError(f"{self.name}: damaged gzip file: {error}") from None


def _nothing() -> None:
    """For whom it is soon enough to be told when a pipe is idle."""


def follow_stdin(
    on_idle: Callable[[], None], on_drained: Callable[[], None] = _nothing
) -> Iterator[str]:
    """Lines of standard input as they come; `on_drained` is called as soon as none is waiting,
    `on_idle` when none has come for IDLE_SECONDS, and again every WAKE_SECONDS.

    A live feed ends by a signal (Ctrl-C): what came is all there was, as if the pipe had ended.
    Before the first line it is a KeyboardInterrupt.
    """
    rest, has_come = b"", False
    with _ended_by_signals() as is_asked:
        for chunk in _chunks(sys.stdin.fileno(), on_idle, on_drained, is_asked.is_set):
            has_come = True
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                yield line.decode("utf-8", "surrogateescape") + "\n"
        if rest and not is_asked.is_set():  # else it may be half a line
            yield rest.decode("utf-8", "surrogateescape")
        if is_asked.is_set() and not has_come:
            raise KeyboardInterrupt


def _chunks(
    descriptor: int,
    on_idle: Callable[[], None],
    on_drained: Callable[[], None],
    is_asked: Callable[[], bool],
) -> Iterator[bytes]:
    """What is in a pipe, as it comes, until it ends or the process is asked to end.

    A pipe that stops in the middle of a line is not drained: its writer is about to go on.
    """
    is_whole = True
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    while not is_asked():
        if is_whole and not waiting.poll(DRAINED_SECONDS * 1000):
            on_drained()
        if not waiting.poll(IDLE_SECONDS * 1000):
            on_idle()
            while not (is_asked() or waiting.poll(WAKE_SECONDS * 1000)):
                on_idle()
        if is_asked():
            return
        chunk = os.read(descriptor, _CHUNK)
        if not chunk:
            return
        is_whole = chunk.endswith(b"\n")
        yield chunk


@contextmanager
def _ended_by_signals() -> Iterator[Event]:
    """Set when the process is asked to end; asked again, it ends at once."""
    asked = Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def ask(number: int, _frame: object) -> None:
        asked.set()
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, ask)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

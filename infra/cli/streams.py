"""Text streams: files (plain or gzip), and pipes followed live, line by line."""

from __future__ import annotations

import gzip
import os
import select
import sys
import zlib
from collections.abc import Callable, Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import IO, TextIO, cast

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


def follow_stdin(on_idle: Callable[[], None]) -> Iterator[str]:
    """Lines of standard input as they come; `on_idle` is called whenever none is waiting, and
    again every WAKE_SECONDS.
    """
    descriptor = sys.stdin.fileno()
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    rest = b""
    while True:
        ready = waiting.poll(IDLE_SECONDS * 1000)
        while not ready:
            on_idle()
            ready = waiting.poll(WAKE_SECONDS * 1000)
        chunk = os.read(descriptor, _CHUNK)
        if not chunk:
            break
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "surrogateescape") + "\n"
    if rest:
        yield rest.decode("utf-8", "surrogateescape")

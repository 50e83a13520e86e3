"""What the disk itself takes meanwhile: another process writes a page and waits for the flush.

A host that others use holds a flush up for tenths of a second at times. Beside a benchmark of
durable writes this tells the disk's share from the program's.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PAGE = b"\0" * 4096
_EVERY = 0.02  # seconds: some fifty flushes a second, a hundredth of what a disk can do


@contextmanager
def disk_beside(directory: Path, took: list[float]) -> Iterator[None]:
    """Adds to `took` the milliseconds of each flush in `directory` while the block runs."""
    beside = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.disk", str(directory / "beside")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        yield
    finally:
        said, _ = beside.communicate()  # the end of its input ends it
    took += json.loads(said)


def _flush(path: str) -> list[float]:
    """Milliseconds until a page that is due every 20 ms is on the disk, until stdin ends.

    From when it is due, as an alert does not wait for the flush before it to begin its own time.
    """
    took = []
    due = time.perf_counter()
    with Path(path).open("wb", buffering=0) as file:
        while not select.select([sys.stdin], [], [], max(0, due - time.perf_counter()))[0]:
            file.write(_PAGE)
            os.fsync(file.fileno())
            took.append(1000 * (time.perf_counter() - due))
            due += _EVERY
    return took


if __name__ == "__main__":
    print(json.dumps(_flush(sys.argv[1])))

"""Running `thresher`: in this process for speed, or as a process of its own where that counts."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from unittest import mock

from infra.main import main

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[Any]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def is_clean(self) -> bool:
        """No traceback, and a code that the manual names."""
        return "Traceback" not in self.out + self.err and self.code in (0, 1)


def thresher(*args: str | Path) -> Ran:
    """Runs a command in this process, through the entry point that users run."""
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    with (
        mock.patch.object(sys, "argv", ["thresher", *map(str, args)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as left:
            code = left.code
    return Ran(code if isinstance(code, int) else 0, out.getvalue(), err.getvalue())


def spawn(*args: str | Path, **options: Any) -> subprocess.Popen[str]:
    """Starts a command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "infra.main", *map(str, args)],
        cwd=ROOT, text=True, env=os.environ | {"COLUMNS": "200"},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options,
    )  # fmt: skip


def process(*args: str | Path, text: str = "") -> Ran:
    """Runs a command as a process of its own, with `text` on its standard input."""
    running = spawn(*args)
    out, err = running.communicate(text, timeout=PATIENCE_SECONDS)
    return Ran(running.returncode, out, err)


def until(holds: Callable[[], Any]) -> Any:
    """Waits until something holds; returns it."""
    end = monotonic() + PATIENCE_SECONDS
    while True:
        found = holds()
        if found:
            return found
        assert monotonic() < end, "waited in vain"
        sleep(0.05)

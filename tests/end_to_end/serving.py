"""`thresher serve`, or another command that answers as it does, as a process on a free port."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from subprocess import Popen
from typing import Any

from tests.end_to_end.command import PATIENCE_SECONDS, spawn


class Serving:
    """A running server; `lines` is what it has logged so far."""

    def __init__(self, *args: str, command: str = "serve") -> None:
        self.process: Popen[str] = spawn(command, "--port", "0", *args)
        self.lines: list[dict[str, Any]] = []
        self.port: int = self._until("listening")["port"]

    def ask(self, path: str) -> tuple[int, str]:
        """Status and body of an answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        connection.request("GET", path)
        answer = connection.getresponse()
        found = answer.status, answer.read().decode()
        connection.close()
        return found

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        self.process.terminate()
        _, err = self.process.communicate(timeout=PATIENCE_SECONDS)
        self.lines += map(json.loads, err.splitlines())
        return self.process.returncode

    def _until(self, event: str) -> dict[str, Any]:
        assert self.process.stderr is not None
        for text in self.process.stderr:
            self.lines.append(json.loads(text))
            if self.lines[-1]["event"] == event:
                return self.lines[-1]
        raise AssertionError(f"it ended: {self.lines}")


@contextmanager
def serving(*args: str, command: str = "serve") -> Iterator[Serving]:
    """A server that is gone at the end, whatever happens."""
    made = Serving(*args, command=command)
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.process.kill()
        made.process.communicate()

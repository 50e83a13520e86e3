"""A real Prometheus for tests, on 127.0.0.1 and a free port; where it is missing, tests fail."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from tests.servers.ports import free_ports

_START_SECONDS = 60


class NoPrometheus(Exception):
    """There is no Prometheus to start."""


class Prometheus:
    """A running server, asked over its HTTP API."""

    def __init__(self, url: str) -> None:
        self._url = url

    def get(self, path: str, **parameters: str) -> Any:
        """The data of an answer; an error of Prometheus fails the test."""
        with urlopen(f"{self._url}/api/v1/{path}?{urlencode(parameters)}", timeout=30) as answer:
            said = json.load(answer)
        assert said["status"] == "success", said
        return said["data"]

    def query(self, expr: str) -> list[float]:
        """The value of each series that an expression has now."""
        return [float(each["value"][1]) for each in self.get("query", query=expr)["result"]]


def promtool(*arguments: str | Path) -> str:
    """What promtool says; an error fails the test."""
    done = subprocess.run(
        [program("promtool"), *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


@contextmanager
def prometheus(config: Path) -> Iterator[Prometheus]:
    """A server with its data beside `config`, gone at the end."""
    (port,) = free_ports(1)
    log = config.with_name("log")
    with log.open("wb") as out:
        process = subprocess.Popen(
            [program("prometheus"), f"--config.file={config}",
             f"--web.listen-address=127.0.0.1:{port}",
             f"--storage.tsdb.path={config.with_name('data')}"],
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + _START_SECONDS
        while not _is_ready(url):
            if process.poll() is not None or time.monotonic() > deadline:
                raise NoPrometheus(f"prometheus: {log.read_text()[-1000:]}")
            time.sleep(0.1)
        yield Prometheus(url)
    finally:
        process.kill()
        process.wait()


def program(name: str) -> str:
    """Where a program of Prometheus is; raises NoPrometheus."""
    found = shutil.which(name)
    if not found:
        raise NoPrometheus(f"these tests need {name}: apt install prometheus")
    return found


def _is_ready(url: str) -> bool:
    try:
        with urlopen(f"{url}/-/ready", timeout=5):
            return True
    except (URLError, OSError):
        return False

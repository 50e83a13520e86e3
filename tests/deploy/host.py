"""This machine in the place of containers: services of the file as processes on 127.0.0.1."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from tests.deploy.compose import Service
from tests.end_to_end.command import ROOT
from tests.servers.ports import free_ports

PORT = "9464"  # each container has it to itself; here each process has one of its own
_ONCE_SECONDS = 120


class Host:
    """`places`: what stands here for what the file says, such as a server's address."""

    def __init__(self, folder: Path, places: Mapping[str, str]) -> None:
        self.running: list[Running] = []
        self._folder = folder
        self._places = dict(places)

    def start(self, service: Service) -> Running:
        """One replica of it, with the command and the environment of the file and no other."""
        (port,) = free_ports(1)
        places = self._places | {PORT: str(port), "0.0.0.0": "127.0.0.1"}
        log = self._folder / f"{service.name}-{port}.log"
        running = Running(service, places, log)
        self.running.append(running)
        return running

    def run(self, service: Service) -> str:
        """One that ends, and well; returns what it said."""
        running = self.start(service)
        assert running.process.wait(_ONCE_SECONDS) == 0, running.said
        return running.said

    def close(self) -> None:
        """Nothing of it is left."""
        for each in self.running:
            each.process.kill()
            each.process.wait()


class Running:
    """A process of a service; what it says goes to `log`."""

    def __init__(self, service: Service, places: Mapping[str, str], log: Path) -> None:
        self.service = service
        self._places = places
        self._log = log
        given = {name: self._here(value) for name, value in service.environment.items()}
        with log.open("wb") as told:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "infra.main", *map(self._here, service.command)],
                env=plain() | given, stdin=subprocess.DEVNULL, stdout=told, stderr=told,
            )  # fmt: skip

    @property
    def said(self) -> str:
        return self._log.read_text(errors="replace")

    def until_healthy(self) -> None:
        """Asks as the file says, until it is, within the time that the file gives."""
        deadline = time.monotonic() + self.service.start_seconds
        while not self.is_healthy():
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, f"{self.service.name}: {self.said}"
            time.sleep(0.2)

    def is_healthy(self) -> bool:
        """What the health check of the file says."""
        kind, program, *arguments = map(self._here, self.service.health)
        assert (kind, program) == ("CMD", "python")
        asked = subprocess.run(
            [sys.executable, *arguments], env=plain(), capture_output=True, check=False, timeout=60
        )
        return asked.returncode == 0

    def stop(self) -> None:
        """Ends in good order, in the time that the file gives it."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(self.service.grace_seconds)
        assert code == 0, f"{self.service.name} ended with {code}: {self.said}"

    def _here(self, text: str) -> str:
        for said, here in self._places.items():
            text = text.replace(said, here)
        return text


def plain() -> dict[str, str]:
    """The environment without settings of ours; the checkout stands for the image."""
    others = {name: each for name, each in os.environ.items() if not name.startswith("THRESHER_")}
    return others | {"PYTHONPATH": str(ROOT)}

"""docker-compose.yml as Compose reads it: aliases merged, variables put in."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from functools import cached_property
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.end_to_end.command import ROOT

FILE = ROOT / "docker-compose.yml"
EXAMPLE = ROOT / "infra/deploy/example.env"
_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
_UNITS = {"s": 1, "m": 60}


class NoCompose(Exception):
    """There is no Docker Compose that could read the file."""


class Mount(NamedTuple):
    """What a service sees at `target`: a path of the checkout (from ./), or a volume by name."""

    source: str
    target: str
    mode: str


class Service:
    """One service of the file."""

    def __init__(self, name: str, said: dict[str, Any]) -> None:
        self.name = name
        self.said = said
        self.image: str = said["image"]
        self.command: list[str] = said.get("command", [])
        self.environment: dict[str, str] = said.get("environment", {})
        self.health: list[str] = said.get("healthcheck", {}).get("test", [])
        self.after: dict[str, str] = {
            before: each["condition"] for before, each in said.get("depends_on", {}).items()
        }

    @property
    def is_ours(self) -> bool:
        return self.image.startswith("thresher:")

    @property
    def ends(self) -> bool:
        """Whether it does one thing, and is not started again."""
        return bool(self.said["restart"] == "no")

    @property
    def replicas(self) -> int:
        return int(self.said.get("deploy", {}).get("replicas", 1))

    @property
    def grace_seconds(self) -> int:
        """From SIGTERM to SIGKILL."""
        return _seconds(self.said.get("stop_grace_period", "10s"))

    @property
    def start_seconds(self) -> int:
        """How long it may take until it is healthy."""
        check = self.said["healthcheck"]
        tries = int(check["retries"]) * _seconds(check["interval"])
        return tries + _seconds(check.get("start_period", "0s"))

    @property
    def mounts(self) -> list[Mount]:
        parts = [text.split(":") for text in self.said.get("volumes", [])]
        return [Mount(source, target, "".join(mode)) for source, target, *mode in parts]


class Compose:
    """The file with the variables of `environment` put in."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        text = FILE.read_text(encoding="utf-8")
        self.variables = {found[1] for found in _VARIABLE.finditer(text)}
        self._said = _filled(yaml.safe_load(text), environment)
        self.volumes: set[str] = set(self._said["volumes"])

    @cached_property
    def services(self) -> dict[str, Service]:
        """By name, each after all that it waits for; a circle raises graphlib.CycleError."""
        every = {name: Service(name, said) for name, said in self._said["services"].items()}
        order = TopologicalSorter({name: each.after for name, each in every.items()})
        return {name: every[name] for name in order.static_order()}

    @property
    def ours(self) -> Iterator[Service]:
        return (each for each in self.services.values() if each.is_ours)


def example(password: str) -> dict[str, str]:
    """The variables of example.env, with the same password wherever it asks for one."""
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    pairs = [line.split("=", 1) for line in lines if line and not line.startswith("#")]
    return {name: password if name.endswith("PASSWORD") else value for name, value in pairs}


def config(env_file: Path) -> subprocess.CompletedProcess[str]:
    """What Docker Compose says of the file; raises NoCompose."""
    others = {name: each for name, each in os.environ.items() if name not in example("")}
    return subprocess.run(
        [*_program(), "--env-file", str(env_file), "--profile", "by-hand", "config", "--quiet"],
        cwd=ROOT, env=others, capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip


def _program() -> list[str]:
    """The plugin of the docker command, or the program of its own that it was before."""
    plugin = ["docker", "compose"]
    for command in (plugin, ["docker-compose"]):
        if shutil.which(command[0]):
            asked = subprocess.run([*command, "version"], capture_output=True, check=False)
            if asked.returncode == 0:
                return command
    raise NoCompose("these tests need Docker Compose, but no engine: apt install docker-compose")


def _filled(said: Any, environment: Mapping[str, str]) -> Any:
    """Variables put in as Compose does: `:-` has a value for an empty one, `:?` allows none."""

    def value(found: re.Match[str]) -> str:
        given = environment.get(found[1], "")
        assert given or found[2] == "-", f"{found[1]} is not set"
        return given or found[3]

    match said:
        case str():
            return _VARIABLE.sub(value, said)
        case dict():
            return {name: _filled(each, environment) for name, each in said.items()}
        case list():
            return [_filled(each, environment) for each in said]
    return said


def _seconds(said: str) -> int:
    return int(said[:-1]) * _UNITS[said[-1]]

"""Runs what a Dockerfile says without an engine: in folders of its own, with the files it names.

It knows the instructions that ours has. What is done as root to the image's own system is not run.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from string import Template
from typing import NamedTuple

_STEP_SECONDS = 600


class Step(NamedTuple):
    """An instruction and what follows it."""

    word: str
    text: str


class Dockerfile:
    """`stages`: the steps of each, without its FROM."""

    def __init__(self, path: Path) -> None:
        text = re.sub(r"^#.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        lines = text.replace("\\\n", " ").splitlines()
        self.stages: list[list[Step]] = []
        for step in (Step(*line.split(maxsplit=1)) for line in lines if line.strip()):
            if step.word == "FROM":
                self.stages.append([])
            else:
                self.stages[-1].append(step)
        ignored = path.with_name(f"{path.name}.dockerignore").read_text(encoding="utf-8")
        self.ignored = [line for line in ignored.splitlines() if line and line[0] != "#"]

    def last(self, word: str) -> str:
        """What the image says last of something, such as USER."""
        return [step.text for step in self.stages[-1] if step.word == word][-1]

    @property
    def entrypoint(self) -> list[str]:
        found: list[str] = json.loads(self.last("ENTRYPOINT"))
        return found


class Build:
    """Folders of the image that are folders below `root` here; `context` is what is copied from."""

    def __init__(self, root: Path, context: Path, folders: tuple[str, ...]) -> None:
        self._root = root
        self._context = context
        self._folders = folders

    def here(self, text: str) -> str:
        """The same with our folders in place of the image's."""
        places = "|".join(map(re.escape, self._folders))
        return re.sub(rf"(?:{places})\b", lambda found: f"{self._root}{found[0]}", text)

    def run(self, file: Dockerfile, number: int, environment: Mapping[str, str]) -> None:
        """Does what a stage says, in its order; a step that fails raises AssertionError."""
        said, place = dict(environment), self._root
        for step in file.stages[number]:
            match step.word:
                case "ENV":
                    said = self.with_env(step, said)
                case "WORKDIR":
                    place = Path(self.here(step.text))
                    place.mkdir(parents=True, exist_ok=True)
                case "COPY":
                    self._copy(step.text, place, file.ignored)
                case "RUN":
                    done = subprocess.run(
                        ["/bin/sh", "-c", self.here(step.text)], cwd=place, env=said, text=True,
                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                        check=False, timeout=_STEP_SECONDS,
                    )  # fmt: skip
                    assert done.returncode == 0, f"{step.text}: {done.stdout[-2000:]}"
                case _:
                    raise NotImplementedError(step.word)

    def with_env(self, step: Step, environment: Mapping[str, str]) -> dict[str, str]:
        """The environment after an ENV."""
        pairs = (pair.split("=", 1) for pair in shlex.split(step.text))
        new = {name: self.here(Template(value).substitute(environment)) for name, value in pairs}
        return dict(environment) | new

    def _copy(self, text: str, place: Path, ignored: list[str]) -> None:
        *sources, target = text.split()
        for source in sources:
            if (self._context / source).is_dir():
                shutil.copytree(self._context / source, place / target, ignore=self._left(ignored))
            else:
                shutil.copy(self._context / source, place / target)

    def _left(self, ignored: list[str]) -> Callable[[str, list[str]], list[str]]:
        """Chooses what of a folder stays behind, for shutil."""

        def left(folder: str, names: list[str]) -> list[str]:
            inside = Path(folder).relative_to(self._context)
            return [name for name in names if is_ignored(inside / name, ignored)]

        return left


def is_ignored(path: Path, patterns: list[str]) -> bool:
    """Whether a path of the context matches one: from its top, or with **/ in any folder."""
    return any(
        path.match(each.removeprefix("**/")) if each.startswith("**/") else path == Path(each)
        for each in patterns
    )

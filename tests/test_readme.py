"""The pages that a user reads: every file and command that they name is there, with its options."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from infra.commands import app

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FILE = re.compile(r"\b(?:examples|tests|docs|domain|projections|services|infra)/[\w./*-]*\w")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


every_page = pytest.mark.parametrize("page", PAGES, ids=name_of)


def commands() -> list[str]:
    """Every call of thresher in the README, without its comment."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("thresher ")]


@every_page
def test_a_file_that_a_page_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert [name for name in FILE.findall(text) if not is_there(name)] == []
    assert [name for name in LINK.findall(text) if not (page.parent / name).exists()] == []


def is_there(name: str) -> bool:
    """A diagram names a module without its ending."""
    return any(ROOT.glob(name)) or any(ROOT.glob(f"{name}.py"))


def test_the_readme_shows_every_command_or_group() -> None:
    shown = {line.split()[1] for line in commands()} | {"demo"}
    assert set(subcommands(get_command(app))) - shown <= {"deliver"}


@pytest.mark.parametrize("line", commands())
def test_a_command_of_the_readme_is_one_with_those_options(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    command: Any = get_command(app)
    while subcommands(command) and (words or not command.invoke_without_command):
        name = words.pop(0)
        if name not in subcommands(command) and hasattr(command, "default"):
            words, name = [name, *words], command.default  # marks FILE is marks take FILE
        assert name in subcommands(command), f"no command {name}"
        command = command.commands[name]
    known = {option for each in command.params for option in each.opts}
    assert {word for word in words if word.startswith("--")} <= known


def subcommands(command: Any) -> list[str]:
    return list(getattr(command, "commands", {}))

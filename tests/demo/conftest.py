"""One run of the demo for all tests of it."""

from __future__ import annotations

import gc
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from infra.commands import app


@dataclass(frozen=True)
class Played:
    """A finished run: its ledger, what it answered, and what it told on the way."""

    ledger: Path
    answer: dict[str, Any]
    screen: str
    story: str

    def ask(self, *arguments: str) -> Any:
        """A command on the ledger of the run, answered as JSON."""
        result = thresher(*arguments, "-o", "json", database=self.ledger)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


def thresher(*arguments: str, database: Path, columns: int = 100) -> Result:
    """Runs a command in process."""
    env = {
        "THRESHER_DATABASE_URL": f"sqlite:///{database}", "THRESHER_TAXPAYER": "",
        "COLUMNS": str(columns),
    }  # fmt: skip
    ran = CliRunner().invoke(app, list(arguments), env=env)
    gc.collect()  # as at the end of a process: the ledger is closed, and written to no more
    return ran


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The demo beside an (untouched) ledger called own.db, once for a person, once as JSON."""
    folder = tmp_path_factory.mktemp("demo")
    told = thresher("demo", database=folder / "own.db")
    assert told.exit_code == 0, told.output
    asked = thresher("demo", "-o", "json", "--fast", database=folder / "own.db")
    assert asked.exit_code == 0, asked.output
    ledger = folder / "thresher-demo.db"
    return Played(ledger, json.loads(asked.stdout), told.stdout, told.stderr)

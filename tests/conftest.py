"""Fixtures that tests of every room share. No test reads the settings of who runs it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.services.house import House

pytest_plugins = ("tests.servers.fixtures",)

_NUMBER = count(1)
SETTINGS = (
    "DATABASE_URL", "TAXPAYER", "WEBHOOK_SECRET", "WEBHOOK_ALLOW_LOCAL", "LOG_KEY", "LOG_LEVEL",
    "LOG_FORMAT", "PUBLISH", "KAFKA", "KAFKA_PREFIX", "MARKS_AHEAD",
)  # fmt: skip


@pytest.fixture(autouse=True, scope="session")
def _no_settings_of_our_own() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in SETTINGS:
            patch.delenv(f"THRESHER_{name}", raising=False)
        patch.setenv("COLUMNS", "200")
        yield


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def house(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[House]:
    """The whole service on an empty store of each kind, under a clock of the test's own."""
    url = ""
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    elif request.param == "memory":
        url = f"sqlite:///:memory:test-{next(_NUMBER)}"
    built = House(tmp_path / "thresher.db", url=url)
    yield built
    built.close_all()


@pytest.fixture
def file_house(tmp_path: Path) -> Iterator[House]:
    """The same on an SQLite file, for what only a file can do."""
    built = House(tmp_path / "thresher.db")
    yield built
    built.close_all()


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The SQLite file of the commands that the test runs."""
    path = tmp_path / "data" / "thresher.db"
    monkeypatch.setenv("THRESHER_DATABASE_URL", f"sqlite:///{path}")
    return path

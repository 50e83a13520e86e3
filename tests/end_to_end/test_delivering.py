"""`thresher deliver --once` on a server: it fires for every shard, or leaves that to workers."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from infra.composition import App
from infra.kafka.shard import Shard
from infra.postgres.migrate import migrate
from infra.postgres.shards import shard_of
from infra.settings import Settings
from tests.end_to_end.command import thresher
from tests.end_to_end.test_alert_life_commands import FACTS

pytestmark = pytest.mark.postgres
SHARDS = 4
SAID = "workers fire here (thresher worker): this only sends\n"


@pytest.fixture
def waiting(empty_postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Taxpayers of shards 0 and 2, each with a rule whose dwell is over and was not asked since."""
    monkeypatch.setenv("THRESHER_DATABASE_URL", empty_postgres)
    migrate(empty_postgres, shards=SHARDS)
    names = [next(n for n in map("T{}".format, range(100)) if shard_of(n, SHARDS) == number)
             for number in (0, 2)]  # fmt: skip
    (tmp_path / "facts.jsonl").write_text(FACTS)
    (tmp_path / "marks.csv").write_text("asset,price,time\nETH,75,2025-03-01T10:00:00Z\n")
    for name in names:
        assert thresher("import", tmp_path / "facts.jsonl", "--taxpayer", name).code == 0
    assert thresher("marks", tmp_path / "marks.csv").is_clean
    for name in names:
        ran = thresher("rules", "add", "loss", "200", "--dwell", "1", "--taxpayer", name)
        assert ran.code == 0, ran.err
        assert states(name) == ["pending"]
    return names


def states(name: str) -> list[str]:
    return [row["state"] for row in thresher("alerts", "--taxpayer", name).rows]


def test_it_fires_in_every_shard(waiting: list[str]) -> None:
    time.sleep(1.1)
    ran = thresher("deliver", "--once")
    assert (ran.code, SAID in ran.err) == (0, False)
    assert [states(name) for name in waiting] == [["firing"], ["firing"]]


def test_where_workers_fire_it_only_sends(waiting: list[str], empty_postgres: str) -> None:
    app = App(Settings(database_url=empty_postgres))
    shard = Shard(app, 2, lambda: None)
    ran = thresher("deliver", "--once")
    assert (ran.code, ran.err) == (0, SAID + "0 sent, 0 retry, 0 given up\n")
    assert [states(name) for name in waiting] == [["pending"], ["pending"]]
    time.sleep(1.1)
    shard.idle()  # it is still the worker's
    assert states(waiting[1]) == ["firing"]
    shard.close()
    app.close()

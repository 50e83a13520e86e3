"""`thresher serve` beside other commands on the same store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.end_to_end.command import ROOT, process, thresher
from tests.end_to_end.serving import serving


def test_it_goes_from_not_ready_to_ready_and_ends_when_asked(database: Path) -> None:
    with serving() as server:
        assert server.ask("/healthz")[0] == 200
        code, body = server.ask("/readyz")
        assert (code, json.loads(body)["failed"]) == (503, {"store": "cannot be read"})
        assert not database.exists()
        assert thresher("import", ROOT / "examples/trades.csv").code == 0
        assert server.ask("/readyz") == (200, '{"status": "ready"}')
        told = server.ask("/metrics")[1].splitlines()
        assert 'harvest_log_position{partition="0"} 15.0' in told
        assert 'harvest_build_info{version="0.1.0"} 1.0' in told
        assert server.stop() == 0
    assert [line["event"] for line in server.lines if line["level"] == "info"] == [
        "started", "listening", "stopped",
    ]  # fmt: skip
    assert {line["service"] for line in server.lines} == {"serve"}


def test_a_server_that_is_away_is_no_reason_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THRESHER_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/x")
    with serving() as server:
        assert server.ask("/readyz")[0] == 503
        assert "harvest_store_up 0.0" in server.ask("/metrics")[1].splitlines()
        assert server.stop() == 0
    refused = [line for line in server.lines if line["event"] == "store not read"]
    assert refused
    assert all("refused" in line["reason"] for line in refused)
    assert "secret" not in json.dumps(server.lines)


@pytest.mark.usefixtures("database")
def test_a_port_that_is_taken_is_one_line_and_exit_code_1() -> None:
    with serving() as server:
        ran = process("serve", "--port", str(server.port))
    assert ran.code == 1
    last = json.loads(ran.err.splitlines()[-1])
    assert last["reason"] == f"127.0.0.1:{server.port}: Address already in use"

"""/metrics, /healthz and /readyz, over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from threading import Event, Thread

import pytest
from prometheus_client import CollectorRegistry, Gauge

from infra.http.health import AddressTaken, Running, start


class Served:
    """A server whose checks the test sets."""

    def __init__(self) -> None:
        self.failed: dict[str, str] = {}
        self.registry = CollectorRegistry()
        self.running: Running = start("127.0.0.1", 0, self.registry, lambda: self.failed)

    def ask(self, path: str, method: str = "GET") -> tuple[int, str]:
        connection = HTTPConnection("127.0.0.1", self.running.port, timeout=10)
        connection.request(method, path)
        answer = connection.getresponse()
        found = answer.status, answer.read().decode()
        connection.close()
        return found


@pytest.fixture
def served() -> Iterator[Served]:
    made = Served()
    yield made
    made.running.stop()


def test_a_process_that_is_not_ready_lives(served: Served) -> None:
    served.failed = {"projection/0": "12 facts behind, at most 10"}
    code, body = served.ask("/readyz")
    assert code == 503
    assert json.loads(body) == {"status": "not ready", "failed": served.failed}
    assert served.ask("/healthz") == (200, '{"status": "alive"}')
    assert "harvest_ready 0.0" in served.ask("/metrics")[1].splitlines()


def test_one_that_is_ready_says_so_to_whoever_asks(served: Served) -> None:
    assert served.ask("/readyz") == (200, '{"status": "ready"}')
    code, body = served.ask("/metrics")
    assert code == 200
    assert "harvest_ready 1.0" in body.splitlines()


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/", 404), ("GET", "/metrics/x", 404), ("GET", "/healthz?x=1", 200),
        ("POST", "/metrics", 405), ("DELETE", "/readyz", 405), ("POST", "/", 404),
    ],
)  # fmt: skip
def test_there_are_three_answers_and_no_more(
    served: Served, method: str, path: str, code: int
) -> None:
    assert served.ask(path, method)[0] == code


def test_a_slow_scrape_holds_no_probe_up_and_is_answered_before_the_end(served: Served) -> None:
    began, may_end, answers = Event(), Event(), list[int]()

    def slow() -> float:
        began.set()
        may_end.wait(10)
        return 1

    Gauge("slow", "", registry=served.registry).set_function(slow)
    scrape = Thread(target=lambda: answers.append(served.ask("/metrics")[0]))
    scrape.start()
    assert began.wait(10)
    assert served.ask("/healthz")[0] == 200
    stop = Thread(target=served.running.stop)
    stop.start()
    stop.join(0.3)
    assert stop.is_alive()
    may_end.set()
    stop.join(10)
    scrape.join(10)
    assert answers == [200]
    with pytest.raises(ConnectionRefusedError):
        served.ask("/healthz")


def test_an_address_that_is_taken_is_one_line(served: Served) -> None:
    with pytest.raises(AddressTaken, match=f"127.0.0.1:{served.running.port}: .*in use"):
        start("127.0.0.1", served.running.port, CollectorRegistry(), dict)

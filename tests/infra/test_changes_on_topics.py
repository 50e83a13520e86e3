"""Changes of windows and opportunities on their topics: a real broker, PostgreSQL and worker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from infra.channels.kafka import cloud_event, producer_of
from infra.kafka.changes import send_changes
from infra.kafka.topics import Topics
from infra.relay import relay_of
from services.changes_out import WINDOWS
from tests.servers.kafka import Broker, drop_sockets
from tests.servers.kafka.reading import Read, read
from tests.services.house import STOCK, House, buy, sell

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.postgres,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
BOUGHT, SOLD = buy("b1", "10", "1000"), sell("s1", "10", "700", date="2025-02-10")


@pytest.fixture
def telling(broker: Broker, names: Topics, postgres_url: str, tmp_path: Path) -> Iterator[House]:
    made = House(
        tmp_path / "unused", url=postgres_url, kafka=broker.bootstrap,
        kafka_prefix=names.facts.partition(".")[0], publish="opportunities,windows",
    )  # fmt: skip
    yield made
    made.close_all()
    drop_sockets()


def test_a_message_says_which_row_is_how_and_has_the_taxpayer_for_its_key(
    telling: House, broker: Broker, names: Topics
) -> None:
    telling.say(STOCK, BOUGHT, buy("b2", "2", "150", date="2025-02-20"))
    publisher = telling.app.publishing()
    assert publisher is not None
    telling.tick("S", "90")
    publisher.step()
    assert relay_of(telling.app).once().sent == 3
    ((key, loss),) = read(broker.bootstrap, names.opportunities, 1)
    assert (key, loss["subject"], loss["type"]) == (
        "main", "main", "io.thresher.opportunity.changed.v1",
    )  # fmt: skip
    assert (loss["id"], loss["time"]) == ("main/opportunities/1", telling.clock.text)
    assert loss["data"]["state"] == "open"
    assert (loss["data"]["id"], loss["data"]["number"]) == ("csv:b1/A/S/2025-01-02", 1)
    assert (loss["data"]["row"]["price"], loss["data"]["row"]["loss"]) == ("90", "100")
    windows = read(broker.bootstrap, names.windows, 2)
    assert [each.event["data"]["id"] for each in windows] == [
        "do_not_sell/csv:b1/A/S", "do_not_sell/csv:b2/A/S",
    ]  # fmt: skip
    assert {each.event["type"] for each in windows} == {"io.thresher.window.changed.v1"}
    assert relay_of(telling.app).once().sent == 0


def test_what_was_sent_and_not_noted_comes_again_under_its_id(
    telling: House, broker: Broker, names: Topics
) -> None:
    telling.say(STOCK, BOUGHT, SOLD)
    with psycopg.connect(telling.url) as server:
        server.execute("SELECT * FROM told_rows FOR UPDATE")
        with telling.app.database.writing() as connection:
            connection.exec_driver_sql("SET LOCAL lock_timeout = '100ms'")
        relay = _deliver(telling, broker, names)
        try:
            assert len(read(broker.bootstrap, names.windows, 1)) == 1
        finally:
            relay.kill()
            relay.wait()
    telling.say(buy("b2", "4", "300", date="2025-02-20"))
    assert send_changes(telling.app.database, telling.app.kafka, names, WINDOWS).sent == 1
    first, second = read(broker.bootstrap, names.windows, 2)
    assert [each.event["id"] for each in (first, second)] == ["main/windows/1", "main/windows/2"]
    assert [each.event["data"]["row"]["qty"] for each in (first, second)] == ["10", "6"]
    assert telling.sql("SELECT due FROM told_rows") == [(0,)]


def _deliver(house: House, broker: Broker, names: Topics) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "infra.main", "deliver"],
                            env=_environment(house, broker, names))  # fmt: skip


def _environment(house: House, broker: Broker, names: Topics) -> dict[str, str]:
    return os.environ | {
        "THRESHER_DATABASE_URL": house.url, "THRESHER_KAFKA": broker.bootstrap,
        "THRESHER_KAFKA_PREFIX": names.facts.partition(".")[0],
        "THRESHER_PUBLISH": "opportunities,windows",
    }  # fmt: skip


def test_a_worker_that_is_asked_to_publishes_while_it_works(
    telling: House, broker: Broker, names: Topics
) -> None:
    sender = producer_of(broker.bootstrap)
    worker = subprocess.Popen(
        [sys.executable, "-m", "infra.main", "worker"], env=_environment(telling, broker, names)
    )
    at = telling.clock.text
    try:
        for fact in (STOCK, BOUGHT):
            event = cloud_event(fact["id"], "fact", "main", at, fact, "venue")
            sender.send(names.facts, key=b"main", value=event)
        for n, price in enumerate(("90", "80", "120")):
            mark = {"asset": "S", "price": price, "time": f"2025-03-01T12:00:0{n}Z"}
            sender.send(names.marks, key=b"S", value=cloud_event(f"m{n}", "mark", "S", at, mark))
            sender.flush(10)
            found = _opportunities(broker, names, n + 1)
            assert len(found) == n + 1
            time.sleep(1)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
    finally:
        worker.kill()
        worker.wait()
        sender.close()
    said = [(each.event["data"]["state"], each.event["data"]["row"]["price"]) for each in found]
    assert said == [("open", "90"), ("changed", "80"), ("gone", "80")]
    (window,) = read(broker.bootstrap, names.windows, 1)
    assert json.dumps(window.event["data"]["row"]).count("csv") == 0
    assert window.event["data"]["row"]["event"] == "venue:b1"


def _opportunities(broker: Broker, names: Topics, count: int) -> list[Read]:
    return read(broker.bootstrap, names.opportunities, count)

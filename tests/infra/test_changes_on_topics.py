"""Changes of windows and opportunities on their topics: a real broker, PostgreSQL and worker."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen

import psycopg
import pytest

from infra.channels.kafka import cloud_event, producer_of
from infra.kafka.changes import send_changes
from infra.kafka.topics import Topics
from infra.publisher import publisher_of
from infra.relay import relay_of
from services.changes_out import WINDOWS
from tests.servers.kafka import Broker, drop_sockets
from tests.servers.kafka.reading import read
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
    telling.tick("S", "90")
    publisher = publisher_of(telling.app)
    publisher.step()
    publisher.close()
    assert relay_of(telling.app).once().sent == 2
    ((key, loss),) = read(broker.bootstrap, names.opportunities, 1)
    assert (key, loss["subject"], loss["type"]) == (
        "main", "main", "io.thresher.opportunity.changed.v1",
    )  # fmt: skip
    assert (loss["id"], loss["time"]) == ("main/opportunities/1", telling.clock.text)
    assert loss["data"]["state"] == "open"
    assert (loss["data"]["id"], loss["data"]["number"]) == ("csv:b1/A/S/2025-01-02", 1)
    assert (loss["data"]["row"]["price"], loss["data"]["row"]["loss"]) == ("90", "100")
    ((_, window),) = read(broker.bootstrap, names.windows, 1)
    assert window["type"] == "io.thresher.window.changed.v1"
    assert window["data"]["id"] == "do_not_sell/csv:b2/A/S"
    assert relay_of(telling.app).once().sent == 0


def test_what_was_sent_and_not_noted_comes_again_under_its_id(
    telling: House, broker: Broker, names: Topics
) -> None:
    telling.say(STOCK, BOUGHT, SOLD)
    with psycopg.connect(telling.url) as server:
        server.execute("SELECT * FROM told_rows FOR UPDATE")
        relay = _process("deliver", telling, broker, names)
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


def _process(command: str, house: House, broker: Broker, names: Topics) -> Popen[bytes]:
    environment = os.environ | {
        "THRESHER_DATABASE_URL": house.url, "THRESHER_KAFKA": broker.bootstrap,
        "THRESHER_KAFKA_PREFIX": names.facts.partition(".")[0],
        "THRESHER_PUBLISH": "opportunities,windows",
    }  # fmt: skip
    return Popen([sys.executable, "-m", "infra.main", command], env=environment)


def test_worker_and_publisher_tell_and_the_relay_sends(
    telling: House, broker: Broker, names: Topics
) -> None:
    sender, at = producer_of(broker.bootstrap), telling.clock.text
    for fact in (STOCK, BOUGHT):
        event = cloud_event(fact["id"], "fact", "main", at, fact, "venue")
        sender.send(names.facts, key=b"main", value=event)
    running = [
        _process(command, telling, broker, names) for command in ("worker", "publish", "deliver")
    ]
    try:
        for n, price in enumerate(("90", "80", "120")):
            mark = {"asset": "S", "price": price, "time": f"2025-03-01T12:00:0{n}Z"}
            sender.send(names.marks, key=b"S", value=cloud_event(f"m{n}", "mark", "S", at, mark))
            sender.flush(10)
            found = read(broker.bootstrap, names.opportunities, n + 1)
            assert len(found) == n + 1
        for each in running:
            each.send_signal(signal.SIGTERM)
        assert [each.wait(30) for each in running] == [0, 0, 0]
    finally:
        for each in running:
            each.kill()
            each.wait()
        sender.close()
    said = [(each.event["data"]["state"], each.event["data"]["row"]["price"]) for each in found]
    assert said == [("open", "90"), ("changed", "80"), ("gone", "80")]
    (window,) = read(broker.bootstrap, names.windows, 1)
    assert window.event["data"]["row"]["event"] == "venue:b1"

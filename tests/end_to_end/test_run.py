"""`thresher run`: worker, relay, publisher and server in one process, on real servers."""

from __future__ import annotations

import json
from pathlib import Path
from unittest.mock import Mock

import pytest
from kafka.errors import KafkaTimeoutError

from infra.channels.kafka import cloud_event, producer_of
from infra.kafka import letters as sending_again
from infra.kafka.topics import Topics
from tests.end_to_end.command import thresher, until
from tests.end_to_end.serving import serving
from tests.servers.kafka import Broker
from tests.servers.kafka.reading import read
from tests.services.house import STOCK, House, Json, buy

pytestmark = [
    pytest.mark.kafka, pytest.mark.postgres,
    # kafka-python leaves sockets to the collector when a connection is not made
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]  # fmt: skip
AT = "2026-01-02T15:00:00.000000Z"


def test_a_message_comes_in_and_its_alert_and_changes_go_out(
    broker: Broker, names: Topics, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THRESHER_DATABASE_URL", postgres_url)
    monkeypatch.setenv("THRESHER_KAFKA", broker.bootstrap)
    monkeypatch.setenv("THRESHER_KAFKA_PREFIX", names.facts.partition(".")[0])
    monkeypatch.setenv("THRESHER_PUBLISH", "opportunities,windows")
    house = House(Path("unused"), url=postgres_url)
    house.watch("loss", "200", channels=("kafka",))
    producer = producer_of(broker.bootstrap)

    def send(topic: str, kind: str, subject: str, data: Json) -> None:
        value = cloud_event(f"{subject}-{AT}-{data.get('id')}", kind, subject, AT, data, "venue")
        producer.send(topic, key=subject.encode(), value=value).get(timeout=30)

    with serving(command="run") as run:
        for fact in (STOCK, buy("b1", "10", "1000")):
            send(names.facts, "fact", "main", fact)
        until(lambda: house.app.ledger.head() == 3)
        send(names.marks, "mark", "S", {"asset": "S", "price": "79", "time": AT})
        (alert,) = read(broker.bootstrap, names.alerts, 1)
        assert (alert.key, alert.event["data"]["value"]) == ("main", "210")
        (opportunity,) = read(broker.bootstrap, names.opportunities, 1)
        assert opportunity.event["data"]["state"] == "open"
        (window,) = read(broker.bootstrap, names.windows, 1)
        assert window.key == "main"
        until(lambda: run.ask("/readyz")[0] == 200)
        told = run.ask("/metrics")[1].splitlines()
        for line in (
            'harvest_events_appended_total{source="stream"} 2.0',
            'harvest_alerts_total{outcome="fired"} 1.0',
            'harvest_alerts_sent_total{channel="kafka",outcome="sent"} 1.0',
            'harvest_projection_lag_events{partition="0",projection="read_models"} 0.0',
        ):
            assert line in told
        assert run.stop() == 0
        assert run.lines[-1]["event"] == "stopped"
        clocked = {"timestamp", "seconds", "port"}  # whose digits may be any
        said = [{name: each[name] for name in each.keys() - clocked} for each in run.lines]
        assert "210" not in json.dumps(said)
    producer.close()
    house.close_all()


@pytest.mark.parametrize("command", ["run", "worker"])
def test_without_a_server_or_a_broker_it_ends_with_one_line(
    command: str, postgres_url: str, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THRESHER_KAFKA", "127.0.0.1:1")
    for url, says in (
        (f"sqlite:///{database}", "streams are kept in PostgreSQL"), (postgres_url, "127.0.0.1:1"),
    ):  # fmt: skip
        monkeypatch.setenv("THRESHER_DATABASE_URL", url)
        ran = thresher(command)
        last = json.loads(ran.err.splitlines()[-1])
        assert (ran.code, last["event"]) == (1, "failed")
        assert says in last["reason"]


def test_dead_letters_are_asked_for_without_a_server_or_a_broker_in_vain(
    postgres_url: str, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line with what to do, and not an error of the database or of the client."""
    monkeypatch.setenv("THRESHER_KAFKA", "127.0.0.1:1")
    monkeypatch.setenv("THRESHER_DATABASE_URL", f"sqlite:///{database}")
    for command in ("list", "replay"):
        ran = thresher("deadletters", command)
        assert (ran.code, "streams are kept in PostgreSQL" in ran.err) == (1, True)
    monkeypatch.setenv("THRESHER_DATABASE_URL", postgres_url)
    monkeypatch.setattr(sending_again, "producer_of", lambda servers: Mock())
    wrong = thresher("deadletters", "replay", "t.facts/0/7")
    assert (wrong.code, "no dead letter is at t.facts/0/7" in wrong.err) == (1, True)
    monkeypatch.setattr(sending_again, "producer_of", unreached)
    away = thresher("deadletters", "replay")
    assert (away.code, "127.0.0.1:1: " in away.err, "run it again" in away.err) == (1, True, True)


def unreached(servers: str) -> None:
    raise KafkaTimeoutError(f"Unable to bootstrap from {servers}")

"""Kafka in and out, on a real broker and a real PostgreSQL: each message counts exactly once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import urlopen

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaTimeoutError
from kafka.structs import TopicPartition
from sqlalchemy import func, select

from domain.decisions import AlertRuleSet
from infra.channels.kafka import producer_of
from infra.composition import App
from infra.kafka import letters
from infra.kafka.consumer import OutOfRange, consumer_of
from infra.kafka.letters import listed, replay, tell
from infra.kafka.topics import NoBroker, Topics, make_topics, topics
from infra.kafka.worker import Worker
from infra.metrics import Metrics
from infra.readiness import NOT_JOINED, StreamChecks
from infra.relay import relay_of
from infra.settings import Settings
from infra.simulate import Shares, Venue
from projections.schema import digest
from services.intake import PositionMoved, dead_letters
from services.ledger import Offer
from services.read_models import PROJECTIONS
from services.tables import MARKS
from tests.servers.kafka import Broker, drop_sockets
from tests.services.house import STOCK, Clock, House, buy, sell

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.postgres,
    # kafka-python leaves sockets to the collector when a connection is not made
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
AT = "2025-03-01T12:00:00.000000Z"
Json = dict[str, Any]


def event(kind: str, subject: str, data: Json, id: str = "1") -> bytes:
    return json.dumps(
        {"specversion": "1.0", "id": id, "source": "venue", "type": f"io.thresher.{kind}.v1",
         "subject": subject, "data": data,
         "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
    ).encode()  # fmt: skip


class Stream:
    """A worker in this process, the topics it reads, and who sends to them."""

    def __init__(self, broker: Broker, names: Topics, url: str) -> None:
        self.names, self.url, self.bootstrap = names, url, broker.bootstrap
        self.producer: KafkaProducer = producer_of(broker.bootstrap)
        prefix = names.facts.partition(".")[0]
        self.settings = Settings(database_url=url, kafka=broker.bootstrap, kafka_prefix=prefix)
        self.clock = Clock()
        self.app = App(self.settings, self.clock)
        self.consumer = consumer_of(self.settings, names, self.app.shards)
        self.checks = StreamChecks(10)
        self.worker = self.beside(self.app)

    def beside(self, app: App) -> Worker:
        """Another worker that reads with the same consumer."""
        return Worker(app, self.consumer, self.names, self.checks, Metrics(), relay_of(app).once)

    def fact(self, data: Json, taxpayer: str = "main") -> None:
        self.send(self.names.facts, taxpayer, event("fact", taxpayer, data, data["id"]))

    def mark(self, asset: str, price: str, at: str = AT) -> None:
        data = {"asset": asset, "price": price, "time": at}
        self.send(self.names.marks, asset, event("mark", asset, data, at))

    def send(self, topic: str, key: str, value: bytes) -> None:
        self.producer.send(topic, key=key.encode(), value=value).get(timeout=10)

    def until(self, is_there: Callable[[], bool], worker: Worker | None = None) -> None:
        """Works until something is there; fails after a while."""
        deadline = time.monotonic() + 30
        while not is_there():
            assert time.monotonic() < deadline, "nothing came"
            (worker or self.worker).step()

    def received(self, topic: str, count: int) -> list[Json]:
        reader = KafkaConsumer(
            topic, bootstrap_servers=self.bootstrap, auto_offset_reset="earliest",
            consumer_timeout_ms=10_000,
        )  # fmt: skip
        found = []
        for record in reader:
            found.append(json.loads(record.value))
            if len(found) == count:
                break
        reader.close()
        return found

    def close(self) -> None:
        self.consumer.close()
        self.worker.close()
        self.producer.close()
        self.app.close()
        drop_sockets()


@pytest.fixture
def stream(broker: Broker, names: Topics, postgres_url: str) -> Iterator[Stream]:
    made = Stream(broker, names, postgres_url)
    yield made
    made.close()


def digests(app: App) -> list[str]:
    with app.database.reading() as connection:
        return [
            digest(connection, each.table)
            for each in PROJECTIONS
            if each.name not in ("alert_rules", "alerts", "opportunities")
        ]


def test_facts_and_marks_come_in_once_and_alerts_go_out_under_one_id(stream: Stream) -> None:
    for _ in range(2):  # all of it is delivered twice
        stream.fact(STOCK)
        stream.fact(buy("b1", "10", "1000"))
    stream.until(lambda: stream.app.ledger.head() == 2)
    set_rule(stream)
    stream.mark("S", "79")
    stream.mark("S", "79")
    stream.until(lambda: stream.worker.shards[0].market.counts.fired == 1)
    (alert,) = stream.received(stream.names.alerts, 1)
    assert (alert["type"], alert["subject"]) == ("io.thresher.alert.fired.v1", "main")
    assert alert["id"] == alert["data"]["key"] == "main/loss/1"
    assert alert["data"]["value"] == "210"


def set_rule(stream: Stream) -> None:
    """Another process sets a rule that sends to Kafka from a loss of 200 on."""
    rule = AlertRuleSet(effective_at=AT, name="loss", scope="all", metric="harvestable_loss",
                        threshold="200", channels=("kafka",))  # fmt: skip
    stream.app.ledger.append([Offer("main", "thresher", "rule/loss", rule)], AT)
    stream.app.projector.catch_up("2025-03-01")
    stream.app.market.facts_changed(AT)


def test_it_ends_where_the_embedded_edition_ends_on_the_same_input(
    stream: Stream, tmp_path: Path
) -> None:
    facts = [STOCK]
    for number in range(60):
        day = f"2025-02-{number % 27 + 1:02d}"
        trade = sell if number % 3 == 2 else buy
        amount = str(900 + number * 7 % 300)
        facts.append(trade(f"t{number}", "3", amount, date=day))
    for number, fact in enumerate(facts):
        stream.fact(fact)
        if number % 9 == 0:
            stream.fact(fact)
        if number % 20 == 0:
            stream.send(stream.names.facts, "main", b"poison")
    stream.until(lambda: stream.app.ledger.head() == len(facts))
    embedded = House(tmp_path / "file.db", stream.clock)
    embedded.say(*facts, source="venue")
    assert digests(stream.app) == digests(embedded.app)
    with stream.app.database.reading() as connection:
        assert len(dead_letters(connection)) == 4
    embedded.close()


def test_a_simulated_venue_ends_as_in_the_embedded_edition(stream: Stream, tmp_path: Path) -> None:
    """Redeliveries, late and busted trades, poison; several taxpayers; facts and marks."""
    venue = Venue(7, 3, 5, Shares(redelivered=0.05, late=0.05, busted=0.02, poison=0.01))
    said = [*venue.opening(), *venue.day(1_500)]
    embedded = House(tmp_path / "file.db", stream.clock)
    known: dict[str, list[Json]] = {}
    for each in said:
        topic = stream.names.marks if each.kind == "mark" else stream.names.facts
        value = str(each.data).encode()
        if isinstance(each.data, dict):
            value = event(each.kind, each.subject, each.data, each.id)
            if each.kind == "fact":
                known.setdefault(each.subject, []).append(each.data)
        stream.producer.send(topic, key=each.subject.encode(), value=value)
    stream.producer.flush(30)
    for taxpayer, facts in known.items():
        embedded.append(*facts, taxpayer=taxpayer, source="venue")
    embedded.app.projector.catch_up(embedded.clock.day)
    stream.until(lambda: stream.app.ledger.head() == embedded.app.ledger.head())
    marks = len({each.id for each in said if each.kind == "mark" and not each.is_poison})
    stream.until(lambda: stored_marks(stream) == marks)
    assert digests(stream.app) == digests(embedded.app)
    assert len(stored_letters(stream)) == sum(each.is_poison for each in said) > 3
    embedded.close()


def test_topics_that_the_broker_refuses_are_one_readable_line(broker: Broker) -> None:
    with pytest.raises(NoBroker) as refused:
        make_topics(broker.bootstrap, topics("refused"), replicas=3)
    assert "only 1 broker(s) are registered" in str(refused.value)
    assert "CreateTopicsRequest" not in str(refused.value)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("main", b"\xff", "not valid UTF-8"),
        ("main", b"{", "no JSON object"),
        ("main", event("fact", "main", {"id": "x", "type": "dance"}), "type"),
        ("main", event("fact", "main", buy("x", "1.5e3")), "qty"),
        ("other", event("fact", "main", buy("x")), "key: is b'other', not the subject 'main'"),
        ("\x00" * 300_000, event("fact", "main", buy("x")), "…"),
        ("main", event("fact", "main", buy("x", "\u200b" * 150_000)), "…"),
        ("main", event("fact", "main", buy("x") | {"\u200b" * 150_000: "1"}), "…"),
        ("main", event("fact", "main", buy("x")).replace(b'"1"', b"1." + b"1" * 900_000, 1), "…"),
        ("ma in", event("fact", "ma in", buy("x")), "subject"),
        ("main", event("mark", "main", {"asset": "S"}), "type"),
    ],
)
def test_what_cannot_be_used_is_kept_with_the_reason_and_told(
    stream: Stream, key: str, value: bytes, reason: str
) -> None:
    stream.send(stream.names.facts, key, value)
    stream.fact(STOCK)
    stream.until(lambda: stream.app.ledger.head() == 1)
    with stream.app.database.reading() as connection:
        (letter,) = dead_letters(connection)
    assert (letter["value"], letter["key"]) == (value, key.encode())
    assert reason in letter["reason"]
    assert len(letter["reason"]) < 1_000
    told = [tell(stream.app.database, stream.app.kafka, stream.names.dead_letters, AT)
            for _ in range(2)]  # fmt: skip
    assert [each.sent for each in told] == [1, 0]
    (message,) = stream.received(stream.names.dead_letters, 1)
    assert message["data"]["reason"] == letter["reason"]


def test_prometheus_reads_what_happened(stream: Stream) -> None:
    for fact in (STOCK, buy("b1", "10", "1000"), buy("b1", "10", "1000")):
        stream.fact(fact)
    stream.send(stream.names.facts, "main", b"poison")
    stream.until(lambda: bool(stored_letters(stream)))
    set_rule(stream)
    stream.mark("S", "79")
    metrics = stream.worker.metrics
    stream.app.channels = metrics.counted(stream.app.channels)
    port = metrics.start("127.0.0.1", 0, stream.checks)
    stream.until(lambda: metrics_of(port)['harvest_alerts_total{outcome="fired"}'] == 1)
    told = metrics_of(port)
    assert told['harvest_events_appended_total{source="stream"}'] == 2
    assert told['harvest_events_appended_total{source="rules"}'] == 1
    assert told["harvest_dead_letters_total"] == 1
    assert told[f'harvest_messages_read_total{{topic="{stream.names.facts}"}}'] == 4
    assert told["harvest_tick_to_alert_seconds_count"] == 1
    assert told['harvest_alerts_sent_total{channel="kafka",outcome="sent"}'] == 1
    assert told['harvest_projection_position{partition="0"}'] == 4
    assert told["harvest_crossings_missed"] == 0
    place = f'{{partition="0",topic="{stream.names.facts}"}}'
    assert told[f"harvest_stream_lag_messages{place}"] == 0
    assert told["harvest_ready"] == 1


def metrics_of(port: int) -> dict[str, float]:
    with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def test_another_content_under_a_known_id_is_a_dead_letter(stream: Stream) -> None:
    for fact in (STOCK, buy("b1", "1", "100"), buy("b1", "2", "100")):
        stream.fact(fact)
    stream.fact(buy("b2"))
    stream.until(lambda: stream.app.ledger.head() == 3)
    with stream.app.database.reading() as connection:
        (letter,) = dead_letters(connection)
    assert "already recorded with other content" in letter["reason"]


def test_dead_letters_are_sent_again_once_they_are_asked_for(stream: Stream) -> None:
    stream.send(stream.names.facts, "main", b"poison")
    stream.until(lambda: bool(stored_letters(stream)))
    places = replay(stream.app.database, stream.producer, (), AT)
    assert places == [f"{stream.names.facts}/0/0"]
    stream.until(lambda: len(stored_letters(stream)) == 2)
    assert replay(stream.app.database, stream.producer, places, AT) == places  # named: once more


class Answered(NamedTuple):
    """What came of a message that was handed over."""

    is_stored: bool

    def get(self, timeout: float) -> None:
        if not self.is_stored:
            raise KafkaTimeoutError(f"gone for {timeout} s")


class Failing:
    """A producer whose broker stores one message and then is gone."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def send(self, topic: str, key: bytes | None, value: bytes) -> Answered:
        self.sent.append(value)
        return Answered(is_stored=len(self.sent) == 1)


def test_of_dead_letters_sent_again_those_that_were_stored_are_marked(stream: Stream) -> None:
    for text in (b"one", b"two", b"three"):
        stream.send(stream.names.facts, "main", text)
    stream.until(lambda: len(stored_letters(stream)) == 3)
    with pytest.raises(KafkaTimeoutError):
        replay(stream.app.database, Failing(), (), AT)
    again = Failing()
    with pytest.raises(KafkaTimeoutError):
        replay(stream.app.database, again, (), AT)
    assert again.sent == [b"two", b"three"]


def test_a_topic_that_lost_unread_facts_ends_the_worker(stream: Stream) -> None:
    """Its head is deleted by hand, as retention would; sent again, all of it counts."""
    facts = [STOCK, *(buy(f"b{n}") for n in range(3))]
    for fact in facts:
        stream.fact(fact)
    admin, place = KafkaAdminClient(bootstrap_servers=stream.bootstrap), stream.names.facts
    admin.delete_records({TopicPartition(place, 0): 2})
    admin.close()
    with pytest.raises(OutOfRange, match=f"{place}/0: .* offset 0 and the topic begins at 2"):
        stream.until(lambda: stream.app.ledger.head() > 0)
    for fact in facts[:2]:
        stream.fact(fact)
    go_on(stream, 2)
    stream.until(lambda: stream.app.ledger.head() == len(facts))


def go_on(stream: Stream, first: int) -> None:
    """What the line that ends the worker tells to do."""
    with stream.app.database.writing() as connection:
        connection.exec_driver_sql(
            f"UPDATE offsets SET next = {first} WHERE topic = '{stream.names.facts}'"
        )


def test_a_topic_that_was_made_anew_ends_the_worker(stream: Stream) -> None:
    for fact in (STOCK, buy("b1"), buy("b2")):
        stream.fact(fact)
    stream.until(lambda: stream.app.ledger.head() == 3)
    admin = KafkaAdminClient(bootstrap_servers=stream.bootstrap)
    admin.delete_topics([stream.names.facts])
    admin.close()
    make_topics(stream.bootstrap, stream.names, 1)
    stream.consumer.close()
    for fact in (buy("b3"), buy("b4")):
        stream.fact(fact)
    stream.consumer = consumer_of(stream.settings, stream.names, stream.app.shards)
    anew = stream.beside(stream.app)
    with pytest.raises(OutOfRange, match="offset 3 and the topic ends at 2"):
        stream.until(lambda: stream.app.ledger.head() > 3, anew)
    go_on(stream, 0)
    stream.until(lambda: stream.app.ledger.head() == 5, anew)
    anew.close()


def test_a_consumer_that_is_elsewhere_goes_back_to_what_is_stored(stream: Stream) -> None:
    """Where it is the broker has nothing, and says so; the database knows better."""
    stream.fact(STOCK)
    stream.until(lambda: stream.app.ledger.head() == 1)
    stream.consumer.seek(TopicPartition(stream.names.facts, 0), 99)
    stream.fact(buy("b1"))
    stream.until(lambda: stream.app.ledger.head() == 2)


def test_a_member_of_the_group_to_which_nothing_fell_is_ready(stream: Stream) -> None:
    assert stream.checks() == NOT_JOINED
    stream.until(lambda: stream.checks() == {})
    spare = consumer_of(stream.settings, stream.names, stream.app.shards)
    checks = StreamChecks(10)
    beside = Worker(stream.app, spare, stream.names, checks, Metrics())
    beside.step()
    assert checks() == NOT_JOINED

    def both_are_ready() -> bool:
        stream.worker.step()
        fell_to = {len(each.assignment()) for each in (stream.consumer, spare)}
        return fell_to == {0, 2} and stream.checks() == checks() == {}

    stream.until(both_are_ready, beside)
    spare.close()
    beside.close()


def test_of_long_dead_letters_a_few_are_held_at_a_time_and_the_list_holds_beginnings(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = [bytes([letter]) * 300_000 for letter in b"abc"]
    for value in values:
        stream.send(stream.names.facts, "main", value)
    stream.until(lambda: len(stored_letters(stream)) == 3)
    with stream.app.database.reading() as connection:
        held = dead_letters(connection, most=800)
        rows = listed(connection)
    assert [len(each["value"]) for each in held] == [800] * 3
    assert [row["text"] for row in rows] == [f'"{letter * 200}"' for letter in "abc"]
    read: list[int] = []

    def counted(*args: Any, **options: Any) -> list[Json]:
        found = dead_letters(*args, **options)
        read.append(len(found))
        return found

    monkeypatch.setattr(letters, "AT_ONCE", 2)
    monkeypatch.setattr(letters, "dead_letters", counted)
    places = replay(stream.app.database, stream.producer, (), AT)
    assert (len(places), read) == (3, [2, 1])
    stream.until(lambda: len(stored_letters(stream)) == 6)
    assert [each["value"] for each in stored_letters(stream)] == values * 2
    last = [f"{stream.names.facts}/0/5"]
    assert replay(stream.app.database, stream.producer, last, AT) == last
    assert read == [2, 1, 1]


def stored_marks(stream: Stream) -> int:
    with stream.app.database.reading() as connection:
        return connection.scalar(select(func.count()).select_from(MARKS)) or 0


def stored_letters(stream: Stream) -> list[Json]:
    with stream.app.database.reading() as connection:
        return dead_letters(connection)


def test_a_zombie_appends_nothing_and_goes_on_from_what_is_stored(stream: Stream) -> None:
    """Two that believe they own the partition: here both read it without a group."""
    stream.fact(STOCK)
    stream.until(lambda: stream.app.ledger.head() == 1)
    other = App(stream.settings, stream.clock)
    beside = stream.beside(other)
    (partition,) = [each for each in stream.worker._next if each.topic == stream.names.facts]
    beside._next = dict(stream.worker._next)
    stream.fact(buy("b1"))
    stream.until(lambda: other.ledger.head() == 2, beside)
    late = Record(stream.names.facts, 1, event("fact", "main", buy("late"), "late"))
    with pytest.raises(PositionMoved):
        stream.worker._take(partition, [late])
    assert stream.app.ledger.head() == 2
    other.close()


class Record:
    partition, key = 0, b"main"

    def __init__(self, topic: str, offset: int, value: bytes) -> None:
        self.topic, self.offset, self.value = topic, offset, value


def test_kill_9_and_a_broker_that_restarts_lose_nothing_and_count_nothing_twice(
    broker: Broker, names: Topics, postgres_url: str, tmp_path: Path
) -> None:
    sender = producer_of(broker.bootstrap)
    facts: list[Json] = [STOCK, *(buy(f"b{n}", "1", str(100 + n)) for n in range(300))]
    environment = os.environ | {
        "THRESHER_DATABASE_URL": postgres_url, "THRESHER_KAFKA": broker.bootstrap,
        "THRESHER_KAFKA_PREFIX": names.facts.partition(".")[0],
        "THRESHER_KAFKA_SESSION_SECONDS": "3",
    }  # fmt: skip
    house = House(tmp_path / "unused", url=postgres_url)
    workers: list[subprocess.Popen[bytes]] = []

    def work() -> None:
        workers.append(
            subprocess.Popen([sys.executable, "-m", "infra.main", "worker"], env=environment)
        )

    def reaches(count: int) -> None:
        deadline = time.monotonic() + 90
        while house.app.ledger.head() < count:
            assert time.monotonic() < deadline, f"{house.app.ledger.head()} of {count}"
            if workers[-1].poll() is not None:  # as whoever runs it would
                work()
            time.sleep(0.02)

    def send(some: list[Json]) -> None:
        for fact in some:
            sender.send(names.facts, key=b"main", value=event("fact", "main", fact, fact["id"]))
        sender.flush(30)

    try:
        work()
        for start in range(0, 300, 100):
            send(facts[start : start + 60])
            reaches(start + 10)
            workers[-1].kill()
            workers[-1].wait()
            work()
            send(facts[start : start + 100])  # and much of it again
        broker.kill()
        broker.start()
        send(facts)
        reaches(len(facts))
        workers[-1].send_signal(signal.SIGTERM)
        assert workers[-1].wait(30) == 0
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
        sender.close()
    assert house.app.ledger.head() == len(facts)
    embedded = House(tmp_path / "file.db", house.clock)
    embedded.say(*facts, source="venue")
    house.app.projector.catch_up(house.clock.day)
    assert digests(house.app) == digests(embedded.app)
    house.close()
    embedded.close()

"""The relay: each message leaves under one id, in its order, whoever is killed or away."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Event

import psycopg
import pytest
from kafka import KafkaAdminClient
from sqlalchemy import Connection

from infra.channels import kafka as kafka_channel
from infra.channels.kafka import KafkaSender
from infra.kafka import letters
from infra.kafka.examples import EXAMPLES
from infra.kafka.letters import KEY_MOST, REASON_MOST, TEXT_MOST, tell
from infra.kafka.outgoing import AlertMessage
from infra.kafka.topics import Topics, make_topics
from infra.relay import Beside, Job, Relay, relay_of
from services import sending
from services.database import Database
from services.delivery import DeliveryFailed, Message, MessageRefused, TargetAway, outbox
from services.intake import DeadLetter, Intake, Step, dead_letters, move, position
from services.sending import GIVEN_UP, Sent, hand_over, send_due
from tests.servers.kafka import Broker, drop_sockets
from tests.servers.kafka.reading import read
from tests.services.house import COIN, START, Clock, House, Json, buy

on_servers = [
    pytest.mark.kafka,
    pytest.mark.postgres,
    # kafka-python leaves sockets to the collector when a connection is not made
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def fire(house: House, rules: int, *channels: str, taxpayers: tuple[str, ...] = ("main",)) -> None:
    """As many alerts of each, which wait in the outbox; the last rule's has the greatest key."""
    for name in taxpayers:
        house.say(COIN, buy("b1", "10", "1000", asset="C"), taxpayer=name)
        for number in range(rules):
            house.watch(f"r{number:04}", "200", channels=channels, taxpayer=name)
    house.app.market.tell = lambda targets: None
    house.tick("C", "99")
    house.tick("C", "50")


def some_alert(id: str) -> bytes:
    return json.dumps(EXAMPLES[AlertMessage] | {"id": id}).encode()


def rows(house: House) -> list[Json]:
    with house.app.database.reading() as connection:
        return outbox(connection, "main")


def until(is_there: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not is_there():
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.02)


@contextmanager
def running(relay: Relay) -> Iterator[Beside]:
    beside = Beside(relay)
    try:
        yield beside
    finally:
        beside.close()


@contextmanager
def process(house: House, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """`thresher deliver` on the house's database."""
    environment = os.environ | {"THRESHER_DATABASE_URL": house.url} | settings
    started = subprocess.Popen(
        [sys.executable, "-m", "infra.main", "deliver"], env=environment, stderr=subprocess.PIPE
    )
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


def bury(house: House, *buried: DeadLetter) -> None:
    """Keeps dead letters of the first partition of the topic `t`."""
    with house.app.database.writing() as connection:
        position(connection, "t", 0)
        step = Step("t", 0, 0, len(buried))
        move(connection.exec_driver_sql, Intake((step,), buried, house.clock.text))


class Ways:
    """A channel that hands over, and fails as it is told."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.fails: dict[str, DeliveryFailed] = {}  # by key, when it is confirmed

    def __call__(self, _target: str, message: Message) -> Callable[[], None]:
        self.got.append(message.key)

        def confirm() -> None:
            if message.key in self.fails:
                raise self.fails[message.key]

        return confirm


@pytest.fixture
def ways(house: House) -> Ways:
    """Three alerts wait for it."""
    made = Ways()
    house.app.channels = {"file": made}
    fire(house, 3, "file:x")
    return made


def send(house: House) -> Sent:
    return send_due(house.app.database, house.app.channels, "file:x", house.clock)


def test_what_is_handed_over_is_noted_in_one_transaction(
    house: House, ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Database] = []
    writing = Database.writing

    def counted(database: Database) -> AbstractContextManager[Connection]:
        begun.append(database)
        return writing(database)

    with monkeypatch.context() as patch:
        patch.setattr(Database, "writing", counted)
        assert send(house) == Sent(sent=3)
    assert (len(begun), len(ways.got)) == (1, 3)
    assert {row["sent_at"] for row in rows(house)} == {house.clock.text}


def test_where_a_target_went_away_all_from_the_first_on_go_again_in_their_order(
    house: House, ways: Ways
) -> None:
    ways.fails = {"main/r0001/1": TargetAway("nobody is there")}
    assert send(house) == Sent(sent=1, retry=1, failed=True, away=True)
    states = [(row["attempts"], bool(row["sent_at"]), row["last_error"]) for row in rows(house)]
    assert states == [(1, True, ""), (0, False, "nobody is there"), (0, False, "")]
    ways.fails = {}
    assert send(house) == Sent(sent=2)
    keys = [f"main/r000{number}/1" for number in (0, 1, 2, 1, 2)]
    assert ways.got == keys


def test_a_message_that_fails_of_itself_holds_up_none_behind_it(house: House, ways: Ways) -> None:
    ways.fails = {"main/r0000/1": DeliveryFailed("too large")}
    assert send(house) == Sent(sent=2, retry=1, failed=True)
    house.clock.advance(seconds=4.9)
    assert send(house) == Sent()
    house.clock.advance(seconds=0.1)
    assert send(house) == Sent(retry=1, failed=True)


def test_what_is_handed_over_waits_for_a_target_that_went_away_alone() -> None:
    """By what becomes of each: when it is handed over, and when it is confirmed."""
    fails = {"refused": MessageRefused("too large"), "away": TargetAway("nobody"),
             "missing": DeliveryFailed("no such topic")}  # fmt: skip

    def handed(*fates: str) -> tuple[list[Json], list[Json], Sent]:
        def send(piece: Json) -> Callable[[], None]:
            way, _, fate = piece["fate"].partition(" ")

            def confirm() -> None:
                if fate in fails:
                    raise fails[fate]

            if way == "at-once":
                confirm()
            return confirm

        return hand_over([{"fate": each} for each in fates], send, lambda: False)

    fine = {"fate": "later fine"}
    for way in ("at-once", "later"):
        told, refused, done = handed(f"{way} refused", "later fine", f"{way} missing", "later fine")
        assert (told, refused) == ([fine, fine], [{"fate": f"{way} refused"}])
        assert done == Sent(sent=2, failed=True)
    told, refused, done = handed("later fine", "at-once away", "later fine")
    assert (told, refused, done) == ([fine], [], Sent(sent=1, failed=True, away=True))
    told, refused, done = handed("later fine", "later away", "later fine")
    assert (told, refused, done) == ([fine], [], Sent(sent=1, retry=2, failed=True, away=True))


def test_it_stops_between_two_messages(house: House, ways: Ways) -> None:
    app, stops = house.app, iter((False, True))
    assert (
        send_due(app.database, app.channels, "file:x", house.clock, lambda: next(stops)).sent == 1
    )
    assert len(ways.got) == 1


def test_one_that_is_at_a_target_is_left_to_it(house: House, ways: Ways) -> None:
    with house.app.database.alone("deliver file:x") as is_alone:
        assert is_alone
        if house.is_postgres:  # a file belongs to the processes of one person
            assert send(house) == Sent()
    assert send(house) == Sent(sent=3)


def test_once_tries_each_message_once_and_leaves_who_is_away(house: House) -> None:
    file, away = Ways(), Ways()
    house.app.channels = {"file": file, "kafka": away}
    fire(house, 2, "file:x", "kafka")
    file.fails = {"main/r0000/1": DeliveryFailed("too large")}
    away.fails = {"main/r0000/1": TargetAway("nobody is there")}
    done = relay_of(house.app).once()
    assert (done.sent, done.retry) == (1, 2)
    assert (len(file.got), len(away.got)) == (2, 2)


def test_a_job_that_fails_rests_longer_each_time_and_a_success_ends_that() -> None:
    done, ran = iter([Sent(failed=True), Sent(failed=True), Sent(sent=1)]), list[float]()

    def job(_: Callable[[], bool]) -> Sent:
        ran.append(time.monotonic())
        return next(done)

    relay = Relay(lambda: {"x": job} if len(ran) < 3 else {})
    with running(relay) as beside:
        until(lambda: len(ran) == 3)
        until(lambda: relay.total.sent == 1)
    beside.check()
    assert ran[1] - ran[0] == pytest.approx(1, abs=0.7)
    assert ran[2] - ran[1] == pytest.approx(2, abs=0.7)
    assert relay.total == Sent(sent=1, failed=True)


def test_an_error_that_is_no_targets_ends_it_and_is_told() -> None:
    def job(_: Callable[[], bool]) -> Sent:
        raise RuntimeError("a bug")

    jobs: dict[str, Job] = {"x": job}
    with running(Relay(lambda: jobs)) as beside, pytest.raises(RuntimeError, match="a bug"):
        until(beside.check)


def test_a_job_of_a_name_runs_once_at_a_time_and_beside_the_others() -> None:
    goes_on, ran = Event(), list[str]()

    def slow(_: Callable[[], bool]) -> Sent:
        ran.append("slow")
        goes_on.wait(30)
        return Sent()

    def quick(_: Callable[[], bool]) -> Sent:
        ran.append("quick")
        return Sent(sent=1)

    with running(Relay(lambda: {"webhook:x": slow, "file:x": quick})):
        until(lambda: ran.count("quick") >= 3)
        goes_on.set()
        assert ran.count("slow") == 1


def test_a_receiver_that_never_answers_holds_up_nobody(tmp_path: Path) -> None:
    lines = tmp_path / "alerts.jsonl"
    house = House(
        tmp_path / "t.db", Clock(START), webhook_secret="whsec_" + "A" * 32,
        webhook_allow_local=True,
    )  # fmt: skip
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        silent_url = f"webhook:http://127.0.0.1:{silent.getsockname()[1]}/"
        fire(house, 2, silent_url, f"file:{lines}")
        with running(relay_of(house.app)):
            until(lambda: lines.exists() and len(lines.read_text().splitlines()) == 2, 5)
            sent = [row["channel"] for row in rows(house) if row["sent_at"]]
            assert sent == [f"file:{lines}"] * 2
            silent.close()  # which resets the connection that waits
    house.close_all()


def test_as_a_process_it_sends_from_a_file_until_it_is_stopped(tmp_path: Path) -> None:
    lines = tmp_path / "alerts.jsonl"
    house = House(tmp_path / "t.db")
    fire(house, 2, f"file:{lines}")
    with process(house) as relay:
        until(lambda: lines.exists() and len(lines.read_text().splitlines()) == 2)
        relay.send_signal(signal.SIGTERM)
        _, said = relay.communicate(timeout=20)
    assert relay.returncode == 0
    lines_said = [json.loads(line) for line in said.decode().splitlines()]
    assert [each["event"] for each in lines_said] == ["started", "relay ended", "stopped"]
    assert lines_said[1]["count"] == 2
    assert all(row["sent_at"] for row in rows(house))
    house.close_all()


@pytest.mark.postgres
def test_several_relays_send_each_message_once(postgres_url: str, tmp_path: Path) -> None:
    houses = [House(tmp_path / "unused", url=postgres_url)]
    houses += [houses[0].beside() for _ in range(3)]
    files = [tmp_path / f"{number}.jsonl" for number in range(4)]
    fire(houses[0], 40, *(f"file:{file}" for file in files))
    for house in houses[1:]:
        house.clock.now = houses[0].clock.now
    relays = [Beside(relay_of(house.app)) for house in houses]
    try:
        until(lambda: all(row["sent_at"] for row in rows(houses[0])))
    finally:
        for relay in relays:
            relay.close()
    for file in files:
        keys = [json.loads(line)["data"]["key"] for line in file.read_text().splitlines()]
        assert keys == [f"main/r{number:04}/1" for number in range(40)]
    houses[0].close_all()


def wait_less(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a broker, a fifth of the usual time."""
    limits = {name: value // 5 for name, value in kafka_channel._LIMITS.items()}
    monkeypatch.setattr(kafka_channel, "_LIMITS", limits)


class TestOnServers:
    pytestmark = on_servers

    def test_alerts_go_to_the_topic_in_their_order_under_their_ids(
        self, broker: Broker, names: Topics, postgres_url: str, tmp_path: Path
    ) -> None:
        house = self.house(broker, names, postgres_url, tmp_path)
        fire(house, 30, "kafka", taxpayers=("one", "two"))
        relay = relay_of(house.app)
        assert relay.once().sent == 60
        got = read(broker.bootstrap, names.alerts, 60)
        for name in ("one", "two"):
            ids = [each.event["id"] for each in got if each.key == name]
            assert ids == [f"{name}/r{number:04}/1" for number in range(30)]
        self.close(house)

    def test_killed_between_send_and_note_another_sends_again_under_the_same_id(
        self, broker: Broker, names: Topics, postgres_url: str, tmp_path: Path
    ) -> None:
        """The rows are locked by the test, so that the relay cannot note what it has sent."""
        house = self.house(broker, names, postgres_url, tmp_path)
        fire(house, 3, "kafka")
        settings = {
            "THRESHER_KAFKA": broker.bootstrap,
            "THRESHER_KAFKA_PREFIX": names.facts.partition(".")[0],
        }
        with psycopg.connect(postgres_url) as server:
            server.execute("SELECT * FROM outbox FOR UPDATE")
            with process(house, **settings) as first:
                assert len(read(broker.bootstrap, names.alerts, 3)) == 3
                with process(house, **settings) as second:
                    assert second.stderr is not None
                    assert b"started" in second.stderr.readline()  # it stands by
                    time.sleep(0.5)
                    assert len(read(broker.bootstrap, names.alerts, 4, seconds=1)) == 3
                    first.kill()
                    got = read(broker.bootstrap, names.alerts, 6)
                    server.rollback()
                    until(lambda: all(row["sent_at"] for row in rows(house)))
        assert [each.event for each in got[:3]] == [each.event for each in got[3:]]
        assert [each.event["id"] for each in got[:3]] == [f"main/r000{n}/1" for n in range(3)]
        assert len(read(broker.bootstrap, names.alerts, 7, seconds=1)) == 6
        self.close(house)

    def test_a_broker_that_is_away_counts_no_try_and_gets_all_when_it_is_back(
        self, broker: Broker, names: Topics, postgres_url: str, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        wait_less(monkeypatch)
        house = self.house(broker, names, postgres_url, tmp_path)
        house.app.kafka.send(names.alerts, b"x", some_alert("before"))()
        fire(house, 3, "kafka")
        broker.kill()
        try:
            assert send_due(house.app.database, house.app.channels, "kafka", house.clock).away
        finally:
            broker.start()
        assert [row["attempts"] for row in rows(house)] == [0, 0, 0]
        with running(relay_of(house.app)):
            until(lambda: all(row["sent_at"] for row in rows(house)), 60)
        ids = [each.event["id"] for each in read(broker.bootstrap, names.alerts, 4)]
        assert ids == ["before", *(f"main/r000{number}/1" for number in range(3))]
        self.close(house)

    def test_a_broker_that_dies_with_a_message_on_its_way_is_sent_to_when_it_is_back(
        self, broker: Broker, names: Topics, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One that was sent and not answered: the producer that lost it sends nothing more."""
        wait_less(monkeypatch)
        sender = KafkaSender(broker.bootstrap)
        sender.send(names.alerts, b"x", some_alert("before"))()
        broker.freeze()
        sent = [sender.send(names.alerts, b"x", some_alert("lost")) for _ in range(3)]
        time.sleep(kafka_channel._LIMITS["request_timeout_ms"] / 1000 + 0.5)
        broker.kill()
        try:
            for confirm in sent:
                with pytest.raises(TargetAway):
                    confirm()
        finally:
            broker.start()
        start = time.monotonic()
        sender.send(names.alerts, b"x", some_alert("after"))()
        assert time.monotonic() - start < 20
        got = [each.event["id"] for each in read(broker.bootstrap, names.alerts, 2)]
        assert got == ["before", "after"]
        sender.close()

    def test_a_message_that_is_too_large_fails_alone(self, broker: Broker, names: Topics) -> None:
        sender = KafkaSender(broker.bootstrap)
        with pytest.raises(DeliveryFailed) as failed:
            sender.send(names.alerts, b"x", b"x" * 2_000_000)
        assert not isinstance(failed.value, TargetAway)
        sender.send(names.alerts, b"x", some_alert("small"))()
        assert [each.event["id"] for each in read(broker.bootstrap, names.alerts, 1)] == ["small"]
        sender.close()

    def test_a_topic_that_is_missing_is_said_at_once_and_disturbs_nobody(
        self, broker: Broker, names: Topics, postgres_url: str, tmp_path: Path
    ) -> None:
        house = self.house(broker, names, postgres_url, tmp_path)
        missing = f"{names.alerts}-typo"
        fire(house, 2, "kafka", f"kafka:{missing}")
        confirm = house.app.kafka.send(names.alerts, b"x", some_alert("on-its-way"))
        producer, start = house.app.kafka._producer, time.monotonic()
        done = send_due(house.app.database, house.app.channels, f"kafka:{missing}", house.clock)
        assert time.monotonic() - start < 5
        assert done == Sent(retry=1, failed=True)
        tried = [row for row in rows(house) if row["attempts"]]
        assert [row["channel"] for row in tried] == [f"kafka:{missing}"]
        assert f"has no topic {missing}" in tried[0]["last_error"]
        confirm()
        assert send_due(house.app.database, house.app.channels, "kafka", house.clock).sent == 2
        assert house.app.kafka._producer is producer
        make_topics(broker.bootstrap, names._replace(alerts=missing), 1)
        house.clock.advance(seconds=5)
        time.sleep(kafka_channel._MISSING_SECONDS)
        assert relay_of(house.app).once().sent == 2
        assert len(read(broker.bootstrap, missing, 2)) == 2
        self.close(house)

    def test_a_topic_that_cannot_be_asked_for_is_no_missing_one(
        self, broker: Broker, names: Topics
    ) -> None:
        sender = KafkaSender(broker.bootstrap)
        sender.send(names.alerts, b"x", some_alert("before"))()
        broker.kill()
        try:
            with pytest.raises(TargetAway):
                sender.send(names.windows, b"x", some_alert("away"))
        finally:
            broker.start()

        def is_sent() -> bool:
            try:
                sender.send(names.windows, b"x", some_alert("after"))()
            except TargetAway:
                return False
            return True

        until(is_sent)
        sender.close()

    def test_a_topic_that_is_deleted_is_found_missing(
        self, broker: Broker, names: Topics, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        wait_less(monkeypatch)
        sender = KafkaSender(broker.bootstrap)
        sender.send(names.alerts, b"x", some_alert("before"))()
        admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
        admin.delete_topics([names.alerts])
        admin.close()

        def is_missing() -> bool:
            try:
                sender.send(names.alerts, b"x", some_alert("after"))()
            except DeliveryFailed as failed:
                return not isinstance(failed, TargetAway)
            return False  # a broker takes its time to delete

        until(is_missing)
        sender.close()

    def test_an_alert_goes_to_no_other_topic_of_ours(
        self, broker: Broker, names: Topics, postgres_url: str, tmp_path: Path
    ) -> None:
        house = self.house(broker, names, postgres_url, tmp_path)
        fire(house, 1, f"kafka:{names.facts}")
        assert relay_of(house.app).once() == Sent(retry=1, failed=True)
        assert read(broker.bootstrap, names.facts, 1, seconds=1) == []
        assert "Thresher's own" in rows(house)[0]["last_error"]
        self.close(house)

    def test_of_a_long_dead_letter_the_beginning_is_told(
        self, broker: Broker, names: Topics, postgres_url: str, tmp_path: Path
    ) -> None:
        house = self.house(broker, names, postgres_url, tmp_path)
        nul = "\x00"  # the one that takes most room in JSON
        long = DeadLetter("t", 0, 0, b"\x00" * 900_000, b"\x00" * 900_000, "\x01" * 900_000)
        bury(house, long, DeadLetter("t", 0, 1, b"k", b"short", "no JSON"))
        for count in (2, 0):
            done = tell(house.app.database, house.app.kafka, names.dead_letters, house.clock.text)
            assert done == Sent(sent=count)
        told, short = read(broker.bootstrap, names.dead_letters, 2)
        assert told.event["data"] == {"reason": "\x01" * REASON_MOST, "value": nul * TEXT_MOST}
        assert told.key == nul * KEY_MOST
        assert short.event["data"] == {"reason": "no JSON", "value": "short"}
        self.close(house)

    def test_a_dead_letter_that_the_topic_would_never_take_holds_up_none(
        self, broker: Broker, names: Topics, postgres_url: str, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        monkeypatch.setattr(letters, "TEXT_MOST", 2_000_000)
        house = self.house(broker, names, postgres_url, tmp_path)
        bury(house, *(DeadLetter("t", 0, n, b"k", text, "no JSON")
                      for n, text in enumerate((b"one", b"\x00" * 900_000, b"three"))))  # fmt: skip
        done = relay_of(house.app).once()
        assert done == Sent(sent=2, given_up=1, failed=True)
        got = read(broker.bootstrap, names.dead_letters, 2)
        assert [each.event["data"]["value"] for each in got] == ["one", "three"]
        with house.app.database.reading() as connection:
            assert [each["sent_at"] for each in dead_letters(connection)][1] == GIVEN_UP
        assert relay_of(house.app).once() == Sent()
        self.close(house)

    @staticmethod
    def house(broker: Broker, names: Topics, url: str, path: Path) -> House:
        return House(
            path / "unused", url=url, kafka=broker.bootstrap,
            kafka_prefix=names.facts.partition(".")[0],
        )  # fmt: skip

    @staticmethod
    def close(house: House) -> None:
        house.close_all()
        drop_sockets()


def test_a_batch_has_a_limit_and_the_next_pass_goes_on(
    house: House, ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_DUE", sending._DUE.limit(2))
    assert [send(house).sent for _ in range(3)] == [2, 1, 0]

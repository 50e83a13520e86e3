"""Shards: each with a log of its own, taken up where the last who had it settled, never twice."""

from __future__ import annotations

import gc
import json
import weakref
from collections.abc import Iterator
from pathlib import Path
from threading import Barrier
from typing import Any, NamedTuple

import pytest
from kafka.structs import ConsumerGroupMetadata, MemberState, TopicPartition

from domain.decisions import AlertRuleSet
from infra.composition import App
from infra.database import open_database
from infra.kafka import shard as shard_module
from infra.kafka import worker as working
from infra.kafka.consumer import OutOfRange
from infra.kafka.mark_stream import MarkStream
from infra.kafka.shard import Shard
from infra.kafka.topics import topics
from infra.kafka.worker import Worker
from infra.metrics import Metrics
from infra.postgres.migrate import migrate
from infra.postgres.shards import WrongShards, shard_of
from infra.readiness import NOT_JOINED, StreamChecks
from infra.settings import Settings
from projections import alerts
from services import held_marks, market
from services.database import Database
from services.evaluated import EVALUATED, TAKEN_UP, EvaluatedOfShard
from services.intake import Intake, PositionMoved, Step, dead_letters, move, position
from services.ledger import Offer
from services.verify import rebuild_and_compare
from tests.services.house import COIN, STOCK, Clock, buy

pytestmark = pytest.mark.postgres
SHARDS = 4
FACTS, MARKS = "t.facts", "t.marks"
Json = dict[str, Any]


class Message(NamedTuple):
    """A message as the consumer hands it over."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes


class Place:
    """A database of four shards, and the messages of its topics so far."""

    def __init__(self, url: str) -> None:
        self.clock = Clock()
        self.app = App(Settings(database_url=url), self.clock)
        self.read: dict[tuple[str, int], int] = {}
        self.open: list[Shard] = []

    def shard(self, number: int) -> Shard:
        """Takes a shard up, as a worker does that was assigned its partition."""
        made = Shard(self.app, number, lambda: None)
        self.open.append(made)
        return made

    def messages(self, topic: str, partition: int, kind: str, *told: tuple[str, Json]) -> Any:
        start = self.read.get((topic, partition), 0)
        self.read[topic, partition] = start + len(told)
        with self.app.database.writing() as connection:
            position(connection, topic, partition)
        step = Step(topic, partition, start, start + len(told))
        return step, [
            Message(topic, partition, start + number, subject.encode(), json.dumps(
                {"specversion": "1.0", "id": f"{start + number}", "source": "venue",
                 "type": f"io.thresher.{kind}.v1", "subject": subject, "data": data}
            ).encode())
            for number, (subject, data) in enumerate(told)
        ]  # fmt: skip

    def say(self, shard: Shard, taxpayer: str, *facts: Json) -> None:
        told = ((taxpayer, fact) for fact in facts)
        shard.take(*self.messages(FACTS, shard.number, "fact", *told))

    def rule(self, taxpayer: str, threshold: str, *, is_killed: bool = False) -> None:
        """Set by a command, in another process; killed, it has appended and not projected."""
        app = App(self.app.settings, self.clock)
        app.taxpayer(taxpayer)
        rule = AlertRuleSet(
            effective_at=self.clock.text, name="loss", scope="all", threshold=threshold,
            metric="harvestable_loss", channels=(),
        )  # fmt: skip
        app.ledger.append([Offer(taxpayer, "thresher", "rule/loss", rule)], self.clock.text)
        if not is_killed:
            app.projector.catch_up(self.clock.day)
        app.close()

    def marks(self, stream: MarkStream, *prices: tuple[str, str]) -> None:
        """Marks of one asset each, a minute apart, stored and seen by nobody yet."""
        told = []
        for asset, price in prices:
            self.clock.advance(minutes=1)
            told.append((asset, {"asset": asset, "price": price, "time": self.clock.text}))
        step, records = self.messages(MARKS, 0, "mark", *told)
        stream.take(step, records, self.clock.text)

    def fired(self, taxpayer: str) -> list[tuple[str, str, str]]:
        """Each crossing: when it fired, at what loss, when it re-armed."""
        with self.app.database.reading() as connection:
            return [
                (each["fired_at"][11:16], each["value"], each["rearmed_at"][11:16])
                for each in alerts.read(connection, taxpayer)
            ]

    def close(self) -> None:
        for shard in self.open:
            shard.close()
        self.app.close()


@pytest.fixture
def place(empty_postgres: str) -> Iterator[Place]:
    migrate(empty_postgres, shards=SHARDS)
    made = Place(empty_postgres)
    yield made
    made.close()


def taxpayer_in(shard: int) -> str:
    return next(name for name in map("T{}".format, range(99)) if shard_of(name, SHARDS) == shard)


@pytest.fixture
def watched(place: Place) -> tuple[Place, Shard, MarkStream, str]:
    """Ten shares for 1,000 in shard 2, a rule at a loss of 200, a mark of 100."""
    name, shard, stream = taxpayer_in(2), place.shard(2), MarkStream(place.app)
    place.say(shard, name, STOCK, buy("b1", "10", "1000"))
    place.rule(name, "200")
    place.marks(stream, ("S", "100"))
    shard.follow(stream.since())
    assert place.fired(name) == []
    return place, shard, stream, name


def test_a_mark_dated_ahead_of_the_clock_is_held_by_a_worker_too(
    watched: tuple[Place, Shard, MarkStream, str],
) -> None:
    place, shard, stream, name = watched
    ahead = ("S", {"asset": "S", "price": "99", "time": "2062-11-27T10:02:00Z"})
    step, records = place.messages(MARKS, 0, "mark", ahead)
    stream.take(step, records, place.clock.text)
    with place.app.database.reading() as connection:
        (row,) = held_marks.held(connection)
    assert row["reason"].startswith("dated 2062-11-27, ahead of the clock")
    place.marks(stream, ("S", "79"))
    shard.follow(stream.since())
    assert place.fired(name) == [("12:02", "210", "")]


def test_an_alert_after_a_mark_that_came_again(
    watched: tuple[Place, Shard, MarkStream, str],
) -> None:
    """The number of the mark that was known is left out: how long it took is told all the same."""
    place, shard, stream, name = watched
    known = {"asset": "S", "price": "100", "time": place.clock.text}
    place.clock.advance(minutes=1)
    fallen = {"asset": "S", "price": "79", "time": place.clock.text}
    step, records = place.messages(MARKS, 0, "mark", ("S", known), ("S", fallen))
    stream.take(step, records, place.clock.text)
    place.clock.advance(seconds=3)
    assert shard.follow(stream.since()) == [3]
    assert len(place.fired(name)) == 1


def test_a_taxpayer_is_where_kafka_sends_its_messages() -> None:
    """The hashes that Kafka's own clients are tested by, without their sign."""
    hashes = {
        "21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536,
        "a-little-bit-longer-string": -1486304829, "abc": 479470107,
    }  # fmt: skip
    for name, hashed in hashes.items():
        assert shard_of(name, 1_000) == (hashed & 0x7FFFFFFF) % 1_000


def test_shards_are_for_good_once_there_are_facts(place: Place, empty_postgres: str) -> None:
    assert place.app.shards == SHARDS
    migrate(empty_postgres, shards=2)
    migrate(empty_postgres, shards=SHARDS)
    place.say(place.shard(1), taxpayer_in(1), STOCK)
    migrate(empty_postgres, shards=SHARDS)
    with pytest.raises(WrongShards, match="the log has 4 shards and holds facts"):
        migrate(empty_postgres, shards=5)
    with pytest.raises(WrongShards, match="from 1 to 1024"):
        migrate(empty_postgres, shards=0)


def test_each_shard_numbers_its_own_facts_and_a_command_finds_its_taxpayer(place: Place) -> None:
    names = [taxpayer_in(number) for number in range(SHARDS)]
    for number, name in enumerate(names):
        place.say(place.shard(number), name, STOCK, *(buy(f"b{n}") for n in range(number)))
    assert [each.ledger.head() for each in place.open] == [1, 2, 3, 4]
    assert place.app.taxpayers() == sorted(names)
    for number, name in enumerate(names):
        assert place.app.taxpayer(name) == name
        assert (place.app.shard, place.app.ledger.taxpayers()) == (number, [name])
        assert len(place.app.queries.lots(place.app.queries.view(name))) == number


def test_who_has_rules_alone_is_known_and_is_not_one_who_trades(place: Place) -> None:
    names = [taxpayer_in(number) for number in range(2)]
    for number, name in enumerate(names):
        place.say(place.shard(number), name, STOCK)
        place.rule(name, "100")
    place.rule("rules.alone", "100")
    assert place.app.taxpayers() == sorted([*names, "rules.alone"])
    assert place.app.ledger.everybody(beside="thresher") == sorted(names)


def test_a_rebuild_of_all_shards_equals_what_they_wrote(place: Place, tmp_path: Path) -> None:
    for number in range(SHARDS):
        shard = place.shard(number)
        place.say(shard, taxpayer_in(number), STOCK, buy("b1"), buy("b2"))
    scratch = open_database(tmp_path / "scratch.db")
    live = [each.projector for each in place.app.of_all_shards()]
    found = rebuild_and_compare(live, scratch, lambda done, total: None)
    assert [each.projection for each in found if not each.equal] == []
    assert found[0].live != found[-2].live  # lots, and no tokens
    scratch.reader.dispose()


def test_a_message_in_the_wrong_partition_is_a_dead_letter(place: Place) -> None:
    place.say(place.shard(0), taxpayer_in(3), STOCK)
    with place.app.database.reading() as connection:
        (letter,) = dead_letters(connection)
    assert "murmur2" in letter["reason"]
    assert place.app.taxpayers() == []


def test_marks_that_nobody_was_asked_about_are_asked_about_by_the_successor(
    watched: tuple[Place, Shard, MarkStream, str],
) -> None:
    """A fall and a rise are stored, then their reader dies: the crossing between is not lost."""
    place, shard, stream, name = watched
    place.marks(stream, ("S", "79"), ("S", "100"), ("S", "78"))
    shard.close()
    after = place.shard(2)
    after.follow(stream.since())
    told = [("12:02", "210", "12:03"), ("12:04", "220", "")]
    assert place.fired(name) == told
    after.close()
    place.shard(2).follow(())
    assert place.fired(name) == told


def test_what_is_settled_is_not_asked_again(watched: tuple[Place, Shard, MarkStream, str]) -> None:
    """It fired and was re-armed; its successor, at the marks since, finds nothing new."""
    place, shard, stream, name = watched
    place.marks(stream, ("S", "79"), ("S", "100"))
    shard.follow(stream.since())
    told = place.fired(name)
    assert told == [("12:02", "210", "12:03")]
    shard.close()
    after = place.shard(2)
    place.say(after, name, buy("b2", "10", "1000"))
    after.follow(())
    assert place.fired(name) == told


def test_a_fact_is_not_valued_at_marks_from_before_it(
    watched: tuple[Place, Shard, MarkStream, str],
) -> None:
    """A low mark is settled, then shares are bought dear; a restart must not see them at it."""
    place, shard, stream, name = watched
    place.marks(stream, ("S", "90"))
    shard.follow(stream.since())
    place.marks(stream, ("S", "100"))
    shard.follow(stream.since())
    place.say(shard, name, buy("b2", "100", "10000"))
    shard.close()
    place.shard(2).follow(())
    assert place.fired(name) == []


def test_of_two_that_have_a_shard_the_first_is_refused(
    watched: tuple[Place, Shard, MarkStream, str],
) -> None:
    place, zombie, stream, name = watched
    shard = place.shard(2)
    place.marks(stream, ("S", "79"))
    stored = stream.since()
    with pytest.raises(PositionMoved, match=TAKEN_UP):
        zombie.follow(stored)
    with pytest.raises(PositionMoved, match=TAKEN_UP):
        zombie.market.keep_evaluated()
    assert place.fired(name) == []
    shard.follow(stored)
    assert place.fired(name) == [("12:02", "210", "")]
    batch = place.messages(FACTS, 2, "fact", (name, buy("b2")))
    shard.take(*batch)
    with pytest.raises(PositionMoved):
        zombie.take(*batch)
    assert place.app.of_shard(2).ledger.head() == 5  # two facts, the rule, its alert, one more


def test_a_message_in_flight_is_refused_to_whom_the_shard_was_taken_from(
    watched: tuple[Place, Shard, MarkStream, str],
) -> None:
    """Nothing of it is stored, although nobody has read its partition on."""
    place, zombie, _, name = watched
    shard = place.shard(2)
    batch = place.messages(FACTS, 2, "fact", (name, buy("b2")))
    with pytest.raises(PositionMoved, match=TAKEN_UP):
        zombie.take(*batch)
    shard.take(*batch)
    assert place.app.of_shard(2).ledger.head() == 4


def test_a_crossing_that_comes_while_a_shard_is_taken_up_is_its_successors(
    watched: tuple[Place, Shard, MarkStream, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by chaos: the successor read how far marks were settled, its predecessor settled more,
    then the successor read the log, and asked its rules at old marks as of the last alert."""
    place, predecessor, stream, name = watched
    place.marks(stream, ("S", "79"))

    def taken_up(database: Database, number: int) -> EvaluatedOfShard:
        made = EvaluatedOfShard(database, number)
        with pytest.raises(PositionMoved, match=TAKEN_UP):
            predecessor.follow(stream.since())
        return made

    monkeypatch.setattr(shard_module, "EvaluatedOfShard", taken_up)
    place.shard(2).follow(())
    assert place.fired(name) == [("12:02", "210", "")]


def test_a_token_that_another_shard_declares_is_worth_its_share_here(place: Place) -> None:
    name, shard, stream = taxpayer_in(0), place.shard(0), MarkStream(place.app)
    token = {"id": "tS", "type": "asset", "asset": "tS", "class": "tokenized_security",
             "group": "S", "ratio": "0.1"}  # fmt: skip
    place.marks(stream, ("S", "100"))
    place.say(shard, name, token, buy("b1", "100", "1000", asset="tS"))
    place.rule(name, "200")
    place.say(place.shard(3), taxpayer_in(3), STOCK, token, buy("b1", "1", "10", asset="tS"))
    place.marks(stream, ("S", "70"))
    shard.follow(stream.since())
    assert [each[1] for each in place.fired(name)] == ["300"]


def test_idle_time_moves_what_is_settled_and_asks_rules_of_the_clock(
    watched: tuple[Place, Shard, MarkStream, str],
) -> None:
    place, shard, stream, name = watched
    place.say(shard, name, COIN)
    place.clock.advance(hours=1)
    shard.idle()
    assert shard.market.now == place.clock.text
    place.marks(stream, ("S", "99"))
    shard.follow(stream.since())
    for expected in (2, 3):  # of the first mark, then of this one as well
        with place.app.database.writing() as connection:
            assert position(connection, EVALUATED, 2) == expected
        shard.idle()


def test_a_rule_of_a_command_that_was_killed_before_it_projected_fires(place: Place) -> None:
    name, shard, stream = taxpayer_in(2), place.shard(2), MarkStream(place.app)
    place.say(shard, name, STOCK, buy("b1", "10", "1000"))
    place.rule(name, "200", is_killed=True)
    shard.idle()
    place.marks(stream, ("S", "100"), ("S", "79"))
    shard.follow(stream.since())
    assert place.fired(name) == [("12:02", "210", "")]


class Feed:
    """A consumer that owns some shards and the marks; a poll brings what was put in."""

    def __init__(self, *shards: int) -> None:
        self.batches: dict[TopicPartition, Any] = {}
        self.owned = {TopicPartition(MARKS, 0), *(TopicPartition(FACTS, each) for each in shards)}
        self.firsts: dict[TopicPartition, int] = {}
        self.ends: dict[TopicPartition, int] = {}
        self.sought: dict[TopicPartition, int] = {}
        self.state = MemberState.STABLE

    def poll(self, **_: int) -> dict[TopicPartition, Any]:
        found, self.batches = self.batches, {}
        return found

    def group_metadata(self) -> ConsumerGroupMetadata:
        return ConsumerGroupMetadata(state=self.state)

    def assignment(self) -> set[TopicPartition]:
        return self.owned

    def beginning_offsets(self, partitions: set[TopicPartition]) -> dict[TopicPartition, int]:
        return {each: self.firsts.get(each, 0) for each in partitions}

    def end_offsets(self, partitions: set[TopicPartition]) -> dict[TopicPartition, int]:
        return {each: self.ends.get(each, 0) for each in partitions}

    def highwater(self, partition: TopicPartition) -> int:
        return 0

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.sought[partition] = offset

    def commit_async(self, offsets: object) -> None:
        """Nobody asks."""


def test_what_is_settled_is_kept_while_marks_never_pause(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a successor would ask its rules at every mark since the last alert or fact."""
    monkeypatch.setattr(working, "IDLE_SECONDS", 0)
    feed = Feed(2)
    worker = Worker(place.app, feed, topics("t"), StreamChecks(1_000), Metrics())
    worker.step()
    for count in (1, 2, 3):
        place.clock.advance(minutes=1)
        mark = {"asset": "S", "price": "100", "time": place.clock.text}
        _, feed.batches[TopicPartition(MARKS, 0)] = place.messages(MARKS, 0, "mark", ("S", mark))
        worker.step()
        with place.app.database.writing() as connection:
            assert position(connection, EVALUATED, 2) == count + 1
    worker.close()


def test_the_memory_of_a_shard_that_is_let_go_is_free(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shard is set aside from the collector, and is full of cycles."""

    def collect() -> None:
        gc.unfreeze()
        gc.collect()

    monkeypatch.setattr(shard_module, "settle", gc.freeze)
    monkeypatch.setattr(working, "settle_again", collect)
    place.app.is_process = True
    feed = Feed(2)
    worker = Worker(place.app, feed, topics("t"), StreamChecks(1_000), Metrics())
    worker.step()
    books = weakref.ref(worker.shards[2].projector)
    worker._refused(PositionMoved("gone"), None, 2)
    feed.owned = {TopicPartition(MARKS, 0)}
    gc.collect()
    assert books() is not None
    worker.step()
    assert books() is None
    worker.close()


def test_a_worker_is_ready_once_it_joined_and_took_up_what_fell_to_it(place: Place) -> None:
    feed, checks = Feed(1, 2), StreamChecks(0)
    everything, feed.owned, feed.state = feed.owned, set(), MemberState.REBALANCING
    worker = Worker(place.app, feed, topics("t"), checks, Metrics())
    worker.step()
    assert checks() == NOT_JOINED
    feed.state = MemberState.STABLE  # a surplus member
    worker.step()
    assert checks() == {}
    feed.owned = everything
    worker.step()
    assert checks() == {"shard/2": "is assigned and not taken up yet"}
    worker.step()
    assert checks() == {}
    worker.close()


def test_a_worker_is_not_ready_while_rules_were_not_asked_at_marks_that_are_stored(
    watched: tuple[Place, Shard, MarkStream, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its successor has them all to ask about, and asks about some in a step."""
    place, shard, stream, name = watched
    shard.market.keep_evaluated()
    place.marks(stream, ("S", "100"), ("S", "79"), ("S", "100"))
    monkeypatch.setattr(market, "MOST_MARKS", 2)
    feed, checks = Feed(2), StreamChecks(0)
    feed.ends[TopicPartition(MARKS, 0)], feed.ends[TopicPartition(FACTS, 2)] = 4, 2
    worker = Worker(place.app, feed, topics("t"), checks, Metrics())
    worker.step()
    assert checks() == {"stream/t.marks/shard 2": "1 messages behind, at most 0"}
    worker.step()
    assert checks() == {}
    assert len(place.fired(name)) == 1
    worker.close()


def test_a_rule_that_was_not_projected_fires_while_marks_never_pause(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "IDLE_SECONDS", 0)
    feed, name = Feed(2), taxpayer_in(2)
    worker = Worker(place.app, feed, topics("t"), StreamChecks(1_000), Metrics())
    worker.step()
    place.say(worker.shards[2], name, STOCK, buy("b1", "10", "1000"))
    place.rule(name, "200", is_killed=True)
    for price in ("100", "79"):
        place.clock.advance(minutes=1)
        mark = {"asset": "S", "price": price, "time": place.clock.text}
        _, feed.batches[TopicPartition(MARKS, 0)] = place.messages(MARKS, 0, "mark", ("S", mark))
        worker.step()
    assert place.fired(name) == [("12:02", "210", "")]
    worker.close()


@pytest.mark.parametrize(("first", "end"), [(0, 4), (6, 9)])
def test_facts_that_are_not_where_they_are_read_on_end_the_worker(
    place: Place, first: int, end: int
) -> None:
    """A topic made anew ends before the stored position; one whose head was deleted begins after
    it. The line names what is to be done, and that helps."""
    partition, feed = TopicPartition(FACTS, 2), Feed(2)
    place.messages(FACTS, 2, "fact")
    with place.app.database.writing() as connection:
        move(connection.exec_driver_sql, Intake((Step(FACTS, 2, 0, 5),), (), ""))
    feed.firsts[partition], feed.ends[partition] = first, end
    worker = Worker(place.app, feed, topics("t"), StreamChecks(1_000), Metrics())
    with pytest.raises(OutOfRange) as refused:
        worker.step()
    said = str(refused.value)
    assert said.startswith("t.facts/2: the database has read it up to offset 5 and the topic ")
    assert (f"ends at {end}" if first == 0 else f"begins at {first}") in said
    assert partition not in feed.sought
    with place.app.database.writing() as connection:
        connection.exec_driver_sql(said[said.index("UPDATE") :])
    worker.step()
    assert feed.sought[partition] == first
    worker.close()


def test_facts_that_were_deleted_before_the_first_was_read_end_the_worker(place: Place) -> None:
    feed = Feed(2)
    feed.firsts[TopicPartition(FACTS, 2)] = feed.ends[TopicPartition(FACTS, 2)] = 3
    worker = Worker(place.app, feed, topics("t"), StreamChecks(1_000), Metrics())
    with pytest.raises(OutOfRange, match="begins at 3"):
        worker.step()
    worker.close()


def test_marks_that_were_deleted_unread_are_passed_over(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    """Only the latest of an asset are kept; but a topic that is made anew is no such thing."""
    partition, feed = TopicPartition(MARKS, 0), Feed(2)
    feed.firsts[partition] = feed.ends[partition] = 7
    worker = Worker(place.app, feed, topics("t"), StreamChecks(0), Metrics())
    worker.step()
    assert feed.sought[partition] == 7
    assert worker._checks() == {}
    assert "marks were deleted unread" in caplog.text
    worker._next.pop(partition)
    feed.firsts[partition] = feed.ends[partition] = 0
    with pytest.raises(OutOfRange, match=r"t\.marks/0: .* offset 7 and the topic ends at 0"):
        worker.step()
    worker.close()


@pytest.fixture
def both(place: Place) -> Iterator[tuple[Place, Feed, Worker]]:
    """A worker of shards 1 and 2, for each of which a message waits."""
    feed = Feed(1, 2)
    worker = Worker(place.app, feed, topics("t"), StreamChecks(1_000), Metrics())
    while len(worker.shards) < 2:
        worker.step()
    for number in (1, 2):
        message = (taxpayer_in(number), buy("b1"))
        _, feed.batches[TopicPartition(FACTS, number)] = place.messages(
            FACTS, number, "fact", message
        )
    yield place, feed, worker
    worker.close()


def heads(place: Place) -> list[int]:
    return [place.app.of_shard(number).ledger.head() for number in (1, 2)]


def test_two_shards_of_a_worker_are_served_at_the_same_time(
    both: tuple[Place, Feed, Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, _, worker = both
    at_work, take = Barrier(2, timeout=30), Shard.take

    def met(shard: Shard, *batch: Any) -> Any:
        at_work.wait()  # fails unless the other comes as well
        return take(shard, *batch)

    monkeypatch.setattr(Shard, "take", met)
    worker.step()
    assert heads(place) == [1, 1]


def test_one_shard_that_is_refused_does_not_hold_up_the_other(
    both: tuple[Place, Feed, Worker],
) -> None:
    place, feed, worker = both
    waiting = dict(feed.batches)
    EvaluatedOfShard(place.app.of_shard(1).database, 1)  # another worker takes it up
    worker.step()
    assert heads(place) == [0, 1]
    assert worker.shards.keys() == {2}
    feed.batches = waiting  # it takes the shard up again, and the consumer goes back
    worker.step()
    feed.batches = waiting
    worker.step()
    assert heads(place) == [1, 1]

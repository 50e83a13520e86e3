"""Dead letters: told to their topic once each, and sent again where they came from."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence

from kafka import KafkaProducer
from kafka.errors import KafkaError
from sqlalchemy import Connection, select

from domain.errors import ThresherError
from infra.channels.kafka import KafkaSender, cloud_event, producer_of
from infra.kafka.topics import NoBroker
from projections.schema import Piece, rows
from services.database import Database
from services.intake import dead_letters, letter_places, mark_letter
from services.sending import GIVEN_UP, Sent, hand_over
from services.tables import DEAD_LETTERS

_TIMEOUT_SECONDS = 15
_UNTOLD = select(DEAD_LETTERS.c.offset).where(DEAD_LETTERS.c.sent_at == "").limit(1)
# What is told of a letter: a message has its limit, the table has the whole. A character takes up
# to six bytes.
TEXT_MOST, REASON_MOST, KEY_MOST = 100_000, 10_000, 10_000
AT_ONCE = 100  # letters held in memory: each may have a megabyte
_LISTED, _SHOWN = 2_000, 200  # in the list: of key and reason, of the text
_log = logging.getLogger(__name__)


class NoSuchLetter(ThresherError, LookupError):
    """No dead letter stood there."""


def are_untold(connection: Connection) -> bool:
    """Whether there are any that were not told yet."""
    return bool(rows(connection, _UNTOLD))


def tell(
    database: Database, sender: KafkaSender, topic: str, now: str,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Sent:  # fmt: skip
    """Sends what was not told yet to the topic of dead letters; at least once, under one id.

    One that the topic would never take is given up: it stays in the list, and can be replayed.
    """
    with database.alone("deliver dead letters") as is_alone:
        if not is_alone:
            return Sent()
        with database.reading() as connection:
            letters = dead_letters(connection, unsent=True, limit=AT_ONCE, most=4 * TEXT_MOST)
        told, refused, done = hand_over(
            letters, lambda letter: _send(sender, topic, letter), is_stopped
        )
        done.given_up = len(refused)
        if told or refused:
            with database.writing() as connection:
                for letter in told:
                    mark_letter(connection, letter, sent_at=now)
                for letter in refused:
                    mark_letter(connection, letter, sent_at=GIVEN_UP)
                    _log.warning("dead letter is not told: the topic takes none so large",
                                 extra=_of(letter))  # fmt: skip
    return done


def _send(sender: KafkaSender, topic: str, letter: Piece) -> Callable[[], object]:
    place = place_of(letter)
    text = letter["value"].decode("utf-8", "replace")[:TEXT_MOST]
    data = {"reason": letter["reason"][:REASON_MOST], "value": text}
    event = cloud_event(place, "deadletter", place, letter["recorded_at"], data)
    return sender.send(topic, letter["key"][:KEY_MOST], event)


def send_again(database: Database, servers: str, places: Sequence[str], now: str) -> list[str]:
    """The same as `replay`, by a producer of its own; raises NoBroker as well."""
    try:
        producer = producer_of(servers)
        try:
            return replay(database, producer, places, now)
        finally:
            producer.close()
    except (KafkaError, OSError) as error:
        raise NoBroker(f"{servers}: {error}; run it again: what was sent is marked") from error


def replay(
    database: Database, producer: KafkaProducer, places: Sequence[str], now: str
) -> list[str]:
    """Sends dead letters again to the topic they came on, all or those named; returns which.

    Raises NoSuchLetter, before anything is sent.
    """
    with database.reading() as connection:
        letters = letter_places(connection)
    unknown = sorted(set(places) - set(map(place_of, letters)))
    if unknown:
        raise NoSuchLetter(
            f"no dead letter is at {', '.join(unknown)}; thresher deadletters list shows them"
        )
    again = [
        letter
        for letter in letters
        if (place_of(letter) in places if places else not letter["replayed_at"])
    ]
    for start in range(0, len(again), AT_ONCE):
        with database.reading() as connection:
            some = dead_letters(connection, places=again[start : start + AT_ONCE])
        _send_and_mark(database, producer, some, now)
    return [place_of(letter) for letter in again]


def _send_and_mark(
    database: Database, producer: KafkaProducer, letters: Sequence[Piece], now: str
) -> None:
    """Marks those that the broker stored, whatever becomes of the others."""
    handed = [
        producer.send(letter["topic"], key=letter["key"] or None, value=letter["value"])
        for letter in letters
    ]
    stored = []
    try:
        for letter, sent in zip(letters, handed, strict=True):
            sent.get(timeout=_TIMEOUT_SECONDS)
            stored.append(letter)
    finally:
        with database.writing() as connection:
            for letter in stored:
                mark_letter(connection, letter, replayed_at=now)


def _of(letter: Piece) -> Piece:
    return {name: letter[name] for name in ("topic", "partition", "offset")}


def place_of(letter: Piece) -> str:
    """Where a dead letter stood: topic/partition/offset."""
    return f"{letter['topic']}/{letter['partition']}/{letter['offset']}"


def listed(connection: Connection) -> list[dict[str, str]]:
    """All dead letters as rows of the list."""
    return [_shown(letter) for letter in dead_letters(connection, most=_LISTED)]


def _shown(letter: Piece) -> dict[str, str]:
    """A dead letter as a row of the list; of its text the beginning."""
    text = letter["value"].decode("utf-8", "replace")
    return {
        "place": place_of(letter), "key": letter["key"].decode("utf-8", "replace"),
        "reason": letter["reason"], "recorded_at": letter["recorded_at"],
        "replayed_at": letter["replayed_at"], "text": json.dumps(text[:_SHOWN], ensure_ascii=False),
    }  # fmt: skip

"""Dead letters: told to their topic once each, and sent again where they came from."""

from __future__ import annotations

import json
from collections.abc import Sequence

from kafka import KafkaProducer

from infra.channels.kafka import cloud_event
from projections.schema import Piece
from services.database import Database
from services.intake import dead_letters, mark_letter

_TIMEOUT_SECONDS = 15


def tell(database: Database, producer: KafkaProducer, topic: str, now: str) -> int:
    """Sends what was not told yet to the topic of dead letters; at least once, under one id."""
    with database.reading() as connection:
        letters = dead_letters(connection, unsent=True)
    for letter in letters:
        place = place_of(letter)
        data = {"reason": letter["reason"], "value": letter["value"].decode("utf-8", "replace")}
        event = cloud_event(place, "deadletter", place, letter["recorded_at"], data)
        producer.send(topic, key=letter["key"], value=event).get(timeout=_TIMEOUT_SECONDS)
        with database.writing() as connection:
            mark_letter(connection, letter, sent_at=now)
    return len(letters)


def replay(
    database: Database, producer: KafkaProducer, places: Sequence[str], now: str
) -> list[str]:
    """Sends dead letters again to the topic they came on, all or those named; returns which."""
    with database.reading() as connection:
        letters = dead_letters(connection)
    again = [
        letter
        for letter in letters
        if (place_of(letter) in places if places else not letter["replayed_at"])
    ]
    for letter in again:
        sent = producer.send(letter["topic"], key=letter["key"] or None, value=letter["value"])
        sent.get(timeout=_TIMEOUT_SECONDS)
        with database.writing() as connection:
            mark_letter(connection, letter, replayed_at=now)
    return [place_of(letter) for letter in again]


def place_of(letter: Piece) -> str:
    """Where a dead letter stood: topic/partition/offset."""
    return f"{letter['topic']}/{letter['partition']}/{letter['offset']}"


def shown(letter: Piece) -> dict[str, str]:
    """A dead letter as a row of the list; of its text the beginning."""
    text = letter["value"].decode("utf-8", "replace")
    return {
        "place": place_of(letter), "key": letter["key"].decode("utf-8", "replace"),
        "reason": letter["reason"], "recorded_at": letter["recorded_at"],
        "replayed_at": letter["replayed_at"], "text": json.dumps(text[:200], ensure_ascii=False),
    }  # fmt: skip

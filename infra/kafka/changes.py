"""Changes of rows, sent to the topic of their stream: at least once, each under one id."""

from __future__ import annotations

import json
from collections.abc import Callable

from infra.channels.kafka import KafkaSender, cloud_event
from infra.kafka.topics import Topics
from projections.schema import Piece
from services.changes_out import OPPORTUNITIES, WINDOWS, due_changes, note_sent
from services.database import Database
from services.delivery import Confirm
from services.sending import BATCH, Sent, hand_over

KINDS = {OPPORTUNITIES: "opportunity.changed", WINDOWS: "window.changed"}


def send_changes(
    database: Database, sender: KafkaSender, names: Topics, stream: str,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Sent:  # fmt: skip
    """Sends what changed of a stream, oldest first, and notes it in one transaction."""
    with database.alone(f"deliver {stream}") as is_alone:
        if not is_alone:
            return Sent()
        with database.reading() as connection:
            rows = due_changes(connection, stream, BATCH)
        topic: str = getattr(names, stream)
        told, _, done = hand_over(rows, lambda row: _send(sender, topic, row), is_stopped)
        if told:
            with database.writing() as connection:
                note_sent(connection, told)
    return done


def _send(sender: KafkaSender, topic: str, row: Piece) -> Confirm:
    stream, taxpayer, number = row["stream"], row["taxpayer"], row["number"]
    data = {
        "id": row["row"], "number": number, "state": row["state"], "row": json.loads(row["body"]),
    }  # fmt: skip
    id = f"{taxpayer}/{stream}/{number}"
    event = cloud_event(id, KINDS[stream], taxpayer, row["at"], data)
    return sender.send(topic, taxpayer.encode(), event)

"""Sending: what is due in the outbox goes to its targets, of each in the order it came.

One process at a time sends to a target (`Database.alone`); the others leave it to that one. So
nothing is sent twice while all live, and whoever comes after one that was killed sends again,
under the same keys, what that one had not noted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple

from sqlalchemy import Connection, Update, bindparam, literal_column, select, update

from domain.days import sortable_instant
from projections.schema import Piece, change, rows
from services.database import Clock, Database
from services.delivery import (
    Channels,
    Confirm,
    DeliveryFailed,
    Message,
    MessageRefused,
    TargetAway,
)
from services.digests import WAITING, compose
from services.tables import IS_UNSENT, OUTBOX

# Standard Webhooks 1.0 suggests these waits; ten attempts over about three days.
RETRY_AFTER_SECONDS = (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
GIVEN_UP = "given up"
BATCH = 1_000
_COLUMNS = OUTBOX.columns.keys()
_IS_DUE = (  # sent at once, or waiting for a digest that is due
    (OUTBOX.c.sent_at == "") | (OUTBOX.c.sent_at == WAITING),
    OUTBOX.c.due_at <= bindparam("now"),
)
_TARGETS = select(OUTBOX.c.channel).where(*_IS_DUE).distinct().order_by(OUTBOX.c.channel)
_OF_TARGET = OUTBOX.c.channel == bindparam("target")
_TO_COMPOSE = (
    select(OUTBOX.c.number)
    .where(_OF_TARGET, OUTBOX.c.sent_at == WAITING, OUTBOX.c.due_at <= bindparam("now"))
    .limit(1)
)
_DUE = (  # by the index of what waits in order; SQLite would rather find all by `due_at`, and sort
    select(OUTBOX)
    .where(_OF_TARGET, IS_UNSENT, OUTBOX.c.due_at + literal_column("''") <= bindparam("now"))
    .order_by(OUTBOX.c.number)
    .limit(BATCH)
)


@dataclass(slots=True)
class Sent:
    """What a pass did: messages sent, to be tried again, given up; whether it met a failure, and
    whether that was nobody's answering."""

    sent: int = 0
    retry: int = 0
    given_up: int = 0
    failed: bool = False
    away: bool = False

    def add(self, other: Sent) -> None:
        """Takes another pass in."""
        self.sent += other.sent
        self.retry += other.retry
        self.given_up += other.given_up
        self.failed |= other.failed
        self.away |= other.away

    @property
    def has_moved(self) -> bool:
        """Whether anything is no longer as due as it was."""
        return bool(self.sent or self.retry or self.given_up)

    @property
    def counts(self) -> dict[str, int]:
        """As commands tell it."""
        return {"sent": self.sent, "retry": self.retry, GIVEN_UP: self.given_up}


def deliver(
    database: Database, channels: Channels, clock: Clock, first: Collection[str] = ()
) -> dict[str, int]:
    """Sends what is due now, one target after the other; returns the counts of `Sent`.

    `first`: targets that need not be looked for.
    """
    total = Sent()
    for target in first:
        total.add(send_due(database, channels, target, clock))
    with database.reading() as connection:
        targets = due_targets(connection, clock())
    for target in targets:
        if target not in first:
            total.add(send_due(database, channels, target, clock))
    return total.counts


def due_targets(connection: Connection, now: datetime) -> list[str]:
    """The channels, with their targets, for which something is due."""
    return [target for (target,) in rows(connection, _TARGETS, now=sortable_instant(now))]


def send_due(
    database: Database, channels: Channels, target: str, clock: Clock,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Sent:  # fmt: skip
    """Sends what is due to one target, oldest first, up to the first failure.

    What a channel only hands over is confirmed at the end, and noted in one transaction.
    """
    done = Sent()
    with database.alone(f"deliver {target}") as is_alone:
        handed: list[tuple[Piece, Confirm]] = []
        for row in _due(database, target, clock()) if is_alone else ():
            if is_stopped() or done.failed:
                break
            try:
                confirm = _send(row, channels)
            except DeliveryFailed as failed:
                _note(database, [(row, _failure(row, failed, clock(), done))])
            else:
                if confirm is None:
                    _note(database, [(row, _success(row, clock(), done))])
                else:
                    handed.append((row, confirm))
        _note(database, _confirmed(handed, clock, done))
    return done


class HandedOver(NamedTuple):
    """What became of pieces: those that came, those that are refused for good, and the counts."""

    told: list[Piece]
    refused: list[Piece]
    done: Sent


def hand_over(
    pieces: Sequence[Piece], send: Callable[[Piece], Confirm], is_stopped: Callable[[], bool]
) -> HandedOver:
    """Hands pieces over in their order, then waits for all.

    For what counts no tries. Where the target went away, those from the first that failed on go
    again after it; one that fails of itself holds up none, and is left as it is.
    """
    found = HandedOver([], [], Sent())
    handed = list[tuple[Piece, Confirm]]()
    for piece in pieces:
        if is_stopped() or found.done.away:
            break
        try:
            handed.append((piece, send(piece)))
        except DeliveryFailed as failed:
            _leave(piece, failed, found)
    is_away = False  # what was handed over before is waited for
    for piece, confirm in handed:
        try:
            confirm()
        except DeliveryFailed as failed:
            _leave(piece, failed, found)
            is_away |= isinstance(failed, TargetAway)
        else:
            if not is_away:
                found.told.append(piece)
        found.done.retry += is_away
    found.done.sent = len(found.told)
    return found


def _leave(piece: Piece, failed: DeliveryFailed, found: HandedOver) -> None:
    found.done.failed = True
    found.done.away |= isinstance(failed, TargetAway)
    if isinstance(failed, MessageRefused):
        found.refused.append(piece)


def _due(database: Database, target: str, now: datetime) -> list[Piece]:
    at = {"now": sortable_instant(now), "target": target}
    with database.reading() as connection:
        if not rows(connection, _TO_COMPOSE, **at):
            return _rows(connection, at)
    compose(database, target, now)
    with database.reading() as connection:
        return _rows(connection, at)


def _rows(connection: Connection, at: dict[str, str]) -> list[Piece]:
    return [dict(zip(_COLUMNS, row, strict=True)) for row in rows(connection, _DUE, **at)]


def _send(row: Piece, channels: Channels) -> Confirm | None:
    scheme, _, target = row["channel"].partition(":")
    send = channels.get(scheme)
    if send is None:
        raise DeliveryFailed(f"no channel is called {scheme!r}")
    return send(target, Message(row["key"], row["payload"], row["created_at"]))


def _confirmed(
    handed: Sequence[tuple[Piece, Confirm]], clock: Clock, done: Sent
) -> list[tuple[Piece, Piece]]:
    """Waits for all, whatever fails; returns what to note of each.

    Where the target went away, those after the first that failed are as if they had not been
    sent: they go again after it, so that the last of a key that comes is the latest.
    """
    found: list[tuple[Piece, Piece]] = []
    is_away = False
    for row, confirm in handed:
        try:
            confirm()
        except DeliveryFailed as failed:
            if not is_away:
                found.append((row, _failure(row, failed, clock(), done)))
            is_away |= isinstance(failed, TargetAway)
        else:
            if not is_away:
                found.append((row, _success(row, clock(), done)))
    return found


def _success(row: Piece, now: datetime, done: Sent) -> Piece:
    done.sent += 1
    return {
        "attempts": row["attempts"] + 1, "last_error": "", "sent_at": sortable_instant(now),
    }  # fmt: skip


def _failure(row: Piece, failed: DeliveryFailed, now: datetime, done: Sent) -> Piece:
    done.failed = True
    if isinstance(failed, TargetAway):
        done.away = True
        done.retry += 1
        return {"last_error": str(failed)}
    attempts = row["attempts"] + 1
    if attempts > len(RETRY_AFTER_SECONDS):
        done.given_up += 1
        return {"attempts": attempts, "last_error": str(failed), "sent_at": GIVEN_UP}
    done.retry += 1
    due = now + timedelta(seconds=RETRY_AFTER_SECONDS[attempts - 1])
    return {"attempts": attempts, "last_error": str(failed), "due_at": sortable_instant(due)}


def _note(database: Database, noted: Sequence[tuple[Piece, Piece]]) -> None:
    """Writes what became of messages, in one transaction."""
    if not noted:
        return
    alike: dict[tuple[str, ...], list[Piece]] = {}
    for row, values in noted:
        of = {"of": row["key"], "target": row["channel"]}
        of |= {"was_sent": row["sent_at"], "was_due": row["due_at"]}
        new = {f"new_{name}": value for name, value in values.items()}
        alike.setdefault(tuple(values), []).append(of | new)
    with database.writing() as connection:
        for names, each in alike.items():
            change(connection, _note_of(names), *each)


@cache
def _note_of(names: tuple[str, ...]) -> Update:
    """The statement that sets these columns. What was acknowledged or snoozed while it was on its
    way stays so."""
    mine = [OUTBOX.c.key == bindparam("of"), OUTBOX.c.channel == bindparam("target")]
    mine.append(OUTBOX.c.sent_at == bindparam("was_sent"))
    if "due_at" in names:
        mine.append(OUTBOX.c.due_at == bindparam("was_due"))
    return update(OUTBOX).where(*mine).values({name: bindparam(f"new_{name}") for name in names})

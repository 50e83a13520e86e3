"""Delivery: the transactional outbox of alerts, and what a way out of it must keep to.

A row enters the outbox in the transaction that projects the alert fact; it leaves at least
once (services/sending.py). Its key is the crossing's one stable key, so a receiver drops repeats
by it. Notices of a rule with a digest wait to be put together first (services/digests.py). A
replay rebuilds read models and never comes here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import chain
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection, Dialect, Executable, bindparam, select, update

from domain.days import sortable_instant
from domain.decisions import AlertAcknowledged, AlertFired, AlertRearmed, AlertSnoozed
from domain.errors import ThresherError
from projections.alerts import crossing_key, times
from projections.schema import Piece, change, insert_new
from services.alert_rules import URGENT, quiet_until
from services.digest_times import schedule
from services.digests import WAITING
from services.tables import OUTBOX

ACKNOWLEDGED = "acknowledged"


class DeliveryFailed(ThresherError):
    """A channel could not deliver this message now; the outbox tries it again later."""


class MessageRefused(DeliveryFailed):
    """The target would never take this message, whatever becomes of the others."""


class TargetAway(DeliveryFailed):
    """Nobody answers there: what is for it waits together, in its order, and no try is counted."""


@dataclass(frozen=True, slots=True)
class Message:
    """One delivery: `key` stays the same over retries, `body` is the JSON to send."""

    key: str
    body: str
    created_at: str


Confirm = Callable[[], object]  # waits until a message is delivered; raises DeliveryFailed
# Delivers, or only hands over and returns what to wait for. Raises DeliveryFailed.
Send = Callable[[str, Message], Confirm | None]
Channels = Mapping[str, Send]


def enqueue(
    connection: Connection, taxpayer: str, fact: AlertFired, recorded_at: str,
    zone: ZoneInfo | None,
) -> None:  # fmt: skip
    """Puts an alert into the outbox, one row per channel, in the caller's transaction.

    It is due when it is recorded, or later by the rule's snooze, digest and quiet hours.
    """
    rule = times(connection, taxpayer, fact.rule)
    if fact.severity == URGENT:
        rule |= {"digest": "", "quiet": ""}
    due_at = _due_at(rule, max(recorded_at, rule["snoozed_until"]), zone)
    key = crossing_key(taxpayer, fact.rule, fact.crossing)
    body = msgspec.json.encode(
        {
            "type": "alert.fired",
            "timestamp": fact.effective_at,
            "data": {"key": key, "taxpayer": taxpayer} | _data(fact),
        }
    ).decode()
    state = WAITING if rule["digest"] else ""
    row = {
        "key": key, "taxpayer": taxpayer, "payload": body, "created_at": recorded_at,
        "due_at": due_at, "attempts": 0, "sent_at": state, "last_error": "",
        "severity": fact.severity,
    }  # fmt: skip
    rows = [row | {"channel": channel} for channel in dict.fromkeys(fact.channels)]
    if rows:
        change(connection, _entering(connection.dialect), *rows)


@cache
def _entering(dialect: Dialect) -> Executable:
    """The statement that adds a row, unless it is there; the store numbers it."""
    given = (column.name for column in OUTBOX.c if column is not OUTBOX.c.number)
    return insert_new(dialect, OUTBOX).values({name: bindparam(name) for name in given})


def hold(
    connection: Connection, taxpayer: str, fact: AlertAcknowledged | AlertSnoozed,
    zone: ZoneInfo | None,
) -> None:  # fmt: skip
    """What is not sent yet: of an acknowledged crossing it never is, of a snoozed rule later.

    What waits for a digest goes into the first one after the snooze; other notices wait for the
    end of quiet hours as well.
    """
    mine = update(OUTBOX).where(OUTBOX.c.taxpayer == taxpayer)
    waiting = OUTBOX.c.sent_at == WAITING
    if isinstance(fact, AlertAcknowledged):
        key = crossing_key(taxpayer, fact.rule, fact.crossing)
        unsent = (OUTBOX.c.sent_at == "") | waiting
        connection.execute(mine.where(OUTBOX.c.key == key, unsent).values(sent_at=ACKNOWLEDGED))
        return
    prefix = crossing_key(taxpayer, fact.rule, "")
    # Its own: a crossing is a number, and ':' follows '9'. LIKE would not see case on SQLite.
    mine = mine.where(OUTBOX.c.key > prefix, OUTBOX.c.key < f"{prefix}:")
    until, rule = fact.until or fact.effective_at, times(connection, taxpayer, fact.rule)
    alone, is_urgent = mine.where(OUTBOX.c.sent_at == ""), OUTBOX.c.severity == URGENT
    for these, due_at in (
        (alone.where(is_urgent), until),
        (alone.where(~is_urgent), _due_at(rule | {"digest": ""}, until, zone)),
        (mine.where(waiting), _due_at(rule, until, zone)),
    ):
        connection.execute(these.values(due_at=due_at))


def _due_at(rule: Mapping[str, str], earliest: str, zone: ZoneInfo | None) -> str:
    """The first digest time after an instant, then the end of quiet hours; all in UTC text."""
    local = datetime.fromisoformat(earliest).astimezone(zone or UTC)
    next_digest = schedule(rule["digest"])
    if next_digest is not None:
        local = next_digest(local)
    return sortable_instant(quiet_until(rule["quiet"], local))


def outbox(connection: Connection, taxpayer: str) -> list[Piece]:
    """The deliveries of a taxpayer with their state."""
    query = select(OUTBOX).where(OUTBOX.c.taxpayer == taxpayer)
    query = query.order_by(OUTBOX.c.number)
    return [dict(row._mapping) for row in connection.execute(query)]


def _data(fact: AlertFired) -> dict[str, object]:
    return {
        "rule": fact.rule,
        "crossing": fact.crossing,
        "scope": fact.scope,
        "metric": fact.metric,
        "threshold": fact.threshold,
        "value": fact.value,
        "tax_saved": fact.tax_saved,
        "severity": fact.severity,
        "stale_marks": fact.stale_marks,
        "pending_since": fact.pending_since,
        "lot_count": fact.lot_count,
        "marks": fact.marks,
        "lots": fact.lots,
        "dates": fact.dates,
    }


def targets(crossings: Iterable[AlertFired | AlertRearmed]) -> list[str]:
    """Where what fired is sent to, each once."""
    fired = (each for each in crossings if isinstance(each, AlertFired))
    return list(dict.fromkeys(chain.from_iterable(each.channels for each in fired)))

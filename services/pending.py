"""Pending alerts: the facts of a rule with dwell that waits, and of one that waited in vain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from domain.decisions import AlertLapsed, AlertMark, AlertPending
from domain.exact import format_money
from projections.alerts import crossing_key
from projections.schema import Piece
from services.live.dwell import PENDING, Dwell
from services.marks import shown
from services.statement import Mark

if TYPE_CHECKING:  # the engine asks for days, which the queries know, which list what is pending
    from services.live.watched import Crossing

_SHOWN = ("rule", "crossing", "scope", "metric", "threshold", "value", "recorded_at", "evidence")
_LATER = ("tax_saved", "fired_at", "rearmed_at", "acknowledged_at")


def dwell_fact(
    seen: Crossing, rule: Piece, dwell: Dwell, now: str, position: int, marks: Mapping[str, Mark]
) -> tuple[str, AlertPending | AlertLapsed]:
    """The fact of a wait that starts or lapses at the instant `now`, and its id in the ledger.

    `position`: the log position whose state was valued at the marks.
    """
    name, value = rule["name"], format_money(seen.value)
    if seen.dwell != PENDING:
        lapsed = AlertLapsed(effective_at=now, rule=name, number=dwell.number, value=value)
        return f"lapsed/{name}/{dwell.number}", lapsed
    behind = sorted({one.lot.asset.id for one in seen.found})
    pending = AlertPending(
        effective_at=now,
        rule=name,
        number=dwell.number,
        crossing=seen.crossing,
        scope=rule["scope"],
        metric=rule["metric"],
        threshold=rule["threshold"],
        value=value,
        dwell_seconds=dwell.seconds,
        position=position,
        marks=tuple(AlertMark(**shown(marks[asset])) for asset in behind),
    )
    return f"pending/{name}/{dwell.number}", pending


def known_dwell(rule: Piece, waits: Iterable[Piece]) -> Dwell:
    """A rule's dwell in the state that its last wait (projections/pending.py) left it in."""
    dwell = Dwell(rule["dwell_seconds"])
    for wait in waits:
        if wait["rule"] == rule["name"]:
            dwell.number = wait["number"]
            if not wait["ended_at"]:
                dwell.since, dwell.until = wait["since"], wait["until"]
    return dwell


def as_alert(pending: Piece, taxpayer: str) -> Piece:
    """What is pending as a row of the alerts: with the key and number that its crossing will have.

    It has not fired yet and saves nothing yet: those fields are empty.
    """
    row = {name: pending[name] for name in _SHOWN}
    key = crossing_key(taxpayer, pending["rule"], pending["crossing"])
    since, until = pending["since"], pending["until"]
    return (
        row
        | dict.fromkeys(_LATER, "")
        | {"key": key, "state": PENDING, "pending_since": since, "fires_at": until}
    )

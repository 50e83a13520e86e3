"""Messages of the topics as what the services take: offers of facts, quotes, or dead letters."""

from __future__ import annotations

import json
import logging
import re
from typing import Protocol

from pydantic import ValidationError

from infra.kafka.envelope import FactMessage, MarkMessage, key_agrees, message
from infra.kafka.one_pass import InOnePass, read, told
from infra.sources.json_lines import loads
from infra.sources.mark_feed import quote_of
from infra.sources.wire import Refusal
from services.intake import DeadLetter
from services.ledger import InvalidId, Offer, check_id
from services.marks import Quote

_FIELD = re.compile(r"[a-z][a-z_]*(\.[a-z_]+)*")
_log = logging.getLogger(__name__)


class Record(Protocol):
    """A message as the consumer hands it over."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...


def fact_offer(record: Record) -> Offer | DeadLetter:
    """The fact that a message states."""
    try:
        found = _fact_message(record)
        key_agrees(record.key, found.subject)
        source, external_id, fact, tx_hash = told(found.data, found.source)
        return Offer(
            check_id(found.subject, "taxpayer"), source, external_id, fact, _place(record), tx_hash
        )
    except Refusal as refused:
        return dead(record, str(refused))
    except InvalidId as error:
        return dead(record, f"subject: {error}")


def _fact_message(record: Record) -> FactMessage | InOnePass:
    try:
        return read(record.value or b"")
    except ValidationError:
        found: FactMessage = message(FactMessage, _decoded(record))
        return found


def mark_quote(record: Record) -> Quote | DeadLetter:
    """The price that a message states."""
    try:
        found = message(MarkMessage, _decoded(record))
        key_agrees(record.key, found.subject)
        quote = quote_of({"source": found.source} | found.data)
        if quote.asset != found.subject:
            raise Refusal("data.asset", "is not the subject", "send one asset a message")
    except Refusal as refused:
        return dead(record, str(refused))
    return quote


def dead(record: Record, reason: str) -> DeadLetter:
    """A message that cannot be used, with the reason. The log names the field, not what it held."""
    field = _FIELD.fullmatch(reason.partition(":")[0])
    said = {
        "topic": record.topic, "partition": record.partition, "offset": record.offset,
        "field": field[0] if field else "", "correlation_id": _identity(record),
    }  # fmt: skip
    _log.warning("message cannot be used", extra=said)
    return DeadLetter(
        record.topic, record.partition, record.offset, record.key or b"", record.value or b"",
        reason,
    )  # fmt: skip


def _identity(record: Record) -> str:
    """Its sender's own identity of a message, as far as it can be read."""
    try:
        raw = json.loads(record.value or b"")
        return f"{raw['source']}#{raw['id']}"
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""


def _place(record: Record) -> str:
    return f"{record.topic}/{record.partition}/{record.offset}"


def _decoded(record: Record) -> object:
    if record.value is None:
        raise Refusal("", "an empty message", "send a CloudEvent as JSON")
    try:
        return loads(record.value.decode())
    except UnicodeDecodeError:
        raise Refusal("", "the message is not valid UTF-8", "send JSON in UTF-8") from None

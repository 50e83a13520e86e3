"""JSON lines of facts: each line an event with its `id`, and optionally its `source`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from domain.decisions import (
    AccountDeclared,
    AssetDeclared,
    PolicyElected,
    ProfileStated,
    SimilarDeclared,
)
from domain.declarations import Declarations
from domain.errors import UnsupportedLaw
from domain.fact_codec import DECLARATION_TYPES, name_of
from domain.facts import Fact
from infra.sources.fact_json import parse_event
from infra.sources.wire import Refusal
from services.ingest import Row
from services.ledger import InvalidId, Offer, check_id
from services.quarantine import BadRow


class JsonLine(NamedTuple):
    """A line of a file: its number and text."""

    number: int
    raw: str


def fact_rows(
    lines: Iterable[str], origin: str, taxpayer: str, source: str
) -> Iterator[Row | BadRow]:
    """The facts of each line, or why it was refused. Empty lines are skipped."""
    for number, line in enumerate(lines, start=1):
        raw = line.rstrip("\n")
        if raw.strip():
            yield fact_row(raw, number, origin, taxpayer, source)


def fact_row(raw: str, number: int, origin: str, taxpayer: str, source: str) -> Row | BadRow:
    """One JSON line."""
    try:
        name, external_id, fact, tx_hash = fact_of(loads(raw), source)
        offer = Offer(taxpayer, name, external_id, fact, f"{origin} row {number}", tx_hash)
    except Refusal as refused:
        return BadRow(origin, number, refused.field, refused.reason, refused.remedy, raw)
    return Row((offer,), origin, JsonLine(number, raw))


def fact_of(decoded: object, source: str) -> tuple[str, str, Fact, str]:
    """(source, external id, fact, transaction hash or empty) of a JSON object; raises Refusal.

    `source`: who says it, unless the object does.
    """
    event, fact = parse_event(decoded)
    if event.recorded is not None:
        raise Refusal("recorded", "is the ledger's own to say", "leave it out")
    name, external_id = _identity(event.source or source, event.id, fact)
    _understood(fact)
    return name, external_id, fact, event.tx_hash or ""


def loads(raw: str) -> object:
    """JSON text with decimals as text only; raises Refusal."""
    if not raw.isprintable() and any(0xD800 <= ord(char) <= 0xDFFF for char in raw):
        raise Refusal("", "the line is not valid UTF-8", "save the file as UTF-8")
    try:
        return _DECODER.decode(raw)
    except (json.JSONDecodeError, RecursionError, ValueError) as error:
        raise Refusal("", f"no JSON object: {error}", "write one JSON object a line") from None


def _identity(source: str, external_id: str, fact: Fact) -> tuple[str, str]:
    """What is declared of an account or asset is identified by it, so every source meets there."""
    if type(fact) is AccountDeclared:
        return "declared", f"account/{fact.account}"
    if type(fact) is AssetDeclared:
        return "declared", f"asset/{fact.asset}"
    if type(fact) is SimilarDeclared:
        return "declared", f"similar/{fact.asset}"
    if type(fact) in (PolicyElected, ProfileStated):
        return "declared", external_id
    try:
        return check_id(source, "source"), external_id
    except InvalidId as error:
        raise Refusal("source", str(error), "choose another name") from None


def _understood(fact: Fact) -> None:
    """A declaration must name values that some rule here knows."""
    if type(fact) not in DECLARATION_TYPES:
        return
    try:
        Declarations([("checked", fact)])
    except UnsupportedLaw as unknown:
        raise Refusal(name_of(fact), str(unknown), "use a known value") from None


def _refuse_number(text: str) -> float:
    raise Refusal("", f"number {text} would lose digits", "write decimals as text in quotes")


# Made once: that takes as long as reading a line.
_DECODER = json.JSONDecoder(parse_float=_refuse_number, parse_constant=_refuse_number)

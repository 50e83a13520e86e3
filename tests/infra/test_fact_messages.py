"""A message read in one pass is what it is when it is read plainly, or is left to that."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from infra.channels.kafka import cloud_event
from infra.kafka.envelope import FactMessage, message
from infra.kafka.one_pass import Fill, read, told
from infra.simulate import SOURCE, Shares, Venue
from infra.sources.json_lines import loads
from infra.sources.wire import Refusal
from tests.infra.test_fact_lines import EVENTS, event

_ENVELOPE = {
    "specversion": "1.0", "id": "i", "source": "venue", "type": "io.thresher.fact.v1",
    "subject": "main", "time": "2026-01-02T00:00:00Z",
}  # fmt: skip
_FILL = {
    "id": "1", "type": "buy", "ts": "2025-01-02T10:00:00.000000Z", "account": "a", "asset": "A",
    "qty": "1", "amount": "2",
}  # fmt: skip
_OTHER_FIELDS = (
    "source", "time", "ts", "seq", "recorded", "fee", "into", "reinvest", "colour", "tx_hash",
)  # fmt: skip
# As JSON text, so that what Python cannot hold is there as well.
_ODD = (
    "1.5", "1.0", "-0", "1e3", "7", "1" * 30, "NaN", "-Infinity", "true", "null", "[]", '[1.5]',
    '{"a": 1}', '{"a": 1.5}', '["a"]', '[{"lot": "l", "qty": "1"}]', '[{"lot": "l", "qty": 1.5}]',
    '"7"', '"0"', '"-0"', '"1.50"', '"0.10"', '"01"', '"-1"', '"1e3"', '" 1"', '"1\\n"', '""',
    '"\\u0661"', '"\\ud800"', '"a\\u007f"', f'"{"9" * 21}"', f'"0.{"0" * 18}1"', f'"{"x" * 201}"',
    '"2025-02-28"', '"2025-02-29"', '"2025-02-29T10:00:00Z"', '"2025-02-28T10:00:00Z"',
    '"2025-01-31T10:00:00Z"', '"2025-01-02T24:00:00Z"', '"2025-01-02T10:00:60Z"',
    '"2025-01-02T10:00:00.000000Z"', '"2025-01-02T10:00:00.100000Z"',
    '"2025-01-02T10:00:00.123456Z"', '"2025-01-02T10:00:00.12Z"', '"2025-01-02 10:00:00Z"',
    '"2025-01-02T10:00:00+02:00"', '"0001-01-01T00:00:00Z"', '"9998-01-01T00:00:00Z"',
    '"buy"', '"correction"', "'a'", '"a\tb"',
)  # fmt: skip


def at_once(value: bytes) -> Any:
    """What one pass makes of a message; None if it leaves it to the plain way."""
    try:
        found = read(value)
    except ValidationError:
        return None
    return found.subject, _of(found.data, found.source)


def plainly(value: bytes) -> Any:
    try:
        found = message(FactMessage, loads(value.decode()))
    except Refusal as refused:
        return str(refused)
    return found.subject, _of(found.data, found.source)


def _of(data: object, source: str) -> Any:
    try:
        return told(data, source)
    except Refusal as refused:
        return str(refused)


def test_what_a_venue_says_is_read_in_one_pass_and_is_what_it_is_plainly() -> None:
    venue = Venue(3, 5, 4, Shares(busted=0.1, poison=0.1))
    said = [each for each in (*venue.opening(), *venue.day(300)) if each.kind == "fact"]
    assert sum(each.is_poison for each in said) > 10
    for each in said:
        at = "2026-01-02T00:00:00Z"
        value = cloud_event(each.id, each.kind, each.subject, at, each.data, SOURCE)
        found = at_once(value)
        assert found is None if each.is_poison else found == plainly(value)


@pytest.mark.parametrize("kind", sorted(EVENTS.keys() - {"correction"}))
def test_an_odd_value_anywhere_means_the_same_both_ways(kind: str) -> None:
    agree_on_odd_values(event(kind))


@pytest.mark.parametrize("kind", ["buy", "sell"])
def test_an_odd_value_anywhere_in_a_fill_means_the_same_both_ways(kind: str) -> None:
    agree_on_odd_values(_FILL | {"type": kind})


def agree_on_odd_values(fact: dict[str, Any]) -> None:
    assert at_once(text_of(_ENVELOPE, json.dumps(fact))) is not None
    taken = 0
    for value in odd_messages(fact):
        found = at_once(value)
        if found is not None:
            taken += 1
            assert found == plainly(value), value
    assert taken > 100


def odd_messages(fact: dict[str, Any]) -> Iterator[bytes]:
    """Each odd value as each field of the fact and of its envelope, and after what a field is."""
    data = json.dumps(fact)
    for odd in _ODD:
        for name in (*fact, *_OTHER_FIELDS):
            yield text_of(_ENVELOPE, object_of(fact, name, odd))
        for name in fact:
            yield text_of(_ENVELOPE, f'{data[:-1]}, "{name}": {odd}}}')
        for name in (*_ENVELOPE, "datacontenttype", "traceparent"):
            yield f'{object_of(_ENVELOPE, name, odd)[:-1]}, "data": {data}}}'.encode()


def object_of(fields: dict[str, Any], name: str, odd: str) -> str:
    """The fields as a JSON object, with a text of JSON as one of them."""
    texts = {key: json.dumps(value) for key, value in fields.items()} | {name: odd}
    return "{" + ", ".join(f'"{key}": {text}' for key, text in texts.items()) + "}"


def text_of(envelope: dict[str, Any], data: str) -> bytes:
    return object_of(envelope, "data", data).encode()


def test_a_reason_is_text_that_every_store_takes() -> None:
    """PostgreSQL takes no NUL: the batch of such a message could never be stored."""
    value = text_of(_ENVELOPE, object_of(event("buy"), "\\u0000a", '"1"'))
    _, refused = plainly(value)
    assert refused.startswith("\\x00a: ")


def test_a_fill_is_told_in_few_fields_and_others_make_it_a_trade_of_its_model() -> None:
    for more in ({}, {"seq": 3}, {"fee": "0.5"}, {"source": "other"}, {"tx_hash": "0x1"}):
        for kind in ("buy", "sell"):
            value = text_of(_ENVELOPE, json.dumps(_FILL | {"type": kind} | more))
            assert isinstance(read(value).data, Fill)
            assert at_once(value) == plainly(value)
    value = text_of(_ENVELOPE, json.dumps(_FILL | {"reinvest": True}))
    assert not isinstance(read(value).data, Fill)
    assert at_once(value) == plainly(value)


@pytest.mark.parametrize("name", ["traceparent", "partitionkey", "colour"])
def test_extensions_of_an_envelope_are_let_pass(name: str) -> None:
    value = text_of(_ENVELOPE | {name: "a"}, json.dumps(event("buy")))
    assert (at_once(value) is None) == (name == "colour")  # that goes the plain way
    assert plainly(value) == plainly(text_of(_ENVELOPE, json.dumps(event("buy"))))

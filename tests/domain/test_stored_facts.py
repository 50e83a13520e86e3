"""What the ledger stores: golden bytes of every fact, read for ever."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import msgspec
import pytest

from domain import fact_codec, facts
from domain.errors import UnknownFact
from domain.fact_codec import (
    FACT_TYPES,
    decode,
    encode,
    name_of,
    payload_hash,
    stored_hash,
    topic_of,
)
from domain.facts import Fact
from tests.domain.stored_facts import FACTS, STORED, recorded

GOLDEN = Path(__file__).parent.parent / "golden"
LENGTHS = {
    "facts-v1": 31,
    "facts-v2": 6,
    "facts-v3": 1,
    "facts-v4": 4,
    "facts-v5": 2,
    "facts-v6": 4,
    "facts-v7": 1,
}
LINES = {
    file: (GOLDEN / f"{file}.jsonl").read_text(encoding="utf-8").splitlines() for file in STORED
}

every_line = pytest.mark.parametrize(
    ("file", "line"),
    [
        pytest.param(file, line, id=f"{file}-{json.loads(line)['topic']}")
        for file, lines in LINES.items()
        for line in lines
    ],
)
every_file = pytest.mark.parametrize("file", STORED)
every_fact = pytest.mark.parametrize("fact", FACTS.values(), ids=name_of)


def line_of(fact: Fact) -> str:
    """A fact's line in the golden file."""
    stored = {"topic": topic_of(fact), "state": encode(recorded(fact)).decode()}
    return json.dumps(stored, ensure_ascii=False)


def sealed(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()


@every_line
def test_stored_bytes_are_read_as_the_fact_that_was_stored(file: str, line: str) -> None:
    stored = json.loads(line)
    read = decode(stored["topic"], stored["state"].encode())
    assert read == recorded(STORED[file][stored["topic"].partition(".v")[0]])
    assert stored_hash(stored["state"].encode()) == read.evidence.payload_sha256


@every_line
def test_a_fact_of_today_is_stored_in_the_same_bytes(file: str, line: str) -> None:
    stored = json.loads(line)
    fact = STORED[file][stored["topic"].partition(".v")[0]]
    if stored["topic"] == topic_of(fact):
        assert encode(recorded(fact)).decode() == stored["state"]


@pytest.mark.parametrize("name", FACT_TYPES)
def test_every_kind_of_fact_has_golden_bytes_with_every_field(name: str) -> None:
    stored = [line for lines in LINES.values() for line in lines]
    want = line_of(FACTS[name])
    assert want in stored, f"append to the newest file, and its hash: {want}"


@every_file
def test_golden_bytes_are_only_ever_added(file: str) -> None:
    seals = (GOLDEN / f"{file}.sha256").read_text(encoding="utf-8").split()
    assert [sealed(line) for line in LINES[file]] == seals
    assert len(seals) >= LENGTHS[file]


@every_fact
def test_a_golden_fact_sets_every_field(fact: Fact) -> None:
    for field in msgspec.structs.fields(fact):
        assert getattr(fact, field.name) != default_of(field), field.name


def default_of(field: msgspec.structs.FieldInfo) -> object:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


@every_fact
def test_a_fact_comes_back_as_it_was(fact: Fact) -> None:
    assert decode(topic_of(fact), encode(recorded(fact))) == recorded(fact)


@every_fact
def test_a_fact_of_defaults_comes_back_as_it_was(fact: Fact) -> None:
    required = {
        field.name: getattr(fact, field.name)
        for field in msgspec.structs.fields(fact)
        if field.required
    }
    plain = type(fact)(**required)
    assert decode(topic_of(plain), encode(recorded(plain))) == recorded(plain)


def test_a_payload_hash_tells_facts_apart() -> None:
    hashes = {payload_hash(fact) for fact in FACTS.values()}
    assert len(hashes) == len(FACTS)
    again = msgspec.structs.replace(FACTS["buy"])
    assert payload_hash(again) == payload_hash(FACTS["buy"])


@pytest.mark.parametrize(
    "topic",
    ["buy.v2", "buy.v0", "buy", "buy.v", "buy.vx", "buy.v-1", "barter.v1", "", ".v1", "Buy.v1"],
)
def test_a_topic_of_another_release_or_product_is_refused(topic: str) -> None:
    with pytest.raises(UnknownFact, match="not known to this release"):
        decode(topic, encode(recorded(FACTS["buy"])))


def test_an_older_shape_is_lifted_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the fee of a purchase had once been called `cost`, and before that `costs`."""

    def second(fact: dict[str, object]) -> dict[str, object]:
        return {("cost" if name == "costs" else name): value for name, value in fact.items()}

    def third(fact: dict[str, object]) -> dict[str, object]:
        return {("fee" if name == "cost" else name): value for name, value in fact.items()}

    monkeypatch.setattr(facts.Buy, "UPCASTERS", (second, third))
    monkeypatch.setattr(fact_codec, "_CURRENT", frozenset({"buy.v3"}))
    now = recorded(FACTS["buy"])
    for version, name in ((1, b'"costs"'), (2, b'"cost"'), (3, b'"fee"')):
        assert decode(f"buy.v{version}", encode(now).replace(b'"fee"', name)) == now
    with pytest.raises(UnknownFact):
        decode("buy.v4", encode(now))

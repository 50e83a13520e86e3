"""Facts in normal form: a default that was written out is stored as if it had been left out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest

from domain.days import sortable_instant
from domain.decisions import AssetDeclared
from domain.fact_codec import Correction, encode, normalised, payload_hash
from domain.facts import Buy, Fact
from tests.domain.stored_facts import FACTS, recorded

BUY = Buy(effective_at="2025-01-02", account="A", asset="X", quantity="1", amount="5")


def spelt_out(text: str) -> str:
    """An equal text that is another object, as one read from a file is."""
    return "".join(list(text)) if len(text) > 1 else bytes([ord(text)]).decode() if text else ""


def written_out(fact: Fact) -> Fact:
    """The fact as a decoder makes it when the source states every default."""
    plain = msgspec.json.encode(msgspec.to_builtins(fact))
    stated = msgspec.json.decode(plain) | {
        field.name: spelt_out(field.default)
        for field in msgspec.structs.fields(fact)
        if isinstance(field.default, str)
    }
    return msgspec.convert(stated, type(fact))


@pytest.mark.parametrize(
    "fact",
    [
        BUY,
        AssetDeclared(effective_at="2025-01-02", asset="X", asset_class="stock", group="X"),
    ],
    ids=["buy", "asset"],
)
def test_defaults_that_a_source_states_change_neither_bytes_nor_hash(fact: Fact) -> None:
    stated = normalised(written_out(fact))
    assert stated == fact
    assert encode(recorded(stated)) == encode(recorded(fact))
    assert payload_hash(stated) == payload_hash(fact)


def test_the_fact_within_a_correction_is_normalised_too() -> None:
    amended = Correction(effective_at="2025-01-02", fact=BUY)
    stated = Correction(effective_at="2025-01-02", fact=written_out(BUY))  # type: ignore[arg-type]
    assert payload_hash(normalised(stated)) == payload_hash(amended)


@pytest.mark.parametrize("fact", FACTS.values(), ids=FACTS)
def test_a_fact_that_states_no_default_stays_what_it_is(fact: Fact) -> None:
    assert normalised(fact) == fact


@pytest.mark.parametrize("name", FACTS)
def test_a_payload_hash_is_the_sha256_of_the_facts_own_bytes(name: str) -> None:
    digest = payload_hash(FACTS[name])
    assert len(digest) == 64
    assert set(digest) <= set("0123456789abcdef")
    assert digest != payload_hash(msgspec.structs.replace(FACTS[name], seq=8))


def test_instants_as_text_sort_as_they_follow_each_other() -> None:
    east = timezone(timedelta(hours=9))
    moments = [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(987, 6, 5, tzinfo=UTC),
        datetime(2025, 1, 1, 8, 59, 59, tzinfo=east),
        datetime(2025, 1, 1, 0, 0, 0, 5, tzinfo=UTC),
        datetime(2025, 1, 1, 0, 0, 1, tzinfo=UTC),
    ]
    texts = [sortable_instant(each) for each in moments]
    assert texts == sorted(texts)
    assert texts[2] == "2024-12-31T23:59:59.000000Z"
    assert {len(text) for text in texts} == {27}

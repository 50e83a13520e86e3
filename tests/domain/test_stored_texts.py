"""Facts in normal form: a default that was written out is stored as if it had been left out."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest

from domain.days import format_instant, sortable_instant
from domain.decisions import AccountDeclared
from domain.fact_codec import (
    FACT_TYPES,
    Correction,
    encode,
    name_of,
    normalised,
    payload_hash,
    topic_of,
)
from domain.facts import Fact, Income
from tests.domain.stored_facts import FACTS, recorded

INCOME = Income(effective_at="2025-01-02", account="A", asset="X", quantity="1", amount="5")
ACCOUNT = AccountDeclared(effective_at="2025-01-02", account="A")
STATED = {"kind": "taxable", "owner": "self", "custody": "broker"}


def another(text: str) -> str:
    """An equal text that is another object, as one read from a file is."""
    return "".join(list(text))


def income_of(kind: str) -> Income:
    return msgspec.structs.replace(INCOME, kind=kind)


def test_defaults_that_a_source_states_change_neither_bytes_nor_hash() -> None:
    stated = msgspec.structs.replace(
        ACCOUNT, **{name: another(text) for name, text in STATED.items()}
    )
    assert encode(recorded(stated)) != encode(recorded(ACCOUNT))  # what normal form is for
    assert normalised(stated) == ACCOUNT
    assert encode(recorded(normalised(stated))) == encode(recorded(ACCOUNT))
    assert payload_hash(normalised(stated)) == payload_hash(ACCOUNT)


def test_the_fact_within_a_correction_is_normalised_too() -> None:
    amended = Correction(effective_at="2025-01-02", fact=INCOME)
    stated = Correction(effective_at="2025-01-02", fact=income_of(another("other")))
    assert payload_hash(stated) != payload_hash(amended)
    assert payload_hash(normalised(stated)) == payload_hash(amended)


def test_a_fact_that_needs_no_change_is_not_copied() -> None:
    assert normalised(INCOME) is INCOME
    staking = income_of("staking")
    assert normalised(staking) is staking


@pytest.mark.parametrize("name", FACT_TYPES)
def test_a_fact_is_stored_under_the_name_of_its_kind(name: str) -> None:
    assert name_of(FACTS[name]) == name
    assert topic_of(FACTS[name]) == f"{name}.v1"


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
    assert texts[1:3] == ["0987-06-05T00:00:00.000000Z", "2024-12-31T23:59:59.000000Z"]
    assert {len(text) for text in texts} == {27}


def test_instants_are_in_utc_wherever_the_machine_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        moment = datetime(2025, 1, 1, 12, tzinfo=timezone(timedelta(hours=1)))
        assert sortable_instant(moment) == "2025-01-01T11:00:00.000000Z"
        assert format_instant(moment) == "2025-01-01T11:00:00Z"
    finally:
        monkeypatch.undo()
        time.tzset()

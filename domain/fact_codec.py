"""Facts to stored bytes and back: stored names with versions, upcasters, evidence.

A stored topic is `<name>.v<version>`; the version is the number of upcasters plus one. No
import path, class name or field order ever reaches disk.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from domain import decisions as d
from domain import facts as f
from domain.errors import UnknownFact
from domain.facts import Fact

Trade = (
    f.Buy
    | f.Sell
    | f.Spend
    | f.Swap
    | f.Income
    | f.Transfer
    | f.GiftIn
    | f.Inherit
    | f.GiftOut
    | f.Split
    | f.ReturnOfCapital
    | f.Convert
    | f.Abandon
    | f.Worthless
    | f.OptionExercise
    | f.OptionExpire
    | f.ShortOpen
    | f.ShortClose
    | f.BasisAllocation
)
Declaration = (
    d.StandingOrder
    | d.PolicyElected
    | d.ProfileStated
    | d.AccountDeclared
    | d.AssetDeclared
    | d.GroupDeclared
    | d.SimilarDeclared
)


class Correction(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="correction"):
    """The source restated the earlier fact of this stream: `fact` replaces it whole."""

    fact: Trade
    reason: str = ""


AlertFact = (
    d.AlertRuleSet
    | d.AlertRuleRemoved
    | d.AlertPending
    | d.AlertLapsed
    | d.AlertFired
    | d.AlertRearmed
    | d.AlertAcknowledged
    | d.AlertSnoozed
)
AnyFact = Trade | Declaration | Correction | d.Bust | AlertFact

TRADE_TYPES = frozenset(Trade.__args__)
DECLARATION_TYPES = frozenset(Declaration.__args__)
ALERT_TYPES = frozenset(AlertFact.__args__)

FACT_TYPES: dict[str, type[Fact]] = {
    str(kind.__struct_config__.tag): kind for kind in AnyFact.__args__
}


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a fact came from: file and row or transaction, and the hash of what was said."""

    payload_sha256: str
    locator: str = ""
    tx_hash: str = ""


class Recorded(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The stored payload: a fact with its evidence and the instant we learned of it (UTC)."""

    recorded_at: str
    evidence: Evidence
    fact: AnyFact


class _Evident(msgspec.Struct):
    """What of a stored payload says whether it is known: older shapes have it as well."""

    evidence: Evidence


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Recorded)
_EVIDENCE = msgspec.json.Decoder(_Evident)


def name_of(fact: Fact) -> str:
    """The stored name of a fact's kind, for example `buy`."""
    return str(fact.__struct_config__.tag)


def topic_of(fact: Fact) -> str:
    """The stored topic of a fact: its name and the version of its shape."""
    return _TOPICS[type(fact)]


def stored_topics(*kinds: type[Fact]) -> tuple[str, ...]:
    """Every topic, of today's shape and of earlier ones, under which facts of the kinds are."""
    names = {kind: name for name, kind in FACT_TYPES.items()}
    return tuple(
        f"{names[kind]}.v{version}"
        for kind in kinds
        for version in range(1, len(kind.UPCASTERS) + 2)
    )


def encode(recorded: Recorded) -> bytes:
    """A recorded fact as the bytes that are stored for ever."""
    return _ENCODER.encode(recorded)


def decode(topic: str, state: bytes) -> Recorded:
    """Stored bytes as a recorded fact, lifted to today's shape.

    Raises UnknownFact for a topic of another product or a newer release.
    """
    if topic in _CURRENT:
        return _DECODER.decode(state)
    name, _, version = topic.rpartition(".v")
    kind = FACT_TYPES.get(name)
    if kind is None or not version.isdigit() or not 1 <= int(version) <= len(kind.UPCASTERS):
        raise UnknownFact(f"stored event {topic!r} is not known to this release")
    raw: dict[str, Any] = msgspec.json.decode(state)
    for lift in kind.UPCASTERS[int(version) - 1 :]:
        raw["fact"] = lift(raw["fact"])
    return msgspec.convert(raw, Recorded)


def payload_hash(fact: Fact) -> str:
    """SHA-256 (hex) of the canonical bytes of a normalised fact: equal facts, equal hashes."""
    return hashlib.sha256(_ENCODER.encode(fact)).hexdigest()


def stored_hash(state: bytes) -> str:
    """The payload hash that stored bytes carry, of whatever shape their fact is."""
    return _EVIDENCE.decode(state).evidence.payload_sha256


def normalised(fact: Fact) -> Fact:
    """The fact with default texts as the very defaults: the encoder omits those by identity.

    Omission keeps the bytes and the hash of a fact equal when a later release adds a field.
    """
    changes: dict[str, Any] = {}
    for name, default in _TEXT_DEFAULTS[type(fact)]:
        value = getattr(fact, name)
        if value is not default and value == default:
            changes[name] = default
    if isinstance(fact, Correction):
        changes["fact"] = normalised(fact.fact)
    return msgspec.structs.replace(fact, **changes) if changes else fact


_TOPICS: dict[type[Fact], str] = {
    kind: f"{name}.v{len(kind.UPCASTERS) + 1}" for name, kind in FACT_TYPES.items()
}
_TEXT_DEFAULTS: dict[type[Fact], tuple[tuple[str, str], ...]] = {
    kind: tuple(
        (field.name, field.default)
        for field in msgspec.structs.fields(kind)
        if isinstance(field.default, str)
    )
    for kind in FACT_TYPES.values()
}
_CURRENT = frozenset(_TOPICS.values())

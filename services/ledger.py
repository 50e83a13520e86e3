"""The ledger: one append-only log of facts, each external fact a stream of its own.

A stream's id is `taxpayer:source:external id`. Version 1 records the fact; corrections, busts
and renewed declarations are later versions. The primary key (id, version) is both the
idempotency check and the optimistic lock.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, cast

from eventsourcing.application import Application
from eventsourcing.persistence import (
    IntegrityError,
    JSONTranscoder,
    Mapper,
    Transcoder,
)

from domain.decisions import AlertRuleRemoved, AlertRuleSet, Bust
from domain.errors import ThresherError
from domain.fact_codec import (
    DECLARATION_TYPES,
    AnyFact,
    Correction,
    Evidence,
    Recorded,
    decode,
    normalised,
    payload_hash,
    stored_hash,
)
from domain.facts import Fact
from services.fact_store import FactEvent, FactMapper, FactRecorder

if TYPE_CHECKING:
    from eventsourcing.utils import EnvType

    from services.intake import Intake, IntakeOf

ID_SHAPE = r"[A-Za-z0-9_.@-]{1,64}"
_ID = re.compile(ID_SHAPE)
# Streams that go on: a declaration or rule may be renewed, an event corrected or busted.
_RENEWED = DECLARATION_TYPES | {AlertRuleSet, AlertRuleRemoved}
RENEWABLE = _RENEWED | {Correction, Bust}
LOOKS_FIRST = 16  # batches; a try that fails costs more than a few look-ups


class InvalidId(ThresherError, ValueError):
    """A taxpayer or source name that cannot be part of a stream id."""


class GapInLog(ThresherError):
    """Log positions are not contiguous: a reader stops rather than skip a fact."""


class Outcome(Enum):
    """What became of an offered fact."""

    NEW = "new"
    KNOWN = "already known"
    CONFLICT = "conflict"


class Offer(NamedTuple):
    """A fact offered to the ledger, with its identity and where it came from."""

    taxpayer: str
    source: str
    external_id: str
    fact: Fact
    locator: str = ""
    tx_hash: str = ""

    @property
    def stream(self) -> str:
        """The id of the fact's stream."""
        return f"{self.taxpayer}:{self.source}:{self.external_id}"


class LoggedFact(NamedTuple):
    """A fact as read back: its log position, taxpayer, ref (`source:external id`), version."""

    position: int
    taxpayer: str
    ref: str
    version: int
    recorded: Recorded


class Ledger(Application[str]):
    """One log of facts: of one shard. `recorder` comes from the persistence module in `env`."""

    name = "facts"
    recorder: FactRecorder

    def __init__(self, env: EnvType | None = None) -> None:
        super().__init__(env)
        self._looks_first = 0  # so many batches more: of late one held known streams
        self._appended: list[LoggedFact] = []  # last, where the store tells its positions

    def construct_transcoder(self) -> Transcoder:
        return JSONTranscoder()

    def construct_mapper(self) -> Mapper[str]:
        return FactMapper(self.construct_transcoder())

    def append(
        self, offers: Sequence[Offer], recorded_at: str, intake: IntakeOf | None = None
    ) -> list[Outcome]:
        """Stores what is new in one transaction and says what became of each offer.

        The same identity with the same payload is known already; with another payload it is a
        conflict, unless the fact is one that renews its stream. Nothing is stored half. What
        `intake` makes of the outcomes is stored with it; raises PositionMoved if it cannot be.
        """
        if not self._looks_first:
            outcomes, events = self._decide(offers, recorded_at, {})
            try:
                self._put(events, intake and intake(outcomes))
            except IntegrityError:
                self._looks_first = LOOKS_FIRST
            else:
                return outcomes
        seen = -1
        while True:
            known = self._known_hashes({offer.stream for offer in offers})
            before, seen = seen, sum(map(len, known.values()))
            self._looks_first = LOOKS_FIRST if known else max(0, self._looks_first - 1)
            outcomes, events = self._decide(offers, recorded_at, known)
            try:
                self._put(events, intake and intake(outcomes))
            except IntegrityError:
                if seen == before:
                    raise  # nobody was faster: it is no race
            else:
                return outcomes

    @property
    def shard(self) -> int:
        """The number of its shard, from 0."""
        return self.recorder.shard

    def owns(self, taxpayer: str) -> bool:
        """Whether a taxpayer's facts belong here: each is in one shard, with all of its facts."""
        return self.recorder.owns(taxpayer)

    def head(self) -> int:
        """The last position of the log; 0 when it is empty."""
        return self.recorder.max_notification_id() or 0

    def read(self, after: int, limit: int) -> list[LoggedFact]:
        """Facts in log order, from the first after position `after`. Raises GapInLog."""
        rows = self.recorder.select_log(after, limit)
        if rows and rows[-1][0] - after != len(rows):
            raise GapInLog(f"log positions after {after} are not contiguous")
        return [_logged(row) for row in rows]

    def just_appended(self, after: int) -> list[LoggedFact]:
        """What was appended here last, once, if it is what follows position `after` in the log:
        whoever goes on from there need not read it back. Else nothing."""
        appended, self._appended = self._appended, []
        return appended if appended and appended[0].position == after + 1 else []

    def facts_of(self, taxpayer: str, until: int, after: int = 0) -> Iterator[LoggedFact]:
        """Every fact of a taxpayer after log position `after` up to `until`, in log order."""
        return map(_logged, self.recorder.select_prefix(f"{taxpayer}:", until, after))

    def of_topics(self, topics: Sequence[str], after: int, until: int) -> Iterator[LoggedFact]:
        """Every fact of the topics after log position `after` up to `until`, in log order."""
        return map(_logged, self.recorder.select_topics(topics, after, until))

    def stream(self, taxpayer: str, ref: str) -> list[Recorded]:
        """All versions of one fact, oldest first; empty if it is not known."""
        rows = self.recorder.select_streams([f"{taxpayer}:{ref}"])
        return [decode(topic, state) for _, _, topic, state in rows]

    def taxpayers(self) -> list[str]:
        """The taxpayers that have facts here, in order."""
        return [name for name in self.everybody() if self.owns(name)]

    def everybody(self, beside: str = "") -> list[str]:
        """The taxpayers that have facts in any shard of the store, in order; of another source
        than `beside`, if one is named."""
        return self.recorder.select_taxpayers(beside)

    def _put(self, events: list[FactEvent], intake: Intake | None) -> None:
        self._appended = []  # whoever did not take the last batch reads it, with what came since
        if not events and intake is None:
            return
        stored = list(map(self.mapper.to_stored_event, events))
        beside = {} if intake is None else {"intake": intake}
        positions = self.recorder.insert_events(stored, **beside)
        self._appended = list(map(_appended, positions or (), events))

    def _decide(
        self, offers: Sequence[Offer], recorded_at: str, known: dict[str, list[str]]
    ) -> tuple[list[Outcome], list[FactEvent]]:
        outcomes: list[Outcome] = []
        events: list[FactEvent] = []
        for offer in offers:
            fact = normalised(offer.fact)
            stream, digest = offer.stream, payload_hash(fact)
            versions = known.setdefault(stream, [])
            if versions and _is_known(fact, digest, versions):
                outcomes.append(Outcome.KNOWN)
            elif versions and type(fact) not in RENEWABLE:
                outcomes.append(Outcome.CONFLICT)
            else:
                versions.append(digest)
                evidence = Evidence(digest, offer.locator, offer.tx_hash)
                recorded = Recorded(recorded_at, evidence, cast(AnyFact, fact))
                events.append(FactEvent(stream, len(versions), recorded))
                outcomes.append(Outcome.NEW)
        return outcomes, events

    def _known_hashes(self, streams: set[str]) -> dict[str, list[str]]:
        known: dict[str, list[str]] = {}
        for stream, _, _, state in self.recorder.select_streams(sorted(streams)):
            known.setdefault(stream, []).append(stored_hash(state))
        return known


def check_id(text: str, what: str) -> str:
    """A name that can be part of a stream id; raises InvalidId."""
    if not _ID.fullmatch(text):
        raise InvalidId(f"{what} {text!r}: use 1 to 64 letters, digits, '.', '_', '@' or '-'")
    return text


def _is_known(fact: Fact, digest: str, versions: list[str]) -> bool:
    """A declaration may return to an earlier shape, so only its latest version counts."""
    if type(fact) in _RENEWED:
        return versions[-1] == digest
    return digest in versions


def _appended(position: int, event: FactEvent) -> LoggedFact:
    taxpayer, _, ref = event.originator_id.partition(":")
    return LoggedFact(position, taxpayer, ref, event.originator_version, event.recorded)


def _logged(row: tuple[int, str, int, str, bytes]) -> LoggedFact:
    position, stream, version, topic, state = row
    taxpayer, _, ref = stream.partition(":")
    return LoggedFact(position, taxpayer, ref, version, decode(topic, state))

"""What the ledger asks of a store: the shape of its events, and reads beside the event library's.

infra/event_store.py and infra/postgres/event_store.py have one each.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from eventsourcing.persistence import ApplicationRecorder, Mapper, StoredEvent

from domain.fact_codec import Recorded, decode, encode, topic_of

Row = tuple[int, str, int, str, bytes]  # position, id of the stream, version, topic, state


class FactEvent(NamedTuple):
    """One version of a stream, as the event library stores it."""

    originator_id: str
    originator_version: int
    recorded: Recorded


class FactMapper(Mapper[str]):
    """Facts to stored events and back, by the stored names of domain/fact_codec.py."""

    def to_stored_event(self, domain_event: FactEvent) -> StoredEvent:  # type: ignore[override]
        recorded = domain_event.recorded
        return StoredEvent(
            domain_event.originator_id,
            domain_event.originator_version,
            topic_of(recorded.fact),
            encode(recorded),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> FactEvent:
        return FactEvent(
            str(stored_event.originator_id),
            stored_event.originator_version,
            decode(stored_event.topic, stored_event.state),
        )


class FactRecorder(ApplicationRecorder):
    """What the ledger asks of a store beyond the library's own contract.

    It stores the facts of one `shard`, numbered from 0; a file has one.
    """

    shard = 0

    def owns(self, taxpayer: str) -> bool:
        """Whether a taxpayer's facts belong here."""
        return True

    @abstractmethod
    def select_log(self, after: int, limit: int) -> list[Row]:
        """Facts in log order, from the first after `after`."""

    @abstractmethod
    def select_prefix(self, prefix: str, until: int, after: int = 0) -> list[Row]:
        """The same for streams whose id starts with `prefix`: after `after`, up to `until`."""

    @abstractmethod
    def select_topics(self, topics: Sequence[str], after: int, until: int) -> list[Row]:
        """The same for facts of the given topics."""

    @abstractmethod
    def select_streams(self, ids: Sequence[str]) -> list[tuple[str, int, str, bytes]]:
        """(id, version, topic, state) of every version of the given streams."""

    @abstractmethod
    def select_taxpayers(self, beside: str = "") -> list[str]:
        """The taxpayers that have facts, in order, of all shards of the store; of another source
        than `beside`, if one is named."""

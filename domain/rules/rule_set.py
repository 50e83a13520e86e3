"""The shape of a rule set: what the fold and the year computation ask the law."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from domain.days import day_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Citation:
    """One rule as it is shown to users: its name here, what it says, and its source."""

    rule: str
    says: str
    source: str


@dataclass(frozen=True, slots=True)
class Dated(Generic[T]):
    """A value of the law with the day (ISO date) since which it holds."""

    since: str
    value: T


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The law of one jurisdiction. Dated tables are ascending; the last `since` not after wins.

    `digital_boxes_from`, `per_wallet_from` and `books_suffice_at_broker_until` are days (ordinals).
    """

    jurisdiction: str
    version: str
    currency: str
    window_days: int
    loss_limit: Mapping[str, str]
    books_suffice_at_broker_until: int
    settlement_days: tuple[Dated[int], ...]
    digital_boxes_from: int
    per_wallet_from: int
    citations: Mapping[str, Citation]

    def cite(self, rule: str) -> Citation:
        """The citation of a rule by its name; an unknown name is a bug."""
        return self.citations[rule]


def in_force(table: tuple[Dated[T], ...], day: int) -> T:
    """The value of a dated table on a day."""
    value = table[0].value
    for row in table:
        if day_of(row.since) <= day:
            value = row.value
    return value

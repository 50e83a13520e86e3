"""The shape of a rule set: what the fold and the year computation ask the law."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from domain.days import day_of, year_from
from domain.kept_book import BookKind, KeptBook

if TYPE_CHECKING:
    from domain.decisions import ProfileStated
    from domain.years import Key, TaxYear

    Netting = Callable[[int, Mapping[Key, int], tuple[int, int], ProfileStated, "RuleSet"], TaxYear]

Sections = Callable[[Iterable[KeptBook]], dict[str, Any]]
T = TypeVar("T")
NEVER = 1 << 31  # a day that never comes


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

    `books`: what it keeps, lots or pools. `net(year, sums, carry, profile, rules)` makes a year of
    its rows and of the (positive) losses carried in. `sections(books)`: what a scenario shows
    besides lots and rows, exact text. `positions` are fields of the policy that
    start differently here. The tax year named 2025 begins on `year_start` (month, day) of 2025.
    What follows is asked by books of lots and Form 8949 alone: `digital_boxes_from`,
    `per_wallet_from` and `books_suffice_at_broker_until` are days (ordinals). `exchange`: whose
    trading days count to the end of a year. `has_terms`: long-term gains are another kind.
    """

    jurisdiction: str
    version: str
    currency: str
    books: BookKind[Any]
    net: Netting
    citations: Mapping[str, Citation]
    sections: Sections = lambda books: {}
    positions: Mapping[str, object] = field(default_factory=dict)
    year_start: tuple[int, int] = (1, 1)
    window_days: int = 0
    loss_limit: Mapping[str, str] = field(default_factory=dict)
    settlement_days: tuple[Dated[int], ...] = (Dated("0001-01-01", 0),)
    exchange: str = "NYSE"
    has_terms: bool = True
    has_form_8949: bool = False
    books_suffice_at_broker_until: int = NEVER
    digital_boxes_from: int = NEVER
    per_wallet_from: int = NEVER

    def tax_year_of(self, day: int) -> int:
        """The tax year of a day, by the calendar year in which it began."""
        return year_from(day, self.year_start)

    def year_label(self, year: int) -> str:
        """How the law writes a tax year: 2025, or 2024-25 if it spans two."""
        spans_two = self.year_start != (1, 1)
        return f"{year}-{(year + 1) % 100:02d}" if spans_two else str(year)

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

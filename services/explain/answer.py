"""The answer being written: lines of arithmetic, with the rules and facts they stand on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from domain.entries import Entry
from domain.errors import ThresherError
from domain.kept_book import KeptBook
from domain.portfolio import Portfolio
from domain.rules.rule_set import RuleSet
from domain.years import Key
from services.queries import Queries, View
from services.statement import Marks, year_sums


class NothingToExplain(ThresherError):
    """No figure has that id."""


@dataclass(frozen=True)
class Ground:
    """What an explanation is made from: the facts of a view, folded."""

    queries: Queries
    view: View
    portfolio: Portfolio

    @property
    def books(self) -> list[KeptBook]:
        """The books by name."""
        return [self.portfolio.books[name] for name in sorted(self.portfolio.books)]

    def entries(self, book: KeptBook) -> list[Entry]:
        """What the book was folded from, in order."""
        names = (name for name, each in self.portfolio.books.items() if each is book)
        return [each for name in names for each in self.portfolio.entries[name]]

    @cached_property
    def marks(self) -> Marks:
        """The marks of the view's day."""
        return self.queries.marks(self.view, self.portfolio)

    @cached_property
    def year_sums(self) -> dict[Key, int]:
        """Column (h) by year, term and collectible."""
        return year_sums(self.portfolio)


class Answer:
    """Lines, and what they stand on, in order of first use. `groups` were touched by them;
    `from_rates`: an amount of tax that comes from the owner's two rates.
    """

    def __init__(self, rules: RuleSet) -> None:
        self._rules = rules
        self.what: list[str] = []
        self.lines: list[str] = []
        self.facts: list[str] = []
        self.rules: list[str] = []
        self.groups: set[str] = set()
        self.from_rates = False

    def is_a(self, what: str) -> None:
        """Names a kind of figure that the id stands for."""
        if what not in self.what:
            self.what.append(what)

    def say(self, line: str, *rules: str) -> None:
        """A line of arithmetic and the names of the rules it applies."""
        self.lines.append(line)
        self.rules += [rule for rule in dict.fromkeys(rules) if rule not in self.rules]

    def stands_on(self, *refs: str) -> None:
        """Facts behind the line."""
        self.facts += [ref for ref in dict.fromkeys(refs) if ref not in self.facts]

    def cited(self) -> list[dict[str, str]]:
        """The rules applied, with their sources; a jurisdiction need not have them all."""
        found = [self._rules.cite(rule) for rule in self.rules if rule in self._rules.citations]
        return [{"rule": each.rule, "says": each.says, "source": each.source} for each in found]

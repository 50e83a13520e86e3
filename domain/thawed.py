"""A portfolio that was kept as bytes and goes on from there, without its facts in memory.

What follows in order is folded onto its books. Only what looks back (a late fact, a correction, a
bust, a question about single facts) has the facts read again, once, and is an ordinary portfolio's
from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from domain.checkpoints import Ladder
from domain.entries import Entry, entry_key
from domain.fact_codec import TRADE_TYPES
from domain.facts import Fact
from domain.portfolio import FOREVER, Portfolio

Recall = Callable[[], Iterable[tuple[str, Fact]]]
_KEPT = ("decisions", "declared", "books", "issues", "_book_of", "_swap_groups", "_refused")
_LOOKED_UP = ("trades", "entries")


def kept_state(portfolio: Portfolio) -> dict[str, Any] | None:
    """All of a settled portfolio but its facts and ladders; None if its law computes books anew
    from all facts, so that nothing is gained.

    Books, assets, accounts and declarations refer to one another: the parts belong together.
    """
    ladders = portfolio._ladders
    if portfolio.until_day != FOREVER or not all(
        isinstance(each, Ladder) for each in ladders.values()
    ):
        return None
    counts = {name: each.count for name, each in ladders.items() if isinstance(each, Ladder)}
    return {name: getattr(portfolio, name) for name in _KEPT} | {"_counts": counts}


class Thawed(Portfolio):
    """A portfolio from `kept_state`; `recall` reads its facts up to then, in log order."""

    def __init__(self, state: dict[str, Any], recall: Recall) -> None:
        super().__init__()
        for name in _KEPT:
            setattr(self, name, state[name])
        for name, count in state["_counts"].items():
            ladder = self._ladders[name] = Ladder()
            ladder.count = count
        self._recall = recall
        self._since: dict[str, Fact] = {}
        del self.trades, self.entries  # looked up by __getattr__

    def __getattr__(self, name: str) -> object:
        if name not in _LOOKED_UP:
            raise AttributeError(name)
        self._look_back()
        return self.__dict__[name]

    @property
    def looks_back(self) -> bool:
        """Whether the facts are in memory again."""
        return "trades" in self.__dict__

    def add(self, ref: str, fact: Fact) -> None:
        """Takes in one fact; a trade of a ref that no earlier trade has."""
        if self.looks_back or type(fact) not in TRADE_TYPES or ref in self._since:
            super().add(ref, fact)
        else:
            self._since[ref] = fact
            self._new[ref] = True

    def settle(self) -> None:
        """Folds what was added, onto the books as they are if all of it follows them."""
        if not self.looks_back and self._follows():
            self.trades, self.entries = self._since, {}
            super().settle()
            del self.trades, self.entries
        else:
            if not self.looks_back:
                self._look_back()
            super().settle()

    def _follows(self) -> bool:
        """Whether each new fact is one step of one book, after all that the book has."""
        if self._everything or self._swap_groups or self.declared.policy.is_universal:
            return False
        for ref in self._new:
            entries = self._compiled(self._since[ref], ref)
            if len(entries) > 1 or any(not self._is_next(entry) for entry in entries):
                return False
        return True

    def _is_next(self, entry: Entry) -> bool:
        group = entry.asset.group
        book = self.books.get(self._book_of.get(group, group))
        return entry.to_asset is None and (book is None or book.last_key < entry.key)

    def _look_back(self) -> None:
        """Facts and entries as if they had never left; what is not settled yet has no entries."""
        past = Portfolio()
        for ref, fact in self._recall():
            past.add(ref, fact)
        self.trades = past.trades | self._since
        self.entries = {}
        for ref, fact in self.trades.items():
            for entry in () if ref in self._new else self._compiled(fact, ref):
                self.entries.setdefault(self._book_name(entry.asset.group), []).append(entry)
        for entries in self.entries.values():
            entries.sort(key=entry_key)

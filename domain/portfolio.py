"""The portfolio of one taxpayer: facts in, books out, always as if folded in effective order.

A fact that comes in order is one step of one book. A late fact, a correction or a bust folds
its own book again; a declaration that changes an earlier answer folds everything again.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Any

from domain.book import START
from domain.compile import entries_of
from domain.decisions import AccountDeclared, AssetDeclared, Bust, StandingOrder
from domain.declarations import Declarations
from domain.entries import Entry, Issue, OrderKey, entry_key, merge_into
from domain.errors import UnsupportedLaw
from domain.fact_codec import DECLARATION_TYPES, TRADE_TYPES, Correction
from domain.facts import Convert, Fact, Swap
from domain.kept_book import KeptBook, Steps

FOREVER = 1 << 30


class Portfolio:
    """Facts and books of a taxpayer. Feed facts in log order with `add`, then `settle`.

    `until_day`: facts after that tax day are left out (an as-of view). After `settle`,
    `changed` holds the names of the books that moved and `refolded` those folded anew.
    """

    def __init__(self, until_day: int = FOREVER) -> None:
        self.until_day = until_day
        self.trades: dict[str, Fact] = {}
        self.decisions: dict[str, Fact] = {}
        self.declared = Declarations(())
        self.books: dict[str, KeptBook] = {}
        self.entries: dict[str, list[Entry]] = {}
        self.issues: dict[str, Issue] = {}
        self.changed: set[str] = set()
        self.refolded: set[str] = set()
        self._book_of: dict[str, str] = {}
        self._new: dict[str, bool] = {}
        self._late: dict[str, OrderKey] = {}
        self._ladders: dict[str, Steps[Any]] = {}
        self._everything = False
        self._swap_groups: set[str] = set()
        self._refused: set[str] = set()

    def add(self, ref: str, fact: Fact) -> None:
        """Takes in one fact of stream `ref`; it counts after the next `settle`."""
        kind = type(fact)
        if kind in TRADE_TYPES:
            if ref in self.trades:
                self._replace(ref, fact)
            else:
                self.trades[ref] = fact
                self._new[ref] = True
        elif isinstance(fact, Correction):
            self._replace(ref, fact.fact)
        elif isinstance(fact, Bust):
            self._replace(ref, None)
        elif kind in DECLARATION_TYPES:
            self._declare(ref, fact)

    def settle(self) -> None:
        """Folds what was added. Each book ends as a fold of its entries in their order."""
        self.changed = set()
        self.refolded = set()
        if self._everything:
            self._start_over()
        fresh: dict[str, list[Entry]] = {}
        for ref in self._new:
            self._compile(ref, fresh)
        for name, entries in fresh.items():
            entries.sort(key=entry_key)
            self._extend(name, entries)
        self._refold_late()
        while self._refusals_changed():
            self._refold_late()
        self._new = {}

    def all_issues(self) -> list[Issue]:
        """Data issues of the facts themselves, then of each book."""
        issues = list(self.issues.values())
        for name in sorted(self.books):
            issues += self.books[name].issues
        return issues

    def _replace(self, ref: str, fact: Fact | None) -> None:
        """A correction (or, with None, a bust) of the trade or declaration of a stream."""
        if self.decisions.pop(ref, None) is not None:
            self._everything = True
        known = self.trades.pop(ref, None)
        if known is not None and not self._new.pop(ref, False):
            self.issues.pop(ref, None)
            for gone in self._compiled(known, ref):
                self._take_out(self._book_name(gone.asset.group), gone.key)
        if fact is not None:
            self.trades[ref] = fact
            self._new[ref] = True

    def _compiled(self, fact: Fact, ref: str) -> list[Entry]:
        try:
            return entries_of(fact, ref, self.declared)
        except KeyError:  # its asset was never declared, so no book has it
            return []

    def _take_out(self, name: str, key: OrderKey) -> None:
        entries = self.entries.get(name, [])
        at = bisect_left(entries, key, key=entry_key)
        if at < len(entries) and entries[at].key == key:
            self._mark_late(name, key)
            del entries[at]

    def _mark_late(self, name: str, key: OrderKey) -> None:
        """The book must be folded again from the entry `key` on; from its start, if a universal
        pool may be handed out otherwise now."""
        if self.declared.policy.is_universal and (
            key[0] < self.declared.policy.rules.per_wallet_from
            or any(entry.kind == "basis_allocation" for entry in self.entries.get(name, ()))
        ):
            key = START
        self._late[name] = min(key, self._late.get(name, key))

    def _declare(self, ref: str, fact: Fact) -> None:
        again = ref in self.decisions
        self.decisions[ref] = fact
        if again or not self._is_addition(fact):
            self._everything = True
            return
        try:
            self.declared.add(ref, fact)
        except UnsupportedLaw as refused:
            self._refuse(ref, refused)

    def _is_addition(self, fact: Fact) -> bool:
        """Whether a declaration changes no answer that a fold may already have used."""
        if isinstance(fact, AssetDeclared):
            known = fact.asset in self.declared.assets or self.declared.takes_over(fact)
            return not known and not self.issues
        if isinstance(fact, AccountDeclared):
            return fact.account not in self.declared.accounts
        return isinstance(fact, StandingOrder) and not self.books

    def _start_over(self) -> None:
        self._everything = False
        self.issues = {}
        sound: list[tuple[str, Fact]] = []
        for ref, fact in self.decisions.items():
            try:
                Declarations([(ref, fact)])  # none is refused for what another says
            except UnsupportedLaw as refused:
                self._refuse(ref, refused)
            else:
                sound.append((ref, fact))
        self.declared = Declarations(sound)
        self.refolded = set(self.books)
        self.changed = set(self.books)
        self.books, self.entries, self._book_of = {}, {}, {}
        self._late, self._ladders = {}, {}
        self._swap_groups, self._refused = set(), set()
        self._new = dict.fromkeys(self.trades, True)

    def _refuse(self, ref: str, refused: UnsupportedLaw) -> None:
        remedy = "correct or bust this declaration; until then it is left out"
        self.issues[ref] = Issue(ref, "unsupported", str(refused), remedy)

    def _compile(self, ref: str, fresh: dict[str, list[Entry]]) -> None:
        try:
            entries = entries_of(self.trades[ref], ref, self.declared)
        except KeyError as unknown:
            self.issues[ref] = Issue(
                ref,
                "unknown_asset",
                f"asset {unknown.args[0]} was never declared",
                "import an assets.csv row or an `asset` fact for it",
            )
            return
        if entries[0].to_asset is not None:
            self._join(entries[0])
        if entries[0].kind == "swap":
            self._swap_groups.add(entries[0].asset.group)
        for entry in entries:
            if entry.key[0] <= self.until_day:
                fresh.setdefault(self._book_name(entry.asset.group), []).append(entry)

    def _book_name(self, group: str) -> str:
        return self._book_of.setdefault(group, group)

    def _join(self, entry: Entry) -> None:
        """A conversion between groups makes one book of theirs."""
        assert entry.to_asset is not None
        kept = self._book_name(entry.asset.group)
        other = self._book_name(entry.to_asset.group)
        if kept == other:
            return
        for group, name in self._book_of.items():
            if name == other:
                self._book_of[group] = kept
        moved = self.entries.pop(other, [])
        self.entries[kept] = sorted([*self.entries.get(kept, []), *moved], key=entry_key)
        if self.books.pop(other, None) is not None:
            self.changed.add(other)
            self.refolded.add(other)
        self._late.pop(other, None)
        self._ladders.pop(other, None)
        self._mark_late(kept, START)

    def _extend(self, name: str, fresh: list[Entry]) -> None:
        name = self._book_of[name]
        known = self.entries.setdefault(name, [])
        book = self.books.get(name)
        in_order = not known or known[-1].key < fresh[0].key
        if name in self._late or not in_order or (book and self._reopens(fresh)):
            merge_into(known, fresh)
            self._mark_late(name, fresh[0].key)
            return
        known += fresh
        if book is None:
            self._new_book(name)
        self._fold(name, fresh)

    def _new_book(self, name: str) -> None:
        policy = self.declared.policy
        kind = policy.rules.books
        known = self.entries.get(name, [])
        self.books[name] = kind.new(policy, self.declared.orders, self.until_day, known)
        self._ladders[name] = kind.steps()
        self.refolded.add(name)

    def _fold(self, name: str, entries: list[Entry]) -> None:
        self.changed.add(name)
        kind = self.declared.policy.rules.books
        self._ladders[name].fold(self.books[name], self._counting(entries), kind.fold)
        kind.finish(self.books[name], self.until_day)
        if kind.looks_ahead:
            self.refolded.add(name)

    def _reopens(self, fresh: list[Entry]) -> bool:
        """Whether they belong before a hand-out of the universal pool that was made already."""
        rules = self.declared.policy.rules
        return self.declared.policy.is_universal and any(
            entry.day < rules.per_wallet_from or entry.kind == "basis_allocation" for entry in fresh
        )

    def _refold_late(self) -> None:
        """Each late book goes back to the rung before what changed, or to its start."""
        for name, key in sorted(self._late.items()):
            entries = self.entries.get(name, [])
            if not self._rewind(name, key):
                self._new_book(name)
            at = bisect_right(entries, self.books[name].last_key, key=entry_key)
            self._fold(name, entries[at:])
        self._late = {}

    def _rewind(self, name: str, key: OrderKey) -> bool:
        book = self.books.get(name)
        if book is None or name in self.refolded or book.rewound is not None:
            return False  # nobody has looked since the last time: start over
        book.rewound = self._ladders[name].rewind(key)
        return book.rewound is not None

    def _counting(self, entries: list[Entry]) -> list[Entry]:
        """Entries without what a refused swap would have brought in."""
        if not self._refused:
            return entries
        return [each for each in entries if each.kind != "swap_in" or each.ref not in self._refused]

    def _refusals_changed(self) -> bool:
        """Whether the swaps that cannot be covered are other ones now; marks their books as late.

        A swap is one fact: if the units given were not there, nothing was received either. The
        legs may be in two books, so the books settle in rounds; each round is right for one
        event more, in time order.
        """
        refused = {
            issue.ref
            for name in {self._book_name(group) for group in self._swap_groups}
            if name in self.books
            for issue in self.books[name].issues
            if issue.code == "insufficient_units"
        }
        for ref in refused ^ self._refused:
            swap = self.trades.get(ref)
            if isinstance(swap, Swap | Convert):
                for leg in self._compiled(swap, ref)[1:]:
                    self._mark_late(self._book_name(leg.asset.group), leg.key)
        self._refused = refused
        return bool(self._late)

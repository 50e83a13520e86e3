"""Assets as the logs tell of them: the class of each and its splits, learned as facts come.

Read from the facts themselves, so that nobody's books are loaded for a mark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from domain.decisions import AssetDeclared, Bust
from domain.fact_codec import Correction, stored_topics
from domain.facts import Fact, Split
from services.ledger import Ledger

_TOPICS = stored_topics(AssetDeclared, Split, Correction, Bust)
_Ref = tuple[str, str]


class AssetFacts:
    """Classes and splits by asset, of all taxpayers of some logs (one a shard)."""

    def __init__(self, ledgers: Sequence[Ledger]) -> None:
        self._ledgers = ledgers
        self._read = dict.fromkeys(range(len(ledgers)), 0)
        self._declared: dict[_Ref, AssetDeclared] = {}
        self._split: dict[_Ref, Split] = {}
        self._classes: dict[str, str] = {}
        self._splits: dict[str, list[Split]] = {}

    def class_of(self, asset: str) -> str:
        """Its class as the first taxpayer by name declares it; empty: nobody does."""
        return self._classes.get(asset, "")

    def splits_of(self, asset: str) -> Iterable[Split]:
        """Its splits, once each, whoever tells of them."""
        return self._splits.get(asset, ())

    def learn(self) -> None:
        """Takes in what the logs tell since it was asked last."""
        news = False
        for number, ledger in enumerate(self._ledgers):
            head = ledger.head()
            if head == self._read[number]:
                continue
            for logged in ledger.of_topics(_TOPICS, self._read[number], head):
                news = True
                self._take((logged.taxpayer, logged.ref), logged.recorded.fact)
            self._read[number] = head
        if news:
            self._sort()

    def _take(self, ref: _Ref, fact: Fact) -> None:
        if isinstance(fact, Correction):
            self._take(ref, fact.fact)
        elif isinstance(fact, AssetDeclared):
            self._declared.pop(ref, None)  # a renewal is the latest
            self._declared[ref] = fact
        elif isinstance(fact, Split):
            self._split[ref] = fact
        else:  # busted, or corrected to be something else
            self._declared.pop(ref, None)
            self._split.pop(ref, None)

    def _sort(self) -> None:
        by_taxpayer: dict[str, dict[str, str]] = {}
        for (taxpayer, _), declared in self._declared.items():
            by_taxpayer.setdefault(taxpayer, {})[declared.asset] = declared.asset_class
        self._classes = {}
        for taxpayer in sorted(by_taxpayer):
            self._classes = by_taxpayer[taxpayer] | self._classes
        known: dict[tuple[str, ...], Split] = {}
        for split in self._split.values():
            event = split.asset, split.effective_at[:10], split.numerator, split.denominator
            known.setdefault(event, split)  # two taxpayers tell of the same split
        self._splits = {}
        for split in known.values():
            self._splits.setdefault(split.asset, []).append(split)

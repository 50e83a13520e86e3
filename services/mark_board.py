"""The board: the mark that values each asset, kept up to date mark by mark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from domain.split_factors import SplitFactor
from domain.tokens import Token
from services.mark_choice import Candidates, carried, chosen, derived, newest, own
from services.mark_policy import DERIVED
from services.statement import Mark

Told = Mapping[str, Sequence[Sequence[SplitFactor]]]  # by asset, what taxpayers say


class Board:
    """The mark that values each asset, in memory; `marks` by asset.

    An asset whose marks are all of one kind has no more than its latest one here, so nearly
    every tick is a look-up and a comparison. The others have candidates: several kinds, tokens,
    what tokens are tokens of, and what was split: theirs are marks as they came, and `marks` has
    them as prices of units of today.
    """

    def __init__(self, latest: Mapping[str, Candidates]) -> None:
        self.marks = {asset: chosen(candidates) for asset, candidates in latest.items()}
        self._candidates = {asset: dict(each) for asset, each in latest.items() if len(each) > 1}
        self._tokens: dict[str, Token] = {}
        self._tokens_of: dict[str, list[Token]] = {}
        self._splits: Told = {}

    def newest(self, asset: str) -> Mark | None:
        """The asset's own latest mark, whether it values or another outranks it."""
        candidates = self._candidates.get(asset)
        if candidates is None:
            return self.marks.get(asset)
        mine = own(candidates)
        return newest(mine) if mine else None

    def weigh(self, tokens: Mapping[str, Token]) -> list[str]:
        """Makes these the tokens, by asset; returns the assets that have another mark now."""
        before = self._tokens
        if before == tokens:
            return []
        self._tokens, self._tokens_of = dict(tokens), {}
        for token in tokens.values():
            self._tokens_of.setdefault(token.base, []).append(token)
            self._several(token.base)
        gone = [asset for asset in before if before[asset] != tokens.get(asset)]
        for asset in gone:
            self._several(asset).pop(DERIVED, None)
        fresh = [token for token in tokens.values() if before.get(token.asset) != token]
        for token in fresh:
            self._derive(token)
        touched = sorted({*gone, *(token.asset for token in fresh)})
        return [asset for asset in touched if self._settle(asset)]

    def rescale(self, splits: Told) -> list[str]:
        """Makes these the splits; returns the assets that have another mark now."""
        before = self._splits
        if before == splits:
            return []
        touched = [a for a in sorted({*before, *splits}) if before.get(a) != splits.get(a)]
        for asset in touched:
            self._several(asset)  # while `marks` has its mark as it came
        self._splits = splits
        return [each for asset in touched for each in self._settle_all(asset)]

    def put(self, id: int, mark: Mark) -> list[str]:
        """Takes a mark stored under `id`; an older one never replaces a newer of its kind.

        Returns the assets that it moved: none, the asset, its tokens.
        """
        asset = mark.asset
        candidates = self._candidates.get(asset)
        if candidates is None:
            known = self.marks.get(asset)
            if known is None or known.kind == mark.kind:
                if known is not None and known.at > mark.at:
                    return []
                self.marks[asset] = mark
                return [asset]
            candidates = self._several(asset)
        before = candidates.get(mark.kind)
        if before is not None and before[1].at > mark.at:
            return []
        candidates[mark.kind] = (id, mark)
        return self._settle_all(asset)

    def _several(self, asset: str) -> Candidates:
        """The candidates of an asset; from now on all of its marks are kept, kind by kind."""
        known = self._candidates.get(asset)
        if known is None:
            mark = self.marks.get(asset)
            # Whatever comes next is stored later than the one that is known.
            known = self._candidates[asset] = {} if mark is None else {mark.kind: (0, mark)}
        return known

    def _derive(self, token: Token) -> None:
        """A token's share of its base's own mark: what is derived itself gives no other."""
        base, mine = own(self._several(token.base)), self._several(token.asset)
        if base:
            mine[DERIVED] = (0, derived(token, self._chosen(token.base, base)))
        else:
            mine.pop(DERIVED, None)

    def _chosen(self, asset: str, candidates: Candidates) -> Mark:
        """The best candidate, as a price of units of today: a derived one is that already."""
        told = self._splits.get(asset)
        if told:
            candidates = {
                kind: each if kind == DERIVED else (each[0], carried(each[1], told))
                for kind, each in candidates.items()
            }
        return chosen(candidates)

    def _settle_all(self, asset: str) -> list[str]:
        """Lets an asset's best candidate value, and its tokens'; returns those that moved."""
        tokens = self._tokens_of.get(asset, ())
        for token in tokens:
            self._derive(token)
        return [each for each in (asset, *(t.asset for t in tokens)) if self._settle(each)]

    def _settle(self, asset: str) -> bool:
        """Lets the best candidate value; whether it is another mark than before."""
        before, candidates = self.marks.pop(asset, None), self._candidates[asset]
        if candidates:
            self.marks[asset] = self._chosen(asset, candidates)
        return self.marks.get(asset) != before

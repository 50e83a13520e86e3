"""Which mark values: one of an asset's latest marks of each kind, or one derived from its base.

A pure function of the latest mark of each kind, so that it does not matter in which order the
marks came, how often the process was started anew, or who asks when.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from domain.exact import half_up
from domain.split_factors import SplitFactor, factor_since
from domain.tokens import Token
from services.mark_policy import DERIVED, RANKS, Rank, apart
from services.statement import Mark

# The latest mark of each kind, with the number under which it was stored (ties: stored last).
Candidates = dict[str, tuple[int, Mark]]


def newest(candidates: Candidates) -> Mark:
    """The latest of the marks; of one instant, the one stored last."""
    return max(candidates.values(), key=lambda each: (each[1].at, each[0]))[1]


def chosen(candidates: Candidates) -> Mark:
    """The mark that values: the newest of those that no other outranks (mark_policy.RANKS)."""
    last = newest(candidates)
    if len(candidates) == 1:
        return last
    outranked: set[str] = set()
    for rank in RANKS:
        if rank.kind in candidates:
            outranked |= _outranked(candidates, rank, last.at)
    return newest({kind: each for kind, each in candidates.items() if kind not in outranked})


def own(candidates: Candidates) -> Candidates:
    """The asset's own marks, without what was derived."""
    return {kind: each for kind, each in candidates.items() if kind != DERIVED}


def carried(mark: Mark, told: Iterable[Iterable[SplitFactor]]) -> Mark:
    """A mark as the price of units of today, by the splits since its day.

    `told`: what taxpayers say of its asset, by name. The first who tells of a split since counts:
    several tell of the same one, some on another day. What 10**-18 cannot hold is rounded half up.
    """
    for each in told:
        new, old = factor_since(mark.at[:10], each)
        if new != old:
            price, quoted = half_up(mark.price * old, new), half_up(mark.quoted * old, new)
            source = f"{mark.source}, split {new}:{old}"
            return mark._replace(price=price, haircut=quoted - price, source=source)
    return mark


def derived(token: Token, base: Mark) -> Mark:
    """What a token is worth by the mark of its base: the same instant, haircut and all.

    Of a base with nothing but an ask it is an ask as well.
    """
    price = base.price * token.number // token.unit
    off = base.quoted * token.number // token.unit - price
    kind = base.kind if base.kind == "ask" else DERIVED
    source = f"{base.asset} x {token.share}"
    return Mark(token.asset, price, base.at, source, kind, off, base.haircut_share)


def _outranked(candidates: Candidates, rank: Rank, last_at: str) -> AbstractSet[str]:
    """The kinds that are out by one row, `last_at` being the instant of the newest mark."""
    over = (candidates.keys() if rank.over is None else rank.over & candidates.keys()) - {rank.kind}
    if not over or not _holds(candidates, rank.kind, rank, last_at):
        return set()
    if rank.beside and not _holds(candidates, rank.beside, rank, last_at):
        return set()
    if not rank.if_lower:
        return over
    prices = {kind: candidates[kind][1].price for kind in (rank.kind, *over)}
    lowest = min(prices.values())
    return {kind for kind, price in prices.items() if price > lowest}


def _holds(candidates: Candidates, kind: str, rank: Rank, last_at: str) -> bool:
    """Whether there is a mark of a kind and it is recent enough for the row."""
    if kind not in candidates:
        return False
    return apart(candidates[kind][1].at, last_at) <= rank.holds

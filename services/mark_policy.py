"""How good a mark is, as data: kinds and which outranks which, ages, haircuts, bands of jumps.

The figures are defaults of ours, not law; docs/decisions/0017-mark-quality.md says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, get_args

from domain.exact import ONE_UNIT

Kind = Literal["trade", "bid", "ask", "mid", "floor", "nav", "manual", "close"]
KINDS: tuple[str, ...] = get_args(Kind)
_PERCENT: int = ONE_UNIT // 100


@dataclass(frozen=True, slots=True)
class MarkPolicy:
    """The marks of one asset class.

    `stale_after`: older than this, a mark is too old. `band`: percent by which a quote may be
    below the latest mark (or, seen from the quote, the mark below it); None: any. `band_within`:
    the band holds between marks no further apart in time. `haircuts`: percent off, by kind.
    """

    asset_class: str
    stale_after: timedelta
    band: int | None
    band_within: timedelta
    haircuts: Mapping[str, int] = field(default_factory=dict)


_LONG_WEEKEND = timedelta(days=4)  # a close of Friday still counts on Tuesday

POLICIES = {
    row.asset_class: row
    for row in (
        MarkPolicy("stock", _LONG_WEEKEND, 50, _LONG_WEEKEND),
        MarkPolicy("fund", _LONG_WEEKEND, 50, _LONG_WEEKEND),
        MarkPolicy("tokenized_security", _LONG_WEEKEND, 50, _LONG_WEEKEND),
        MarkPolicy("option", timedelta(days=1), None, timedelta(days=1)),
        MarkPolicy("crypto", timedelta(minutes=15), 80, timedelta(days=1)),
        # A floor is the lowest price asked for any of a collection: no one has bid it.
        MarkPolicy("nft", timedelta(days=3), 80, timedelta(days=3), {"floor": 20}),
    )
}
# Marks are shared by all taxpayers, each of whom declares assets: so a haircut hangs on the kind,
# and no two classes set the same kind differently (tests/services/test_mark_policy.py).
_HAIRCUTS = {
    kind: percent * _PERCENT for row in POLICIES.values() for kind, percent in row.haircuts.items()
}


@dataclass(frozen=True, slots=True)
class Rank:
    """A kind of mark that outranks others of the same asset, whoever is newer.

    `over`: the kinds outranked; None: all. `holds`: for so long, from the mark that outranks to
    the asset's newest mark of any kind. `beside`: only where the asset has a mark of that kind
    as well, no older than that. `if_lower`: of the two, the lower outranks the higher.
    """

    kind: str
    over: frozenset[str] | None
    holds: timedelta
    beside: str = ""
    if_lower: bool = False


DERIVED = "derived"  # the kind of a token's price that comes from its base's mark
_APPRAISED = timedelta(days=3)  # as long as a mark of an nft is fresh
_OWN = tuple(kind for kind in KINDS if kind != "ask")

# Of one asset's latest marks of each kind, one values: the newest that none of these outranks.
RANKS = (
    Rank("manual", None, _LONG_WEEKEND),
    # Best is what is bid, then the lower of the last sale and the floor. Where nothing has a
    # floor, trades and bids are the same market told twice, and the newest of them counts.
    Rank("bid", frozenset({"floor", "trade"}), _APPRAISED, beside="floor"),
    Rank("trade", frozenset({"floor"}), _APPRAISED, beside="floor", if_lower=True),
    *(Rank(kind, frozenset({DERIVED}), _LONG_WEEKEND) for kind in _OWN),
    # An ask counts where nothing better is as fresh as the class that grows old soonest.
    *(
        Rank(kind, frozenset({"ask"}), timedelta(minutes=15))
        for kind in ("trade", "bid", "mid", "nav", "close", DERIVED)
    ),
)
NARROWEST_BAND = min(row.band for row in POLICIES.values() if row.band is not None)


def haircut(kind: str) -> int:
    """What is taken off a quote of this kind, as a share of it (integer of 10**-18)."""
    return _HAIRCUTS.get(kind, 0)


def is_stale(at: str, asset_class: str, now: str) -> bool:
    """Whether a mark of the instant `at` is too old at the instant `now` (UTC text).

    Raises KeyError for a class without a row.
    """
    return apart(at, now) > POLICIES[asset_class].stale_after


def is_weak(kind: str, at: str, asset_class: str, now: str) -> bool:
    """Whether a mark fires nothing urgent: it is too old, or only what somebody asks."""
    return kind == "ask" or is_stale(at, asset_class, now)


def inside(band: int, known: int, price: int) -> bool:
    """Whether two prices are no further apart than `band` percent of the higher one.

    So a fall by half and a doubling are the same jump. From a price of zero nothing can be said.
    """
    low, high = (known, price) if known < price else (price, known)
    return not known or low * 100 >= high * (100 - band)


def apart(earlier: str, later: str) -> timedelta:
    """Time from one instant (UTC text) to another; negative if the first is the later one."""
    return datetime.fromisoformat(later) - datetime.fromisoformat(earlier)

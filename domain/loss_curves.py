"""Loss curves: what the harvestable loss of a holding is at any price, without asking its lots.

A sub-lot sold alone loses basis - units x price, less what purchases of the window block; so the
loss of a holding is a sum of lines that fall with the price and end at zero. A curve keeps them
sorted by the price at which they begin, and gives what `domain.harvest` gives lot by lot.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from domain.accounts import Account
from domain.assets import Asset
from domain.book import Book
from domain.days import first_long_day
from domain.harvest import Blocker, blocked_units, blockers_of, loss_side, sublots
from domain.lots import Lot

NEVER = 1 << 30


@dataclass(slots=True)
class Lines:
    """Falling lines: `breaks` ascending, the highest prices (10**-18) at which each still counts.

    `basis[i]` and `units[i]` are the sums of the lines from `i` on (10**-36 and 10**-18).
    """

    breaks: list[int]
    basis: list[int]
    units: list[int]

    def loss(self, price: int) -> int:
        """The sum of the lines at a price, in 10**-36."""
        at = bisect_left(self.breaks, price)
        return self.basis[at] - self.units[at] * price


def merged(parts: Sequence[Lines]) -> Lines:
    """The sum of several."""
    if len(parts) == 1:
        return parts[0]
    return lines_of(
        (price, each.basis[at] - each.basis[at + 1], each.units[at] - each.units[at + 1])
        for each in parts
        for at, price in enumerate(each.breaks)
    )


def lines_of(chosen: Iterable[tuple[int, int, int]]) -> Lines:
    """Lines by (break, basis, units), in any order."""
    ordered = sorted(chosen)
    basis, units = [0], [0]
    for _, more_basis, more_units in reversed(ordered):
        basis.append(basis[-1] + more_basis)
        units.append(units[-1] + more_units)
    return Lines([each[0] for each in ordered], basis[::-1], units[::-1])


@dataclass(slots=True)
class Curve:
    """The harvestable loss of one asset in one account, by term.

    `is_loose`: the curve is only an upper bound, because parts of one sub-lot with different
    basis meet a purchase of the window. `cost`: basis of all lots, at a loss or not.
    """

    asset: Asset
    account: Account
    cost: int = 0
    is_loose: bool = False
    short: Lines | None = None
    long: Lines | None = None
    _raw: list[tuple[bool, int, int, int]] = field(default_factory=list)

    def add(self, is_long: bool, basis: int, units: int) -> None:
        """One more line; `close` ends adding."""
        if basis > 0 and units > 0:
            self._raw.append((is_long, (basis - 1) // units, basis, units))

    def close(self) -> None:
        """Sorts the lines."""
        self.short, self.long = _lines(self._raw, False), _lines(self._raw, True)
        self._raw = []


@dataclass(frozen=True, slots=True)
class Curves:
    """Curves of one book on one day; `until` is the first day on which they may be others."""

    curves: tuple[Curve, ...]
    until: int


def curves_of(book: Book, day: int, wanted: Callable[[Lot], bool] = lambda lot: True) -> Curves:
    """The curves of a book of lots on a tax day, of the lots that are `wanted`."""
    blockers = {group: blockers_of(book, group, day) for group in book.washes}
    found: dict[tuple[str, str], Curve] = {}
    until = _next_window(book, day)
    for pieces in sublots(book, wanted):
        lot = pieces[0]
        key = (lot.asset.id, lot.account.id)
        curve = found.get(key)
        if curve is None:
            curve = found[key] = Curve(lot.asset, lot.account)
        curve.cost += sum(piece.basis for piece in pieces)
        first_long = first_long_day(loss_side(lot)[1])
        is_long = lot.inherited or day >= first_long
        if not is_long:
            until = min(until, first_long)
        _add(book, curve, pieces, day, blockers[lot.asset.group], is_long)
    for curve in found.values():
        curve.close()
    return Curves(tuple(found.values()), until)


def _add(
    book: Book, curve: Curve, pieces: list[Lot], day: int, blockers: list[Blocker], is_long: bool
) -> None:
    """The line of a sub-lot: units that a purchase would replace are no part of it."""
    basis = sum(loss_side(piece)[0] for piece in pieces)
    units = sum(piece.quantity for piece in pieces)
    blocked = [blocked_units(book, each, day, blockers, 0)[0] for each in pieces if blockers]
    if not any(blocked):
        curve.add(is_long, basis, units)
    elif len(pieces) == 1:  # what is blocked is rounded down, so what is left is rounded up
        free = units - blocked[0]
        curve.add(is_long, -(-basis * free // units), free)
    else:
        curve.is_loose = True
        curve.add(is_long, basis, units)


def _next_window(book: Book, day: int) -> int:
    """The next day on which a purchase begins or ends to block, or the wash-sale law changes."""
    days = [start for start, _ in book.policy.wash_versions]
    for wash in book.washes.values():
        for purchase in wash.recent:
            days += (purchase.day, purchase.day + book.policy.rules.window_days + 1)
    return min((each for each in days if each > day), default=NEVER)


def _lines(raw: list[tuple[bool, int, int, int]], is_long: bool) -> Lines | None:
    chosen = [each[1:] for each in raw if each[0] is is_long]
    return lines_of(chosen) if chosen else None

"""United Kingdom: same day, the 30 days after, then the section 104 pool (TCGA 1992 s.104-106A).

All disposals of a day are one, and so are all acquisitions of a day (s.105(1)(a)). A loss is
never denied: what is bought back within 30 days is matched instead, at a gain too.
"""

from __future__ import annotations

from bisect import bisect_right

import msgspec

from domain.days import iso
from domain.disposals import Disposal
from domain.lots import part_of
from domain.pool_books.book import PoolBook, no_matching_step
from domain.pool_books.reading import Reading
from domain.pool_books.steps import Ring, Step

SAME_DAY, THIRTY_DAYS, POOLED = "same_day", "thirty_days", "s104"


class Piece(msgspec.Struct, gc=False, eq=False):
    """Units of a day's disposal that met one day's acquisitions, or the pool."""

    rule: str
    acquired: int
    units: int
    cost: int


class DayOfRing(msgspec.Struct, gc=False, eq=False):
    """What one ring acquired and disposed of in one day; `units` and `cost`: not matched yet."""

    day: int
    units: int = 0
    cost: int = 0
    outs: list[Step] = []
    pieces: list[Piece] = []

    @property
    def out_units(self) -> int:
        """Units disposed of."""
        return sum(step.units for step in self.outs)

    @property
    def unmatched(self) -> int:
        """Units disposed of that have met no acquisition yet."""
        return self.out_units - sum(piece.units for piece in self.pieces)

    def meets(self, disposed: DayOfRing, rule: str) -> None:
        """As many acquired units as are left go to a day's disposal, at their average cost."""
        units = min(self.units, disposed.unmatched)
        if units:
            cost = part_of(self.cost, units, self.units)
            self.units -= units
            self.cost -= cost
            disposed.pieces.append(Piece(rule, self.day, units, cost))


class SectionDisposal(msgspec.Struct, frozen=True, gc=False):
    """A day's disposal as the return has it; `quantity` in 10**-18 of the (first) asset sold."""

    ring: Ring
    day: int
    quantity: int
    proceeds: int
    pieces: tuple[Piece, ...]
    scale: int
    is_provisional: bool

    @property
    def cost(self) -> int:
        """Allowable cost."""
        return sum(piece.cost for piece in self.pieces)


Days = dict[int, DayOfRing]


def section_104(book: PoolBook, reading: Reading) -> None:
    """Computes a book: matches on units first, then pools day by day."""
    rings = _days_of(reading.steps)
    window = book.policy.rules.window_days
    for days in rings.values():
        _match(days, window)
    steps: dict[int, list[Step]] = {}
    for step in reading.steps:
        steps.setdefault(step.day, []).append(step)
    for day, of_day in steps.items():
        for ring, days in rings.items():
            if day in days and days[day].units:
                book.pot(ring).put(days[day].units, days[day].cost, day)
        for step in of_day:
            if step.kind not in ("in", "out"):
                no_matching_step(book, step)
        for ring, days in rings.items():
            if day in days and days[day].outs:
                _dispose(book, ring, days[day])


def _days_of(steps: list[Step]) -> dict[Ring, Days]:
    rings: dict[Ring, Days] = {}
    for step in steps:
        if step.kind in ("in", "out"):
            days = rings.setdefault(step.ring, {})
            day = days.get(step.day)
            if day is None:
                day = days[step.day] = DayOfRing(step.day, outs=[], pieces=[])
            if step.kind == "in":
                day.units += step.units
                day.cost += step.amount
            else:
                day.outs.append(step)
    return rings


def _match(days: Days, window: int) -> None:
    """Each day with itself first, whatever else could claim its acquisitions (s.105(1)(b))."""
    for each in days.values():
        each.meets(each, SAME_DAY)
    acquired = sorted(day for day, each in days.items() if each.units)
    for day in sorted(day for day, each in days.items() if each.unmatched):
        for later in acquired[bisect_right(acquired, day) : bisect_right(acquired, day + window)]:
            days[later].meets(days[day], THIRTY_DAYS)


def _dispose(book: PoolBook, ring: Ring, day: DayOfRing) -> None:
    """The rest comes from the pool; then the rows, event by event."""
    rest = day.unmatched
    if rest:
        pot = book.pot(ring)
        since = pot.since or day.day
        day.pieces.append(Piece(POOLED, since, rest, pot.take(rest)))
        says = f"a purchase in the {book.policy.rules.window_days} days after {iso(day.day)} "
        book.provisional(day.outs[-1], says + "would be matched with this disposal")
    first = day.outs[0]
    if ring.is_own:
        book.records.append(
            SectionDisposal(
                ring, day.day, day.out_units // first.scale,
                sum(step.amount for step in day.outs), tuple(day.pieces), first.scale,
                rest > 0 and book.is_provisional(day.day),
            )
        )  # fmt: skip
    left = [(piece, piece.units, piece.cost) for piece in day.pieces]
    units_left = day.out_units
    for step in day.outs:
        left = _rows(book, step, left, units_left)
        units_left -= step.units


Left = list[tuple[Piece, int, int]]  # a piece, with its units and cost that have no row yet


def _rows(book: PoolBook, step: Step, left: Left, units_left: int) -> Left:
    """One event's share of every piece of its day, by units: the day's disposals are one."""
    parts: list[tuple[Piece, int, int]] = []
    after: Left = []
    for piece, units, cost in left:
        share = part_of(units, step.units, units_left)
        share_cost = part_of(cost, share, units) if units else 0
        parts.append((piece, share, share_cost))
        after.append((piece, units - share, cost - share_cost))
    shown = [part for part in parts if part[1]] or parts[:1]
    quantity, proceeds, in_parts = step.quantity, step.amount, sum(part[1] for part in shown)
    for number, (piece, share, cost) in enumerate(shown, start=1):
        is_last = number == len(shown)
        part = quantity if is_last else min(quantity, share // step.scale)
        amount = proceeds if is_last else part_of(proceeds, share, in_parts)
        row = book.row(step, piece.rule, piece.acquired, part, amount, cost)
        quantity, proceeds, in_parts = quantity - part, proceeds - amount, in_parts - share
        if row is not None and piece.rule == POOLED:
            _wait(book, row, step)
    return after


def _wait(book: PoolBook, row: Disposal, step: Step) -> None:
    """A loss out of the pool stays one only if nothing is bought back in time."""
    if row.is_loss and step.day + book.policy.rules.window_days >= book.last_key[0]:
        row.open_quantity, row.open_loss = row.quantity, -row.gain
        book.washes[step.ring.group].open_losses.append(row)

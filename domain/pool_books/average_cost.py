"""Canada: one average cost for identical properties, and the superficial loss.

ITA 47(1): the adjusted cost base of each is the average of all, over the accounts of one owner
that are not registered. A loss is denied as far as the taxpayer or an affiliated person acquires
identical units from 30 days before to 30 days after and one of them holds some at the end (s.54
"superficial loss", 40(2)(g)(i)): loss x least of S, P, B over S. It joins the cost of whoever
acquired (53(1)(f)); in a registered plan it is gone.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from domain.days import iso
from domain.disposals import Disposal, WashMatch
from domain.lots import part_of
from domain.pool_books.book import PoolBook, no_matching_step
from domain.pool_books.reading import Reading
from domain.pool_books.rows import POOL, PoolLot
from domain.pool_books.steps import Ring, Step, ring_of, timeline
from domain.purchases import Purchase

AVERAGE = "average_cost"


class AverageDisposal(msgspec.Struct, frozen=True, gc=False):
    """A disposition as the return has it; money in 10**-36, `denied` positive."""

    ring: Ring
    ref: str
    day: int
    quantity: int
    proceeds: int
    cost: int
    denied: int
    is_provisional: bool

    @property
    def gain(self) -> int:
        """Proceeds less adjusted cost base, before any denial."""
        return self.proceeds - self.cost


class Acquired(NamedTuple):
    """Units that came into a ring by the step at `place`."""

    day: int
    place: int
    step: Step
    ring: Ring
    units: int


class Target(NamedTuple):
    """Units that a denied loss goes to, in the ring that acquired them (or holds such)."""

    acquired: Acquired
    ring: Ring
    units: int


@dataclass(slots=True)
class Periods:
    """What the law asks about the days around a loss. Cost that joins later waits in `added`."""

    window: int
    acquired: dict[str, list[Acquired]]
    held: dict[Ring, list[tuple[int, int]]]
    added: dict[int, int] = field(default_factory=dict)  # place of a step -> cost

    def around(self, group: str, day: int) -> list[Acquired]:
        """Acquisitions of the 61 days, oldest first."""
        known = self.acquired.get(group, [])
        first = bisect_left(known, day - self.window, key=_day)
        return known[first : bisect_right(known, day + self.window, key=_day)]

    def holding(self, group: str, day: int) -> int:
        """Units that all of them together hold at the end of a day."""
        return sum(_at(line, day) for ring, line in self.held.items() if ring.group == group)


def _day(acquired: Acquired) -> int:
    return acquired.day


def _at(line: list[tuple[int, int]], day: int) -> int:
    at = bisect_right(line, day, key=lambda each: each[0])
    return line[at - 1][1] if at else 0


def average_cost(book: PoolBook, reading: Reading) -> None:
    """Computes a book: one step after the other, each loss with the days around it."""
    periods = Periods(
        book.policy.rules.window_days, _acquisitions(reading.steps), timeline(reading.steps)
    )
    for place, step in enumerate(reading.steps):
        pot = book.pot(step.ring)
        if step.kind == "in":
            pot.put(step.units, step.amount, step.day)
        elif step.kind == "out":
            _dispose(book, periods, place, step)
        else:
            no_matching_step(book, step)
        if place in periods.added:
            ring = step.ring if step.to is None else step.to
            book.pot(ring).cost += periods.added.pop(place)
    _purchases_in_the_window(book, reading)


def _acquisitions(steps: list[Step]) -> dict[str, list[Acquired]]:
    """By group, in order. Units that a spouse takes over are acquired by that spouse."""
    found: dict[str, list[Acquired]] = {}
    for place, step in enumerate(steps):
        if step.kind == "in":
            each = Acquired(step.day, place, step, step.ring, step.units)
        elif step.kind == "move" and step.to is not None and step.to.owner != step.ring.owner:
            each = Acquired(step.day, place, step, step.to, step.to_units)
        else:
            continue
        found.setdefault(each.ring.group, []).append(each)
    return found


def _dispose(book: PoolBook, periods: Periods, place: int, step: Step) -> None:
    pot = book.pot(step.ring)
    since = pot.since or step.day
    cost = pot.take(step.units)
    row = book.row(step, AVERAGE, since, step.quantity, step.amount, cost)
    loss, denied = cost - step.amount, 0
    if loss > 0 and not step.ring.sheltered:
        denied = _superficial(book, periods, place, step, loss, row)
    is_open = loss > 0 and book.is_provisional(step.day)
    if is_open:
        says = f"the loss counts by what is held on {iso(step.day + periods.window)}"
        book.provisional(step, says + "; until then by what is held now")
    if row is not None:
        book.records.append(
            AverageDisposal(
                step.ring, row.ref, row.sold, row.quantity, row.proceeds, cost, denied, is_open
            )
        )


def _superficial(
    book: PoolBook, periods: Periods, place: int, step: Step, loss: int, row: Disposal | None
) -> int:
    """Denies the loss x least of S, P, B over S; the part denied goes where it belongs."""
    around = periods.around(step.ring.group, step.day)
    held = periods.holding(step.ring.group, step.day + periods.window)
    units = min(step.units, sum(each.units for each in around), held)
    denied = part_of(loss, units, step.units)
    left, units_left = denied, units
    for target in _targets(book, around, place, units):
        share = part_of(left, target.units, units_left)
        left -= share
        units_left -= target.units
        _give(book, periods, place, target, share)
        if row is not None:
            _tell(book, row, step, target, share)
    if row is not None:
        row.wash = denied
        if step.units > units and step.day + periods.window >= book.last_key[0]:
            row.open_quantity = (step.units - units) // step.scale
            row.open_loss = loss - denied
            book.washes[step.ring.group].open_losses.append(row)
    return denied


def _targets(book: PoolBook, around: list[Acquired], place: int, units: int) -> Iterator[Target]:
    """Units acquired before that are still held take the loss first, then those acquired later.

    The least of S, P and B counts all persons together, so it can exceed what the acquirers hold
    themselves: the rest goes to whoever holds the most.
    """
    room = {each.ring: book.pot(each.ring).units for each in around}
    for each in around:
        fits = min(units, each.units if each.place > place else min(each.units, room[each.ring]))
        if each.place < place:
            room[each.ring] -= fits
        if fits:
            yield Target(each, each.ring, fits)
            units -= fits
    if units:
        holders = [ring for ring in book.pots if ring.group == around[0].ring.group]
        holder = max(holders, key=lambda ring: (not ring.sheltered, book.pots[ring].units, ring))
        yield Target(around[0], holder, units)


def _give(book: PoolBook, periods: Periods, place: int, target: Target, share: int) -> None:
    """53(1)(f): the denied loss joins the cost of the substituted property."""
    acquired, ring = target.acquired, target.ring
    if ring.sheltered:
        return
    if acquired.place > place and ring == acquired.ring:
        periods.added[acquired.place] = periods.added.get(acquired.place, 0) + share
    else:
        book.pot(ring).cost += share


def _tell(book: PoolBook, row: Disposal, step: Step, target: Target, share: int) -> None:
    acquired = target.acquired.step
    entry = acquired.entry
    book.washes[step.ring.group].matches.append(
        WashMatch(
            row, entry.ref, entry.to_account or entry.account, entry.asset, acquired.day,
            target.units // acquired.scale, target.units // step.scale, share, 0,
            not target.ring.sheltered,
        )
    )  # fmt: skip


def _purchases_in_the_window(book: PoolBook, reading: Reading) -> None:
    """Purchases of the last 30 days that are still held: selling the rest at a loss waits."""
    first = book.last_key[0] - book.policy.rules.window_days
    for order, step in enumerate(reading.steps):
        if step.kind == "in" and step.day >= first:
            entry = step.entry
            held = min(step.quantity, reading.wallets.of(entry.account, entry.asset))
            since = book.pot(ring_of(entry.account, entry.asset)).since
            lot = PoolLot(
                POOL, entry.asset, entry.account, held, 0, since, order, 0, order, step.day
            )
            book.washes[entry.asset.group].recent.append(
                Purchase(entry.ref, order, step.day, [lot])
            )

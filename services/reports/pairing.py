"""The rows of a broker's Form 1099-B or 1099-DA, and which of ours each one speaks of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from domain.exact import cents
from domain.lots import part_of
from services.reports.sales import Sale

VARIOUS = "VARIOUS"
_LAST = "~"  # after every date
Key = tuple[int | str, ...]
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class BrokerRow:
    """One row of a statement: `quantity` in 10**-18, money in 10**-36.

    `acquired` may be VARIOUS or empty, `basis` None (not reported), `term` empty; `wash` is box
    1g of Form 1099-B, box 1i of Form 1099-DA. `row` is its number in the file.
    """

    row: int
    account: str
    asset: str
    quantity: int
    acquired: str
    sold: str
    proceeds: int
    basis: int | None
    wash: int
    term: str
    form: str

    @property
    def is_of_many_lots(self) -> bool:
        """Whether it names no single day of purchase."""
        return self.acquired in ("", VARIOUS)


@dataclass(frozen=True, slots=True)
class Pair:
    """What both sides say of the same units; a side that is missing says nothing."""

    ours: Sale | None
    theirs: BrokerRow | None
    lots: tuple[Sale, ...] = ()


def pairs(ours: Iterable[Sale], theirs: Iterable[BrokerRow]) -> list[Pair]:
    """Every unit of either side in one pair, matched by account, asset and day sold."""
    groups: dict[tuple[str, str, str], tuple[list[Sale], list[BrokerRow]]] = {}
    for sale in ours:
        groups.setdefault((sale.sold, sale.account, sale.asset), ([], []))[0].append(sale)
    for row in theirs:
        groups.setdefault((row.sold, row.account, row.asset), ([], []))[1].append(row)
    return [pair for key in sorted(groups) for pair in _paired(*groups[key])]


def _paired(ours: list[Sale], theirs: list[BrokerRow]) -> list[Pair]:
    """Equal rows first, the plainest likeness before the others; then unit by unit."""
    found: list[Pair] = []
    for keys_of, key_of in _LIKENESS:
        found += _alike(ours, theirs, keys_of, key_of)
    for row in [each for each in theirs if each.is_of_many_lots]:
        together = _together(ours, row)
        if together:
            found.append(Pair(_combined(together), row, tuple(together)))
            _take_out(ours, together)
            _take_out(theirs, [row])
    return found + _unit_by_unit(ours, theirs)


def _alike(
    ours: list[Sale],
    theirs: list[BrokerRow],
    keys_of: Callable[[Sale], set[Key]],
    key_of: Callable[[BrokerRow], Key],
) -> list[Pair]:
    """Pairs of rows that share a key, in order; they leave both lists."""
    waiting: dict[Key, list[Sale]] = {}
    for sale in reversed(ours):
        for key in keys_of(sale):
            waiting.setdefault(key, []).append(sale)
    found: list[Pair] = []
    taken: set[int] = set()
    for row in theirs:
        candidates = waiting.get(key_of(row), [])
        while candidates and id(candidates[-1]) in taken:
            candidates.pop()
        if candidates:
            sale = candidates.pop()
            taken.add(id(sale))
            found.append(Pair(sale, row, (sale,)))
    _take_out(ours, [pair.ours for pair in found])
    _take_out(theirs, [pair.theirs for pair in found])
    return found


def _take_out(rows: list[Row], gone: Iterable[object]) -> None:
    taken = {id(each) for each in gone}
    rows[:] = [row for row in rows if id(row) not in taken]


# From the plainest likeness to the faintest: what a sale may be known by, and what a row says.
_LIKENESS: tuple[tuple[Callable[[Sale], set[Key]], Callable[[BrokerRow], Key]], ...] = (
    (
        lambda sale: {
            (sale.quantity, day, cents(sale.proceeds)) for day in (sale.acquired, sale.bought)
        },
        lambda row: (row.quantity, row.acquired, cents(row.proceeds)),
    ),
    (
        lambda sale: {(sale.quantity, day) for day in (sale.acquired, sale.bought)},
        lambda row: (row.quantity, row.acquired),
    ),
    (
        lambda sale: {(sale.quantity, cents(sale.proceeds))},
        lambda row: (row.quantity, cents(row.proceeds)),
    ),
    (lambda sale: {(sale.quantity,)}, lambda row: (row.quantity,)),
)


def _together(ours: list[Sale], row: BrokerRow) -> list[Sale]:
    """The lots of one term whose units are exactly those of a row of many lots."""
    for term in (row.term,) if row.term else ("S", "L"):
        lots = [sale for sale in ours if sale.term == term]
        if lots and sum(sale.quantity for sale in lots) == row.quantity:
            return lots
    return []


def _combined(lots: list[Sale]) -> Sale:
    """Lots of one sale day and term as one line, acquired VARIOUS (Instructions, column (b))."""
    first = lots[0]
    days = {sale.acquired for sale in lots}
    return replace(
        first,
        event=" ".join(dict.fromkeys(sale.event for sale in lots)),
        lot=" ".join(dict.fromkeys(sale.lot for sale in lots)),
        quantity=sum(sale.quantity for sale in lots),
        acquired=first.acquired if len(days) == 1 else VARIOUS,
        bought=first.bought if len({sale.bought for sale in lots}) == 1 else VARIOUS,
        proceeds=sum(sale.proceeds for sale in lots),
        basis=sum(sale.basis for sale in lots),
        wash=sum(sale.wash for sale in lots),
        code="".join(sorted(set("".join(sale.code for sale in lots)))),
    )


def _unit_by_unit(ours: list[Sale], theirs: list[BrokerRow]) -> list[Pair]:
    """Both sides in order of purchase, cut where either ends; amounts go by units."""
    left = sorted(ours, key=lambda sale: (sale.bought, sale.lot))
    right = sorted(theirs, key=lambda row: (row.acquired or _LAST, row.row))
    found: list[Pair] = []
    while left and right:
        units = min(left[0].quantity, right[0].quantity)
        sale, rest_of_sale = _cut_sale(left.pop(0), units)
        row, rest_of_row = _cut_row(right.pop(0), units)
        found.append(Pair(sale, row, (sale,)))
        left[:0] = [rest_of_sale] if rest_of_sale.quantity else []
        right[:0] = [rest_of_row] if rest_of_row.quantity else []
    return [
        *found,
        *(Pair(sale, None, (sale,)) for sale in left),
        *(Pair(None, row) for row in right),
    ]


def _cut_sale(sale: Sale, units: int) -> tuple[Sale, Sale]:
    shares = [
        part_of(each, units, sale.quantity) for each in (sale.proceeds, sale.basis, sale.wash)
    ]
    first = replace(sale, quantity=units, proceeds=shares[0], basis=shares[1], wash=shares[2])
    rest = replace(
        sale, quantity=sale.quantity - units, proceeds=sale.proceeds - shares[0],
        basis=sale.basis - shares[1], wash=sale.wash - shares[2],
    )  # fmt: skip
    return first, rest


def _cut_row(row: BrokerRow, units: int) -> tuple[BrokerRow, BrokerRow]:
    proceeds, wash = (part_of(each, units, row.quantity) for each in (row.proceeds, row.wash))
    basis = None if row.basis is None else part_of(row.basis, units, row.quantity)
    rest_of_basis = None if row.basis is None or basis is None else row.basis - basis
    first = replace(row, quantity=units, proceeds=proceeds, basis=basis, wash=wash)
    rest = replace(
        row, quantity=row.quantity - units, proceeds=row.proceeds - proceeds,
        basis=rest_of_basis, wash=row.wash - wash,
    )  # fmt: skip
    return first, rest

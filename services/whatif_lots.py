"""Lots that could be harvested, what a sale of some of their units would realise, and its cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from domain.exact import ONE_DOLLAR, format_money, format_quantity
from domain.facts import LotPick, Sell
from domain.harvest import Opportunity, opportunities
from domain.kept_book import KeptBook
from domain.lots import Lot, part_of
from domain.portfolio import Portfolio

Sublot = tuple[str, str, str, int]  # lot, account, asset, day that counts for a loss


@dataclass(frozen=True, slots=True)
class Costs:
    """What a sale costs: `fee` a sale (10**-36), `spread` and `haircut` shares of the value.

    The haircut lowers the price obtained, fee and spread are selling costs; all three lower the
    proceeds, and so raise the loss (IRC 1001(b); Reg. 1.1001-7(b)). Shares are of ONE_DOLLAR.
    """

    fee: int = 0
    spread: int = 0
    haircut: int = 0

    def of(self, value: int) -> int:
        """Cost of selling units worth `value` at the mark."""
        return self.selling(value) + self.price_loss(value)

    def selling(self, value: int) -> int:
        """Fee and spread."""
        return self.fee + _share(value, self.spread)

    def price_loss(self, value: int) -> int:
        """What the haircut takes off the value."""
        return _share(value, self.haircut)


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a lot: units, loss at the mark (negative: a gain), units that are blocked."""

    units: int
    loss: int
    blocked: int
    sublot: Sublot | None
    harvestable: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A lot in one account at a mark; `parts` in the order in which its units are sold (c.11)."""

    lot: str
    account: str
    asset: str
    price: int
    acquired: int
    step: int
    parts: tuple[Part, ...]

    @property
    def units(self) -> int:
        """All units of the parts."""
        return sum(part.units for part in self.parts)

    def realised(self, units: int, costs: Costs) -> int:
        """Loss that a sale of the first `units` would harvest, if this lot alone were sold."""
        cost = costs.of(units * self.price)
        left, harvested = units, 0
        for part in self.parts:
            taken = min(left, part.units)
            if not taken:
                break
            loss = part_of(part.loss, taken, part.units) + part_of(cost, taken, units)
            harvested += loss * (taken - min(taken, part.blocked)) // taken
            left -= taken
        return harvested

    def least_units(self, loss: int, costs: Costs) -> int:
        """The fewest units (in steps that can be sold) that harvest `loss`; at most all."""
        low, high = 0, -(-self.units // self.step)
        while high - low > 1:
            middle = (low + high) // 2
            if self.realised(min(self.units, middle * self.step), costs) >= loss:
                high = middle
            else:
                low = middle
        return min(self.units, high * self.step)


def candidates(portfolio: Portfolio, prices: Mapping[str, int], day: int) -> list[Candidate]:
    """Lots with a loss at `prices` (asset -> 10**-18), oldest first, up to their last loss."""
    found = [
        each
        for name in sorted(portfolio.books)
        for each in _of_book(portfolio.books[name], prices, day)
    ]
    return sorted(found, key=lambda each: (each.acquired, each.lot, each.account))


def above(found: Iterable[Candidate], least: int) -> list[Candidate]:
    """Lots with a sub-lot whose harvestable loss is at least `least` (10**-36), up to the last.

    An identification names a lot, not its sub-lots: earlier ones of the lot are sold with it.
    """
    kept = []
    for each in found:
        sums: dict[Sublot | None, int] = {}
        for part in each.parts:
            sums[part.sublot] = sums.get(part.sublot, 0) + part.harvestable
        places = [
            place
            for place, part in enumerate(each.parts, start=1)
            if part.sublot is not None and sums[part.sublot] >= least
        ]
        if places:
            kept.append(replace(each, parts=each.parts[: places[-1]]))
    return kept


def unblocked(found: Iterable[Candidate]) -> list[Candidate]:
    """The same lots as if no recent purchase stood in the way."""
    return [
        replace(each, parts=tuple(replace(part, blocked=0) for part in each.parts))
        for each in found
    ]


def sale_of(candidate: Candidate, units: int, costs: Costs, as_of: str, number: int) -> Sell:
    """The hypothetical sale of a lot's first units on a day (ISO), net of costs."""
    sold, value = format_quantity(units), units * candidate.price
    return Sell(
        effective_at=f"{as_of}T23:59:59",
        seq=number,
        account=candidate.account,
        asset=candidate.asset,
        quantity=sold,
        amount=format_money(value - costs.price_loss(value)),
        fee=format_money(costs.selling(value)),
        lots=(LotPick(candidate.lot, sold),),
    )


def _of_book(book: KeptBook, prices: Mapping[str, int], day: int) -> list[Candidate]:
    losses = {one.lot.serial: one for one in opportunities(book, prices, day)}
    wanted = {_place(one.lot) for one in losses.values()}
    lots: dict[tuple[str, str, str], list[Lot]] = {}
    for lot in book.open_lots() if wanted else ():
        if _place(lot) in wanted:
            lots.setdefault(_place(lot), []).append(lot)
    return [_candidate(pieces, losses, prices) for pieces in lots.values()]


def _share(value: int, share: int) -> int:
    of_value: int = value * share // ONE_DOLLAR
    return of_value


def _place(lot: Lot) -> tuple[str, str, str]:
    return lot.ref, lot.account.id, lot.asset.id


def _candidate(
    pieces: list[Lot], losses: Mapping[int, Opportunity], prices: Mapping[str, int]
) -> Candidate:
    pieces.sort(key=lambda each: (each.order, each.acquired, each.offset))
    last = max(place for place, lot in enumerate(pieces, start=1) if lot.serial in losses)
    first = next(losses[lot.serial] for lot in pieces if lot.serial in losses)
    lot, account, asset = _place(first.lot)
    price = prices[asset]
    return Candidate(
        lot, account, asset, price, first.acquired, _step(pieces),
        tuple(_part(piece, losses.get(piece.serial), price) for piece in pieces[:last]),
    )  # fmt: skip


def _part(piece: Lot, found: Opportunity | None, price: int) -> Part:
    if found is None:
        return Part(piece.quantity, piece.basis - piece.quantity * price, 0, None, 0)
    blocked = -(-found.blocked * piece.quantity // found.loss) if found.loss > 0 else 0
    sublot = (*_place(piece), found.acquired)
    return Part(piece.quantity, found.loss, blocked, sublot, found.harvestable)


def _step(pieces: list[Lot]) -> int:
    """Units that can be sold apart: whole ones of a lot in whole units, except of coins."""
    whole = sum(piece.quantity for piece in pieces) % 10**18 == 0
    return 10**18 if whole and not pieces[0].asset.asset_class.trades_in_fractions else 10**10

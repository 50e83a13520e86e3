"""The hand that trades in a backtest: sells what may be harvested, buys back when it is safe.

Its trades are facts of the replayed copy, at the latest marks, without fee.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace

import msgspec

from domain.days import iso
from domain.exact import format_money, format_quantity, quantity
from domain.facts import Buy, Split, Transfer
from projections.wash_windows import DO_NOT_BUY, window_pieces
from services.alert_rules import in_scope
from services.backtest_fit import Place, fitted, place_of
from services.history import Step, Told
from services.refold import book_name
from services.replay import Crossings, Replay
from services.whatif_lots import Candidate, Costs, candidates, sale_of

SALES = "thresher:backtest/sale/"
BUYS = "thresher:backtest/buy/"
_FREE = Costs()
_SEQ = 10**9  # after everything recorded of the same instant


@dataclass(slots=True)
class _Out:
    """Units (10**-18) sold for `value` (10**-36), to be bought back from the day `safe` on."""

    place: Place
    units: int
    value: int
    safe: int


@dataclass(slots=True)
class Tally:
    """What the hand did. Money in 10**-36.

    `held_back`: the loss of each lot (lot, account) that a purchase within the window stood in
    the way of when it was to be sold. `timing`: proceeds less what buying back cost; what is not
    bought back counts at the latest mark, what the record itself sold later at that price.
    """

    sales: int = 0
    buys: int = 0
    timing: int = 0
    refitted: int = 0
    held_back: dict[tuple[str, str], int] = field(default_factory=dict)


class Hand:
    """Trades in one replay. `rebuys` false: what is sold stays sold."""

    def __init__(self, replay: Replay, *, rebuys: bool) -> None:
        self.tally = Tally()
        self._replay = replay
        self._rebuys = rebuys
        self._out: list[_Out] = []
        self._sold: set[Place] = set()  # where lots are others than in the record
        self._count = 0

    def tell(self, step: Step) -> Crossings:
        """A step of the record, with its facts as far as they still fit, then due purchases."""
        if not self._sold:
            return self._replay.tell(step)
        crossings = self._replay.tell(replace(step, facts=()))
        for told in step.facts:
            self._replay.note(list(self._fit(told)), step.at)
        if step.facts:
            crossings += self._replay.record([], step.at)
        return crossings + self._buy_back(step)

    def harvest(self, step: Step, scopes: Collection[str]) -> Crossings:
        """Sells every lot in scope that has a harvestable loss now and nothing in its way."""
        portfolio = self._replay.portfolio
        prices = {asset: mark.price for asset, mark in self._replay.marks.items()}
        declared, told = portfolio.declared, list[Told]()
        for each in candidates(portfolio, prices, step.day):
            asset, account = declared.assets[each.asset], declared.account(each.account)
            if not any(in_scope(scope, asset, account, each.lot) for scope in scopes):
                continue
            if any(part.blocked for part in each.parts):
                blocked = sum(part.loss - part.harvestable for part in each.parts if part.sublot)
                self.tally.held_back.setdefault((each.lot, each.account), blocked)
            elif each.realised(each.units, _FREE) > 0:
                told.append(self._sale(each, step))
        return self._replay.record(told, step.at) if told else []

    def settle(self) -> None:
        """At the end: what was not bought back counts at the latest mark."""
        for out in self._out:
            self.tally.timing += out.value - out.units * self._replay.marks[out.place[1]].price
        self._out = []

    def _sale(self, candidate: Candidate, step: Step) -> Told:
        self.tally.sales += 1
        number, place = self._next(), (candidate.account, candidate.asset)
        sale = sale_of(candidate, candidate.units, _FREE, step.at[:10], _SEQ + number)
        self._sold.add(place)
        value = candidate.units * candidate.price
        waits = self._waits(candidate.asset, step.day)
        self._out.append(_Out(place, candidate.units, value, step.day + waits))
        return f"{SALES}{number}", msgspec.structs.replace(sale, effective_at=step.at)

    def _next(self) -> int:
        self._count += 1
        return self._count

    def _waits(self, asset: str, day: int) -> int:
        """Days before buying back: the window, if a purchase within it would cost the loss."""
        portfolio = self._replay.portfolio
        known = portfolio.declared.assets[asset]
        book = portfolio.books[book_name(portfolio, known.group) or ""]
        if known.asset_class.name in book.wash_classes(day):
            return portfolio.declared.policy.rules.window_days + 1
        return 1

    def _buy_back(self, step: Step) -> Crossings:
        quoted = {quote.asset for quote in step.quotes}
        told: list[Told] = []
        for out in list(self._out) if self._rebuys else ():
            account, asset = out.place
            if asset in quoted and out.safe <= step.day and self._is_open(asset, step.day):
                self._out.remove(out)
                amount = out.units * self._replay.marks[asset].price
                self.tally.buys += 1
                self.tally.timing += out.value - amount
                number = self._next()
                bought = Buy(
                    effective_at=step.at, seq=_SEQ + number, account=account, asset=asset,
                    quantity=format_quantity(out.units), amount=format_money(amount),
                )  # fmt: skip
                told.append((f"{BUYS}{number}", bought))
        return self._replay.record(told, step.at) if told else []

    def _is_open(self, asset: str, day: int) -> bool:
        """Whether a purchase that day disallows no loss, of the record's own sales neither."""
        portfolio = self._replay.portfolio
        group, today = portfolio.declared.assets[asset].group, iso(day)
        book = portfolio.books[book_name(portfolio, group) or ""]
        return not any(
            each["kind"] == DO_NOT_BUY
            and each["group"] == group
            and each["on"] <= today <= each["last_day"]
            for each in window_pieces(book)
        )

    def _fit(self, told: Told) -> Iterator[Told]:
        """The fact as far as it still fits: what the hand sold before is not there to be taken."""
        ref, fact = told
        if isinstance(fact, Split):
            self._split(fact)
        place = place_of(fact)
        if place not in self._sold:
            yield told
            return
        fits = fitted(self._replay.portfolio, fact, place)
        if fits.missing and not any(out.place == place for out in self._out):
            yield told  # the record itself does not fit
            return
        self.tally.refitted += fits.fact is not fact
        if isinstance(fact, Transfer):
            to = (fact.to_account, fact.asset)
            self._sold.add(to)
            moved = self._taken(place, fits.missing, to)
            self._out += moved
        else:
            taken = self._taken(place, fits.missing, place)
            if fits.amount:
                self.tally.timing += sum(out.value for out in taken) - fits.amount
        if fits.fact is not None:
            yield ref, fits.fact

    def _taken(self, place: Place, units: int, to: Place) -> list[_Out]:
        """Up to `units` of what is out at a place, taken off it, oldest first, as of place `to`."""
        taken = []
        for out in [out for out in self._out if out.place == place]:
            part = min(units, out.units)
            if not part:
                break
            value = out.value * part // out.units
            taken.append(replace(out, place=to, units=part, value=value))
            out.units, out.value, units = out.units - part, out.value - value, units - part
        self._out = [out for out in self._out if out.units]
        return taken

    def _split(self, split: Split) -> None:
        for out in self._out:
            if out.place[1] == split.asset:
                new, old = quantity(split.numerator), quantity(split.denominator)
                out.units = out.units * new // old

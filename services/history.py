"""The recorded history of a taxpayer as steps in time, so that it can be told again.

Two orders. As it happened: each fact counts from its effective time, in its latest version. As
it was recorded: facts and marks in the order in which the ledger learned of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from itertools import groupby
from zoneinfo import ZoneInfo

from sqlalchemy import select

from domain.days import moment_key, sortable_instant
from domain.fact_codec import ALERT_TYPES
from domain.facts import Fact
from domain.portfolio import Portfolio
from domain.tokens import tokens_of
from services.marks import Quote, quote_of
from services.queries import Queries, View
from services.tables import MARKS

Told = tuple[str, Fact]  # a fact with its ref, `source:external id`


@dataclass(frozen=True, slots=True)
class Step:
    """Facts, or the marks of one instant. `day` is a tax day, `at` an instant of fixed width."""

    day: int
    at: str
    facts: tuple[Told, ...] = ()
    quotes: tuple[Quote, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """Steps in order; `declared` (accounts, assets, positions) is told before all of them."""

    taxpayer: str
    zone: ZoneInfo | None
    declared: tuple[Told, ...]
    steps: tuple[Step, ...]

    def until(self, day: int | None) -> History:
        """The same up to a tax day; None: to its end."""
        if day is None:
            return self
        kept = tuple(step for step in self.steps if step.day <= day)
        return History(self.taxpayer, self.zone, self.declared, kept)

    def midnight(self, day: int) -> str:
        """The instant at which a tax day begins."""
        return _instant(day, 0, self.zone)


def as_happened(queries: Queries, view: View) -> History:
    """Everything by effective time: what would have been seen if all had been known at once.

    Corrected facts count as corrected, busted ones not at all. A fact of the instant of a mark
    comes before it; a bare date counts from midnight.
    """
    portfolio = queries.projector.taxpayer(view.taxpayer).portfolio
    zone = portfolio.declared.zone
    merged: list[tuple[int, int, int, Told | Quote]] = [
        (*moment_key(told[1].effective_at, zone), 0, told) for told in portfolio.trades.items()
    ]
    merged += [(*moment_key(quote.at, zone), 1, quote) for _, quote in _marks(queries, portfolio)]
    merged.sort(key=lambda each: each[:3])  # stable: of one instant, the mark stored last counts
    steps = []
    for (day, kind, _), group in groupby(
        merged, lambda each: (each[0], each[2], each[2] * each[1])
    ):
        run = list(group)
        at = _instant(day, run[-1][1], zone)
        steps.append(_step(day, at, kind, [each[3] for each in run]))
    return History(view.taxpayer, zone, tuple(portfolio.decisions.items()), tuple(steps))


def as_recorded(queries: Queries, view: View) -> History:
    """Everything by when the ledger learned of it: late facts come late, as they did."""
    portfolio = queries.projector.taxpayer(view.taxpayer).portfolio
    zone = portfolio.declared.zone
    logged = queries.ledger.facts_of(view.taxpayer, queries.projector.position)
    merged: list[tuple[str, int, Told | Quote]] = [
        (each.recorded.recorded_at, 0, (each.ref, each.recorded.fact))
        for each in logged
        if type(each.recorded.fact) not in ALERT_TYPES
    ]
    merged += [(recorded_at, 1, quote) for recorded_at, quote in _marks(queries, portfolio)]
    merged.sort(key=lambda each: each[:2])
    steps = []
    for (at, kind, _), group in groupby(merged, lambda each: (*each[:2], _at(each[2]))):
        day = moment_key(at, zone)[0]
        steps.append(_step(day, at, kind, [each[2] for each in group]))
    return History(view.taxpayer, zone, (), tuple(steps))


def _marks(queries: Queries, portfolio: Portfolio) -> list[tuple[str, Quote]]:
    """(when recorded, quote) of every mark that could value what was held, in order of storing."""
    held = {asset for book in portfolio.books.values() for asset in book.weights}
    held |= {token.base for token in tokens_of(portfolio)}  # what it is worth comes from there
    query = select(MARKS).where(MARKS.c.asset.in_(sorted(held))).order_by(MARKS.c.id)
    with queries.projector.database.reading() as connection:
        return [(row.recorded_at, quote_of(row)) for row in connection.execute(query)]


def _step(day: int, at: str, kind: int, things: Sequence[Told | Quote]) -> Step:
    if kind:
        return Step(day, at, quotes=tuple(each for each in things if isinstance(each, Quote)))
    return Step(day, at, facts=tuple(each for each in things if not isinstance(each, Quote)))


def _at(thing: Told | Quote) -> str:
    return thing.at if isinstance(thing, Quote) else ""


def _instant(day: int, micros: int, zone: ZoneInfo | None) -> str:
    midnight = datetime.combine(date.fromordinal(day), clock_time(0), zone or UTC)
    return sortable_instant(midnight + timedelta(microseconds=micros))

"""The story: what happened on a day, told from the facts and from what the engine made of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from domain.assets import Asset
from domain.days import day_of, first_long_day, iso, year_of
from domain.decisions import AlertFired, AlertRearmed
from domain.disposals import Departure, Disposal, WashMatch
from domain.entries import Entry
from domain.exact import ONE_DOLLAR, money
from domain.harvest import Opportunity, opportunities
from domain.kept_book import KeptBook
from domain.portfolio import Portfolio
from infra.demo.names import Names, amount, days_apart, ref
from infra.demo.player import REARM_RATIO, RULES
from services import statement
from services.marks import MarkBoard

WORTH_TELLING = money("1000")


@dataclass(frozen=True, slots=True)
class Line:
    """One line: the day, a word for what it is, and what happened."""

    day: str
    tag: str
    says: str


@dataclass(frozen=True, slots=True)
class Close:
    """A day's close: what selling each lot alone would allow, and what would be disallowed."""

    day: str
    harvestable: int
    blocked: int


@dataclass(slots=True)
class _New:
    """What a book has that was not told yet, in the order in which it came."""

    entries: list[Entry]
    disposals: list[Disposal]
    departures: list[Departure]
    matches: list[WashMatch]


class Narrator:
    """Follows one portfolio from day to day; `closes` is the curve of what was harvestable."""

    def __init__(self) -> None:
        self.closes: list[Close] = []
        self._seen: dict[str, tuple[int, int, int, int]] = {}
        self._today: list[Entry] = []
        self._last = 0

    def trades(self, portfolio: Portfolio, day: str) -> Iterator[Line]:
        """What the day's trades did; first, if a year ended since, how it ended."""
        number = day_of(day)
        if self._last and year_of(self._last) != year_of(number):
            yield Line(day, "year end", _year_end(portfolio, year_of(self._last)))
        fresh = [
            (entry, book, new)
            for name, book in portfolio.books.items()
            for new in [self._advance(name, book, portfolio)]
            for entry in new.entries
        ]
        fresh.sort(key=lambda each: each[0].key)
        self._today = [entry for entry, _, _ in fresh]
        names = Names(portfolio.declared)
        for entry, book, new in fresh:
            for tag, says in _told(entry, book, new, names):
                yield Line(day, tag, says)

    def close(
        self, portfolio: Portfolio, board: MarkBoard, day: str,
        crossings: Iterable[AlertFired | AlertRearmed],
    ) -> Iterator[Line]:  # fmt: skip
        """What the day's marks made of it; alerts that fired were printed by their channel."""
        number, names = day_of(day), Names(portfolio.declared)
        prices = {asset: mark.price for asset, mark in board.marks.items()}
        found = [
            one for book in portfolio.books.values() for one in opportunities(book, prices, number)
        ]
        self.closes.append(
            Close(day, sum(one.harvestable for one in found), sum(one.blocked for one in found))
        )
        for entry in self._today:
            yield from (Line(day, "blocked", says) for says in _blocks(entry, found, names))
        if self._last:
            turned = [
                one for one in found
                if one.is_long and self._last < first_long_day(one.acquired) <= number
            ]  # fmt: skip
            yield from (Line(day, "long-term", says) for says in _turned(turned, names))
        for crossing in crossings:
            if isinstance(crossing, AlertRearmed):
                yield Line(day, "re-armed", _rearmed(crossing))
        self._last = number

    def _advance(self, name: str, book: KeptBook, portfolio: Portfolio) -> _New:
        entries, matches = portfolio.entries[name], book.matches()
        a, b, c, d = self._seen.get(name, (0, 0, 0, 0))
        self._seen[name] = len(entries), len(book.disposals), len(book.departures), len(matches)
        return _New(entries[a:], book.disposals[b:], book.departures[c:], matches[d:])


def _told(entry: Entry, book: KeptBook, new: _New, names: Names) -> Iterator[tuple[str, str]]:
    """(tag, text) of one fact and of what it led to."""
    sold = [row for row in new.disposals if row.ref == entry.ref]
    if sold:
        yield "sold", _sold(entry, sold, names)
    if any(gone.ref == entry.ref for gone in new.departures):
        units = names.units(entry.quantity, entry.asset)
        yield "sold", f"{units} in {names.where(entry.account)}: an IRA has no losses to report"
    if entry.to_account is not None:
        yield (
            "moved",
            f"{names.units(entry.quantity, entry.asset)} from {names.where(entry.account)} to "
            f"{names.where(entry.to_account)}: no sale, basis and date go along",
        )
    for match in new.matches:
        if match.replacement == entry.ref or (match.loss.ref == entry.ref and sold):
            yield ("wash sale" if match.shifted else "lost"), _washed(match, names)
    if entry.kind == "buy":
        yield from (("allowed", says) for says in _bought_back(entry, book, names))


def _sold(entry: Entry, rows: list[Disposal], names: Names) -> str:
    terms: dict[tuple[bool, bool], int] = {}
    for row in rows:
        key = (row.gain < 0, row.is_long)
        terms[key] = terms.get(key, 0) + row.gain
    results = [
        f"{'long' if is_long else 'short'}-term {'loss' if lost else 'gain'} {amount(abs(gain))}"
        for (lost, is_long), gain in sorted(terms.items(), reverse=True)
    ]
    units = names.units(entry.quantity, entry.asset)
    return f"{units} in {names.where(entry.account)}: {' and '.join(results)} ({ref(entry.ref)})"


def _washed(match: WashMatch, names: Names) -> str:
    loss = match.loss
    fate = (
        "disallowed, moves into their basis" if match.shifted
        else "gone for good, an IRA has no basis to take it"
    )  # fmt: skip
    return (
        f"{names.asset(loss.asset.id)} loss {amount(match.disallowed)} "
        f"({ref(loss.ref)}) met by {names.units(match.quantity, match.asset)} bought "
        f"{days_apart(match.bought, loss.sold)} in {names.where(match.account)} "
        f"({ref(match.replacement)}): {fate}"
    )


def _bought_back(entry: Entry, book: KeptBook, names: Names) -> Iterator[str]:
    """A purchase soon after a loss that the rule does not cover."""
    kind = entry.asset.asset_class.name
    if kind in book.wash_classes(entry.day):
        return
    first = entry.day - book.policy.rules.window_days
    losses = [row for row in book.disposals if row.gain < 0 and first <= row.sold <= entry.day]
    if losses:
        total = amount(-sum(row.gain for row in losses))
        yield (
            f"{names.units(entry.quantity, entry.asset)} bought back "
            f"{days_apart(entry.day, losses[-1].sold)}: the loss {total} stands, "
            f"{kind} is not under the wash-sale rule"
        )


def _blocks(entry: Entry, found: list[Opportunity], names: Names) -> Iterator[str]:
    """A purchase that now stands between the owner and older losses."""
    behind = [one for one in found if one.blocked and one.blocked_by == entry.ref]
    loss = sum(one.blocked for one in behind)
    if loss >= WORTH_TELLING:
        assets = " and ".join(sorted({names.asset(one.lot.asset.id) for one in behind}))
        yield (
            f"{names.units(entry.quantity, entry.asset)} bought in {names.where(entry.account)}: "
            f"{amount(loss)} of older {assets} losses out of reach "
            f"until {iso(behind[0].blocked_until)}"
        )


def _turned(turned: list[Opportunity], names: Names) -> Iterator[str]:
    loss = sum(one.loss for one in turned)
    if loss >= WORTH_TELLING:
        lots: dict[str, tuple[int, Asset]] = {}
        for one in turned:
            units = lots.get(one.lot.ref, (0, one.lot.asset))[0] + one.lot.quantity
            lots[one.lot.ref] = (units, one.lot.asset)
        listed = " and ".join(
            f"{names.units(units, asset)} ({ref(lot)})" for lot, (units, asset) in lots.items()
        )
        yield f"{listed}: a year held and {amount(loss)} under water"


def _rearmed(crossing: AlertRearmed) -> str:
    level = money(dict(RULES)[crossing.rule]) * money(REARM_RATIO) // ONE_DOLLAR
    return (
        f"{crossing.rule}: {amount(money(crossing.value))} harvestable is below {amount(level)}, "
        "the rule can fire again"
    )


def _year_end(portfolio: Portfolio, year: int) -> str:
    found = [each for each in statement.years(portfolio) if each.year == year]
    if not found:
        bought = [
            entry for entries in portfolio.entries.values() for entry in entries
            if entry.kind == "buy" and year_of(entry.day) == year
        ]  # fmt: skip
        spent = amount(sum(entry.amount + entry.fee for entry in bought))
        return f"{year}: {len(bought)} purchases for {spent}, nothing sold"
    ended = found[0]
    return (
        f"{year}: short-term {amount(ended.short)}, long-term {amount(ended.long)}; "
        f"{amount(ended.deduction)} against other income, carried on "
        f"{amount(ended.carry_short)} short and {amount(ended.carry_long)} long"
    )

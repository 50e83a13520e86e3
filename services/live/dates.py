"""Days to come of one taxpayer: windows that close, lots that turn long-term, the year's end.

From the books as they stand; what falls due on which day is asked day by day.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from domain.days import day_of, iso
from domain.decisions import AlertDate
from domain.exact import format_money
from domain.lots import Lot
from domain.portfolio import Portfolio
from domain.rules.rule_set import RuleSet
from projections.schema import Piece
from projections.wash_windows import DO_NOT_BUY, DO_NOT_SELL, present, window_pieces
from services.alert_rules import LONG_TERM, SAFE_TO_BUY, WINDOW_CLOSES, YEAR_END, in_scope
from services.calendar import group_line
from services.statement import Marks
from services.trading_days import is_open, last_trading_day

LATE_DAYS = 7  # so long after its day one is still told, if nobody could be told before


class Dates:
    """The days of one taxpayer's books. Made anew when its facts change."""

    def __init__(self, portfolio: Portfolio) -> None:
        self._portfolio = portfolio

    def due(self, metric: str, scope: str, day: int, days: int, marks: Marks) -> list[AlertDate]:
        """Of a metric, each day from a week ago to `days` days ahead, as seen on a tax day.

        In order of day. The group's day is the last of all its windows, in scope or not.
        """
        first, last = iso(day - LATE_DAYS), iso(day + days)
        if metric == LONG_TERM:
            return sorted(self._lots(scope, day - LATE_DAYS, day + days, marks), key=_order)
        if metric == SAFE_TO_BUY:
            found = list(self._groups(scope, day, DO_NOT_BUY, is_last_day=False))
        else:
            assert metric == WINDOW_CLOSES
            found = [
                each
                for kind in (DO_NOT_BUY, DO_NOT_SELL)
                for each in self._groups(scope, day, kind, is_last_day=True)
            ]
        return sorted((each for each in found if first <= each.day <= last), key=_order)

    def _groups(self, scope: str, day: int, kind: str, *, is_last_day: bool) -> Iterator[AlertDate]:
        """The day of each group in scope: the last of its windows, or the first day after it.

        A group is in scope with one of its assets, or with an account that opened one of the
        windows that overlap up to that day.
        """
        for group, windows in self._windows[kind].items():
            shown = _current(windows, day)
            line = group_line(group, shown, self._held.get(group, set()))
            safe = line["safe_to_buy_from" if kind == DO_NOT_BUY else "safe_to_sell_older_from"]
            if not safe or not self._is_in(scope, group, _accounts(windows, day)):
                continue
            yield AlertDate(
                kind=kind if is_last_day else SAFE_TO_BUY,
                day=iso(day_of(safe) - 1) if is_last_day else safe,
                group=group,
                accounts=tuple(line["accounts"]),
                amount=line["loss_at_risk"] if kind == DO_NOT_BUY else "",
                because=tuple(dict.fromkeys(each["event"] for each in line["causes"])),
            )

    def _is_in(self, scope: str, group: str, accounts: Iterable[str]) -> bool:
        declared = self._portfolio.declared
        owners = [declared.account(each) for each in accounts]
        return any(
            in_scope(scope, asset, account, "")
            for asset in declared.assets.values()
            if asset.group == group
            for account in owners
        )

    def _lots(self, scope: str, first: int, last: int, marks: Marks) -> list[AlertDate]:
        """Lots of reporting accounts that turn long-term from `first` to `last`."""
        days, lots = self._turning
        pieces: dict[tuple[str, str, str, int], list[Lot]] = {}
        for at in range(bisect_left(days, first), bisect_left(days, last + 1)):
            lot = lots[at]
            if in_scope(scope, lot.asset, lot.account, lot.ref):
                key = (lot.ref, lot.account.id, lot.asset.id, lot.long_from)
                pieces.setdefault(key, []).append(lot)
        return [_of_lot(each, marks) for each in pieces.values()]

    @cached_property
    def _windows(self) -> Mapping[str, Mapping[str, list[Piece]]]:
        """Windows by kind and group, open and closed."""
        found: dict[str, dict[str, list[Piece]]] = {DO_NOT_BUY: {}, DO_NOT_SELL: {}}
        for _, book in sorted(self._portfolio.books.items()):
            for each in window_pieces(book):
                found[each["kind"]].setdefault(each["group"], []).append(each)
        return found

    @cached_property
    def _held(self) -> Mapping[str, set[str]]:
        """The facts that opened the lots still held, by group."""
        held: dict[str, set[str]] = {}
        for lot in self._open_lots():
            held.setdefault(lot.asset.group, set()).add(lot.ref)
        return held

    @cached_property
    def _turning(self) -> tuple[list[int], list[Lot]]:
        """Lots with a day on which they turn long-term, by that day; the law may know none."""
        found = [
            lot
            for lot in self._open_lots()
            if lot.account.reports and not lot.inherited and lot.long_from_text
        ]
        found.sort(key=lambda lot: (lot.long_from, lot.ref, lot.account.id, lot.serial))
        return [lot.long_from for lot in found], found

    def _open_lots(self) -> Iterator[Lot]:
        for _, book in sorted(self._portfolio.books.items()):
            yield from (lot for lot in book.open_lots() if lot.quantity)


def year_end(law: RuleSet, day: int, days: int) -> int:
    """The last trading day of a tax year, if `day` is one of the `days` trading days before it.

    Or the day itself; otherwise 0. Days on which the exchange is closed count to the next before.
    """
    end = day
    left = 0
    while law.tax_year_of(end + 1) == law.tax_year_of(day):
        end += 1
        left += is_open(law.exchange, end)
        if left > days:
            return 0
    last = last_trading_day(law.exchange, end)
    return last if day <= last else 0


def of_year(last: int, loss: int) -> AlertDate:
    """The end of a year with the harvestable loss left (10**-36)."""
    return AlertDate(kind=YEAR_END, day=iso(last), amount=format_money(loss))


def key_of(date: AlertDate) -> tuple[str, ...]:
    """What is told once: the day of a subject."""
    accounts = date.accounts if date.lot else ()
    return (date.kind, date.day, date.group, date.asset, date.lot, *accounts)


def _order(date: AlertDate) -> tuple[str, str, tuple[str, ...]]:
    return date.day, date.kind, key_of(date)


def _current(windows: list[Piece], day: int) -> list[Piece]:
    """The windows open on a day; if none is, those that closed last."""
    begun = [each for each in windows if each["on"] <= iso(day)]
    last = max((each["last_day"] for each in begun), default="")
    return present(begun, min(iso(day), last)) if begun else []


def _accounts(windows: list[Piece], day: int) -> set[str]:
    """Whose windows overlap without a gap up to the last of those begun by a day."""
    begun = sorted(
        (each for each in windows if each["on"] <= iso(day)), key=lambda each: str(each["on"])
    )
    found: set[str] = set()
    start = ""
    for each in reversed(begun):
        if start and each["safe_from"] < start:
            break
        start = each["on"]
        found.add(each["account"])
    return found


def _of_lot(pieces: list[Lot], marks: Marks) -> AlertDate:
    lot, mark = pieces[0], marks.get(pieces[0].asset.id)
    gain = ""
    if mark is not None:
        gain = format_money(sum(each.quantity * mark.price - each.basis for each in pieces))
    return AlertDate(
        kind=LONG_TERM, day=iso(lot.long_from), group=lot.asset.group, accounts=(lot.account.id,),
        asset=lot.asset.id, lot=lot.ref, amount=gain, because=(lot.ref,),
    )  # fmt: skip

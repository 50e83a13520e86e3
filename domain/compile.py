"""Facts to entries: text becomes exact integers, ids become accounts and assets.

Order of facts in one taxpayer: tax day, time, `seq`, then (for sources that give no
sequence) what comes in before what goes out, then the fact's id. All of it comes from the
facts, so the order of arrival never matters.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Protocol
from zoneinfo import ZoneInfo

from domain import facts as f
from domain.accounts import Account
from domain.assets import Asset
from domain.days import END_OF_DAY, moment_key, year_of
from domain.entries import Entry, OrderKey
from domain.exact import money, quantity

_IN, _MOVE, _OUT = 1, 2, 3


class Directory(Protocol):
    """Where ids are looked up; `asset` raises KeyError for one that was never declared.

    `wraps_are_swaps`: the owner's position is that a conversion is a taxable exchange.
    """

    zone: ZoneInfo | None
    wraps_are_swaps: bool

    def account(self, id: str) -> Account: ...
    def asset(self, id: str) -> Asset: ...


def order_key(fact: f.Fact, rank: int, ref: str, zone: ZoneInfo | None) -> OrderKey:
    """The place of a fact in its taxpayer's history."""
    day, time = moment_key(fact.effective_at, zone)
    return (day, time, fact.seq, rank, ref, 0)


def entries_of(fact: f.Fact, ref: str, names: Directory) -> list[Entry]:
    """The entries of a trade fact; raises KeyError(asset id) for an undeclared asset."""
    return _COMPILERS[type(fact)](fact, ref, names)


def _acquisition(kind: str) -> Callable[[f.Buy, str, Directory], list[Entry]]:
    def compile_one(fact: f.Buy, ref: str, names: Directory) -> list[Entry]:
        day, time = moment_key(fact.effective_at, names.zone)
        fee = getattr(fact, "fee", "0")
        return [
            Entry(
                (day, time, fact.seq, _IN, ref, 0),
                kind,
                ref,
                names.account(fact.account),
                names.asset(fact.asset),
                quantity(fact.quantity),
                money(fact.amount),
                money(fee) if fee != "0" else 0,
                fact,
            )
        ]

    return compile_one


def _disposal(kind: str) -> Callable[[f.Sell, str, Directory], list[Entry]]:
    def compile_one(fact: f.Sell, ref: str, names: Directory) -> list[Entry]:
        day, time = moment_key(fact.effective_at, names.zone)
        entry = Entry(
            (day, time, fact.seq, _OUT, ref, 0),
            kind,
            ref,
            names.account(fact.account),
            names.asset(fact.asset),
            quantity(fact.quantity),
            money(fact.amount),
            money(fact.fee) if fact.fee != "0" else 0,
            fact,
            lots=fact.lots,
        )
        if fact.withheld_from is not None:
            entry.lots = (f.LotPick(fact.withheld_from, fact.quantity),)
        return [entry]

    return compile_one


def _swap(fact: f.Swap, ref: str, names: Directory) -> list[Entry]:
    key = order_key(fact, _OUT, ref, names.zone)
    account = names.account(fact.account)
    value = money(fact.amount)
    given = Entry(
        key,
        "swap",
        ref,
        account,
        names.asset(fact.out.asset),
        quantity(fact.out.quantity),
        value,
        money(fact.fee),
        fact,
        lots=fact.lots,
    )
    received = Entry(
        (*key[:5], 1),
        "swap_in",
        ref,
        account,
        names.asset(fact.into.asset),
        quantity(fact.into.quantity),
        value,
        0,
        fact,
    )
    return [given, received]


def _transfer(fact: f.Transfer, ref: str, names: Directory) -> list[Entry]:
    return [
        Entry(
            order_key(fact, _MOVE, ref, names.zone),
            "transfer",
            ref,
            names.account(fact.from_account),
            names.asset(fact.asset),
            quantity(fact.quantity),
            money(fact.fee_amount),
            0,
            fact,
            to_account=names.account(fact.to_account),
            fee_quantity=quantity(fact.fee_quantity),
            lots=fact.lots,
        )
    ]


def _departure(kind: str) -> Callable[[f.GiftOut, str, Directory], list[Entry]]:
    def compile_one(fact: f.GiftOut, ref: str, names: Directory) -> list[Entry]:
        return [
            Entry(
                order_key(fact, _OUT, ref, names.zone),
                kind,
                ref,
                names.account(fact.account),
                names.asset(fact.asset),
                quantity(fact.quantity),
                money(getattr(fact, "amount", "0")),
                money(getattr(fact, "fee", "0")),
                fact,
                lots=getattr(fact, "lots", ()),
            )
        ]

    return compile_one


def _split(fact: f.Split, ref: str, names: Directory) -> list[Entry]:
    return [
        Entry(
            order_key(fact, 0, ref, names.zone),
            "split",
            ref,
            names.account(""),
            names.asset(fact.asset),
            quantity(fact.numerator),
            0,
            0,
            fact,
            to_quantity=quantity(fact.denominator),
        )
    ]


def _return_of_capital(fact: f.ReturnOfCapital, ref: str, names: Directory) -> list[Entry]:
    return [
        Entry(
            order_key(fact, _MOVE, ref, names.zone),
            "return_of_capital",
            ref,
            names.account(fact.account),
            names.asset(fact.asset),
            0,
            money(fact.amount),
            0,
            fact,
        )
    ]


def _convert(fact: f.Convert, ref: str, names: Directory) -> list[Entry]:
    if names.wraps_are_swaps and fact.amount is not None:
        swap = f.Swap(
            effective_at=fact.effective_at, seq=fact.seq, account=fact.account, out=fact.out,
            into=fact.into, amount=fact.amount,
        )  # fmt: skip
        return _swap(swap, ref, names)
    return [
        Entry(
            order_key(fact, _MOVE, ref, names.zone),
            "unvalued_wrap" if names.wraps_are_swaps else "convert",
            ref,
            names.account(fact.account),
            names.asset(fact.out.asset),
            quantity(fact.out.quantity),
            0,
            0,
            fact,
            to_asset=names.asset(fact.into.asset),
            to_quantity=quantity(fact.into.quantity),
        )
    ]


def _worthless(fact: f.Worthless, ref: str, names: Directory) -> list[Entry]:
    """Counts at the end of its year's last day (IRC 165(g)(1))."""
    day, _ = moment_key(fact.effective_at, names.zone)
    last_day = date(year_of(day), 12, 31).toordinal()
    return [
        Entry(
            (last_day, END_OF_DAY, fact.seq, _OUT, ref, 0),
            "worthless",
            ref,
            names.account(fact.account),
            names.asset(fact.asset),
            0,
            0,
            0,
            fact,
        )
    ]


def _option_exercise(fact: f.OptionExercise, ref: str, names: Directory) -> list[Entry]:
    return [
        Entry(
            order_key(fact, _OUT, ref, names.zone),
            "option_exercise",
            ref,
            names.account(fact.account),
            names.asset(fact.asset),
            quantity(fact.quantity),
            money(fact.amount),
            money(fact.fee),
            fact,
            to_asset=names.asset(fact.underlying),
            to_quantity=quantity(fact.underlying_quantity),
        )
    ]


def _basis_allocation(fact: f.BasisAllocation, ref: str, names: Directory) -> list[Entry]:
    """Comes before whatever else happened at its moment."""
    key = order_key(fact, 0, ref, names.zone)
    asset = names.asset(fact.asset)
    return [Entry(key, "basis_allocation", ref, names.account(""), asset, 0, 0, 0, fact)]


_COMPILERS: dict[type[f.Fact], Callable[..., list[Entry]]] = {
    f.Buy: _acquisition("buy"),
    f.Income: _acquisition("income"),
    f.GiftIn: _acquisition("gift_in"),
    f.Inherit: _acquisition("inherit"),
    f.Sell: _disposal("sell"),
    f.Spend: _disposal("spend"),
    f.Swap: _swap,
    f.Transfer: _transfer,
    f.GiftOut: _departure("gift_out"),
    f.Abandon: _departure("abandon"),
    f.Split: _split,
    f.ReturnOfCapital: _return_of_capital,
    f.Convert: _convert,
    f.Worthless: _worthless,
    f.OptionExercise: _option_exercise,
    f.OptionExpire: _departure("option_expire"),
    f.ShortOpen: _departure("short_open"),
    f.ShortClose: _departure("short_close"),
    f.BasisAllocation: _basis_allocation,
}

"""Facts to entries: every kind of fact, with its place in the day and its exact integers.

A day's order: what applies to all units (splits, allocations), then what comes in, then what
moves, then what goes out, then the fact's id; the leg received after the leg given.
"""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain import facts as f
from domain.accounts import Account
from domain.assets import Asset, asset_class
from domain.compile import entries_of
from domain.days import day_of
from domain.entries import Entry
from domain.exact import money, quantity

AT = "2025-03-02T03:00:00Z"  # 1 March, 22:00, in New York
DAY, TIME, SEQ = day_of("2025-03-01"), 22 * 3600 * 1_000_000, 7
ALL, IN, MOVE, OUT = 0, 1, 2, 3
PICKS = (f.LotPick("b1", "2"),)


class Names:
    """A directory that knows every account and asset by its id."""

    def __init__(self, *, wraps_are_swaps: bool = False) -> None:
        self.zone: ZoneInfo | None = ZoneInfo("America/New_York")
        self.wraps_are_swaps = wraps_are_swaps

    def account(self, id: str) -> Account:
        return Account(id)

    def asset(self, id: str) -> Asset:
        return Asset(id, asset_class("stock"), id)


def read(fact: f.Fact, *, wraps_are_swaps: bool = False) -> list[Entry]:
    return entries_of(fact, "ref", Names(wraps_are_swaps=wraps_are_swaps))


def told(entry: Entry) -> dict[str, Any]:
    """An entry without its fact, accounts and assets by their ids; fields left out are empty."""
    fields = {
        "key": entry.key, "kind": entry.kind, "ref": entry.ref, "account": entry.account.id,
        "asset": entry.asset.id, "quantity": entry.quantity, "amount": entry.amount,
        "fee": entry.fee, "fee_quantity": entry.fee_quantity, "lots": entry.lots,
        "to_account": entry.to_account and entry.to_account.id,
        "to_asset": entry.to_asset and entry.to_asset.id, "to_quantity": entry.to_quantity,
    }  # fmt: skip
    assert all(type(fields[name]) is int for name in ("quantity", "amount", "fee", "to_quantity"))
    return {name: value for name, value in fields.items() if value not in (None, 0, ())}


def key(rank: int, leg: int = 0) -> tuple[int, int, int, int, str, int]:
    return (DAY, TIME, SEQ, rank, "ref", leg)


def made(kind: str, rank: int, **more: Any) -> dict[str, Any]:
    return {"key": key(rank), "kind": kind, "ref": "ref", "account": "A", "asset": "X"} | more


TEN = {"quantity": quantity("10")}
WORTH = {"amount": money("500")}
FEE = {"fee": money("3")}


def stated(kind: type[f.Fact], **fields: str | tuple[f.LotPick, ...]) -> f.Fact:
    """A fact about ten X in account A unless said otherwise."""
    known = set(kind.__struct_fields__)
    usual = {"account": "A", "asset": "X", "quantity": "10", "amount": "500", "fee": "3"}
    given = {name: value for name, value in usual.items() if name in known} | fields
    return kind(effective_at=AT, seq=SEQ, **given)


ONE_ENTRY: list[tuple[f.Fact, dict[str, Any]]] = [
    (stated(f.Buy), made("buy", IN, **TEN, **WORTH, **FEE)),
    (stated(f.Buy, fee="0"), made("buy", IN, **TEN, **WORTH)),
    (stated(f.Income), made("income", IN, **TEN, **WORTH)),
    (stated(f.GiftIn), made("gift_in", IN, **TEN, **WORTH)),
    (stated(f.Inherit), made("inherit", IN, **TEN, **WORTH)),
    (stated(f.Sell, lots=PICKS), made("sell", OUT, **TEN, **WORTH, **FEE, lots=PICKS)),
    (stated(f.Sell, fee="0"), made("sell", OUT, **TEN, **WORTH)),
    (stated(f.Sell, withheld_from="b9"),
     made("sell", OUT, **TEN, **WORTH, **FEE, lots=(f.LotPick("b9", "10"),))),
    (stated(f.Spend), made("spend", OUT, **TEN, **WORTH, **FEE)),
    (stated(f.GiftOut, lots=PICKS), made("gift_out", OUT, **TEN, lots=PICKS)),
    (stated(f.Abandon), made("abandon", OUT, **TEN)),
    (stated(f.OptionExpire), made("option_expire", OUT, **TEN)),
    (stated(f.ShortOpen), made("short_open", OUT, **TEN, **WORTH, **FEE)),
    (stated(f.ShortClose, opens="s1", lots=PICKS),
     made("short_close", OUT, **TEN, **FEE, lots=PICKS)),
    (stated(f.OptionExercise, underlying="Y", underlying_quantity="1000"),
     made("option_exercise", OUT, **TEN, **WORTH, **FEE, to_asset="Y",
          to_quantity=quantity("1000"))),
    (stated(f.ReturnOfCapital), made("return_of_capital", MOVE, **WORTH)),
    (stated(f.Transfer, from_account="A", to_account="B", fee_quantity="0.5", fee_amount="20",
            lots=PICKS),
     made("transfer", MOVE, **TEN, amount=money("20"), to_account="B",
          fee_quantity=quantity("0.5"), lots=PICKS)),
    (stated(f.Split, numerator="3", denominator="2"),
     made("split", ALL, account="", quantity=quantity("3"), to_quantity=quantity("2"))),
    (f.BasisAllocation(effective_at=AT, seq=SEQ, asset="X", method="specific", allocations=()),
     made("basis_allocation", ALL, account="")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("fact", "entry"), ONE_ENTRY, ids=[f"{n}-{e['kind']}" for n, (_, e) in enumerate(ONE_ENTRY)]
)
def test_a_fact_becomes_one_entry(fact: f.Fact, entry: dict[str, Any]) -> None:
    (found,) = read(fact)
    assert told(found) == entry
    assert found.fact is fact


GIVEN = {"quantity": quantity("10"), "amount": money("500")}
RECEIVED = {"asset": "Y", "quantity": quantity("4"), "amount": money("500")}
GIVES, GETS = f.Leg("X", "10"), f.Leg("Y", "4")


def test_a_swap_is_a_sale_and_then_a_purchase_at_the_same_value() -> None:
    swap = f.Swap(
        effective_at=AT, seq=SEQ, account="A", out=GIVES, into=GETS, amount="500", fee="3",
        lots=PICKS,
    )  # fmt: skip
    given, received = read(swap)
    assert told(given) == made("swap", OUT, **GIVEN, **FEE, lots=PICKS)
    assert told(received) == made("swap_in", OUT, **RECEIVED) | {"key": key(OUT, 1)}
    assert given.fact is received.fact is swap


def wrap(amount: str | None) -> f.Convert:
    return f.Convert(effective_at=AT, seq=SEQ, account="A", out=GIVES, into=GETS, amount=amount)


@pytest.mark.parametrize(
    ("amount", "wraps_are_swaps", "kind"),
    [("500", False, "convert"), (None, False, "convert"), (None, True, "unvalued_wrap")],
)
def test_a_conversion_keeps_its_basis(amount: str | None, wraps_are_swaps: bool, kind: str) -> None:
    fact = wrap(amount)
    (found,) = read(fact, wraps_are_swaps=wraps_are_swaps)
    assert told(found) == made(kind, MOVE, **TEN, to_asset="Y", to_quantity=quantity("4"))
    assert found.fact is fact


def test_by_position_a_conversion_with_a_value_is_a_swap() -> None:
    given, received = read(wrap("500"), wraps_are_swaps=True)
    assert told(given) == made("swap", OUT, **GIVEN)
    assert told(received) == made("swap_in", OUT, **RECEIVED) | {"key": key(OUT, 1)}


@pytest.mark.parametrize(
    ("at", "year"),
    [("2025-03-02", 2025), ("2026-01-01T03:00:00Z", 2025), ("2026-01-01T05:00:00Z", 2026)],
)
def test_what_became_worthless_counts_at_the_end_of_its_year_at_home(at: str, year: int) -> None:
    """IRC 165(g)(1); 03:00 UTC on New Year's Day is the evening before in New York."""
    fact = f.Worthless(effective_at=at, seq=SEQ, account="A", asset="X")
    (found,) = read(fact)
    last = day_of(f"{year}-12-31")
    assert found.key[0] == last
    assert found.key[1] > TIME
    assert found.key[2:] == (SEQ, OUT, "ref", 0)
    assert told(found) == made("worthless", OUT) | {"key": found.key}
    assert found.fact is fact

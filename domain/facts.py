"""Every fact that the ledger can hold: what happened outside, and what the owner decided.

A fact's NAME is its stored name and never changes; neither do its fields. A changed shape
gets an entry in UPCASTERS (a function from the old dict to the new one) and a golden file.
Amounts are plain decimal text in the taxpayer's currency, quantities are units of the asset,
moments are as `domain.days.check_moment` returns them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]


class LotPick(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Units identified for a disposal or transfer: `lot` is the id of the fact that created it."""

    lot: str
    quantity: str


class Leg(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One side of a swap or conversion."""

    asset: str
    quantity: str


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """A thing that happened at `effective_at`; `seq` orders facts of one instant."""

    UPCASTERS: ClassVar[tuple[Upcaster, ...]] = ()

    effective_at: str
    seq: int = 0


class Buy(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="buy"):
    """Bought `quantity` for `amount` plus `fee` (basis is both: Reg. 1.1012-1(a))."""

    account: str
    asset: str
    quantity: str
    amount: str
    fee: str = "0"
    reinvested: bool = False


class Sell(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="sell"):
    """Sold `quantity` for `amount` less `fee`; `lots` if units were identified."""

    account: str
    asset: str
    quantity: str
    amount: str
    fee: str = "0"
    lots: tuple[LotPick, ...] = ()
    identified_at: str | None = None
    identified_to: str | None = None
    withheld_from: str | None = None


class Spend(Sell, frozen=True, kw_only=True, omit_defaults=True, tag="spend"):
    """Gave `quantity` for goods, services or a fee worth `amount` (a disposal: Notice 2014-21)."""


class Swap(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="swap"):
    """Exchanged `out` for `into`; `amount` is the fair market value received."""

    account: str
    out: Leg
    into: Leg
    amount: str
    fee: str = "0"
    lots: tuple[LotPick, ...] = ()
    identified_at: str | None = None
    identified_to: str | None = None


class Income(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="income"):
    """Received units as ordinary income worth `amount` (staking, airdrop, pay, dividend)."""

    account: str
    asset: str
    quantity: str
    amount: str
    kind: str = "other"


class Transfer(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="transfer"):
    """Moved units between own accounts; `quantity` arrives, `fee_quantity` pays the network.

    `fee` is a cash charge: kept as said, it changes neither basis nor date.
    """

    from_account: str
    to_account: str
    asset: str
    quantity: str
    fee_quantity: str = "0"
    fee_amount: str = "0"
    fee: str = "0"
    lots: tuple[LotPick, ...] = ()
    identified_at: str | None = None
    identified_to: str | None = None


class GiftIn(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="gift_in"):
    """Received as a gift worth `amount` that day, with the donor's basis and date if known."""

    account: str
    asset: str
    quantity: str
    amount: str
    donor_basis: str = "0"
    donor_acquired: str | None = None


class Inherit(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="inherit"):
    """Inherited units worth `amount` at death (IRC 1014, 1223(9))."""

    account: str
    asset: str
    quantity: str
    amount: str


class GiftOut(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="gift_out"):
    """Gave units away: no disposal for the giver."""

    account: str
    asset: str
    quantity: str
    lots: tuple[LotPick, ...] = ()


class Split(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="split"):
    """`numerator` new units for `denominator` old ones, in every account."""

    asset: str
    numerator: str
    denominator: str


class ReturnOfCapital(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="return_of_capital"):
    """A nondividend distribution of `amount` on all units held in the account."""

    account: str
    asset: str
    amount: str


class Convert(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="convert"):
    """A redenomination or wrap: basis and dates stay, unless the owner's position is a swap.

    `amount` is the fair market value received, which that position needs.
    """

    account: str
    out: Leg
    into: Leg
    amount: str | None = None


class Abandon(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="abandon"):
    """Burned or abandoned units: nothing is deductible (CCA 202302011)."""

    account: str
    asset: str
    quantity: str
    how: str = ""


class Worthless(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="worthless"):
    """The asset became worthless: a security counts as sold for 0 on 31 December (IRC 165(g))."""

    account: str
    asset: str


class OptionExercise(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="option_exercise"):
    """Exercised an option into `underlying_quantity` of `underlying` for `amount` plus `fee`."""

    account: str
    asset: str
    quantity: str
    underlying: str
    underlying_quantity: str
    amount: str
    fee: str = "0"


class OptionExpire(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="option_expire"):
    """An option ran out unused."""

    account: str
    asset: str
    quantity: str


class ShortOpen(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="short_open"):
    """Sold borrowed units for `amount` less `fee`."""

    account: str
    asset: str
    quantity: str
    amount: str
    fee: str = "0"


class ShortClose(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="short_close"):
    """Delivered units to close the short sale `opens`; `fee` is a cost of the sale."""

    account: str
    asset: str
    quantity: str
    opens: str
    lots: tuple[LotPick, ...] = ()
    fee: str = "0"


class AllocatedLot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Units of basis assigned to one wallet under Rev. Proc. 2024-28."""

    account: str
    lot: str
    quantity: str


class BasisAllocation(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="basis_allocation"):
    """Allocation of unused basis to wallets on 1 January 2025 (Rev. Proc. 2024-28)."""

    asset: str
    method: str
    allocations: tuple[AllocatedLot, ...]

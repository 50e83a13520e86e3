"""Trade events as JSON objects: one pydantic model a type, decimals as text.

`date` with an optional `time` is the taxpayer's local day; `ts` is a UTC instant.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AliasChoices, Field

from domain import facts as f
from domain.days import check_moment
from domain.errors import InvalidText
from infra.sources.wire import Amount, Day, Moment, Name, Quantity, Refusal, Text, Units, Wire


class Pick(Wire):
    lot: Name
    qty: Quantity

    def pick(self) -> f.LotPick:
        return f.LotPick(self.lot, self.qty)


class LegModel(Wire):
    asset: Name
    qty: Quantity

    def leg(self) -> f.Leg:
        return f.Leg(self.asset, self.qty)


class EventModel(Wire):
    """What every event has. `effective_at` is an alternative spelling of date, time and ts."""

    id: Name
    source: Name | None = None
    date: Day | None = None
    time: Text | None = None
    ts: Moment | None = None
    effective_at: Moment | None = None
    seq: int = 0
    recorded: Day | None = None
    tx_hash: Text | None = None

    def moment(self) -> str:
        """The event's moment as facts hold it; raises Refusal if none or two are given."""
        given = self.date or self.ts or self.effective_at
        missing = (self.date, self.ts, self.effective_at).count(None)
        if given is None or missing != 2:
            raise Refusal("date", f"{3 - missing} of date, ts, effective_at", "give exactly one")
        if self.date is not None and self.time is not None:
            try:
                return check_moment(f"{self.date}T{self.time}", "time")
            except InvalidText as bad:
                raise Refusal("time", f"{self.time!r} is not valid", "write 15:04:05") from bad
        return given

    def common(self) -> dict[str, Any]:
        return {"effective_at": self.moment(), "seq": self.seq}

    def fact(self) -> f.Fact:
        raise NotImplementedError


class Trading(EventModel):
    account: Name
    asset: Name
    qty: Quantity

    def common(self) -> dict[str, Any]:
        return {
            "effective_at": self.moment(),
            "seq": self.seq,
            "account": self.account,
            "asset": self.asset,
            "quantity": self.qty,
        }


class BuyModel(Trading):
    type: Literal["buy"]
    amount: Amount
    fee: Amount = "0"
    reinvest: bool = False

    def fact(self) -> f.Fact:
        # Spelled out, as in a sale: most events are one or the other.
        return f.Buy(
            effective_at=self.moment(), seq=self.seq, account=self.account, asset=self.asset,
            quantity=self.qty, amount=self.amount, fee=self.fee, reinvested=self.reinvest,
        )  # fmt: skip


class Identifying(Wire):
    lots: tuple[Pick, ...] = ()
    identified_at: Moment | None = None
    identified_to: Literal["broker", "books"] | None = None

    def identified(self) -> dict[str, Any]:
        return {
            "lots": tuple(pick.pick() for pick in self.lots),
            "identified_at": self.identified_at,
            "identified_to": self.identified_to,
        }


class SellModel(Trading, Identifying):
    type: Literal["sell", "spend"]
    amount: Amount
    fee: Amount = "0"
    withheld_from: Name | None = None

    def fact(self) -> f.Fact:
        kind = f.Sell if self.type == "sell" else f.Spend
        return kind(
            effective_at=self.moment(), seq=self.seq, account=self.account, asset=self.asset,
            quantity=self.qty, amount=self.amount, fee=self.fee,
            lots=tuple(map(Pick.pick, self.lots)), identified_at=self.identified_at,
            identified_to=self.identified_to, withheld_from=self.withheld_from,
        )  # fmt: skip


class SwapModel(EventModel, Identifying):
    type: Literal["swap"]
    account: Name
    out: LegModel
    into: LegModel = Field(validation_alias=AliasChoices("in", "into"))
    amount: Amount
    fee: Amount = "0"

    def fact(self) -> f.Fact:
        return f.Swap(
            **self.common(),
            **self.identified(),
            account=self.account,
            out=self.out.leg(),
            into=self.into.leg(),
            amount=self.amount,
            fee=self.fee,
        )


class IncomeModel(Trading):
    type: Literal["income"]
    amount: Amount
    kind: Text = "other"

    def fact(self) -> f.Fact:
        return f.Income(**self.common(), amount=self.amount, kind=self.kind)


class TransferModel(EventModel, Identifying):
    type: Literal["transfer"]
    from_account: Name = Field(validation_alias=AliasChoices("from", "from_account"))
    to_account: Name = Field(validation_alias=AliasChoices("to", "to_account"))
    asset: Name
    qty: Quantity
    fee_qty: Units = "0"
    fee_amount: Amount = "0"

    def fact(self) -> f.Fact:
        return f.Transfer(
            **self.common(),
            **self.identified(),
            from_account=self.from_account,
            to_account=self.to_account,
            asset=self.asset,
            quantity=self.qty,
            fee_quantity=self.fee_qty,
            fee_amount=self.fee_amount,
        )


class GiftInModel(Trading):
    type: Literal["gift_in"]
    amount: Amount
    donor_basis: Amount = "0"
    donor_acquired: Day | None = None

    def fact(self) -> f.Fact:
        return f.GiftIn(
            **self.common(),
            amount=self.amount,
            donor_basis=self.donor_basis,
            donor_acquired=self.donor_acquired,
        )


class InheritModel(Trading):
    type: Literal["inherit"]
    amount: Amount

    def fact(self) -> f.Fact:
        return f.Inherit(**self.common(), amount=self.amount)


class GiftOutModel(Trading):
    type: Literal["gift_out"]
    lots: tuple[Pick, ...] = ()

    def fact(self) -> f.Fact:
        return f.GiftOut(**self.common(), lots=tuple(pick.pick() for pick in self.lots))

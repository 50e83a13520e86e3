"""Corporate actions, options, shorts and allocations as JSON objects; the union of all trades."""

from __future__ import annotations

from typing import Literal

from pydantic import AliasChoices, Field

from domain import facts as f
from infra.sources.trade_models import (
    BuyModel,
    EventModel,
    GiftInModel,
    GiftOutModel,
    IncomeModel,
    InheritModel,
    LegModel,
    Pick,
    SellModel,
    SwapModel,
    Trading,
    TransferModel,
)
from infra.sources.wire import Amount, Name, Quantity, Text, Wire


class SplitModel(EventModel):
    type: Literal["split"]
    asset: Name
    num: Quantity
    den: Quantity

    def fact(self) -> f.Fact:
        return f.Split(**self.common(), asset=self.asset, numerator=self.num, denominator=self.den)


class ReturnOfCapitalModel(EventModel):
    type: Literal["return_of_capital"]
    account: Name
    asset: Name
    amount: Amount

    def fact(self) -> f.Fact:
        return f.ReturnOfCapital(
            **self.common(), account=self.account, asset=self.asset, amount=self.amount
        )


class ConvertModel(EventModel):
    type: Literal["convert"]
    account: Name
    out: LegModel
    into: LegModel = Field(validation_alias=AliasChoices("in", "into"))
    amount: Amount | None = None

    def fact(self) -> f.Fact:
        return f.Convert(
            **self.common(),
            account=self.account,
            out=self.out.leg(),
            into=self.into.leg(),
            amount=self.amount,
        )


class AbandonModel(Trading):
    type: Literal["abandon"]
    how: Text = ""

    def fact(self) -> f.Fact:
        return f.Abandon(**self.common(), how=self.how)


class WorthlessModel(EventModel):
    type: Literal["worthless"]
    account: Name
    asset: Name

    def fact(self) -> f.Fact:
        return f.Worthless(**self.common(), account=self.account, asset=self.asset)


class OptionExerciseModel(Trading):
    type: Literal["option_exercise"]
    underlying: Name
    underlying_qty: Quantity
    amount: Amount
    fee: Amount = "0"

    def fact(self) -> f.Fact:
        return f.OptionExercise(
            **self.common(),
            underlying=self.underlying,
            amount=self.amount,
            fee=self.fee,
            underlying_quantity=self.underlying_qty,
        )


class OptionExpireModel(Trading):
    type: Literal["option_expire"]

    def fact(self) -> f.Fact:
        return f.OptionExpire(**self.common())


class ShortOpenModel(Trading):
    type: Literal["short_open"]
    amount: Amount
    fee: Amount = "0"

    def fact(self) -> f.Fact:
        return f.ShortOpen(**self.common(), amount=self.amount, fee=self.fee)


class ShortCloseModel(Trading):
    type: Literal["short_close"]
    opens: Name
    lots: tuple[Pick, ...] = ()
    fee: Amount = "0"

    def fact(self) -> f.Fact:
        lots = tuple(pick.pick() for pick in self.lots)
        return f.ShortClose(**self.common(), opens=self.opens, lots=lots, fee=self.fee)


class AllocatedModel(Wire):
    account: Name
    lot: Name
    qty: Quantity


class BasisAllocationModel(EventModel):
    type: Literal["basis_allocation"]
    asset: Name
    method: Text
    allocations: tuple[AllocatedModel, ...] = ()

    def fact(self) -> f.Fact:
        rows = tuple(f.AllocatedLot(row.account, row.lot, row.qty) for row in self.allocations)
        return f.BasisAllocation(
            **self.common(), asset=self.asset, method=self.method, allocations=rows
        )


TradeModel = (
    BuyModel
    | SellModel
    | SwapModel
    | IncomeModel
    | TransferModel
    | GiftInModel
    | InheritModel
    | GiftOutModel
    | SplitModel
    | ReturnOfCapitalModel
    | ConvertModel
    | AbandonModel
    | WorthlessModel
    | OptionExerciseModel
    | OptionExpireModel
    | ShortOpenModel
    | ShortCloseModel
    | BasisAllocationModel
)

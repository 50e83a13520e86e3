"""Lines of the neutral CSV files as facts and marks: trades, accounts, assets, prices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from domain import facts as f
from domain.assets import ASSET_CLASSES, Asset
from domain.decisions import AccountDeclared, AssetDeclared
from domain.errors import InvalidText
from domain.exact import MONEY_PLACES, check, times
from infra.sources.csv_lines import Line
from infra.sources.wire import (
    AmountShape,
    Day,
    Name,
    NumberShape,
    Quantity,
    Refusal,
    Text,
    Units,
    moment_text,
    refusal,
)
from services.ingest import Row
from services.ledger import Offer
from services.marks import Quote
from services.quarantine import BadRow

START = "0001-01-01"
_KINDS = {
    "taxable": ("taxable", "broker"), "broker": ("taxable", "broker"),
    "exchange": ("taxable", "broker"), "wallet": ("taxable", "self"),
    "self_custody": ("taxable", "self"), "ira": ("ira", "broker"),
    "roth_ira": ("roth_ira", "broker"), "401k": ("401k", "broker"), "hsa": ("hsa", "broker"),
}  # fmt: skip


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TradeRow(_Row):
    """One trade as its columns say; empty cells are left out before. Shapes only."""

    event_id: Name
    ts: Name
    type: Literal["BUY", "SELL", "TRANSFER"]
    account: Name
    asset: Name
    qty: NumberShape
    seq: str = "0"
    to_account: Name | None = None
    asset_class: Name | None = None
    group: Name | None = None
    unit_price: NumberShape | None = None
    fee: AmountShape = "0"
    currency: Name = "USD"


class AccountRow(_Row):
    account: Name
    kind: Name = "taxable"
    owner: Literal["self", "spouse", "entity"] = "self"
    custody: Literal["broker", "self"] | None = None


class AssetRow(_Row):
    asset: Name
    asset_class: Name
    group: Name | None = None
    ratio: Quantity = "1"
    collectible: Literal["true", "false"] = "false"
    name: Text = ""


class PriceRow(_Row):
    date: Day
    asset: Name
    price: Units
    currency: Literal["USD"] = "USD"
    source: Name = "prices.csv"


class TradeReader:
    """Turns trade lines into rows for the ledger. `known` are the assets declared so far."""

    def __init__(
        self, taxpayer: str, source: str, known: Mapping[str, Asset], currency: str
    ) -> None:
        self._taxpayer = taxpayer
        self._source = source
        self._currency = currency
        self._known = {name: (asset.asset_class.name, asset.group) for name, asset in known.items()}

    def row(self, line: Line, origin: str) -> Row | BadRow:
        """The facts of one line, or why it was refused."""
        try:
            trade = TradeRow.model_validate(line.values)
            offer = self._offer(trade, origin, line.number)
            offers = (*self._declaration(trade, origin, line.number), offer)
        except ValidationError as error:
            refused = refusal(error)
        except Refusal as error:
            refused = error
        else:
            return Row(offers, origin, line)
        return line.bad(origin, refused.field, refused.reason, refused.remedy)

    def _declaration(self, trade: TradeRow, origin: str, number: int) -> tuple[Offer, ...]:
        """The asset's declaration if the row is the first to name it."""
        known = self._known.get(trade.asset)
        if known is not None:
            _agree("asset_class", trade.asset_class, known[0], trade.asset)
            return ()
        if trade.asset_class is None:
            raise Refusal(
                "asset_class", f"missing, and asset {trade.asset} is not declared",
                "fill the column in or import an assets.csv",
            )  # fmt: skip
        _check_class(trade.asset_class)
        group = trade.group or trade.asset
        self._known[trade.asset] = (trade.asset_class, group)
        fact = AssetDeclared(
            effective_at=START, asset=trade.asset, asset_class=trade.asset_class, group=group
        )
        return (_declared(self._taxpayer, f"asset/{trade.asset}", fact, origin, number),)

    def _offer(self, trade: TradeRow, origin: str, number: int) -> Offer:
        fact = _FACTS[trade.type](trade, _exact(trade))
        if trade.currency != self._currency:
            raise Refusal(
                "currency", f"{trade.currency} is not the ledger's {self._currency}",
                f"convert the amounts to {self._currency} at the day's rate",
            )  # fmt: skip
        return Offer(self._taxpayer, self._source, trade.event_id, fact, f"{origin} row {number}")


def account_row(line: Line, origin: str, taxpayer: str) -> Row | BadRow:
    """An accounts.csv line as a declaration."""

    def fact(cells: dict[str, str]) -> tuple[str, AccountDeclared]:
        row = AccountRow.model_validate(cells)
        if row.kind not in _KINDS:
            raise Refusal("kind", f"{row.kind!r} is unknown", f"use one of {', '.join(_KINDS)}")
        kind, custody = _KINDS[row.kind]
        return f"account/{row.account}", AccountDeclared(
            effective_at=START, account=row.account, kind=kind, owner=row.owner,
            custody=row.custody or custody,
        )  # fmt: skip

    return _declaration_row(line, origin, taxpayer, fact)


def asset_row(line: Line, origin: str, taxpayer: str) -> Row | BadRow:
    """An assets.csv line as a declaration."""

    def fact(cells: dict[str, str]) -> tuple[str, AssetDeclared]:
        row = AssetRow.model_validate(cells)
        _check_class(row.asset_class)
        return f"asset/{row.asset}", AssetDeclared(
            effective_at=START, asset=row.asset, asset_class=row.asset_class,
            group=row.group or row.asset, ratio=row.ratio,
            collectible=row.collectible == "true", title=row.name,
        )  # fmt: skip

    return _declaration_row(line, origin, taxpayer, fact)


def price_quote(line: Line, origin: str) -> Quote | BadRow:
    """A prices.csv line as the mark of the end of that day."""
    try:
        row = PriceRow.model_validate(line.values)
    except ValidationError as error:
        refused = refusal(error)
        return line.bad(origin, refused.field, refused.reason, refused.remedy)
    at = f"{row.date}T23:59:59.000000Z"
    return Quote(row.asset, row.price, at, row.currency, row.source, "close")


def _declaration_row(
    line: Line,
    origin: str,
    taxpayer: str,
    fact_of: Callable[[dict[str, str]], tuple[str, AccountDeclared | AssetDeclared]],
) -> Row | BadRow:
    try:
        name, fact = fact_of(line.values)
    except ValidationError as error:
        refused = refusal(error)
    except Refusal as error:
        refused = error
    else:
        return Row((_declared(taxpayer, name, fact, origin, line.number),), origin, line)
    return line.bad(origin, refused.field, refused.reason, refused.remedy)


def _declared(
    taxpayer: str, name: str, fact: AccountDeclared | AssetDeclared, origin: str, number: int
) -> Offer:
    return Offer(taxpayer, "declared", name, fact, f"{origin} row {number}")


def _exact(trade: TradeRow) -> dict[str, Any]:
    """The fields that every trade fact has, in canonical form. Raises Refusal."""
    quantity = check(trade.qty, "qty")
    if quantity == "0":
        raise Refusal("qty", "is zero", "write a quantity above zero")
    return {
        "effective_at": _instant(trade.ts),
        "seq": _sequence(trade.seq),
        "asset": trade.asset,
        "quantity": quantity,
        "fee": check(trade.fee, "fee", MONEY_PLACES),
    }


def _buy(trade: TradeRow, exact: dict[str, Any]) -> f.Fact:
    amount = times(_price(trade), exact["quantity"])
    return f.Buy(account=trade.account, amount=amount, **exact)


def _sell(trade: TradeRow, exact: dict[str, Any]) -> f.Fact:
    amount = times(_price(trade), exact["quantity"])
    return f.Sell(account=trade.account, amount=amount, **exact)


def _transfer(trade: TradeRow, exact: dict[str, Any]) -> f.Fact:
    if trade.to_account is None:
        raise Refusal("to_account", "missing on a TRANSFER", "name the receiving account")
    if trade.to_account == trade.account:
        raise Refusal("to_account", "equals account", "name another account")
    return f.Transfer(from_account=trade.account, to_account=trade.to_account, **exact)


_FACTS: dict[str, Callable[[TradeRow, dict[str, Any]], f.Fact]] = {
    "BUY": _buy,
    "SELL": _sell,
    "TRANSFER": _transfer,
}


def _instant(ts: str) -> str:
    """The column is UTC by definition, so a time without a zone is one in UTC."""
    try:
        moment = moment_text(ts)
    except InvalidText as error:
        raise Refusal("ts", f"{ts!r} is not valid", error.remedy) from None
    return f"{moment}Z" if "T" in moment and moment[-1] != "Z" else moment


def _price(trade: TradeRow) -> str:
    if trade.unit_price is None:
        raise Refusal("unit_price", f"missing on a {trade.type}", "give the price of one unit")
    return trade.unit_price


def _sequence(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise Refusal("seq", f"{text!r} is not a whole number", "use 0, 1, 2, ...")
    return int(text)


def _check_class(name: str) -> None:
    if name not in ASSET_CLASSES:
        raise Refusal("asset_class", f"{name!r} is unknown", f"use {', '.join(ASSET_CLASSES)}")


def _agree(field: str, said: str | None, known: str, asset: str) -> None:
    if said is not None and said != known:
        raise Refusal(
            field, f"{said!r}, but asset {asset} is declared as {known!r}",
            "correct the row, or declare the asset anew with an assets.csv",
        )  # fmt: skip

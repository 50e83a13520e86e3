"""Messages of facts read from bytes in one pass: fills, which are nearly all there are, and others.

What is taken here in strict mode means the same to FactMessage and the data's own model. They also
take what is spelled otherwise, and have the words of each refusal. Of a name told twice the last
counts here, so a number that is told anew as text is not refused (decision 0025).

Plain dataclasses, since an instance of a pydantic model takes twice the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter, with_config

from domain import facts as f
from infra.sources.fact_json import PlainEvent
from infra.sources.json_lines import fact_of
from infra.sources.wire import CALENDAR_SHAPE, Amount, Moment, Name, Quantity, Text
from services.ledger import ID_SHAPE

_Id = Annotated[str, StringConstraints(strict=True, pattern=f"^{ID_SHAPE}$")]
_Instant = Annotated[
    str, StringConstraints(strict=True, pattern=rf"^{CALENDAR_SHAPE}(\.[0-9]{{6}})?Z$")
]
_Attribute = Annotated[str, StringConstraints(strict=True)]


@with_config(ConfigDict(extra="forbid"))
@dataclass(slots=True)
class Fill:
    """A buy or a sale as venues tell it."""

    id: Name
    type: Literal["buy", "sell"]
    ts: _Instant
    account: Name
    asset: Name
    qty: Quantity
    amount: Amount
    fee: Amount = "0"
    seq: int = 0
    source: _Id | None = None
    tx_hash: Text = ""

    def fact(self) -> f.Fact:
        """What BuyModel and SellModel make of it."""
        kind = f.Buy if self.type == "buy" else f.Sell
        return kind(
            effective_at=self.ts.replace(".000000", ""), seq=self.seq, account=self.account,
            asset=self.asset, quantity=self.qty, amount=self.amount, fee=self.fee,
        )  # fmt: skip


@with_config(ConfigDict(extra="forbid"))
@dataclass(slots=True)
class InOnePass:
    """The common shape of a FactMessage, and the extensions of CloudEvents that senders use."""

    specversion: Literal["1.0"]
    id: Name
    source: _Id
    type: Literal["io.thresher.fact.v1"]
    subject: Name
    data: Annotated[Fill | PlainEvent, Field(union_mode="left_to_right")]
    time: Moment | None = None
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: Name | None = None
    partitionkey: _Attribute | None = None
    traceparent: _Attribute | None = None
    tracestate: _Attribute | None = None


_IN_ONE_PASS = TypeAdapter(InOnePass)


def read(value: bytes) -> InOnePass:
    """A message's value; raises ValidationError for what is not of the common shape."""
    return _IN_ONE_PASS.validate_json(value, strict=True)


def told(data: object, source: str) -> tuple[str, str, f.Fact, str]:
    """As `fact_of`, of a fill as well."""
    if isinstance(data, Fill):
        return data.source or source, data.id, data.fact(), data.tx_hash
    return fact_of(data, source)

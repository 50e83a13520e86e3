"""What leaves on topics of ours: a model for each type of message, checked against what is sent."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from infra.sources.wire import Wire

Decimal = Annotated[
    str,
    StringConstraints(strict=True, pattern=r"^-?[0-9]+(\.[0-9]+)?$"),
    Field(description="A plain decimal as text, exact."),
]
_INSTANT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"
Instant = Annotated[
    str,
    StringConstraints(strict=True, pattern=f"^{_INSTANT}$"),
    Field(description="UTC, to the microsecond, of fixed width."),
]
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
Date = Annotated[
    str, StringConstraints(strict=True, pattern=f"^{_DATE}$"), Field(description="ISO 8601.")
]
DateOrNone = Annotated[
    str,
    StringConstraints(strict=True, pattern=f"^({_DATE})?$"),
    Field(description="ISO 8601; empty: none."),
]
_TAXPAYER = Field(description="The taxpayer; the key of the message as well.")


class Outgoing(Wire):
    """The CloudEvents 1.0 attributes of every message of ours."""

    specversion: Literal["1.0"]
    id: str = Field(description="Stays the same when a message is sent again: drop repeats by it.")
    source: Literal["thresher"]
    time: Instant
    datacontenttype: Literal["application/json"]


class AlertMark(Wire):
    """A mark that valued: evidence of an alert."""

    asset: str
    price: Decimal
    at: Instant
    source: str
    kind: str


class AlertLot(Wire):
    """A lot behind an alert, and what of its loss can be harvested."""

    lot: str = Field(description="The id of the fact that opened it.")
    account: str
    asset: str
    quantity: Decimal
    harvestable: Decimal


class AlertDate(Wire):
    """A day that an alert of time is about: see docs/FORMATS.md."""

    kind: str
    day: Date
    group: str = ""
    accounts: tuple[str, ...] = ()
    asset: str = ""
    lot: str = ""
    amount: str = ""
    because: tuple[str, ...] = ()


class Crossing(Wire):
    """A rule that fired, without its evidence."""

    key: str = Field(description="Of the crossing: taxpayer/rule/number. Equals the message's id.")
    taxpayer: str
    rule: str
    crossing: int = Field(description="How often the rule has fired, this time included.", ge=1)
    scope: str
    metric: str
    threshold: Decimal
    value: Decimal
    tax_saved: Decimal = Field(description="This year, if all lots behind it were sold.")
    severity: Literal["notice", "urgent"]
    stale_marks: tuple[str, ...] = Field(
        description="Assets whose mark was too old, or only an ask."
    )
    pending_since: str = Field(description="UTC; empty: the rule has no dwell.")
    lot_count: int = Field(ge=0)
    dates: tuple[AlertDate, ...]


class Alert(Crossing):
    """A rule that fired, with the marks and the largest lots behind it."""

    marks: tuple[AlertMark, ...]
    lots: tuple[AlertLot, ...] = Field(description="The largest of `lot_count`.")


class AlertMessage(Outgoing):
    """A rule fired: once a crossing."""

    type: Literal["io.thresher.alert.fired.v1"]
    subject: str = _TAXPAYER
    data: Alert


class DigestEntry(Wire):
    """An alert of a digest."""

    type: Literal["alert.fired"]
    timestamp: Instant
    data: Crossing


class Digest(Wire):
    """Alerts that waited to go out together."""

    key: str = Field(description="Of the first crossing, after `digest:`; the message's id.")
    taxpayer: str
    count: int = Field(ge=1)
    alerts: tuple[DigestEntry, ...]


class DigestMessage(Outgoing):
    """Notices of rules with a digest, together."""

    type: Literal["io.thresher.alert.digest.v1"]
    subject: str = _TAXPAYER
    data: Digest


class DeadLetter(Wire):
    """Why a message cannot be used."""

    reason: str = Field(description="The field, what is wrong, and what to do; a long one is cut.")
    value: str = Field(description="The message's text, or the beginning of a long one.")


class DeadLetterMessage(Outgoing):
    """A message that cannot be used. The key is the message's, or the beginning of a long one."""

    type: Literal["io.thresher.deadletter.v1"]
    subject: str = Field(description="Where it stands: topic/partition/offset; the id as well.")
    data: DeadLetter


class Change(Wire):
    """How a row is now. Rows are told as they are, not as each came to be: numbers have gaps."""

    id: str = Field(description="The row's own, within its topic and taxpayer.")
    number: int = Field(description="Grows with each change of a taxpayer's rows.", ge=1)
    state: Literal["open", "changed", "gone"] = Field(
        description="open, changed: the row is as told; gone: it was so when it left."
    )


class Opportunity(Wire):
    """A lot with a loss at the latest mark, as `thresher watch` shows it; money in text."""

    lot: str = Field(description="The id of the fact that opened it.")
    account: str
    asset: str
    asset_class: str
    acquired: str = Field(description="A day, or INHERITED.")
    qty: Decimal
    price: Decimal
    value: Decimal
    basis: Decimal
    loss: Decimal
    blocked: Decimal = Field(description="The part that purchases of the window would wash.")
    harvestable: Decimal
    term: Literal["S", "L"]
    days_to_long: int
    tax_saved: Decimal
    basis_of_tax: str = Field(description="By what tax_saved is computed.")
    blocked_by: str
    blocked_until: DateOrNone
    mark_at: Instant
    mark_source: str
    mark_kind: str
    quoted: Decimal
    haircut: Decimal
    swap_into: str = Field(description="What could be held instead; empty: nothing is known.")


class OpportunityChange(Change):
    """An opportunity that changed."""

    row: Opportunity


class OpportunityMessage(Outgoing):
    """An opportunity appeared, changed or went."""

    type: Literal["io.thresher.opportunity.changed.v1"]
    subject: str = _TAXPAYER
    data: OpportunityChange


class Window(Wire):
    """A wash-sale window, as `thresher windows` shows it. That `last_day` passes is not told."""

    kind: Literal["do_not_buy", "do_not_sell"]
    event: str = Field(description="The id of the fact that opened it.")
    account: str
    asset: str
    group: str
    qty: Decimal
    loss: Decimal
    on: Date
    last_day: Date
    safe_from: Date


class WindowChange(Change):
    """A window that changed."""

    row: Window


class WindowMessage(Outgoing):
    """A wash-sale window opened, changed or went."""

    type: Literal["io.thresher.window.changed.v1"]
    subject: str = _TAXPAYER
    data: WindowChange

"""Marks as CSV lines or JSON lines, from a file or followed live from a pipe."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import ValidationError

from domain.days import sortable_instant
from infra.sources.csv_lines import Line
from infra.sources.json_lines import loads
from infra.sources.wire import Moment, Name, Refusal, Units, Wire, refusal
from services.mark_policy import Kind
from services.marks import Quote
from services.quarantine import BadRow


class MarkModel(Wire):
    """One mark; `time` is an instant, or a date for the end of that day in UTC."""

    asset: Name
    price: Units
    time: Moment
    currency: Literal["USD"] = "USD"  # the ledger's; others would value in the wrong money
    source: Name = "feed"
    kind: Kind = "trade"

    def quote(self) -> Quote:
        """The mark with its time in fixed-width UTC text."""
        return Quote(
            self.asset, self.price, _instant(self.time), self.currency, self.source, self.kind
        )


def quote_of(raw: Any) -> Quote:
    """A mapping of fields as a quote; raises Refusal."""
    try:
        return MarkModel.model_validate(raw).quote()
    except ValidationError as error:
        raise refusal(error) from None


def csv_quote(line: Line, origin: str) -> Quote | BadRow:
    """A CSV line under a marks header."""
    try:
        return quote_of(line.values)
    except Refusal as refused:
        return line.bad(origin, refused.field, refused.reason, refused.remedy)


def json_quote(raw: str, number: int, origin: str) -> Quote | BadRow:
    """A JSON line."""
    try:
        return quote_of(loads(raw))
    except Refusal as refused:
        return BadRow(origin, number, refused.field, refused.reason, refused.remedy, raw)


def _instant(moment: str) -> str:
    if "T" not in moment:
        return f"{moment}T23:59:59.000000Z"
    text = moment if moment.endswith("Z") else f"{moment}Z"
    return sortable_instant(datetime.fromisoformat(text))

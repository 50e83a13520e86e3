"""An example of each message, for the AsyncAPI document; each is valid by its model."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from infra.kafka.envelope import FactMessage, MarkMessage
from infra.kafka.outgoing import (
    AlertMessage,
    DeadLetterMessage,
    DigestMessage,
    OpportunityMessage,
    WindowMessage,
)

Json = dict[str, Any]
_AT = "2025-03-01T12:00:00.000000Z"
_CROSSING = {
    "key": "main/loss/1", "taxpayer": "main", "rule": "loss", "crossing": 1, "scope": "all",
    "metric": "harvestable_loss", "threshold": "200", "value": "210", "tax_saved": "73.5",
    "severity": "notice", "stale_marks": [], "pending_since": "", "lot_count": 1, "dates": [],
}  # fmt: skip
_MARK = {"asset": "S", "price": "79", "at": _AT, "source": "feed", "kind": "trade"}
_LOT = {
    "lot": "venue:b1", "account": "A", "asset": "S", "quantity": "10", "harvestable": "210",
}  # fmt: skip
_OPPORTUNITY = {
    "lot": "venue:b1", "account": "A", "asset": "S", "asset_class": "stock",
    "acquired": "2025-01-02", "qty": "10", "price": "79", "value": "790", "basis": "1000",
    "loss": "210", "blocked": "0", "harvestable": "210", "term": "S", "days_to_long": 308,
    "tax_saved": "73.5", "basis_of_tax": "rates", "blocked_by": "", "blocked_until": "",
    "mark_at": _AT, "mark_source": "feed", "mark_kind": "trade", "quoted": "79", "haircut": "0",
    "swap_into": "",
}  # fmt: skip
_WINDOW = {
    "kind": "do_not_buy", "event": "venue:s1", "account": "A", "asset": "S", "group": "S",
    "qty": "10", "loss": "300", "on": "2025-02-10", "last_day": "2025-03-12",
    "safe_from": "2025-03-13",
}  # fmt: skip


def _event(kind: str, id: str, subject: str, data: object, source: str = "thresher") -> Json:
    return {
        "specversion": "1.0", "id": id, "source": source, "type": f"io.thresher.{kind}.v1",
        "subject": subject, "time": _AT, "datacontenttype": "application/json", "data": data,
    }  # fmt: skip


def _change(id: str, row: Json) -> Json:
    return {"id": id, "number": 1, "state": "open", "row": row}


EXAMPLES: dict[type[BaseModel], Json] = {
    FactMessage: _event(
        "fact", "b1", "main",
        {
            "id": "b1", "type": "buy", "date": "2025-01-02", "account": "A", "asset": "S",
            "qty": "10", "amount": "1000",
        },
        "venue",
    ),
    MarkMessage: _event("mark", "m1", "S", {"asset": "S", "price": "79", "time": _AT}, "feed"),
    AlertMessage: _event(
        "alert.fired", "main/loss/1", "main", _CROSSING | {"marks": [_MARK], "lots": [_LOT]}
    ),
    DigestMessage: _event(
        "alert.digest", "digest:main/loss/1", "main",
        {
            "key": "digest:main/loss/1", "taxpayer": "main", "count": 1,
            "alerts": [{"type": "alert.fired", "timestamp": _AT, "data": _CROSSING}],
        },
    ),
    DeadLetterMessage: _event(
        "deadletter", "thresher.facts/0/17", "thresher.facts/0/17",
        {"reason": "data.qty: '1.5e3' is not valid; write a plain decimal", "value": "{...}"},
    ),
    OpportunityMessage: _event(
        "opportunity.changed", "main/opportunities/1", "main",
        _change("venue:b1/A/S/2025-01-02", _OPPORTUNITY),
    ),
    WindowMessage: _event(
        "window.changed", "main/windows/1", "main",
        _change("do_not_buy/venue:s1/A/S", _WINDOW),
    ),
}  # fmt: skip

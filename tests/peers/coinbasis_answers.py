"""Run by the peers' own Python: histories on standard input, coinbasis's rows on output."""

import json
import sys
from datetime import datetime
from decimal import Decimal
from typing import Any

from coinbasis import (
    Buy,
    CostBasisMethod,
    Income,
    IncomeSource,
    Portfolio,
    Sell,
    Spend,
    Transfer,
)

Event = dict[str, str]


def transaction(event: Event) -> Buy | Income | Sell | Spend | Transfer:
    number = {name: Decimal(event[name]) for name in ("qty", "amount", "fee") if name in event}
    common: dict[str, Any] = {
        "timestamp": datetime.fromisoformat(event["ts"]),
        "asset": "COIN",
        "quantity": number["qty"],
    }
    if event["kind"] == "transfer":
        return Transfer(
            **common,
            from_wallet=event["wallet"],
            to_wallet=event["to"],
            fee=Decimal(event["fee_qty"]),
            fee_value=Decimal(event["fee_amount"]),
        )
    common["wallet"] = event["wallet"]
    if event["kind"] == "income":
        return Income(**common, value=number["amount"], source=IncomeSource.STAKING)
    if event["kind"] == "spend":
        return Spend(**common, value=number["amount"], fee=number["fee"])
    kind = {"buy": Buy, "sell": Sell}[event["kind"]]
    return kind(**common, unit_price=number["amount"] / number["qty"], fee=number["fee"])


def rows(history: list[Event], method: str) -> list[Event]:
    portfolio = Portfolio.from_transactions([transaction(event) for event in history])
    return [
        {
            "sold": row.disposed_at.isoformat(),
            "acquired": row.acquired_at.isoformat(),
            "qty": str(row.quantity),
            "proceeds": str(row.proceeds),
            "basis": str(row.cost_basis),
            "term": "L" if row.term.name == "LONG" else "S",
        }
        for row in portfolio.realized_gains(CostBasisMethod[method])
    ]


asked = json.load(sys.stdin)
json.dump([rows(history, asked["method"]) for history in asked["histories"]], sys.stdout)

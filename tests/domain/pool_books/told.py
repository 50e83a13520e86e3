"""Histories as scenarios: a few words an event, answered by the product's own engine."""

from __future__ import annotations

from typing import Any

from infra.sources.scenario_file import parse_scenario
from services.scenario import evaluate

Json = dict[str, Any]
ACCOUNTS = [
    {"id": "A"}, {"id": "B"}, {"id": "own", "custody": "self"},
    {"id": "wife", "owner": "spouse"}, {"id": "firm", "owner": "entity"},
    {"id": "plan", "type": "ira"},
]  # fmt: skip
ASSETS = [
    {"id": "X", "class": "crypto", "group": "X"}, {"id": "Y", "class": "stock", "group": "Y"},
    {"id": "X10", "class": "crypto", "group": "X", "ratio": "10"},
]  # fmt: skip


def trade(kind: str, day: str, qty: object, amount: object, **more: Any) -> Json:
    """A purchase, sale or receipt of X in account A."""
    return {"type": kind, "date": day, "account": "A", "asset": "X", "qty": str(qty),
            "amount": str(amount)} | more  # fmt: skip


def buy(day: str, qty: object, amount: object, **more: Any) -> Json:
    return trade("buy", day, qty, amount, **more)


def sell(day: str, qty: object, amount: object, **more: Any) -> Json:
    return trade("sell", day, qty, amount, **more)


def scenario(law: str, events: list[Json], as_of: str, **more: Any) -> Json:
    """A scenario document; events are numbered e1, e2 ... unless they have an id."""
    named = [{"id": f"e{number}"} | event for number, event in enumerate(events, start=1)]
    return {
        "schema": "tlh-golden/1", "id": "told", "policy": {"jurisdiction": law},
        "accounts": ACCOUNTS, "assets": ASSETS, "events": named, "as_of": as_of,
    } | more  # fmt: skip


def answer(law: str, events: list[Json], as_of: str = "2030-12-31", **more: Any) -> Json:
    """What the product says of a history."""
    return evaluate(parse_scenario(scenario(law, events, as_of, **more)))

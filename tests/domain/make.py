"""Small scenarios: one asset and one account unless said otherwise."""

from __future__ import annotations

from typing import Any

from infra.sources.scenario_file import parse_scenario
from services.scenario import evaluate

Json = dict[str, Any]


def buy(id: str, date: str, qty: str, amount: str, **more: Any) -> Json:
    return {
        "id": id, "type": "buy", "date": date, "account": "A", "asset": "X", "qty": qty,
        "amount": amount,
    } | more  # fmt: skip


def sell(id: str, date: str, qty: str, amount: str, **more: Any) -> Json:
    return buy(id, date, qty, amount) | {"type": "sell"} | more


def scenario(*events: Json, **more: Any) -> Json:
    """A scenario about stock X in account A, with B and a spouse's M beside it."""
    return {
        "schema": "tlh-golden/1", "id": "small", "as_of": "2026-12-31", "events": list(events),
        "accounts": [
            {"id": "A"},
            {"id": "B"},
            {"id": "M", "owner": "spouse"},
            {"id": "R", "type": "ira"},
        ],
        "assets": [
            {"id": "X", "class": "stock", "group": "X"},
            {"id": "Y", "class": "crypto", "group": "Y"},
        ],
    } | more  # fmt: skip


def result(*events: Json, **more: Any) -> Json:
    """The engine's answer to a small scenario."""
    return evaluate(parse_scenario(scenario(*events, **more)))


def cells(rows: list[Json], *fields: str) -> list[tuple[Any, ...]]:
    """The named fields of every row."""
    return [tuple(row[field] for field in fields) for row in rows]

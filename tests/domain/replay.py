"""Random histories as the engine sees them, and its whole state in comparable form."""

from __future__ import annotations

import dataclasses
import json
import os
import random
from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from domain.decisions import AccountDeclared, AssetDeclared
from domain.facts import Fact
from domain.portfolio import FOREVER, Portfolio
from infra.sources.scenario_file import parse_scenario
from services import statement
from services.scenario import evaluate
from tests.oracle.histories import random_scenario, shuffled
from tests.oracle.units import DEFAULT_POLICY, read_event

Json = dict[str, Any]
Said = tuple[str, Fact]

HISTORIES = int(os.environ.get("THRESHER_HISTORIES", "500"))
every_history = pytest.mark.parametrize("seed", range(HISTORIES))
some_histories = pytest.mark.parametrize("seed", range(0, HISTORIES, 3))


def history(seed: int, *, taxable_only: bool = False) -> Json:
    """The random history of a seed."""
    scenario: Json = json.loads(_written(seed, taxable_only))
    return scenario


@lru_cache(maxsize=512)
def _written(seed: int, taxable_only: bool) -> str:
    scenario = random_scenario(random.Random(seed), taxable_only=taxable_only)
    plain: Json = {"marked_to_market": [], "collectible_reasons": {}}
    return json.dumps(plain | scenario | {"id": f"history-{seed}"})


def reordered(seed: int, scenario: Json) -> Json:
    """The same history with distinct times, its events in an order of arrival by chance."""
    return shuffled(random.Random(f"order {seed}"), scenario)


def in_order(scenario: Json) -> Json:
    """A history of distinct times as if it had arrived in effective order."""
    zone = ZoneInfo((DEFAULT_POLICY | scenario["policy"])["tz"])
    read = [read_event(raw, at, zone) for at, raw in enumerate(scenario["events"])]
    return scenario | {"events": [each.raw for each in sorted(read, key=lambda each: each.order)]}


def answer(scenario: Json) -> Json:
    """The engine's answer, with the sections that it leaves out when they are empty."""
    parsed = parse_scenario(scenario)
    declared = tuple(_with_beside(scenario, parsed.declarations))
    return _complete(evaluate(dataclasses.replace(parsed, declarations=declared)))


def _complete(result: Json) -> Json:
    snapshots = [
        each | {"result": _complete(each["result"])} for each in result.get("snapshots", [])
    ]
    return {"income": [], "nondeductible": []} | result | {"snapshots": snapshots}


def canonical(value: Any) -> Any:
    """A result with the rows of every section in one fixed order."""
    if isinstance(value, dict):
        return {name: canonical(each) for name, each in sorted(value.items())}
    if isinstance(value, list):
        return sorted((canonical(each) for each in value), key=json.dumps)
    return value


def trades_of(scenario: Json) -> list[Said]:
    """The events of a history in order of arrival, without what was declared before."""
    return [(ref, fact) for ref, fact, _ in parse_scenario(scenario).events]


def declarations_of(scenario: Json) -> list[Said]:
    """Policy, profile, accounts and assets, with what a scenario file has no field for."""
    return _with_beside(scenario, parse_scenario(scenario).declarations)


def _with_beside(scenario: Json, declared: Iterable[Said]) -> list[Said]:
    traders = scenario.get("marked_to_market", ())
    reasons = scenario.get("collectible_reasons", {})
    out: list[Said] = []
    for ref, fact in declared:
        full = fact
        if isinstance(fact, AccountDeclared) and fact.account in traders:
            full = msgspec.structs.replace(fact, marked_to_market=True)
        if isinstance(fact, AssetDeclared) and fact.asset in reasons:
            full = msgspec.structs.replace(fact, collectible_reason=reasons[fact.asset])
        out.append((ref, full))
    return out


def portfolio_of(
    scenario: Json,
    said: Iterable[Said] | None = None,
    *,
    settle_each: bool = False,
    until_day: int = FOREVER,
) -> Portfolio:
    """A portfolio fed with the scenario's declarations and `said` (or its own events)."""
    portfolio = Portfolio(until_day)
    for ref, fact in declarations_of(scenario):
        portfolio.add(ref, fact)
    for ref, fact in trades_of(scenario) if said is None else said:
        portfolio.add(ref, fact)
        if settle_each:
            portfolio.settle()
    portfolio.settle()
    return portfolio


def state(portfolio: Portfolio, as_of: str) -> Json:
    """All that a portfolio has to say on a day, exact, in one fixed order."""
    matches = [
        {
            "loss": match.loss.ref, "lot": match.replacement, "account": match.account.id,
            "quantity": match.quantity, "disallowed": match.disallowed,
            "tacked": match.tacked_days, "shifted": match.shifted,
        }
        for book in portfolio.books.values() for match in book.matches()
    ]  # fmt: skip
    sections: Json = {
        "lots": statement.lots(portfolio),
        "disposals": statement.disposals(portfolio),
        "windows": statement.windows(portfolio, as_of),
        "years": statement.year_rows(portfolio),
        "issues": statement.issues(portfolio),
        "incomes": [[ref, amount] for ref, amount in statement.incomes(portfolio)],
        "matches": matches,
    }
    whole: Json = canonical(sections)
    return whole

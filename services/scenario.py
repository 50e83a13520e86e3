"""Scenarios: a self-contained history evaluated by the product's own engine, section by section."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.days import day_of, iso, moment_key
from domain.exact import format_money, format_quantity, quantity
from domain.facts import Fact
from domain.portfolio import Portfolio
from projections.schema import merge
from projections.wash_windows import DO_NOT_BUY
from services import statement
from services.statement import Mark
from services.whatif_scenario import WhatIf, answers

_DISPOSAL_FIELDS = (
    "event",
    "lot",
    "qty",
    "acquired",
    "sold",
    "proceeds",
    "basis",
    "gain",
    "wash",
    "taxable",
    "term",
    "code",
    "box",
    "account",
    "asset",
)
_LOT_FIELDS = ("lot", "account", "asset", "qty", "basis", "acquired")
_HARVEST_FIELDS = (
    "lot",
    "account",
    "asset",
    "acquired",
    "qty",
    "value",
    "basis",
    "loss",
    "blocked",
    "harvestable",
    "term",
)


@dataclass(frozen=True, slots=True)
class Question:
    """State at the end of day `as_of`, from what was recorded by the end of `known_at`."""

    as_of: str
    known_at: str | None
    marks: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """A history in order of append, with questions; the first is the scenario's own."""

    id: str
    declarations: tuple[tuple[str, Fact], ...]
    events: tuple[tuple[str, Fact, str | None], ...]
    questions: tuple[Question, ...]
    marks: Mapping[str, str] | None
    what_if: tuple[WhatIf, ...] = ()


def evaluate(scenario: Scenario) -> dict[str, Any]:
    """Every section that the scenario gives rise to, in the schema's names; exact text."""
    first, *rest = scenario.questions
    result = _answer(scenario, first, scenario.marks)
    if scenario.what_if:
        result["what_if"] = answers(
            scenario.what_if, scenario.marks or {}, first.as_of, lambda: _folded(scenario, first)
        )
    if rest:
        result["snapshots"] = [
            {
                "as_of": question.as_of,
                "known_at": question.known_at,
                "result": _answer(scenario, question, question.marks or scenario.marks),
            }
            for question in rest
        ]
    return result


def _answer(
    scenario: Scenario, question: Question, marks: Mapping[str, str] | None
) -> dict[str, Any]:
    portfolio = _folded(scenario, question)
    blocking = [issue for issue in portfolio.all_issues() if issue.blocking]
    rows = statement.disposals(portfolio)
    result: dict[str, Any] = {}
    if blocking:
        result["error"] = blocking[0].code
    result["disposals"] = [_only(row, _DISPOSAL_FIELDS) for row in rows]
    result["open_lots"] = [_only(lot, _LOT_FIELDS) for lot in statement.lots(portfolio)]
    result["windows"] = _windows(portfolio, question.as_of)
    if marks is not None:
        result["harvest"] = _harvest(portfolio, question.as_of, marks)
    income = statement.incomes(portfolio)
    if income:
        result["income"] = [
            {"event": ref, "amount": format_money(amount)} for ref, amount in income
        ]
    nondeductible = _nondeductible(portfolio)
    if nondeductible:
        result["nondeductible"] = nondeductible
    result["totals"] = _totals(portfolio)
    result["years"] = statement.year_rows(portfolio)
    result |= portfolio.declared.policy.rules.sections(portfolio.books.values())
    return result


def _folded(scenario: Scenario, question: Question) -> Portfolio:
    portfolio = Portfolio(until_day=day_of(question.as_of))
    for ref, fact in scenario.declarations:
        portfolio.add(ref, fact)
    portfolio.settle()  # so that the zone is known
    for ref, fact, recorded in scenario.events:
        known = recorded or iso(moment_key(fact.effective_at, portfolio.declared.zone)[0])
        if question.known_at is None or known <= question.known_at:
            portfolio.add(ref, fact)
    portfolio.settle()
    return portfolio


def _windows(portfolio: Portfolio, as_of: str) -> list[dict[str, Any]]:
    return [
        {
            "event": each["event"],
            "asset": each["asset"],
            "open_qty": each["qty"],
            "open_loss": each["loss"],
            "last_day": each["last_day"],
            "safe_from": each["safe_from"],
        }
        for each in statement.windows(portfolio, as_of)
        if each["kind"] == DO_NOT_BUY
    ]


def _harvest(portfolio: Portfolio, as_of: str, marks: Mapping[str, str]) -> list[dict[str, Any]]:
    given = {
        asset: Mark(asset, quantity(price), as_of, "scenario", "manual")
        for asset, price in marks.items()
    }
    found = statement.harvest(portfolio, given, day_of(as_of))
    return [_only(each, _HARVEST_FIELDS) for each in found]


def _nondeductible(portfolio: Portfolio) -> list[dict[str, Any]]:
    gone = [
        {
            "event": each.ref,
            "lot": each.lot,
            "asset": each.asset.id,
            "qty": each.quantity,
            "basis": each.basis,
        }
        for book in portfolio.books.values()
        for each in book.departures
        if each.kind == "abandoned"
    ]
    rows = merge(gone, lambda row: (row["event"], row["lot"], row["asset"]), ("qty", "basis"))
    return [
        row | {"qty": format_quantity(row["qty"]), "basis": format_money(row["basis"])}
        for row in rows
    ]


def _totals(portfolio: Portfolio) -> dict[str, str]:
    rows = [row for book in portfolio.books.values() for row in book.disposals]
    sums = {
        "proceeds": sum(row.proceeds for row in rows),
        "basis": sum(row.basis for row in rows),
        "gain": sum(row.gain for row in rows),
        "wash": sum(row.wash for row in rows),
    }
    return {name: format_money(total) for name, total in sums.items()}


def _only(row: Mapping[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    return {name: row[name] for name in fields}

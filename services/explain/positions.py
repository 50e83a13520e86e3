"""Positions that touched a figure: each found by folding its books under the other answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from domain.decisions import PolicyElected, WashSaleVersion
from domain.exact import format_money
from domain.kept_book import KeptBook
from domain.policy import CONSERVATIVE, CURRENT_LAW, Policy
from domain.rules.positions import POSITIONS, Position
from services.explain.answer import Answer, Ground
from services.refold import elects, refolded

Figure = Callable[[list[KeptBook]], Mapping[str, str]]
ENTRIES_MAX = 20_000  # more would be folded some twenty times over for one answer
_WASH_SALE = {"current": CURRENT_LAW, "conservative": CONSERVATIVE}
_TRUTH = {"true": True, "false": False}
# Which lot method, zone or rate another taxpayer would choose has no end of answers.
_OPEN_ENDED = ("lot_method", "time_zone", "rates")


def taken(policy: Policy, position: Position) -> str:
    """The answer in force, in the words of the table."""
    if position.name == "wash_sale":
        return _classes_taken(policy)
    if position.name == "rates":
        return f"{format_money(policy.rate_short)} short, {format_money(policy.rate_long)} long"
    value = getattr(policy, position.name)
    return str(value).lower() if isinstance(value, bool) else str(value)


def touched(
    answer: Answer, ground: Ground, books: Iterable[str], figure: Figure
) -> list[dict[str, Any]]:
    """The positions that the figure turns on, with what it would be under the other answers; and
    those on which it stands by rule: taken otherwise than by default, or without end of answers.
    """
    names = list(books)
    policy = ground.portfolio.declared.policy
    small = sum(len(ground.portfolio.entries.get(name, [])) for name in names) <= ENTRIES_MAX
    now = figure([ground.portfolio.books[name] for name in names])
    found = []
    for position in POSITIONS.values():
        would_be = {}
        if small and position.name not in _OPEN_ENDED:
            for other in _others(policy, position):
                there = _under(ground, names, figure, elects(**_election(position.name, other)))
                if there != now:
                    would_be[other] = _changes(now, there)
        if would_be or _bears(answer, ground, position):
            found.append(_shown(policy, position, would_be))
    return found


def _under(
    ground: Ground, names: list[str], figure: Figure, election: PolicyElected
) -> Mapping[str, str]:
    return figure([refolded(ground.portfolio, name, election=election) for name in names])


def _others(policy: Policy, position: Position) -> list[str]:
    now = taken(policy, position)
    return [each for each in (position.default, *position.others) if each != now]


def _election(name: str, answer: str) -> dict[str, object]:
    if name == "wash_sale":
        return {name: (WashSaleVersion("0001-01-01", _WASH_SALE[answer]),)}
    return {name: _TRUTH.get(answer, answer)}


def _classes_taken(policy: Policy) -> str:
    for name, classes in _WASH_SALE.items():
        if policy.wash_versions == ((1, frozenset(classes)),):
            return name
    return "a dated list of classes"


def _bears(answer: Answer, ground: Ground, position: Position) -> bool:
    """Whether a position counts without a comparison: its rule was applied."""
    policy = ground.portfolio.declared.policy
    if position.name == "rates":
        return answer.from_rates
    if position.name == "time_zone":
        facts = (ground.portfolio.trades.get(ref) for ref in answer.facts)
        return any(fact is not None and _is_instant(fact.effective_at) for fact in facts)
    applied = any(rule in answer.rules for rule in position.rules)
    is_chosen = taken(policy, position) != position.default
    return applied and (is_chosen or position.name == "lot_method")


def _is_instant(text: str) -> bool:
    return text.endswith("Z")


def _changes(now: Mapping[str, str], there: Mapping[str, str]) -> dict[str, str]:
    """What is another there; `none` where there is no such figure."""
    names = dict.fromkeys([*now, *there])
    return {
        name: there.get(name, "none")
        for name in names
        if now.get(name, "none") != there.get(name, "none")
    }


def _shown(
    policy: Policy, position: Position, would_be: dict[str, dict[str, str]]
) -> dict[str, Any]:
    answer = taken(policy, position)
    means = position.meaning if answer == position.default else position.others.get(answer, "")
    return {
        "position": position.name,
        "question": position.question,
        "taken": answer,
        "means": means,
        "default": position.default,
        "others": {name: says for name, says in position.others.items() if name != answer},
        "unsettled": position.unsettled,
        "source": position.source,
        "would_be": would_be,
    }

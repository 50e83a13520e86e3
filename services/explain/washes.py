"""Explains wash matches: which units of a loss met which units bought, and what moved."""

from __future__ import annotations

from domain.days import iso
from domain.disposals import WashMatch
from domain.exact import cents, format_quantity
from services.explain.answer import Answer, Ground


def explain_wash(answer: Answer, ground: Ground, ref: str) -> None:
    """Every match of a loss sale, or of a purchase, `ref`."""
    for book in ground.books:
        for match in book.matches():
            if match.loss.ref == ref:
                say_wash(answer, match, match.replacement)
            elif match.replacement == ref:
                say_wash(answer, match, match.loss.ref)


def say_wash(answer: Answer, match: WashMatch, other: str) -> None:
    """One match; `other` is the fact on its other side."""
    answer.is_a("wash match")
    answer.groups.add(match.asset.group)
    rules = ("wash_sale", "wash_once", "matching_order", "wash_classes", *_effect_rules(match))
    answer.say(_line(match), *rules)
    answer.stands_on(other)


def _line(match: WashMatch) -> str:
    loss = match.loss
    gap = _days(match)
    return (
        f"wash sale: loss of {cents(match.disallowed)} on {format_quantity(match.loss_quantity)} "
        f"{loss.asset.id} ({loss.ref}) meets {format_quantity(match.quantity)} {match.asset.id} "
        f"bought {iso(match.bought)} in {match.account.id} ({match.replacement}), {gap}: "
        f"disallowed, {_effect(match)}"
    )


def _days(match: WashMatch) -> str:
    gap = match.bought - match.loss.loss_day
    return f"{abs(gap)} days {'after' if gap >= 0 else 'before'} the sale"


def _effect(match: WashMatch) -> str:
    if not match.shifted:
        return "lost for good: no basis takes it"
    if match.into is not None:
        return f"added to the basis on the row of {match.into.ref}, on which they had left"
    return f"added to its basis, {match.tacked_days} days tacked"


def _effect_rules(match: WashMatch) -> list[str]:
    rules = []
    if match.shifted:
        rules.append("wash_basis")
    elif match.account.is_retirement:
        rules.append("wash_ira")
    if match.account.owner != match.loss.account.owner:
        rules.append("wash_related")
    return rules

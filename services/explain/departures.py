"""Explains what left without a row, what is income, and what is not deductible."""

from __future__ import annotations

from domain.entries import Entry
from domain.exact import cents, format_quantity
from services.explain.answer import Answer, Ground

_RULES = {
    "abandoned": "abandon", "ordinary_loss": "abandon", "gift": "gift",
    "returned": "return_of_capital",
}  # fmt: skip
_WHAT = {"abandoned": "nondeductible", "ordinary_loss": "ordinary loss"}
_ENDS = {
    "abandoned": ": not deductible",
    "ordinary_loss": ": an ordinary loss by the position taken, in no capital total",
}


def explain_departure(answer: Answer, ground: Ground, ref: str) -> None:
    """Units or basis that left in `ref` without a row of the return."""
    for book in ground.books:
        for gone in book.departures:
            if gone.ref == ref:
                answer.is_a(_WHAT.get(gone.kind, "departure"))
                answer.groups.add(gone.asset.group)
                rule = _RULES.get(gone.kind)
                answer.say(
                    f"{gone.kind.replace('_', ' ')}: {format_quantity(gone.quantity)} "
                    f"{gone.asset.id} of lot {gone.lot} took basis {cents(gone.basis)} along"
                    + _ENDS.get(gone.kind, ""),
                    *((rule,) if rule else ()),
                )
                answer.stands_on(gone.lot)


def explain_income(answer: Answer, ground: Ground, ref: str) -> None:
    """Ordinary income at the value on receipt, which is the basis too."""
    for book in ground.books:
        for entry in book.incomes:
            if entry.ref == ref:
                _income(answer, entry)


def _income(answer: Answer, entry: Entry) -> None:
    answer.is_a("income")
    answer.groups.add(entry.asset.group)
    answer.say(
        f"ordinary income: {format_quantity(entry.quantity)} {entry.asset.id} worth "
        f"{cents(entry.amount)} when received; that value is their basis",
        "income",
    )

"""Comparison with the expected sections of a case: cents half up, quantities exact."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import Any

Row = Mapping[str, Any]

MONEY = frozenset(
    {
        "proceeds", "basis", "gain", "wash", "taxable", "open_loss", "value", "loss", "blocked",
        "harvestable", "amount", "st", "lt", "net", "rate28", "deduction", "carry_st", "carry_lt",
        "disallowed", "tax_before", "tax_after", "saved", "cost", "acb", "denied",
    }
)  # fmt: skip
QUANTITY = frozenset({"qty", "open_qty"})
MAY_BE_ABSENT = frozenset({"income", "nondeductible"})
_WIDE = Context(prec=200)


def cents(value: str | Fraction) -> Decimal:
    """An exact amount in cents, a half away from zero."""
    exact = Fraction(value)
    quotient = _WIDE.divide(Decimal(exact.numerator), Decimal(exact.denominator))
    return quotient.quantize(Decimal("0.01"), ROUND_HALF_UP, _WIDE) + Decimal(0)


def read(field: str, value: Any) -> object:
    """A value as it is compared: cents, an exact quantity, or text."""
    if field in MONEY:
        return cents(value)
    if field in QUANTITY:
        return Fraction(value)
    if isinstance(value, list):  # rows inside a row, in any order
        return sorted(str({name: read(name, row[name]) for name in sorted(row)}) for row in value)
    return str(value)


def same(row: Row, expected: Row) -> bool:
    """Whether a row has every field of an expected row, with its value."""
    return all(
        field in row and read(field, row[field]) == read(field, value)
        for field, value in expected.items()
    )


def row_lines(section: str, rows: list[Row], expected: list[Row]) -> list[str]:
    """Rows of a complete section that are missing or too many; their order is free."""
    left, lines = list(rows), []
    for wanted in sorted(expected, key=len, reverse=True):
        at = next((i for i, row in enumerate(left) if same(row, wanted)), None)
        if at is None:
            lines.append(f"{section}: missing {dict(wanted)}")
        else:
            del left[at]
    return lines + [f"{section}: too many {dict(row)}" for row in left]


def differences(expected: Mapping[str, Any], result: Mapping[str, Any]) -> list[str]:
    """Where a result is not what a case expects; sections that it does not name are free."""
    lines = []
    if expected.get("error") != result.get("error"):
        lines.append(f"error: {result.get('error')} instead of {expected.get('error')}")
    for section, wanted in expected.items():
        got = result.get(section, [] if section in MAY_BE_ABSENT else None)
        if section == "error":
            continue
        if got is None:
            lines.append(f"{section}: no such section")
        elif isinstance(wanted, Mapping):
            lines += row_lines(section, [got], [wanted])
        else:
            lines += row_lines(section, got, wanted)
    return lines


def case_differences(case: Mapping[str, Any], result: Mapping[str, Any]) -> list[str]:
    """Where a result differs from a case, its snapshots included."""
    lines = differences(case["expected"], result)
    answers = {
        (each["as_of"], each.get("known_at")): each["result"]
        for each in result.get("snapshots", [])
    }
    for snapshot in case.get("snapshots", []):
        question = (snapshot["as_of"], snapshot.get("known_at"))
        answer = answers.get(question, {})
        lines += [f"{question}: {line}" for line in differences(snapshot["expected"], answer)]
    return lines

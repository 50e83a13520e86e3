"""Comparing a scenario's result with what its author expected: to the cent, order-free."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from typing import Any

_UNITS = frozenset({"qty", "open_qty"})
_CENT = Decimal("0.01")
_AS_TEXT = frozenset(
    {"event", "lot", "account", "asset", "acquired", "sold", "term", "code", "box", "year",
     "last_day", "safe_from", "id", "rule", "date"}
)  # fmt: skip


def differences(expected: Mapping[str, Any], result: Mapping[str, Any]) -> list[str]:
    """What differs, one readable line each; empty if the result is as expected.

    Only sections and fields that are expected count; a section that is expected is complete.
    """
    found: list[str] = []
    if "error" in result and "error" not in expected:
        found.append(f"error: not expected {result['error']!r}")
    for section, wanted in expected.items():
        got = result.get(section)
        if isinstance(wanted, list):
            found += _rows(section, wanted, got if isinstance(got, list) else [])
        elif isinstance(wanted, dict):
            given = got if isinstance(got, dict) else {}
            found += [
                f"{section}.{name}: expected {value}, got {given.get(name)}"
                for name, value in wanted.items()
                if _same(name, value) != _same(name, given.get(name))
            ]
        elif wanted != got:
            found.append(f"{section}: expected {wanted!r}, got {got!r}")
    return found


def _rows(section: str, wanted: list[Any], got: list[Any]) -> list[str]:
    """Pairs rows off; each expected row is compared in the fields that it has."""
    left = [row for row in got if isinstance(row, dict)]
    missing = []
    for row in sorted(wanted, key=lambda each: -len(each)):
        match = next((each for each in left if _fits(row, each)), None)
        if match is None:
            missing.append(row)
        else:
            left.remove(match)
    return [f"{section}: expected {_text(row)}" for row in missing] + [
        f"{section}: not expected {_text(row)}" for row in left
    ]


def _fits(wanted: Mapping[str, Any], got: Mapping[str, Any]) -> bool:
    return all(
        not _rows(name, value, got.get(name) or [])
        if isinstance(value, list)
        else _same(name, value) == _same(name, got.get(name))
        for name, value in wanted.items()
    )


def _same(name: str, value: Any) -> Any:
    """A value as it is compared: text as it is, units exactly, money in cents half up."""
    if name in _AS_TEXT or not isinstance(value, str):
        return value
    try:
        number = Decimal(value)
    except InvalidOperation:
        return value
    if name in _UNITS:
        return number
    with localcontext(prec=80):
        return number.quantize(_CENT, rounding=ROUND_HALF_UP)


def _text(row: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in row.items())


def compared(document: Mapping[str, Any], result: Mapping[str, Any]) -> list[str]:
    """Differences of a whole scenario document, snapshots included."""
    found = differences(document.get("expected", {}), result)
    answers: Iterable[Mapping[str, Any]] = result.get("snapshots", [])
    for snapshot, answer in zip(document.get("snapshots", []), answers, strict=False):
        frame = snapshot["as_of"] + (f", known at {snapshot['known_at']}"
                                     if snapshot.get("known_at") else "")  # fmt: skip
        found += [
            f"as of {frame}: {line}"
            for line in differences(snapshot.get("expected", {}), answer["result"])
        ]
    return found

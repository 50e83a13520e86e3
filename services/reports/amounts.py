"""Amounts of a form: exact money to cents, or all of them to whole dollars, half up."""

from __future__ import annotations

from dataclasses import dataclass

from domain.exact import MONEY_PLACES, cents, format_money

_DOLLAR = 10**MONEY_PLACES


@dataclass(frozen=True, slots=True)
class Rounding:
    """How a form shows money (exact integers of 10**-36).

    Whole dollars are all or nothing, half up (Instructions for Form 8949).
    """

    whole_dollars: bool = False

    @property
    def name(self) -> str:
        """`cents` or `whole dollars`."""
        return "whole dollars" if self.whole_dollars else "cents"

    def shown(self, value: int) -> str:
        """The amount as the form has it, rounded half up (away from zero)."""
        if not self.whole_dollars:
            return cents(value)
        dollars = (abs(value) * 2 + _DOLLAR) // (2 * _DOLLAR)
        return f"-{dollars}" if value < 0 and dollars else str(dollars)


def exact_text(value: int) -> str:
    """The exact amount with at least two decimals, as plain-text books write money."""
    whole, _, fraction = format_money(value).partition(".")
    return f"{whole}.{fraction.ljust(2, '0')}"

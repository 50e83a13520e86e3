"""Days that an alert is about, in words: for the terminal and for explanations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from domain.exact import grouped, money

# By kind: the day, and what its amount is, if there is one.
_WORDS = {
    "do_not_buy": (
        "{day} is the last day on which buying {group} washes a booked loss", " of {amount}",
    ),
    "do_not_sell": (
        "{day} is the last day on which a loss on older {group} is washed by a purchase", "",
    ),
    "safe_to_buy": ("from {day} buying {group} washes no booked loss", " of {amount}"),
    "long_term": ("{lot} ({asset}, {accounts}) is long-term from {day}", ", {side} {amount}"),
    "year_end": (
        "{day} is the last trading day of the tax year", ", harvestable loss left {amount}",
    ),
}  # fmt: skip


def in_words(dates: Iterable[Mapping[str, Any]]) -> list[str]:
    """One clause a day; `dates` as they are in an alert's evidence."""
    return [_said(each) for each in dates]


def _said(date: Mapping[str, Any]) -> str:
    words, about = _WORDS[date["kind"]]
    told = {"group": "", "asset": "", "lot": "", **date}
    told["accounts"] = ", ".join(date.get("accounts", ()))
    amount = date.get("amount", "")
    value = money(amount) if amount else 0
    told["side"] = "loss" if value < 0 else "gain"
    told["amount"] = grouped(abs(value)) if amount else ""
    return (words + about if amount else words).format_map(told)

"""Default alert rules: a sensible first set, as data, and which of them a taxpayer lacks."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from domain.decisions import AlertRuleSet
from domain.rules.rule_set import RuleSet
from services.alert_rules import (
    LONG_TERM,
    NOTICE,
    SAFE_TO_BUY,
    URGENT,
    WINDOW_CLOSES,
    YEAR_END,
    InvalidRule,
    checked_for,
)


def _rule(name: str, metric: str, threshold: str, severity: str, amount: str = "0") -> AlertRuleSet:
    return AlertRuleSet(
        effective_at="", name=name, scope="all", metric=metric, threshold=threshold,
        severity=severity, amount=amount,
    )  # fmt: skip


# Amounts are in the taxpayer's currency. They are ours, and meant to be changed.
DEFAULT_RULES = (
    _rule("loss", "harvestable_loss", "1000", NOTICE),
    _rule("saving", "tax_saved", "1000", URGENT),
    _rule("window-closes", WINDOW_CLOSES, "1", NOTICE),
    _rule("safe-to-buy", SAFE_TO_BUY, "0", NOTICE),
    _rule("long-term", LONG_TERM, "7", NOTICE),
    _rule("year-end", YEAR_END, "5", URGENT, amount="100"),
)


def missing(known: Collection[str], law: RuleSet, at: str) -> list[AlertRuleSet]:
    """The default rules of a law, as of the instant `at`, whose names no rule has."""
    found = []
    for rule in DEFAULT_RULES:
        if rule.name not in known:
            try:
                found.append(checked_for(msgspec.structs.replace(rule, effective_at=at), law))
            except InvalidRule:
                continue  # that law does not know what it watches
    return found

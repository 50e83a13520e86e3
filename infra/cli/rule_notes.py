"""What is said of alert rules beside what they are: that one waits in vain, how one is listed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from domain.decisions import AlertRuleSet
from domain.exact import format_money, money
from domain.portfolio import Portfolio
from infra.channels.webhook import why_no_signature
from infra.settings import Settings
from services.alert_rules import DATE_METRICS, in_scope
from services.live.watched import level_below

COLUMNS = {
    "name": "rule", "scope": "scope", "metric": "metric", "threshold": "threshold",
    "rearms_below": "re-arms below", "amount": "amount", "waits": "waits", "channels": "channels",
    "severity": "severity", "snoozed_until": "snoozed until", "pending_since": "pending since",
    "since": "since",
}  # fmt: skip
_ONLY_IF_ANY = frozenset(("amount", "waits", "snoozed_until", "pending_since"))
_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def why_silent(
    rule: AlertRuleSet, taxpayer: str, portfolio: Portfolio, settings: Settings
) -> Iterator[str]:
    """What keeps a rule from being met, or heard, as things stand: a line each."""
    if not portfolio.trades and not portfolio.declared.assets:
        yield (
            f"nothing is known of taxpayer {taxpayer} so far: check the name, or import its trades"
        )
    elif not _has_any(portfolio, rule.scope):
        yield (
            f"nothing held or sold is in scope {rule.scope} so far (thresher lots: what is held)"
        )
    schemes = {channel.partition(":")[0] for channel in rule.channels}
    if "kafka" in schemes and not settings.kafka:
        yield "channel kafka: what sends needs THRESHER_KAFKA=HOST:PORT, and it is not set here"
    reason = why_no_signature(settings.webhook_secret)
    if "webhook" in schemes and reason:
        yield f"channel webhook: {reason}; what sends needs it (docs/FORMATS.md: what alerts send)"


def clock_of(portfolio: Portfolio) -> str:
    """Whose clock quiet hours and digests are of, and how another is set while none is."""
    zone = portfolio.declared.policy.time_zone
    return f"{zone} (tz in a policy fact sets another)" if zone == "UTC" else zone


def listed(rule: Mapping[str, Any], zone: str) -> dict[str, Any]:
    """A rule with the value below which it re-arms (empty where its metric is a day), and the
    zone of its hours."""
    level = ""
    if rule["metric"] not in DATE_METRICS:
        level = format_money(level_below(money(rule["threshold"]), money(rule["rearm_ratio"])))
    return {**rule, "rearms_below": level, "tz": zone}


def tabled(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule as a line for people: in one cell all that holds it or its notices back."""
    waits = {
        "dwell": _span(rule["dwell_seconds"]), "cooldown": _span(rule["cooldown_seconds"]),
        "quiet": rule["quiet"], "digest": rule["digest"],
    }  # fmt: skip
    return {
        **rule,
        "amount": rule["amount"] if money(rule["amount"]) else "",
        "waits": ", ".join(f"{name} {value}" for name, value in waits.items() if value),
    }


def columns(lines: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The columns of a table of rules, without those that no rule fills."""
    filled = {name for line in lines for name, value in line.items() if value}
    return {
        name: title for name, title in COLUMNS.items() if name not in _ONLY_IF_ANY or name in filled
    }


def _has_any(portfolio: Portfolio, scope: str) -> bool:
    if scope == "all":
        return True
    books = portfolio.books.values()
    held = (in_scope(scope, lot.asset, lot.account, lot.ref)
            for book in books for lot in book.open_lots())  # fmt: skip
    sold = (in_scope(scope, row.asset, row.account, row.lot)
            for book in books for row in book.disposals)  # fmt: skip
    return any(held) or any(sold)


def _span(seconds: int) -> str:
    """In the largest unit that says it exactly: 900 is 15m."""
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
    return f"{seconds // size}{unit}" if seconds else ""

"""Alert rules: what can be watched, of which lots, at which level."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, time, timedelta

from domain.accounts import Account
from domain.assets import ASSET_CLASSES, Asset
from domain.days import seconds_after
from domain.decisions import AlertRuleSet
from domain.errors import ThresherError
from domain.exact import ONE_DOLLAR, money
from domain.rules.rule_set import RuleSet
from services.digest_times import schedule

PERCENT = "loss_percent"
METRICS = ("harvestable_loss", "tax_saved", PERCENT)
# Of these the threshold is a number of days before a day; services/live/date_rules.py.
WINDOW_CLOSES, SAFE_TO_BUY, LONG_TERM, YEAR_END = DATE_METRICS = (
    "window_closes", "safe_to_buy", "long_term", "year_end",
)  # fmt: skip
MOST_DAYS = 366
NOTICE, URGENT = "notice", "urgent"
SEVERITIES = (NOTICE, URGENT)
DWELL_MOST = 366 * 86400
COOLDOWN_MOST = 3_660 * 86400
SCHEMES = ("terminal", "file", "webhook", "kafka")
_WITHOUT_TARGET = ("terminal", "kafka")
_TOPIC = "kafka:"
_WEB = ("https://", "http://")  # the second is for tests on the machine itself
# Each says whether it looks at a lot: its asset, its account, its ref.
SCOPES = {
    "class": lambda what, asset, account, lot: asset.asset_class.name == what,
    "group": lambda what, asset, account, lot: asset.group == what,
    "asset": lambda what, asset, account, lot: asset.id == what,
    "account": lambda what, asset, account, lot: account.id == what,
    "position": lambda what, asset, account, lot: what == f"{account.id}/{asset.id}",
    "lot": lambda what, asset, account, lot: what == lot,
}
SCOPE_HELP = "all, class:NAME, group:ID, asset:ID, account:ID, position:ACCOUNT/ASSET or lot:LOT"


class InvalidRule(ThresherError, ValueError):
    """An alert rule that cannot be watched; the message says which part and why."""


def checked_rule(rule: AlertRuleSet) -> AlertRuleSet:
    """The rule if it can be watched; raises InvalidRule."""
    _check_scope(rule.scope)
    if rule.metric not in METRICS + DATE_METRICS:
        known = ", ".join(METRICS + DATE_METRICS)
        raise InvalidRule(f"metric {rule.metric!r}: use one of {known}")
    _check_threshold(rule)
    if not 0 < money(rule.rearm_ratio) <= ONE_DOLLAR:
        raise InvalidRule(f"re-arm ratio {rule.rearm_ratio}: use a share between 0 and 1")
    if rule.severity not in SEVERITIES:
        raise InvalidRule(f"severity {rule.severity!r}: use one of {', '.join(SEVERITIES)}")
    if not 0 <= rule.cooldown_seconds <= COOLDOWN_MOST:
        raise InvalidRule(
            f"cooldown {rule.cooldown_seconds}: use zero to {COOLDOWN_MOST} seconds (ten years)"
        )
    if rule.metric in DATE_METRICS and rule.dwell_seconds:
        raise InvalidRule(f"dwell {rule.dwell_seconds}: {rule.metric} is a day, it does not last")
    if rule.metric in (WINDOW_CLOSES, SAFE_TO_BUY) and lot_of(rule.scope):
        raise InvalidRule(f"scope {rule.scope!r}: {rule.metric} is of a group, not of one lot")
    if not 0 <= rule.dwell_seconds <= DWELL_MOST:
        raise InvalidRule(f"dwell {rule.dwell_seconds}: use zero to {DWELL_MOST} seconds (a year)")
    if rule.quiet:
        quiet_hours(rule.quiet)
    if rule.digest and schedule(rule.digest) is None:
        raise InvalidRule(f"digest {rule.digest!r}: write it as hourly, or daily 08:00")
    for channel in rule.channels:
        _check_channel(channel)
    return rule


def _check_scope(scope: str) -> None:
    """A class that there is not would never be met; assets and accounts may still come."""
    kind, _, what = scope.partition(":")
    if scope != "all" and (kind not in SCOPES or not what):
        raise InvalidRule(f"scope {scope!r}: use {SCOPE_HELP}")
    if kind == "position" and not all(what.partition("/")):
        raise InvalidRule(f"scope {scope!r}: write position:ACCOUNT/ASSET")
    if kind == "class" and what not in ASSET_CLASSES:
        raise InvalidRule(f"scope {scope!r}: the classes are {', '.join(ASSET_CLASSES)}")


def _check_channel(channel: str) -> None:
    scheme, _, target = channel.partition(":")
    is_whole = bool(target) or scheme in _WITHOUT_TARGET
    if scheme not in SCHEMES or not is_whole or " " in channel:
        raise InvalidRule(f"channel {channel!r}: use terminal, kafka, file:PATH or webhook:URL")
    if scheme == "webhook" and not target.startswith(_WEB):
        raise InvalidRule(f"channel {channel!r}: write the address whole, webhook:https://...")


def check_topics(channels: Iterable[str], taken: Collection[str]) -> None:
    """Raises InvalidRule for a channel to a topic that is taken: alerts would get among others."""
    for channel in channels:
        if channel.removeprefix(_TOPIC) in taken and channel.startswith(_TOPIC):
            raise InvalidRule(
                f"channel {channel!r}: that topic is Thresher's own; use kafka, or another topic"
            )


def relative(metric: str | None, threshold: str) -> tuple[str, str]:
    """Metric and threshold of what a user wrote: `12%` is a loss in percent of the basis.

    Raises InvalidRule for a percentage of another metric.
    """
    if not threshold.endswith("%"):
        return metric or METRICS[0], threshold
    if metric not in (None, PERCENT):
        raise InvalidRule(f"threshold {threshold}: only {PERCENT} is a percentage")
    return PERCENT, threshold.removesuffix("%").rstrip()


def checked_for(rule: AlertRuleSet, law: RuleSet) -> AlertRuleSet:
    """The rule if it can be watched under a law; raises InvalidRule."""
    if rule.metric == LONG_TERM and not law.has_terms:
        raise InvalidRule(f"metric {rule.metric!r}: {law.version} knows no long-term gains")
    return checked_rule(rule)


def _check_threshold(rule: AlertRuleSet) -> None:
    if rule.metric in DATE_METRICS:
        days, part = divmod(money(rule.threshold), ONE_DOLLAR)
        if part or not 0 <= days <= MOST_DAYS:
            raise InvalidRule(f"threshold {rule.threshold}: use whole days, 0 to {MOST_DAYS}")
    elif money(rule.threshold) <= 0:
        raise InvalidRule(f"threshold {rule.threshold}: use an amount above zero")
    elif rule.metric == PERCENT and money(rule.threshold) > 100 * ONE_DOLLAR:
        raise InvalidRule(f"threshold {rule.threshold}: no loss is above 100 % of the basis")
    if money(rule.amount) < 0 or (money(rule.amount) and rule.metric != YEAR_END):
        raise InvalidRule(f"amount {rule.amount}: {YEAR_END} alone takes one, zero or more")


def quiet_hours(text: str) -> tuple[time, time]:
    """`22:00-07:00` as the times of day from which and until which it is quiet.

    Raises InvalidRule.
    """
    try:
        start, end = (time.fromisoformat(each) for each in text.split("-"))
    except ValueError:
        start = end = time()
    if start == end or start.tzinfo or end.tzinfo:
        raise InvalidRule(f"quiet hours {text!r}: write them as 22:00-07:00")
    return start, end


def quiet_until(text: str, now: datetime) -> datetime:
    """The end of the quiet hours that `now` (on the taxpayer's clock) is in; else `now`."""
    if not text:
        return now
    start, end = quiet_hours(text)
    clock = now.time()
    is_quiet = start <= clock < end if start < end else clock >= start or clock < end
    if not is_quiet:
        return now
    day = now.date() + timedelta(days=clock >= end)
    return datetime.combine(day, end, now.tzinfo)


def after_cooldown(fired_at: str, seconds: int) -> str:
    """The instant from which a rule that fired may fire again; empty: at any."""
    return seconds_after(fired_at, min(seconds, COOLDOWN_MOST)) if seconds else ""


def in_scope(scope: str, asset: Asset, account: Account, lot: str) -> bool:
    """Whether a rule of this scope looks at a lot, by its ref, of an asset in an account."""
    kind, _, what = scope.partition(":")
    return scope == "all" or SCOPES[kind](what, asset, account, lot)


def lot_of(scope: str) -> str:
    """The ref of the one lot that a rule of this scope looks at; empty: it looks at more."""
    kind, _, what = scope.partition(":")
    return what if kind == "lot" else ""

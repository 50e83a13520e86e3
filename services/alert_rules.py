"""Alert rules: what can be watched, of which lots, at which level."""

from __future__ import annotations

from domain.accounts import Account
from domain.assets import Asset
from domain.decisions import AlertRuleSet
from domain.errors import ThresherError
from domain.exact import ONE_DOLLAR, money

METRICS = ("harvestable_loss", "tax_saved", "loss_percent")
SCHEMES = ("terminal", "file", "webhook")
SCOPES = {
    "class": lambda asset, account, what: asset.asset_class.name == what,
    "group": lambda asset, account, what: asset.group == what,
    "asset": lambda asset, account, what: asset.id == what,
    "account": lambda asset, account, what: account.id == what,
}


class InvalidRule(ThresherError, ValueError):
    """An alert rule that cannot be watched; the message says which part and why."""


def checked_rule(rule: AlertRuleSet) -> AlertRuleSet:
    """The rule if it can be watched; raises InvalidRule."""
    kind, _, what = rule.scope.partition(":")
    if rule.scope != "all" and (kind not in SCOPES or not what):
        raise InvalidRule(
            f"scope {rule.scope!r}: use all, class:NAME, group:ID, asset:ID or account:ID"
        )
    if rule.metric not in METRICS:
        raise InvalidRule(f"metric {rule.metric!r}: use one of {', '.join(METRICS)}")
    if money(rule.threshold) <= 0:
        raise InvalidRule(f"threshold {rule.threshold}: use an amount above zero")
    if not 0 < money(rule.rearm_ratio) <= ONE_DOLLAR:
        raise InvalidRule(f"re-arm ratio {rule.rearm_ratio}: use a share between 0 and 1")
    for channel in rule.channels:
        scheme, _, target = channel.partition(":")
        if scheme not in SCHEMES or (scheme != "terminal" and not target) or " " in channel:
            raise InvalidRule(f"channel {channel!r}: use terminal, file:PATH or webhook:URL")
    return rule


def in_scope(scope: str, asset: Asset, account: Account) -> bool:
    """Whether a rule of this scope looks at lots of an asset in an account."""
    kind, _, what = scope.partition(":")
    return scope == "all" or SCOPES[kind](asset, account, what)

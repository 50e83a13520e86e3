"""Elections: what a `policy` fact changes in the positions, and what holds without one."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.assets import asset_class
from domain.days import day_of
from domain.decisions import PolicyElected, WashSaleVersion
from domain.errors import UnsupportedLaw
from domain.exact import money
from domain.lot_methods import LOT_METHODS
from domain.policy import Policy
from domain.rules.registry import rule_set
from domain.rules.rule_set import RuleSet

_CHOICES = {
    "earlier_lots": ("count", "ignore"),
    "spouse_basis": ("shift", "none"),
    "entity_basis": ("shift", "none"),
    "pool": ("account", "universal_before_2025"),
    "sold_replacements": ("ignore", "count"),
    "full_exit": ("match", "allow"),
    "gain_units": ("skip", "in_order"),
    "replacement_order": ("time", "taxable_first"),
    "overlap_days": ("add", "once"),
    "sub_lots": ("tacked_first", "pro_rata"),
    "self_custody_pool": ("wallet", "one"),
    "wrap": ("no_event", "swap"),
    "transfer_fee": ("disposal_only", "add_to_basis"),
    "abandonment": ("nothing", "ordinary", "capital"),
    "digital_art": ("ask", "collectible", "not_collectible"),
}


def elect(policy: Policy, election: PolicyElected) -> Policy:
    """`policy` with the stated positions changed; raises UnsupportedLaw for unknown values."""
    changes: dict[str, object] = {}
    if election.jurisdiction is not None:
        changes.update(_law(rule_set(election.jurisdiction)))
    if election.lot_method is not None:
        changes["lot_method"] = known_method(election.lot_method)
    if election.time_zone is not None:
        changes["time_zone"] = _known_zone(election.time_zone)
    for field, choices in _CHOICES.items():
        value = getattr(election, field)
        if value is not None:
            changes[field] = _chosen(field, value, choices)
    for field in ("rate_short", "rate_long"):
        value = getattr(election, field)
        if value is not None:
            changes[field] = _share(field, value)
    for field in ("currency", "income_is_acquisition", "pool_pieces"):
        value = getattr(election, field)
        if value is not None:
            changes[field] = value
    if election.wash_sale is not None:
        changes["wash_versions"] = _versions(election.wash_sale)
    return replace(policy, **changes)  # type: ignore[arg-type]


def default_policy() -> Policy:
    """United States, current law, FIFO: what holds until the taxpayer elects otherwise."""
    return Policy(rules=rule_set("US"))


def _law(rules: RuleSet) -> dict[str, object]:
    """A law with the positions that it starts from; the election's own come on top."""
    return {"rules": rules, "currency": rules.currency, **rules.positions}


def known_method(name: str) -> str:
    """A lot method's name if it is on offer; raises UnsupportedLaw."""
    if name not in LOT_METHODS:
        raise UnsupportedLaw(f"lot method {name!r} is none of {', '.join(LOT_METHODS)}")
    return name


def _chosen(field: str, value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise UnsupportedLaw(f"policy {field} = {value!r} is none of {', '.join(choices)}")
    return value


def _share(field: str, value: str) -> int:
    rate = money(value)
    if not 0 <= rate <= money("1"):
        raise UnsupportedLaw(f"policy {field} = {value} is no share between 0 and 1")
    return rate


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnsupportedLaw(f"time zone {name!r} is not in the IANA data base") from None
    return name


def _versions(stated: tuple[WashSaleVersion, ...]) -> tuple[tuple[int, frozenset[str]], ...]:
    for name in {name for version in stated for name in version.classes}:
        asset_class(name)
    rows = [(day_of(version.since), frozenset(version.classes)) for version in stated]
    return tuple(sorted(rows, key=lambda row: row[0]))

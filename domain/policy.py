"""The taxpayer's positions: what the law leaves open or to choose, with the defaults."""

from __future__ import annotations

from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.assets import asset_class
from domain.days import day_of
from domain.decisions import PolicyElected, WashSaleVersion
from domain.errors import UnsupportedLaw
from domain.exact import money
from domain.lot_methods import LOT_METHODS
from domain.rules.registry import rule_set
from domain.rules.rule_set import RuleSet

CURRENT_LAW = ("stock", "fund", "option", "tokenized_security")
CONSERVATIVE = (*CURRENT_LAW, "crypto", "nft")
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


@dataclass(frozen=True, slots=True)
class Policy:
    """Positions in force. `wash_versions`: (since day, classes), ascending; rates are money."""

    rules: RuleSet
    currency: str = "USD"
    time_zone: str = "UTC"
    lot_method: str = "FIFO"
    rate_short: int = money("0.35")
    rate_long: int = money("0.15")
    wash_versions: tuple[tuple[int, frozenset[str]], ...] = ((1, frozenset(CURRENT_LAW)),)
    earlier_lots: str = "count"
    income_is_acquisition: bool = True
    spouse_basis: str = "shift"
    entity_basis: str = "none"
    pool: str = "account"
    sold_replacements: str = "ignore"
    full_exit: str = "match"
    gain_units: str = "skip"
    replacement_order: str = "time"
    overlap_days: str = "add"
    sub_lots: str = "tacked_first"
    self_custody_pool: str = "wallet"
    wrap: str = "no_event"
    transfer_fee: str = "disposal_only"
    abandonment: str = "nothing"
    digital_art: str = "ask"
    pool_pieces: bool = False

    @property
    def zone(self) -> ZoneInfo | None:
        """The tax zone; None for UTC, which needs no conversion."""
        return None if self.time_zone == "UTC" else ZoneInfo(self.time_zone)

    @property
    def shifting_owners(self) -> frozenset[str]:
        """Owners whose replacement lots take a disallowed loss as basis."""
        owners = {"self"}
        if self.spouse_basis == "shift":
            owners.add("spouse")
        if self.entity_basis == "shift":
            owners.add("entity")
        return frozenset(owners)

    def wash_classes(self, day: int) -> frozenset[str]:
        """Asset classes under the wash-sale rule for a loss on `day` (rule in force then)."""
        classes: frozenset[str] = frozenset()
        for since, listed in self.wash_versions:
            if since <= day:
                classes = listed
        return classes


def elect(policy: Policy, election: PolicyElected) -> Policy:
    """`policy` with the stated positions changed; raises UnsupportedLaw for unknown values."""
    changes: dict[str, object] = {}
    if election.jurisdiction is not None:
        changes["rules"] = rule_set(election.jurisdiction)
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

"""The taxpayer's positions: what the law leaves open or to choose, with the defaults."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from domain.exact import money
from domain.rules.rule_set import RuleSet

CURRENT_LAW = ("stock", "fund", "option", "tokenized_security")
CONSERVATIVE = (*CURRENT_LAW, "crypto", "nft")
_RATE_SHORT, _RATE_LONG = money("0.35"), money("0.15")


@dataclass(frozen=True, slots=True)
class Policy:
    """Positions in force. `wash_versions`: (since day, classes), ascending; rates are money."""

    rules: RuleSet
    currency: str = "USD"
    time_zone: str = "UTC"
    lot_method: str = "FIFO"
    rate_short: int = _RATE_SHORT
    rate_long: int = _RATE_LONG
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
    def has_default_rates(self) -> bool:
        """The two rates of tax are those that hold until the owner says others."""
        return (self.rate_short, self.rate_long) == (_RATE_SHORT, _RATE_LONG)

    @property
    def is_universal(self) -> bool:
        """Digital assets shared one pool of basis before 2025 (Rev. Proc. 2024-28)."""
        return self.pool == "universal_before_2025"

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

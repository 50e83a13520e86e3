"""Which units are sold: the account's method, or lots identified adequately and in time."""

from __future__ import annotations

from domain.days import END_OF_DAY, business_days_after, moment_key
from domain.entries import Entry, OrderKey
from domain.exact import quantity
from domain.lots import Lot, Pool
from domain.policy import Policy
from domain.rules.rule_set import in_force

_DATE_LENGTH = len("2025-01-31")


class StandingOrders:
    """The standing orders of one account, oldest first; each acts forward only."""

    def __init__(self) -> None:
        self._orders: list[tuple[OrderKey, str, str | None]] = []

    def add(self, key: OrderKey, method: str, recorded_in: str | None) -> None:
        """Records an order given at the moment of `key`."""
        self._orders.append((key, method, recorded_in))
        self._orders.sort(key=lambda order: order[0])

    def method(self, entry: Entry, policy: Policy) -> tuple[str, str]:
        """(method, rule applied) for a disposal: the latest order that is adequate."""
        latest = None
        for order in self._orders:
            if order[0] <= entry.key:
                latest = order
        if latest is None:
            return policy.lot_method, method_rule(policy.lot_method)
        if latest[2] == "books" and not books_suffice(entry, policy):
            return "FIFO", "books_at_broker"
        return latest[1], "standing_order"


def method_rule(method: str) -> str:
    """The rule that a method without a dated order stands on."""
    return "fifo" if method == "FIFO" else "standing_order"


def books_suffice(entry: Entry, policy: Policy) -> bool:
    """Whether own books identify digital assets there (Notice 2026-20: to 2026-12-31)."""
    if entry.account.custody != "broker" or not entry.asset.asset_class.is_digital:
        return True
    return entry.day <= policy.rules.books_suffice_at_broker_until


def inadequacy(entry: Entry, policy: Policy, pool: Pool) -> str | None:
    """Why the lots named in an entry are no identification, or None if they are one.

    Adequate: in time (securities until settlement, digital assets until the disposal), told
    to whom it must be, only units in this account, no more than they hold or were sold.
    """
    fact = entry.fact
    if getattr(fact, "identified_to", None) == "books" and not books_suffice(entry, policy):
        return "the broker was not told, and own books no longer suffice there"
    at = getattr(fact, "identified_at", None)
    if at is not None and _is_late(at, entry, policy):
        return f"identified at {at}, after the deadline"
    held: dict[str, int] = {}
    for lot in pool.lots():
        held[lot.ref] = held.get(lot.ref, 0) + lot.quantity
    named = 0
    for ref, units in wanted(entry, held):
        if ref not in held:
            return f"lot {ref} is not in this account"
        if units > held[ref]:
            return f"lot {ref} holds fewer units than were named"
        held[ref] -= units
        named += units
    return "more units were named than were sold" if named > entry.quantity else None


def wanted(entry: Entry, held: dict[str, int]) -> list[tuple[str, int]]:
    """(lot ref, units) named by an entry; an id without its source means the entry's own."""
    source, colon, _ = entry.ref.partition(":")
    picks = []
    for pick in entry.lots:
        ref = pick.lot
        if ref not in held and colon:
            ref = f"{source}:{pick.lot}"
        picks.append((ref, quantity(pick.quantity)))
    return picks


def lots_named(pool: Pool, ref: str) -> list[Lot]:
    """The pieces of one lot in a pool, in first-in order."""
    pieces = [lot for lot in pool.lots() if lot.ref == ref]
    return sorted(pieces, key=lambda lot: (lot.order, lot.acquired, lot.offset))


def _is_late(identified_at: str, entry: Entry, policy: Policy) -> bool:
    at = moment_key(identified_at, policy.zone)
    if entry.asset.asset_class.identify_until_settlement:
        days = in_force(policy.rules.settlement_days, entry.day)
        return at[0] > business_days_after(entry.day, days)
    timed = len(entry.fact.effective_at) > _DATE_LENGTH
    return at > (entry.day, entry.key[1] if timed else END_OF_DAY)

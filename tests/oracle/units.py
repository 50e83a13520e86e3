"""Units, events in effective order, and the policy: the data the oracle works on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from math import gcd
from typing import Any
from zoneinfo import ZoneInfo

Json = dict[str, Any]
Order = tuple[date, time, int]

DEFAULT_POLICY: Json = {
    "jurisdiction": "US",
    "lot_method": "FIFO",
    "wash_sale": [
        {"from": "0001-01-01", "classes": ["stock", "fund", "option", "tokenized_security"]}
    ],
    "earlier_lots": "count",
    "income_is_acquisition": True,
    "spouse_basis": "shift",
    "entity_basis": "none",
    "pool": "account",
    "tz": "UTC",
    "rates": {"st": "0.35", "lt": "0.15"},
    "sold_replacements": "ignore",
    "full_exit": "match",
    "gain_units": "skip",
    "replacement_order": "time",
    "overlap_days": "add",
    "sub_lots": "tacked_first",
    "self_custody_pool": "wallet",
    "wrap": "no_event",
    "transfer_fee": "disposal_only",
    "abandonment": "nothing",
    "digital_art": "ask",
    "pool_pieces": False,
}


@dataclass(eq=False, slots=True)
class Unit:
    """One piece of one purchase, as small as the history needs it."""

    lot: str
    index: Fraction  # place in the purchase, in group units
    order: Order  # of the event that acquired it
    kind: str  # type of that event
    size: Fraction  # in group units
    account: str
    asset: str
    basis: Fraction
    loss_basis: Fraction  # differs from basis only for a gift that had lost value
    start: date  # holding period after tacking
    loss_start: date  # holding period if the loss basis applies
    used: bool = False  # has replaced a unit that was sold
    absorbed: bool = False  # its basis has taken a disallowed loss
    held: bool = True
    going: bool = False  # among the units of the running sale, not yet sold
    row: UnitSale | None = None  # on which it left

    @property
    def fifo_key(self) -> tuple[Order, date, Fraction]:
        """Actual date and sequence, then tacked date, then index."""
        return (self.order, self.start, self.index)


@dataclass(eq=False, slots=True)
class UnitSale:
    """One unit disposed of."""

    event: str
    kind: str  # type of the event
    order: Order  # of the sale that counts: a short sale's opening for what it counts from there
    sold: date
    unit: Unit
    account: str
    asset: str
    qty: Fraction  # in units of the asset on the day of the sale
    acquired: str
    start: date
    term: str
    proceeds: Fraction
    basis: Fraction
    loss: Fraction = Fraction(0)  # what can be disallowed; 0 if sold at a gain
    wash: Fraction = Fraction(0)
    lent: bool = False  # has disallowed the loss of a short sale

    @property
    def gain(self) -> Fraction:
        """Proceeds less adjusted basis."""
        return self.proceeds - self.basis

    @property
    def day(self) -> date:
        """The day that the window of 61 days lies around."""
        return self.order[0]


def cut_unit(unit: Unit, size: Fraction) -> Unit:
    """Keep the first `size` of a unit; the rest is a unit of its own, which is returned."""
    share = size / unit.size
    rest = replace(
        unit,
        size=unit.size - size,
        index=unit.index + size,
        basis=unit.basis * (1 - share),
        loss_basis=unit.loss_basis * (1 - share),
    )
    unit.size = size
    unit.basis *= share
    unit.loss_basis *= share
    return rest


def cut_row(row: UnitSale, share: Fraction, rest_unit: Unit) -> UnitSale:
    """Keep that share of a row; the rest is a row about `rest_unit`, which is returned."""
    amounts = ("qty", "proceeds", "basis", "loss", "wash")
    rest = replace(row, unit=rest_unit)
    for name in amounts:
        whole = getattr(row, name)
        setattr(row, name, whole * share)
        setattr(rest, name, whole - whole * share)
    rest_unit.row = rest
    return rest


@dataclass(frozen=True)
class Event:
    """One event with its place in the effective order."""

    order: Order
    instant: datetime
    recorded: date
    raw: Json

    @property
    def when(self) -> date:
        """Tax date."""
        return self.order[0]


def read_event(raw: Json, position: int, zone: ZoneInfo) -> Event:
    """Place one event; worthless stock counts as sold at the end of 31 December."""
    if "ts" in raw:
        local = datetime.fromisoformat(raw["ts"].replace("Z", "+00:00")).astimezone(zone)
    else:
        clock = time.fromisoformat(raw.get("time", "00:00:00"))
        local = datetime.combine(date.fromisoformat(raw["date"]), clock, tzinfo=zone)
    day, at = local.date(), local.time()
    recorded = date.fromisoformat(raw["recorded"]) if "recorded" in raw else day
    if raw["type"] == "worthless":
        day, at = date(day.year, 12, 31), time.max
    return Event((day, at, position), local.astimezone(UTC), recorded, raw)


def timeline(scenario: Json, policy: Json, as_of: str, known_at: str | None) -> list[Event]:
    """Events effective by `as_of` and recorded by `known_at`, in effective order."""
    zone = ZoneInfo(policy["tz"])
    events = [read_event(raw, i, zone) for i, raw in enumerate(scenario["events"])]
    events = [e for e in events if e.when <= date.fromisoformat(as_of)]
    if known_at is not None:
        events = [e for e in events if e.recorded <= date.fromisoformat(known_at)]
    return sorted(events, key=lambda e: e.order)


def named_quantities(raw: Json) -> Iterator[tuple[str, Fraction]]:
    """Every (asset, quantity) that an event mentions."""
    for key in ("qty", "fee_qty"):
        if key in raw:
            yield raw["asset"], Fraction(raw[key])
    for item in [*raw.get("lots", []), *raw.get("allocations", [])]:
        yield raw["out"]["asset"] if "out" in raw else raw["asset"], Fraction(item["qty"])
    for key in ("out", "in"):
        if key in raw:
            yield raw[key]["asset"], Fraction(raw[key]["qty"])
    if "underlying" in raw:
        yield raw["underlying"], Fraction(raw["underlying_qty"])


def common_measure(a: Fraction, b: Fraction) -> Fraction:
    """Largest fraction of which both are whole multiples."""
    return Fraction(
        gcd(a.numerator * b.denominator, b.numerator * a.denominator), a.denominator * b.denominator
    )


def base_of(group: str, assets: dict[str, Json]) -> str | None:
    """The asset whose unit is the group's: its namesake, a share, a token, an option."""
    ones = [
        n for n, a in assets.items() if a["group"] == group and Fraction(a.get("ratio", 1)) == 1
    ]
    if group in ones:
        return group
    tokens = [n for n in ones if assets[n]["class"] == "tokenized_security"]
    shares = [n for n in ones if assets[n]["class"] not in ("tokenized_security", "option")]
    return min(shares or tokens or ones, default=None)


class Factors(dict[str, Fraction]):
    """Group units in one unit of each asset (decision 0016).

    An asset that no fact has used yet follows the base of its group, so that its ratio is true on
    the day of its first fact; from then on it has splits of its own, and no others.
    """

    def __init__(self, assets: dict[str, Json]) -> None:
        super().__init__({name: Fraction(a.get("ratio", "1")) for name, a in assets.items()})
        self.used: set[str] = set()
        self.bases = {name: base_of(a["group"], assets) for name, a in assets.items()}

    def split(self, raw: Json) -> None:
        """More (or fewer) units of an asset stand for what one did."""
        for name, base in self.bases.items():
            if raw["asset"] == (name if name in self.used else base):
                self[name] *= Fraction(raw["den"]) / Fraction(raw["num"])


def unit_sizes(events: list[Event], assets: dict[str, Json]) -> dict[str, Fraction]:
    """Size of one unit of each group: the common measure of all quantities that are named."""
    factor = Factors(assets)
    sizes: dict[str, Fraction] = {}
    for event in events:
        raw = event.raw
        if raw["type"] == "split":
            factor.split(raw)
        for asset, qty in named_quantities(raw):
            factor.used.add(asset)
            group = assets[asset]["group"]
            sizes[group] = common_measure(sizes.get(group, Fraction(0)), qty * factor[asset])
    return sizes


def settlement_day(traded: date) -> date:
    """Last day of the standard settlement cycle in force on the trade date (17 CFR 240.15c6-1)."""
    cycles = ((date(2024, 5, 28), 1), (date(2017, 9, 5), 2), (date(1995, 6, 7), 3))
    days = next((n for since, n in cycles if traded >= since), 5)
    day = traded
    while days:
        day += timedelta(days=1)
        days -= day.weekday() < 5
    return day


def first_long_day(acquired: date) -> date:
    """First day on which a sale is long-term: one year after the day after acquisition."""
    start = date.fromordinal(acquired.toordinal() + 1)
    if (start.month, start.day) == (2, 29):
        return date(start.year + 1, 3, 1)
    return start.replace(year=start.year + 1)

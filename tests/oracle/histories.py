"""Random valid histories for comparing an engine with the oracle."""

from __future__ import annotations

import random
from copy import deepcopy
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from . import history_actions, history_derivatives, history_events
from .history_setup import accounts, assets, beside, first_day, policy, profile
from .history_state import Draft
from .units import DEFAULT_POLICY, Json, read_event

LAST_POOLED_DAY = date(2024, 12, 31)
WEIGHTS = {
    "buy": 30, "sell": 34, "full_exit": 5, "swap": 8, "spend": 4, "income": 4, "transfer": 8,
    "gift_in": 2, "gift_out": 2, "inherit": 1, "split": 2, "return_of_capital": 2, "convert": 3,
    "abandon": 1, "worthless": 1, "standing_order": 3, "oversell": 1, "short_open": 5,
    "short_close": 20, "option_exercise": 4, "option_expire": 3,
}  # fmt: skip
MODULES = (history_events, history_actions, history_derivatives)
TAXABLE_ONLY = ("buy", "sell", "full_exit", "swap", "spend", "income", "transfer", "convert",
                "split", "standing_order")  # fmt: skip


def advance(rng: random.Random, draft: Draft) -> None:
    """Move the clock: same day (with or without a time), or a gap, often near 30 days."""
    if draft.sim.pooled and draft.day < LAST_POOLED_DAY and rng.random() < 0.1:
        end_of_pool(rng, draft)
        return
    if draft.events and rng.random() < 0.2:
        if rng.random() < 0.6 or draft.clock is not None:
            minutes = rng.randint(1, 90)
            base = draft.clock or time(9, 0)
            later = datetime.combine(draft.day, base) + timedelta(minutes=minutes)
            if later.date() == draft.day:
                draft.clock = later.time()
                return
        else:
            return
    gap = rng.choice([1, 1, 1, 2, 2, 3, 4, 5, 8, 8, 13, 14, 20, 29, 30, 31, rng.randint(1, 60)])
    if rng.random() < 0.03:
        gap = rng.choice([150, 364, 365, 366, 367])
    clock = time(rng.randint(6, 14), rng.randint(0, 59)) if rng.random() < 0.3 else None
    if draft.sim.pooled and draft.day <= LAST_POOLED_DAY < draft.day + timedelta(days=gap):
        end_of_pool(rng, draft)
    else:
        draft.move(gap, clock)


def end_of_pool(rng: random.Random, draft: Draft) -> None:
    """The last day of the universal pool or the day after; basis may be allocated."""
    after = bool(draft.dead) or rng.random() < 0.4  # the order on the last day would be unsure
    day = LAST_POOLED_DAY + timedelta(days=after)
    if (day - draft.day).days > 60:
        return
    if day > draft.day:
        draft.move((day - draft.day).days, None)
    if rng.random() < 0.8 and not draft.sim.foreseen:
        history_derivatives.basis_allocation(draft)


def random_scenario(rng: random.Random, *, taxable_only: bool = False) -> Json:
    """A valid scenario; `taxable_only` has no loss that can go for good, and ends with nothing."""
    rules = policy(rng, taxable_only)
    start = first_day(rng, rules)
    scenario: Json = {
        "schema": "tlh-golden/1",
        "policy": rules,
        "accounts": accounts(rng, taxable_only),
        "assets": assets(rng),
        "events": [],
    }
    if not taxable_only:
        scenario |= beside(rng, scenario)
    draft = Draft(rng, scenario, start)
    kinds = list(TAXABLE_ONLY) if taxable_only else list(WEIGHTS)
    target = rng.randint(3, 40)
    while len(draft.events) < target and (draft.day - start).days <= 500:
        advance(rng, draft)
        something(rng, draft, kinds)
    if taxable_only or rng.random() < 0.15:
        history_events.exit_everything(draft)
    finish(rng, draft, start)
    return scenario


def something(rng: random.Random, draft: Draft, kinds: list[str]) -> None:
    """One event, of the first kind drawn that the state allows; at first a purchase."""
    before = len(draft.events)
    for _ in range(20):
        kind = "buy" if before < 2 else rng.choices(kinds, [WEIGHTS[k] for k in kinds])[0]
        module = next(m for m in MODULES if hasattr(m, kind))
        getattr(module, kind)(draft)
        if len(draft.events) > before:
            return


def finish(rng: random.Random, draft: Draft, start: date) -> None:
    """Dates of recording, zone-bound instants, as_of, marks, snapshots and the profile."""
    scenario, days = draft.scenario, (draft.day - start).days
    zone = ZoneInfo({**DEFAULT_POLICY, **scenario["policy"]}["tz"])
    for event in scenario["events"]:
        day = date.fromisoformat(event["date"])
        if rng.random() < 0.12:
            event["recorded"] = (day + timedelta(days=rng.randint(1, 60))).isoformat()
        if "time" in event and event["type"] != "worthless" and rng.random() < 0.4:
            as_instant(event, zone)
    end = draft.day + timedelta(days=rng.choice([0, 1, 10, 30, 31, 60, 200]))
    scenario["as_of"] = end.isoformat()
    scenario["marks"] = {a["id"]: draft.mark(a["id"]) for a in scenario["assets"]}
    scenario["profile"] = profile(rng, start, end)
    scenario["snapshots"] = []
    for _ in range(rng.randint(0, 3)):
        snapshot = {"as_of": (start + timedelta(days=rng.randint(0, days + 40))).isoformat()}
        if rng.random() < 0.6:
            known = start + timedelta(days=rng.randint(0, days + 60))
            snapshot["known_at"] = known.isoformat()
        scenario["snapshots"].append(snapshot)


def as_instant(event: Json, zone: ZoneInfo) -> None:
    """Replace the local date and time of an event by a UTC instant."""
    local = datetime.fromisoformat(f"{event.pop('date')}T{event.pop('time')}").replace(tzinfo=zone)
    event["ts"] = local.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def shuffled(rng: random.Random, scenario: Json) -> Json:
    """The same history in another arrival order: every event gets a distinct time of its own."""
    out = deepcopy(scenario)
    zone = ZoneInfo({**DEFAULT_POLICY, **out["policy"]}["tz"])
    read = sorted(
        (read_event(raw, i, zone) for i, raw in enumerate(out["events"])), key=lambda e: e.order
    )
    last = datetime.min
    for event in read:
        own = datetime.combine(event.when, event.order[1])
        last = max(own, last + timedelta(seconds=1)) if last != datetime.min else own
        raw = event.raw
        if "ts" in raw:
            day = event.when
            raw.pop("ts")
            raw.setdefault("recorded", event.recorded.isoformat())
            raw["date"] = day.isoformat()
        raw["time"] = last.time().isoformat()
        if raw["type"] != "worthless" and rng.random() < 0.3:
            as_instant(raw, zone)
    rng.shuffle(out["events"])
    return out

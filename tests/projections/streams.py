"""Random streams of facts: histories of the oracle, cut, shuffled, amended, in batches."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from infra.sources.scenario_file import parse_scenario
from services.ledger import Offer
from services.marks import Quote
from tests.oracle.histories import random_scenario, shuffled
from tests.services.house import House, offers

Json = dict[str, Any]


def stream(rng: random.Random, taxpayer: str = "main") -> list[Offer]:
    """Declarations and trades in an order by chance, with corrections and busts among them."""
    scenario = shuffled(rng, random_scenario(rng)) | {"id": "random"}
    parsed = parse_scenario(scenario)
    found = [Offer(taxpayer, "declared", ref, fact) for ref, fact in parsed.declarations]
    events = [without_recorded(event) for event in scenario["events"]]
    trades = offers(events, taxpayer)
    late = trades + offers(list(amendments(rng, events)), taxpayer)
    rng.shuffle(found)
    if rng.random() < 0.5:  # some of what is declared is learned late
        keep = rng.randint(0, len(found))
        late += found[keep:]
        found = found[:keep]
        head = len(late) // 2
        tail = late[head:]
        rng.shuffle(tail)
        late = late[:head] + tail
    return found + late


def without_recorded(event: Json) -> Json:
    return {name: value for name, value in event.items() if name != "recorded"}


def amendments(rng: random.Random, events: list[Json]) -> Iterator[Json]:
    """Some trades are restated with another amount, some taken back, a few both."""
    for event in events:
        chance = rng.random()
        if event["type"] in ("buy", "sell", "income") and chance < 0.15:
            fact = {name: value for name, value in event.items() if name != "id"}
            fact["amount"] = f"{rng.randint(1, 900)}.{rng.randint(0, 99):02d}"
            yield {"id": event["id"], "type": "correction", "fact": fact}
        if chance < 0.05:
            yield {"id": event["id"], "type": "bust", "date": "2027-01-01"}


def batches(rng: random.Random, found: list[Offer]) -> Iterator[list[Offer]]:
    """The stream in pieces of random size."""
    at = 0
    while at < len(found):
        size = rng.choice([1, 1, 2, 3, 5, 8, 20])
        yield found[at : at + size]
        at += size


def quotes(rng: random.Random, house: House, found: list[Offer]) -> list[Quote]:
    """A few marks of this moment for assets of the stream."""
    names = sorted({offer.fact.asset for offer in found if hasattr(offer.fact, "asset")})
    chosen = rng.sample(names, rng.randint(0, min(2, len(names))))
    return [
        Quote(name, f"{rng.randint(0, 300)}.{rng.randint(0, 99):02d}", house.clock.text)
        for name in chosen
    ]

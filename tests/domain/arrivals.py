"""A history as its facts come in: any order, in batches, some wrong at first, some taken back."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

from domain.facts import Fact
from infra.sources.fact_json import parse_event
from tests.oracle.history_state import decimal

Json = dict[str, Any]
Said = tuple[str, Fact]

TRADED = ("qty", "amount", "fee", "fee_amount", "underlying_qty", "donor_basis")
NO_TRADES = ("standing_order", "worthless", "basis_allocation")


def arrivals(rng: random.Random, scenario: Json) -> list[list[Said]]:
    """Batches of facts; after the last the owner knows exactly the scenario's events."""
    streams = []
    for place, raw in enumerate(scenario["events"]):
        true = {"seq": place + 1, **raw}
        stream = [true]
        if raw["type"] not in NO_TRADES and rng.random() < 0.2:
            body = {k: v for k, v in true.items() if k != "id"}
            stream = [mistaken(rng, scenario, true),
                      {"id": raw["id"], "type": "correction", "fact": body}]  # fmt: skip
        streams.append(stream)
        if raw["type"] not in NO_TRADES and rng.random() < 0.08:
            ghost = mistaken(rng, scenario, true) | {"id": f"ghost-{place}"}
            streams.append([ghost, {"id": ghost["id"], "type": "bust"}])
    order = [at for at, stream in enumerate(streams) for _ in stream]
    if rng.random() < 0.8:
        rng.shuffle(order)
    said: list[Said] = []
    for at in order:
        raw = streams[at].pop(0)
        said.append((raw["id"], parse_event(raw)[1]))
    return batches(rng, said)


def mistaken(rng: random.Random, scenario: Json, raw: Json) -> Json:
    """The same event with a wrong figure, account or moment."""
    wrong = dict(raw)
    figures = [name for name in TRADED if name in raw and raw[name] != "0"]
    choice = rng.random()
    if figures and choice < 0.6:
        name = rng.choice(figures)
        wrong[name] = decimal(Fraction(raw[name]) * Fraction(rng.choice([2, 3, 4]), 2))
    elif "account" in raw and choice < 0.8:
        wrong["account"] = rng.choice(scenario["accounts"])["id"]
    elif "date" in raw:
        wrong["date"] = rng.choice(scenario["events"]).get("date", raw["date"])
    return wrong


def batches(rng: random.Random, said: list[Said]) -> list[list[Said]]:
    """The facts in pieces of random size."""
    out, at, most = [], 0, rng.choice([1, 3, 8, 50])
    while at < len(said):
        size = rng.randint(1, most)
        out.append(said[at : at + size])
        at += size
    return out

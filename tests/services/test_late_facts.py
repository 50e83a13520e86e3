"""Late facts, corrections and busts through the read models: the tables end as if rebuilt."""

from __future__ import annotations

import random
from datetime import date, timedelta
from pathlib import Path

import pytest

from domain import checkpoints
from tests.services.house import STOCK, House, Json


def trades(count: int, draw: random.Random) -> list[Json]:
    """Trades of one stock that wash each other, some a day, each at a time of its own."""
    found: list[Json] = []
    held, price = 0, 100
    for number in range(count):
        units = draw.randint(1, 9)
        price = max(20, price + draw.randint(-6, 6))
        sells = held > 25 and draw.random() < 0.6
        held += -units if sells else units
        day = (date(2024, 1, 2) + timedelta(days=number // 4)).isoformat()
        found.append(
            {
                "id": f"t{number}", "type": "sell" if sells else "buy", "seq": number,
                "date": day, "account": "A", "asset": "S", "qty": str(units),
                "amount": str(units * price),
            }
        )  # fmt: skip
    return found


@pytest.mark.parametrize("seed", range(3))
def test_tables_after_late_facts_are_those_of_a_rebuild(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "SMALL", 20)
    draw = random.Random(seed)
    house = House(tmp_path / "late.db")
    events = trades(160, draw)
    late = draw.sample(events[40:], 12)
    house.say(STOCK, *(each for each in events if each not in late))
    for event in sorted(late, key=lambda each: -each["seq"]):
        house.say(event)
    last = events[-30]
    house.say({"id": last["id"], "type": "correction", "fact": last | {"amount": "77"}})
    house.say({"id": events[-20]["id"], "type": "bust"})
    assert house.unequal() == []
    lots = house.ask()["lots"]
    house = house.reopened()
    house.say(trades(161, random.Random(seed))[160])
    assert house.unequal() == []
    assert lots
    house.close()

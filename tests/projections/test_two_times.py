"""As of a day, as known at an instant: what was shown then is shown again, to the byte."""

from __future__ import annotations

import json
import os
import random

import pytest

from tests.projections.streams import batches, quotes, stream
from tests.services.house import STOCK, House, buy, sell

STREAMS = int(os.environ.get("THRESHER_STREAMS", "10"))


@pytest.mark.parametrize("seed", range(STREAMS))
def test_an_answer_given_then_is_given_again_to_the_byte(house: House, seed: int) -> None:
    """Day by day facts and marks come in and every question is asked; later all are repeated."""
    rng = random.Random(f"two times {seed}")
    house.app.projector  # noqa: B018
    house.watch("sum", "150")
    house.clock.advance(days=2000)  # beyond every history: nothing is in the future
    facts = stream(rng)
    given = {}
    for batch in batches(rng, facts):
        house.clock.advance(days=rng.choice([1, 3, 30]))
        house.app.ledger.append(batch, house.clock.text)
        house.app.projector.catch_up(house.clock.day)
        house.app.market.facts_changed(house.clock.text)
        house.app.market.take(quotes(rng, house, facts))
        given[house.clock.day, house.clock.text] = json.dumps(house.ask(), indent=1)
    for (day, moment), answer in given.items():
        again = json.dumps(house.ask(as_of=day, known_at=moment), indent=1)
        assert again.splitlines() == answer.splitlines()


def test_as_of_leaves_out_what_happened_later(house: House) -> None:
    house.say(STOCK, buy("b1", "2", "200"), sell("s1"))
    assert house.ask(as_of="2025-02-02")["gains"] == []
    assert [lot["qty"] for lot in house.ask(as_of="2025-02-02")["lots"]] == ["2"]
    assert house.ask(as_of="2025-01-01")["lots"] == []
    assert [row["event"] for row in house.ask(as_of="2025-02-03")["gains"]] == ["csv:s1"]


def test_known_at_leaves_out_what_was_learned_later(house: House) -> None:
    house.say(STOCK, buy("b1", "2", "200"))
    house.clock.advance(days=10)
    house.say(sell("s1"))
    house.clock.advance(days=10)
    house.say({"id": "s1", "type": "correction", "fact": sell("s1", amount="70")})
    known = {
        day: [row["proceeds"] for row in house.ask(known_at=day)["gains"]]
        for day in ("2025-03-10", "2025-03-11", "2025-03-20", "2025-03-21")
    }
    assert known == {
        "2025-03-10": [], "2025-03-11": ["80"], "2025-03-20": ["80"], "2025-03-21": ["70"],
    }  # fmt: skip
    assert [r["proceeds"] for r in house.ask(known_at="2025-03-21T11:59:59Z")["gains"]] == ["80"]
    assert [r["proceeds"] for r in house.ask(known_at="2025-03-21T12:00:00Z")["gains"]] == ["70"]


def test_a_mark_counts_only_from_its_time_and_from_when_it_was_known(house: House) -> None:
    house.say(STOCK, buy("b1"))
    house.tick("S", "90")
    house.clock.advance(days=2)
    house.tick("S", "60")
    losses = {
        day: [o["loss"] for o in house.ask(as_of=day)["opportunities"]]
        for day in ("2025-02-28", "2025-03-01", "2025-03-02", "2025-03-03")
    }
    assert losses == {
        "2025-02-28": [], "2025-03-01": ["10"], "2025-03-02": ["10"], "2025-03-03": ["40"],
    }  # fmt: skip
    assert [o["loss"] for o in house.ask(known_at="2025-03-02")["opportunities"]] == ["10"]


def test_windows_close_with_the_days_without_a_new_fact(house: House) -> None:
    house.say(STOCK, buy("b1", "2", "200"), sell("s1", date="2025-03-01"))
    assert [w["safe_from"] for w in house.ask()["windows"]] == ["2025-04-01"]
    house.clock.advance(days=31)
    assert house.ask()["windows"] == []
    assert [w["safe_from"] for w in house.ask(as_of="2025-03-31")["windows"]] == ["2025-04-01"]


def test_a_taxpayer_sees_and_touches_nothing_of_another(house: House) -> None:
    house.say(STOCK, buy("b1", "2", "200"), sell("s1"))
    alone = house.ask()
    house.say(STOCK, buy("b1", "5", "700"), sell("x", "9"), taxpayer="other")
    house.tick("S", "10")
    assert house.ask()["gains"] == alone["gains"]
    assert house.ask()["lots"] == alone["lots"]
    assert house.ask()["issues"] == []
    assert [i["fact"] for i in house.ask(taxpayer="other")["issues"]] == ["csv:x"]
    assert [lot["basis"] for lot in house.ask(taxpayer="other")["lots"]] == ["700"]
    assert house.ask(taxpayer="main.2")["lots"] == []
    assert house.unequal() == []

"""After a restart all is as it would be without: books, crossings, and what is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services import snapshots
from tests.services.house import COIN, STOCK, House, buy
from tests.services.test_live_and_naive import Market

RUNS = 20


@pytest.fixture(autouse=True)
def _every_fact_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "AT_LEAST", 1)
    monkeypatch.setattr(snapshots, "SHARE", 1_000)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "warm.db")
    yield made
    made.close()


class Restarted(Market):
    """A random market whose process ends all the time: mostly in order, sometimes killed."""

    def step(self) -> None:
        if self.rng.random() < 0.6:
            if self.rng.random() < 0.8:
                self.house.app.market.rest()
            self.house = self.house.reopened()
        super().step()


@pytest.mark.parametrize("seed", range(RUNS))
def test_no_crossing_is_lost_or_said_twice_however_often_it_is_restarted(
    seed: int, tmp_path: Path
) -> None:
    market = Restarted(seed, tmp_path)
    for _ in range(40):
        market.step()
    assert market.house.unequal() == []
    market.house.close()


def test_who_rests_through_an_audit_is_swept_from_its_next_tax_year_on(house: House) -> None:
    """Its books are loaded by the day alone: no fact, no price and no rule asked for them."""
    house.say(COIN, STOCK, buy("c", "10", "1000", asset="C"))
    house.watch("loss", "300")
    house.tick("C", "99")
    house.app.rest()
    after = house.reopened()
    after.tick("S", "10")  # audits, and asks nobody
    assert after.app.market.watch.engine.resting
    after.clock.advance(days=366)
    after.tick("S", "11")
    assert not after.app.market.watch.engine.resting
    assert [fact.rule for fact in after.tick("C", "60")] == ["loss"]
    after.close()

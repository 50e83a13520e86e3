"""Rules with dwell in a market that goes up and down: as exact as valuing all at every step."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.services.test_live_and_naive import METRICS, RUNS, SCOPES, Market


class Nervous(Market):
    """Every rule has a dwell of some steps, and prices come back to where they were."""

    def rule(self, name: str) -> None:
        metric = self.rng.choice(list(METRICS))
        self.house.watch(
            name, str(self.rng.randint(*METRICS[metric])), metric=metric,
            scope=self.rng.choice(SCOPES), rearm_ratio="1",
            taxpayer=self.rng.choice(("main", "other")),
            cooldown_seconds=self.rng.choice((0, 0, 3600)),
            dwell_seconds=self.rng.choice((60, 420, 3600, 60_000, 1_200_000)),
        )  # fmt: skip

    def move(self, asset: str) -> None:
        self.prices[asset] = 100 * self.rng.choice((0.4, 0.6, 0.75, 0.8, 0.9, 1, 1.1))


@pytest.mark.parametrize("seed", range(RUNS // 2))
def test_live_and_naive_wait_fire_and_lapse_at_the_same_step(seed: int, tmp_path: Path) -> None:
    market = Nervous(seed, tmp_path)
    market.naive.step(market.house)
    for _ in range(60):
        market.step()
    market.house.close()

"""The sweep names every rule that is across, by however little, and few others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from services.live import sweep as sweep_module
from services.live.engine import Engine
from services.live.sweep import Sweep
from services.live.sweep_parts import Part
from services.live.watched import Watched
from services.statement import Mark
from tests.services.house import COIN, House, buy
from tests.services.test_live_and_naive import METRICS, RUNS, SCOPES, Market

FALLS = (1.0, 0.999, 0.9, 0.6, 0.2, 1.001, 1.2, 2.0)


def moved(marks: Mapping[str, Mark], factors: Iterator[float]) -> dict[str, Mark]:
    """The marks, each at another price."""
    return {
        asset: mark._replace(price=int(mark.price * next(factors))) for asset, mark in marks.items()
    }


def check(engine: Engine, sweep: Sweep, marks: Mapping[str, Mark]) -> None:
    """Whoever is across by the exact value of the lots is named; nobody who is far from it."""
    named = sweep.may_cross(marks)
    for key, watched in engine.watched.items():
        if not sweep.covers(key):
            continue
        value, _ = engine.holder(key[0]).value(watched.metric, watched.scope, marks)
        limit = watched.level if watched.firing else watched.threshold
        is_ready = watched.firing or engine.now >= watched.ready_at
        is_across = value < limit if watched.firing else value >= limit
        assert not (is_across and is_ready) or key in named
        is_exact = engine.holder(key[0]).metric(watched.metric, watched.scope).is_exact
        if is_exact and watched.metric != "tax_saved" and abs(value - limit) > limit // 10**9:
            assert is_across or key not in named


@pytest.mark.parametrize("seed", range(RUNS))
def test_it_names_who_is_across_at_any_prices(seed: int, tmp_path: Path) -> None:
    market = Market(seed, tmp_path)
    for step in range(40):
        market.step()
        assert market.house.app.market.counts.missed == 0
        if step % 4 == 0:
            watch = market.house.app.market.watch
            factors = iter(lambda: market.rng.choice(FALLS), None)
            marks = moved(market.house.app.projector.board.marks, factors)
            check(watch.engine, watch.relief.sweep, marks)
    market.house.close()


@pytest.mark.parametrize("seed", range(RUNS))
def test_it_names_who_is_at_the_limit_to_the_last_digit(seed: int, tmp_path: Path) -> None:
    """Armed at exactly the threshold, and firing by 10**-36 below the level."""
    market = Market(seed, tmp_path)
    for _ in range(25):
        market.step()
    projector = market.house.app.projector
    marks = moved(projector.board.marks, iter(lambda: market.rng.uniform(0.3, 1.0), None))
    engine = Engine(projector.taxpayer)
    for name in ("main", "other"):
        for metric in METRICS:
            for scope in SCOPES:
                engine.watch((name, f"{metric} {scope}"), Watched(metric, scope, 1, 1))
    engine.advance(market.house.clock.text)
    sweep = Sweep(engine)
    sweep.may_cross(marks)
    expected = set()
    for key, watched in engine.watched.items():
        value, _ = engine.holder(key[0]).value(watched.metric, watched.scope, marks)
        if value > 0 and sweep.covers(key):
            watched.threshold = value
            expected.add(key)
    engine.touched |= expected
    assert expected <= sweep.may_cross(marks)
    for key in expected:
        watched = engine.watched[key]
        watched.firing, watched.level = True, watched.threshold + 1
    engine.touched |= expected
    covered = {key for key in expected if sweep.covers(key)}
    assert covered <= sweep.may_cross(marks)
    market.house.close()


def test_only_the_taxpayer_that_changed_is_laid_out_anew(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    class Noted(Part):
        def __init__(self, holder: Any, watched: Any, assets: Any) -> None:
            made.extend(sorted({name for name, _ in watched}))
            super().__init__(holder, watched, assets)

    monkeypatch.setattr(sweep_module, "Part", Noted)
    for taxpayer in ("main", "other"):
        house.say(COIN, buy("b1", "10", "1000", asset="C"), taxpayer=taxpayer)
        house.watch("loss", "200", taxpayer=taxpayer)
    house.tick("C", "99")
    assert made == ["main", "other"]
    made.clear()
    house.tick("C", "85")
    assert made == []
    house.say(buy("b2", "10", "2000", asset="C"), taxpayer="other")
    house.tick("C", "84")
    assert made == ["other"]


@pytest.mark.parametrize("metric", list(METRICS))
def test_a_rule_is_named_from_its_limit_on_and_not_far_before(house: House, metric: str) -> None:
    house.say(COIN, buy("b1", "10", "1000", asset="C"))
    house.watch("rule", {"loss_percent": "20", "tax_saved": "70"}.get(metric, "200"), metric=metric)
    house.tick("C", "100")
    watch = house.app.market.watch
    mark = house.app.projector.board.marks["C"]
    named = [
        bool(watch.relief.sweep.may_cross({"C": mark._replace(price=price * 10**16)}))
        for price in (10_000, 8_100, 8_000, 7_000)
    ]
    assert named == [False, False, True, True]

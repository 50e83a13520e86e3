"""The self-audit, and a market that is late: what is conflated, and that no crossing is lost."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from domain.days import sortable_instant
from domain.decisions import AlertFired
from services.live import engine as engine_module
from services.live import relief as relief_module
from services.live.guards import Metric
from services.live.pace import is_behind
from services.marks import Quote
from tests.services.house import COIN, START, STOCK, House, buy
from tests.services.test_alerts import said

SECOND = timedelta(seconds=1)


@pytest.fixture
def coin(house: House) -> House:
    """Ten coins bought for 1,000, and a rule at a loss of 200 (re-arms below 170)."""
    house.say(COIN, buy("b1", "10", "1000", asset="C"))
    house.watch("loss", "200")
    house.tick("C", "100")
    house.app.market.max_behind = SECOND
    return house


def waiting(house: House, *prices: str, asset: str = "C", late: int = 2) -> list[Quote]:
    """Quotes one second apart; the clock is so many seconds past the last."""
    house.clock.advance(seconds=len(prices))
    quotes = []
    for number, price in enumerate(prices):
        house.clock.advance(seconds=1)
        quotes.append(Quote(asset, price, house.clock.text, source=f"feed{number % 2}"))
    house.clock.advance(seconds=late)
    return quotes


def deaf(metric: Metric, prices: Mapping[str, int], threshold: int) -> dict[str, int]:
    """Guards that wake nobody."""
    return dict.fromkeys(metric.assets, -1)


def test_what_a_broken_guard_misses_the_audit_finds_at_once(
    coin: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(engine_module, "until_it_fires", deaf)
    coin.watch("loss", "300")
    assert said(coin.tick("C", "60")) == ["fired loss #1 at 400"]
    assert coin.app.market.counts.missed == 1
    (line,) = caplog.records
    assert "crossed unseen" in line.message
    assert (vars(line)["taxpayer"], vars(line)["rule"]) == ("main", "loss")
    assert [row["rule"] for row in coin.ask()["alerts"]] == ["loss"]
    assert coin.app.market.counts.fired == 1


def test_the_audit_is_made_once_a_second_and_when_asked(
    coin: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "until_it_fires", deaf)
    coin.watch("loss", "300")
    coin.tick("C", "100")
    coin.clock.advance(milliseconds=900)
    assert coin.ticks(("C", "60")) == []
    assert said(coin.app.market.audit()) == ["fired loss #1 at 400"]
    assert (coin.app.market.counts.missed, coin.app.market.counts.fired) == (1, 1)


def test_a_healthy_engine_is_found_healthy(coin: House) -> None:
    for price in ("90", "79", "85", "75", "99", "60"):
        coin.tick("C", price)
        assert coin.app.market.audit() == []
    assert coin.app.market.counts.missed == 0


def test_a_late_market_values_the_latest_mark_only_and_keeps_them_all(coin: House) -> None:
    quotes = waiting(coin, "70", "95", "78")
    (fired,) = coin.app.market.take(quotes, confirmed=True)
    assert said([fired]) == ["fired loss #1 at 220"]
    assert isinstance(fired, AlertFired)
    assert [(mark.price, mark.at) for mark in fired.marks] == [("78", quotes[-1].at)]
    assert fired.effective_at == quotes[-1].at
    assert coin.app.market.counts.conflated == 2
    assert coin.sql("SELECT count(*) FROM marks") == [(4,)]
    assert coin.app.market.is_late


@pytest.mark.parametrize(
    ("max_behind", "late"),
    [(None, 2), (SECOND, 1), (SECOND, 302), (SECOND, 10_000_000)],
    ids=["not asked for", "on time", "too old to be live", "history"],
)
def test_a_market_that_is_not_late_values_each_mark(
    coin: House, max_behind: timedelta | None, late: int
) -> None:
    coin.app.market.max_behind = max_behind
    taken = coin.app.market.take(waiting(coin, "70", "95", "78", late=late), confirmed=True)
    assert said(taken) == [
        "fired loss #1 at 300", "rearmed loss #1 at 50", "fired loss #2 at 220",
    ]  # fmt: skip
    assert coin.app.market.counts.conflated == 0
    assert not coin.app.market.is_late


def test_the_clock_goes_on_while_a_batch_is_taken(
    coin: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On time at its first instant, late at the second: the rest is conflated."""
    quotes = waiting(coin, "70", "60", "95", "78", late=1)
    tick = coin.app.market.watch.tick

    def slow(*args: object) -> object:
        coin.clock.advance(seconds=3)
        return tick(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(coin.app.market.watch, "tick", slow)
    assert said(coin.app.market.take(quotes, confirmed=True)) == ["fired loss #1 at 300"]
    assert coin.app.market.counts.conflated == 2


def test_crossings_keep_their_numbers_through_an_overload(coin: House) -> None:
    assert said(coin.tick("C", "79")) == ["fired loss #1 at 210"]
    assert said(coin.app.market.take(waiting(coin, "90", "95"), confirmed=True)) == [
        "rearmed loss #1 at 50"
    ]
    assert said(coin.app.market.take(waiting(coin, "90", "75"), confirmed=True)) == [
        "fired loss #2 at 250"
    ]
    assert said(coin.tick("C", "99")) == ["rearmed loss #2 at 10"]
    again = coin.reopened()
    assert said(again.tick("C", "50")) == ["fired loss #3 at 500"]
    assert len({row["key"] for row in again.ask()["alerts"]}) == 3
    assert again.unequal() == []
    again.close()


def test_parked_rules_are_guarded_again_when_there_is_time(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relief_module, "GUARDED_AT_ONCE", 2)
    house.say(COIN, buy("b1", "10", "1000", asset="C"))
    for number in range(5):
        house.watch(f"r{number}", str(200 + number))
    house.tick("C", "100")
    market = house.app.market
    market.max_behind = SECOND
    market.take(waiting(house, "90", "78"), confirmed=True)
    relief = market.watch.relief
    assert len(relief.parked) == 5
    left = []
    while relief.parked:
        market.take([])
        left.append(len(relief.parked))
    assert left == [3, 1, 0]
    asked = market.watch.engine.asked
    assert len(house.tick("C", "99")) == 5
    assert market.watch.engine.asked == asked + 5
    assert market.counts.missed == 0


def test_while_rules_are_parked_a_live_feed_stays_conflated(coin: House) -> None:
    market = coin.app.market
    market.take(waiting(coin, "90", "79"), confirmed=True)
    assert market.watch.is_relieved
    coin.app.market.take(waiting(coin, "78", "77", late=1), confirmed=True)
    assert not market.watch.is_relieved
    assert market.counts.conflated == 2
    coin.app.market.take(waiting(coin, "76", "75", late=1), confirmed=True)
    assert market.counts.conflated == 2


def test_facts_and_rule_edits_are_seen_while_rules_are_parked(coin: House) -> None:
    def take(*prices: str) -> None:
        coin.app.market.take(waiting(coin, *prices), confirmed=True)
        assert coin.app.market.watch.is_relieved

    take("90", "79")
    take("95", "96")
    coin.say(buy("b2", "10", "2000", asset="C"))
    assert [row["value"] for row in coin.ask()["alerts"]] == ["210", "1080"]
    take("198", "199")
    coin.watch("second", "5")
    assert [row["rule"] for row in coin.ask()["alerts"]] == ["loss", "loss", "second"]


def test_a_rule_that_a_price_reaches_is_not_asked_if_the_sweep_knows_better(house: House) -> None:
    """Its coin falls below its guard, and its share rises by as much."""
    house.say(COIN, STOCK, buy("b1", "10", "1000", asset="C"), buy("b2", "10", "1000"))
    house.watch("loss", "400")
    house.ticks(("C", "90"), ("S", "90"))
    market = house.app.market
    market.max_behind = SECOND
    asked = market.watch.engine.asked
    fall = waiting(house, "70")
    assert market.take([*waiting(house, "99.5", asset="S"), *fall], confirmed=True) == []
    assert market.watch.engine.asked == asked
    assert market.watch.relief.parked == {("main", "loss")}
    assert len(market.take(waiting(house, "80", "50"), confirmed=True)) == 1


def crowd(path: Path) -> House:
    """Stocks and coins in two accounts, pools of another law, and rules of every metric."""
    house, rng = House(path), random.Random(5)
    for taxpayer, law in (("main", "us"), ("other", "us"), ("third", "uk")):
        house.say({"id": "law", "type": "policy", "jurisdiction": law}, taxpayer=taxpayer)
        house.say(STOCK, COIN, taxpayer=taxpayer)
        for number in range(12):
            asset = rng.choice("SC")
            cost = str(rng.randint(60, 140) * 10)
            bought = buy(f"b{number}", "10", cost, asset=asset, account=rng.choice("AB"))
            house.say(bought, taxpayer=taxpayer)
        for number in range(8):
            metric, most = rng.choice(
                (("harvestable_loss", 3000), ("tax_saved", 900), ("loss_percent", 40))
            )
            house.watch(
                f"r{number}", str(rng.randint(most // 20, most)), metric=metric,
                scope=rng.choice(("all", "asset:S", "asset:C", "account:B")), taxpayer=taxpayer,
            )  # fmt: skip
    house.clock.advance(minutes=1)
    house.ticks(("S", "130"), ("C", "130"))
    return house


def states(house: House) -> dict[tuple[str, str], bool]:
    """Which rules fire."""
    return {key: rule.firing for key, rule in house.app.market.watch.engine.watched.items()}


def run(house: House, start: int, end: int, size: Callable[[], int]) -> None:
    """Both prices go from one to the other in turn by steps of one, taken in batches."""
    step = 1 if end > start else -1
    quotes = [
        quote
        for price in range(start + step, end + step, step)
        for asset in "SC"
        for quote in waiting(house, str(price), asset=asset, late=0)
    ]
    while quotes:
        house.clock.advance(microseconds=1)
        batch = size()
        house.app.market.take(quotes[:batch], confirmed=True)
        quotes = quotes[batch:]


@pytest.mark.parametrize("seed", range(5))
def test_conflated_or_not_a_fall_ends_in_the_same_state(seed: int, tmp_path: Path) -> None:
    """All prices only fall, then only rise: so nothing is across in between and not at an end."""
    each, late = crowd(tmp_path / "each.db"), crowd(tmp_path / "late.db")
    late.app.market.max_behind = SECOND
    rng = random.Random(seed)
    for start, end in ((130, 60), (60, 200)):
        run(each, start, end, lambda: 1)
        run(late, start, end, lambda: rng.randint(1, 30))
        assert states(each) == states(late)
        assert any(states(each).values()) is (end == 60)
    assert late.app.market.counts.conflated > 0
    assert late.app.market.counts.missed == each.app.market.counts.missed == 0
    assert each.app.market.counts.conflated == 0
    each.close()
    late.close()


@pytest.mark.parametrize(
    ("waited", "expected"),
    [(-5.0, False), (1.0, False), (1.001, True), (300.9, True), (301.1, False)],
)
def test_late_is_later_than_said_and_not_older_than_live(waited: float, expected: bool) -> None:
    assert is_behind(sortable_instant(START), START + timedelta(seconds=waited), SECOND) is expected

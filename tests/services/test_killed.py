"""A file whose processes are killed anywhere: each crossing is told once, at its own mark."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from domain.decisions import AlertFired, AlertLapsed, AlertPending, AlertRearmed
from services.alerting import Watch
from services.intake import Intake, PositionMoved, Step
from services.ledger import Ledger
from services.market import Market
from services.market_counts import MarketCounts
from services.marks import Quote
from services.projector import Projector
from tests.services.house import COIN, STOCK, Clock, House, Json, buy, offers, sell

RUNS = 10
# Where a process ends: marks stored, rules asked, crossings stored, crossings projected.
PLACES: list[tuple[type, str]] = [
    (Market, "_join"), (Market, "_settle"), (Watch, "settle"), (Projector, "catch_up"),
    (MarketCounts, "crossed"),
]  # fmt: skip


class Killed(BaseException):
    """The end of a process, which no code of it sees."""


def killed(place: tuple[type, str], act: Callable[[], object]) -> bool:
    """Does it, and ends where it comes to that place, if it does."""

    def end(*_: object, **__: object) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(*place, end)
        try:
            act()
        except Killed:
            return True
    return False


def told(house: House) -> list[str]:
    """Every crossing in the log: what, of whom, when, at which value."""
    facts = [logged.recorded.fact for logged in house.app.ledger.read(0, 10_000)]
    return [
        f"{type(fact).__name__} {fact.rule} "
        f"{fact.number if isinstance(fact, AlertPending | AlertLapsed) else fact.crossing} "
        f"{fact.effective_at} {fact.value}"
        for fact in facts
        if isinstance(fact, AlertFired | AlertRearmed | AlertPending | AlertLapsed)
    ]


@pytest.fixture
def coin(file_house: House) -> House:
    """Ten coins bought for 1,000, and a rule that fires at a loss of 300; asked until 12:01."""
    file_house.say(COIN, buy("b1", "10", "1000", asset="C"))
    file_house.watch("loss", "300", rearm_ratio="0.5")
    file_house.tick("C", "99")
    return file_house


def quotes(house: House, *prices: str) -> list[Quote]:
    """Marks of the coin, a minute apart."""
    found = []
    for price in prices:
        house.clock.advance(minutes=1)
        found.append(Quote("C", price, house.clock.text))
    return found


def takes(house: House, marks: list[Quote]) -> Callable[[], object]:
    return lambda: house.app.market.take(marks, confirmed=True)


def minutes(house: House) -> list[str]:
    return [f"{line.split()[0]} {line.split()[3][11:16]}" for line in told(house)]


def test_a_crossing_within_the_batch_that_was_stored_is_told_by_the_next_process(
    coin: House,
) -> None:
    assert killed((Market, "_join"), takes(coin, quotes(coin, "60", "99")))
    after = coin.reopened()
    assert told(after) == []
    after.app.market  # noqa: B018
    assert minutes(after) == ["AlertFired 12:02", "AlertRearmed 12:03"]
    assert after.app.market.take([]) == []


def test_what_was_told_is_not_told_again(coin: House) -> None:
    """Killed when the crossings were stored, before anybody knew."""
    assert killed((Projector, "catch_up"), takes(coin, quotes(coin, "60", "99", "98")))
    after = coin.reopened()
    after.app.market.take(quotes(after, "97"))
    assert minutes(after) == ["AlertFired 12:02", "AlertRearmed 12:03"]


def test_facts_that_come_after_are_not_known_to_marks_of_before(coin: House) -> None:
    """Nine coins more would have made a loss of 300 of what was one of 200."""
    assert killed((Market, "_join"), takes(coin, quotes(coin, "80", "99")))
    after = coin.reopened()
    after.say(buy("b2", "9", "900", asset="C"))
    assert told(after) == []


def test_what_was_asked_before_a_fact_is_not_asked_again_after_it(coin: House) -> None:
    """Whoever states it has seen to that: the process that asked need not have said so."""
    assert killed((Market, "_join"), takes(coin, quotes(coin, "80", "99")))
    after = coin.reopened()
    after.app.ask_first()
    after.append(buy("b2", "9", "900", asset="C"))  # and is killed
    again = after.reopened()
    again.app.market  # noqa: B018
    assert told(again) == []
    beside = again.beside()
    beside.app.market  # noqa: B018
    takes(again, quotes(again, "90", "99"))()
    beside.say(buy("b3", "20", "2000", asset="C"))
    assert told(again) == []


def test_crossings_that_another_stored_and_did_not_project_are_known(coin: House) -> None:
    beside = coin.beside()
    beside.app.market  # noqa: B018
    assert killed((Projector, "catch_up"), takes(coin, quotes(coin, "60")))
    takes(beside, quotes(coin, "99"))()
    takes(beside, quotes(coin, "60"))()
    assert minutes(beside) == ["AlertFired 12:02", "AlertRearmed 12:03", "AlertFired 12:04"]


def once(of: object, name: str, act: Callable[[], object]) -> None:
    """The first time that this is called, something else happens just before."""
    was = getattr(of, name)

    def first(*args: object, **named: object) -> object:
        setattr(of, name, was)
        act()
        return was(*args, **named)

    setattr(of, name, first)


def test_a_rule_is_not_asked_at_marks_before_what_another_told_of_it(coin: House) -> None:
    """While one joins, and while one starts, the other fires at a later mark."""
    beside = coin.beside()
    beside.app.market  # noqa: B018
    coin.append(buy("b9", "0.001", "0.1", asset="C"))
    coin.app.projector.catch_up(coin.clock.day)  # so that the other has something to follow
    early, late = quotes(coin, "97"), quotes(coin, "60")
    once(beside.app.market, "_join", takes(coin, late))
    takes(beside, early)()
    assert minutes(beside) == ["AlertFired 12:03"]
    takes(coin, quotes(coin, "98"))()
    takes(coin, quotes(coin, "97"))()  # nothing crosses, so that others have it to ask about
    starts, late = coin.beside(), quotes(coin, "60")
    once(starts.app.projector, "rewind", takes(coin, late))
    starts.app.market  # noqa: B018
    assert minutes(starts) == ["AlertFired 12:03", "AlertRearmed 12:04", "AlertFired 12:06"]


def test_prices_that_were_imported_wait_for_nobody(coin: House) -> None:
    coin.app.market.bring_in(quotes(coin, "60", "99"))
    after = coin.reopened()
    after.app.market  # noqa: B018
    assert told(after) == []


def test_prices_that_are_imported_while_others_wait_wait_with_them(coin: House) -> None:
    assert killed((Market, "_join"), takes(coin, quotes(coin, "99")))
    beside = coin.beside()
    assert beside.app.market.take([]) == []  # it has asked
    assert killed((Market, "_join"), takes(coin, quotes(coin, "98")))
    beside.app.market.bring_in(quotes(coin, "60", "97"))
    after = coin.reopened()
    after.app.market  # noqa: B018
    assert minutes(after) == ["AlertFired 12:04", "AlertRearmed 12:05"]


def test_an_end_by_an_error_says_nothing_of_marks_that_were_not_settled(coin: House) -> None:
    """Asked about, and what was found could not be stored."""
    assert killed((Watch, "settle"), takes(coin, quotes(coin, "60", "99")))
    coin.app.rest()
    after = coin.reopened()
    after.app.market  # noqa: B018
    assert minutes(after) == ["AlertFired 12:02", "AlertRearmed 12:03"]


def test_an_end_in_order_leaves_nothing_to_ask(coin: House) -> None:
    coin.app.market.take(quotes(coin, "98"))
    coin.app.rest()
    after = coin.reopened()
    after.app.market  # noqa: B018
    assert after.app.market.watch.engine.now == ""  # nobody was asked


def test_a_position_that_others_moved_refuses_what_comes_with_it(coin: House) -> None:
    """On a file as on a server."""
    step = Step("marks evaluated", 0, expected=99, next=100)
    ledger: Ledger = coin.app.ledger
    new = offers([buy("b2", "1", "100", asset="C")], "main", "csv")
    head = ledger.head()
    with pytest.raises(PositionMoved):
        ledger.append(new, coin.clock.text, lambda outcomes: Intake((step,), (), coin.clock.text))
    assert ledger.head() == head


class Two:
    """Two files that the same happens to. In one every instant is asked about by itself, by one
    process that nobody ends; in the other marks come in batches, to several processes at once,
    each killed anywhere or ended in order."""

    def __init__(self, seed: int, path: Path) -> None:
        self.rng = Random(seed)
        self.plain, self.hard = House(path / "plain.db", Clock()), House(path / "hard.db", Clock())
        self.beside = self.hard.beside()
        self.prices = {"S": 100.0, "C": 100.0}
        self.kills = 0
        for house in (self.plain, self.hard):
            house.say(STOCK, COIN, buy("s", "10", "1000"), buy("c", "10", "1000", asset="C"))
            for number, ratio in enumerate(("0.5", "0.85", "1")):
                house.watch(f"all{number}", str(100 + 200 * number), rearm_ratio=ratio)
            house.watch("slow", "250", dwell_seconds=120)
            house.watch("cool", "200", scope="asset:C", cooldown_seconds=240)

    def act(self) -> None:
        for house in (self.plain, self.hard):
            house.clock.now = max(self.plain.clock.now, self.hard.clock.now)
        if self.rng.random() < 0.15:
            self.trade()
            return
        marks = []
        for _ in range(self.rng.randint(1, 12)):
            self.plain.clock.advance(minutes=1)
            asset = self.rng.choice("SC")
            self.prices[asset] *= self.rng.choice((0.6, 0.8, 0.95, 1.0, 1.05, 1.25, 1.6))
            marks.append(Quote(asset, f"{self.prices[asset]:.2f}", self.plain.clock.text))
            self.plain.app.market.take([marks[-1]], confirmed=True)
        self.hard.clock.now = self.plain.clock.now
        self.take(marks)

    def take(self, marks: list[Quote]) -> None:
        rng = self.rng
        if rng.random() < 0.3:
            self.hard, self.beside = self.beside, self.hard
        if rng.random() < 0.5:
            takes(self.hard, marks)()
            return
        if killed(rng.choice(PLACES), lambda: self.hard.app.market):  # as it starts
            self.hard = self.hard.reopened()
        self.hard.app.market  # noqa: B018
        if killed(rng.choice(PLACES), takes(self.hard, marks)):
            self.kills += 1
        else:
            self.hard.app.rest()
        self.hard = self.hard.reopened()

    def trade(self) -> None:
        number = self.plain.app.ledger.head()
        make = self.rng.choice((buy, buy, sell))
        fact: Json = make(f"f{number}", "2", str(self.rng.randint(100, 300)), asset="C")
        for house in (self.plain, self.hard):
            house.say(fact)


@pytest.mark.parametrize("seed", range(RUNS))
def test_batches_and_kills_and_company_make_no_difference(seed: int, tmp_path: Path) -> None:
    two = Two(seed, tmp_path)
    for _ in range(25):
        two.act()
    two.hard.app.market.take([])
    assert told(two.hard) == told(two.plain)
    assert two.kills
    assert two.hard.unequal() == []
    two.plain.close_all()
    two.hard.close_all()

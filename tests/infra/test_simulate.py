"""The made-up venue: the same seed says the same, and what it says adds up."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime

from infra.simulate import Shares, Venue
from services.ledger import Outcome
from tests.end_to_end.command import thresher
from tests.services.house import House, offers


def test_the_same_seed_says_the_same_and_another_one_something_else() -> None:
    def said(seed: int) -> list[object]:
        venue = Venue(seed, 2, 3, Shares())
        return [*venue.opening(), *venue.day(300)]

    assert said(1) == said(1)
    assert said(1) != said(2)


def test_two_venues_trade_for_one_taxpayer(file_house: House) -> None:
    for seed in (1, 2):
        venue = Venue(seed, 1, 2, Shares(busted=0))
        said = [each.data for each in venue.day(50, marks=0) if isinstance(each.data, dict)]
        outcomes = file_house.app.ledger.append(offers(said), file_house.clock.text)
        assert outcomes.count(Outcome.NEW) >= 50
        assert Outcome.CONFLICT not in outcomes


def test_a_share_is_between_0_and_1_and_a_pipe_has_facts_or_marks() -> None:
    for wrong in (("--poison", "1.5"), ("--marks", "-1"), ("--only", "prices")):
        assert thresher("simulate", "exchange", *wrong).code == 2


def test_each_kind_of_trouble_comes_as_often_as_was_asked() -> None:
    shares = Shares(redelivered=0.2, late=0.2, busted=0.1, poison=0.1)
    said = list(Venue(3, 1, 2, shares).day(2_000))
    fills = [each for each in said if each.id.startswith("fill-3-")]
    told = Counter(each.id for each in fills)
    again = sum(count - 1 for count in told.values())
    assert 0.12 < again / len(told) < 0.28
    assert 0.05 < sum(each.id.startswith("bust-") for each in said) / len(told) < 0.15
    poison = [each for each in said if each.is_poison and each.kind == "fact"]
    assert 0.05 < len(poison) / len(told) < 0.15
    numbers = [int(each.id.removeprefix("fill-3-")) for each in fills]
    assert numbers != sorted(numbers)  # some are late


def test_prices_have_troubles_and_an_instant_each() -> None:
    shares = Shares(redelivered=0.2, late=0.2, poison=0.1)
    venue = Venue(4, 1, 3, shares, datetime(2031, 5, 1, tzinfo=UTC))
    marks = [each for each in [*venue.opening(), *venue.day(2_000)] if each.kind == "mark"]
    sound = [each.data for each in marks if isinstance(each.data, dict)]
    known = {json.dumps(each) for each in sound}
    assert 0.12 < len(sound) / len(known) - 1 < 0.28
    assert 0.05 < sum(each.is_poison for each in marks) / len(known) < 0.15
    times = list(dict.fromkeys(each["time"] for each in sound))
    assert len(times) == len(known)
    assert times[0] == "2031-05-01T00:00:01.000000Z"
    late = sum(later < max(times[:number]) for number, later in enumerate(times) if number)
    assert 0.1 < late / len(known) < 0.3


def test_without_busts_nothing_is_sold_that_is_not_there(file_house: House) -> None:
    venue = Venue(5, 1, 4, Shares(busted=0))
    facts = [each.data for each in [*venue.opening(), *venue.day(800)] if each.kind == "fact"]
    made = offers([fact for fact in facts if isinstance(fact, dict)])
    outcomes = file_house.app.ledger.append(made, file_house.clock.text)
    assert set(outcomes) == {Outcome.NEW, Outcome.KNOWN}
    file_house.app.projector.catch_up(file_house.clock.day)
    assert [issue for issue in file_house.ask()["issues"] if issue["held_out"]] == []


def test_a_load_of_nobody_or_nothing_is_refused() -> None:
    for option in ("--messages", "--taxpayers", "--assets"):
        assert thresher("simulate", "exchange", option, "0").code == 2
    assert thresher("simulate", "exchange", "--rate", "-1").code == 2

"""The made-up venue: the same seed says the same, and what it says adds up."""

from __future__ import annotations

from collections import Counter

from infra.simulate import Shares, Venue
from services.ledger import Outcome
from tests.services.house import House, offers


def test_the_same_seed_says_the_same_and_another_one_something_else() -> None:
    def said(seed: int) -> list[object]:
        venue = Venue(seed, 2, 3, Shares())
        return [*venue.opening(), *venue.day(300)]

    assert said(1) == said(1)
    assert said(1) != said(2)


def test_each_kind_of_trouble_comes_as_often_as_was_asked() -> None:
    shares = Shares(redelivered=0.2, late=0.2, busted=0.1, poison=0.1)
    said = list(Venue(3, 1, 2, shares).day(2_000))
    fills = [each for each in said if each.id.startswith("fill-")]
    told = Counter(each.id for each in fills)
    again = sum(count - 1 for count in told.values())
    assert 0.12 < again / len(told) < 0.28
    assert 0.05 < sum(each.id.startswith("bust-") for each in said) / len(told) < 0.15
    assert 0.05 < sum(each.kind == "poison" for each in said) / len(told) < 0.15
    numbers = [int(each.id.removeprefix("fill-")) for each in fills]
    assert numbers != sorted(numbers)  # some are late


def test_without_busts_nothing_is_sold_that_is_not_there(file_house: House) -> None:
    venue = Venue(5, 1, 4, Shares(busted=0))
    facts = [each.data for each in [*venue.opening(), *venue.day(800)] if each.kind == "fact"]
    made = offers([fact for fact in facts if isinstance(fact, dict)])
    outcomes = file_house.app.ledger.append(made, file_house.clock.text)
    assert set(outcomes) == {Outcome.NEW, Outcome.KNOWN}
    file_house.app.projector.catch_up(file_house.clock.day)
    assert [issue for issue in file_house.ask()["issues"] if issue["held_out"]] == []

"""Rules that rest: which are asked after a restart, and which need not be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.decisions import AlertFired
from services import alerting, marks
from services.marks import Quote
from tests.services.house import COIN, STOCK, House, buy


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Two taxpayers with ten units each that cost 100, both watched for a loss of 200."""
    made = House(tmp_path / "rest.db")
    for name in ("main", "other"):
        made.say(STOCK, COIN, buy("b", "10", "1000"), taxpayer=name)
        made.watch("loss", "200", taxpayer=name)
    made.tick("S", "99")
    yield made
    made.close()


def rested(house: House) -> House:
    """The next process, after this one ended in order."""
    house.app.rest()
    return house.reopened()


def asked(house: House) -> int:
    """How many rules a start has asked, with a tick of something that nobody holds."""
    house.tick("C", "1")
    return house.app.market.watch.engine.asked


def test_a_start_asks_nobody_and_loads_nothing(house: House) -> None:
    again = rested(house)
    assert asked(again) == 0
    assert again.app.projector.taxpayers == {}
    found = again.tick("S", "79")
    assert [each.rule for each in found if isinstance(each, AlertFired)] == ["loss", "loss"]
    again.close()


def test_after_a_kill_all_are_asked(house: House) -> None:
    """As it was before the mark that waits, and at that mark, the first of what they hold."""
    again = house.reopened()
    assert asked(again) == 4
    again.close()


def test_a_mark_stored_just_before_a_kill_fires_as_the_next_process_starts(house: House) -> None:
    house.app.rest()
    house.clock.advance(minutes=1)
    with house.app.database.writing() as connection:
        marks.store(connection, [Quote("S", "70", house.clock.text)], house.clock.text)
    again = house.reopened()
    assert again.app.market.counts.fired == 2
    assert again.tick("C", "1") == []
    again.close()


def test_facts_that_came_since_ask_only_whom_they_reach(house: House) -> None:
    house.app.rest()
    house.append(buy("b2", "10", "1200"), taxpayer="other")
    again = house.reopened()
    assert asked(again) == 1
    again.close()


def test_facts_that_the_rules_had_not_seen_yet_are_not_rested_on(house: House) -> None:
    house.append(buy("b2", "10", "1200"), taxpayer="other")
    house.app.projector.catch_up(house.clock.day)
    again = rested(house)
    assert asked(again) == 1
    again.close()


def test_a_rule_that_was_set_again_is_asked(house: House) -> None:
    other = house.beside()
    house.app.rest()
    other.watch("loss", "5", taxpayer="main")
    other.close()
    again = house.reopened()
    assert asked(again) == 1
    again.close()


@pytest.mark.parametrize(("days", "expected"), [(1, 0), (307, 2)])
def test_a_day_that_changes_something_asks_and_others_do_not(
    days: int, expected: int, house: House
) -> None:
    house.clock.advance(days=days)  # the purchase is long-term on 3 January 2026
    again = rested(house)
    assert asked(again) == expected
    again.close()


def test_a_day_before_that_of_the_guards_asks(house: House) -> None:
    earlier = rested(house)
    earlier.clock.advance(days=-1)
    assert asked(earlier) == 2
    earlier.close()


@pytest.mark.parametrize(
    "harm", ["state = x'7b'", "digest = 'x'", "fingerprint = 'older'", "state = substr(state, 2)"]
)
def test_what_is_damaged_or_of_other_code_is_asked(harm: str, house: House) -> None:
    house.app.rest()
    house.sql(f"UPDATE rests SET {harm} WHERE taxpayer = 'main'")
    again = house.reopened()
    assert asked(again) == 1
    again.close()


def test_a_few_that_were_asked_are_not_worth_writing_all(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = rested(house)
    again.tick("S", "79")
    monkeypatch.setattr(alerting, "WORTH_WRITING", 0)
    before = house.sql("SELECT state FROM rests")
    again.app.rest()
    assert house.sql("SELECT state FROM rests") == before
    monkeypatch.setattr(alerting, "WORTH_WRITING", 1)
    again.app.rest()
    assert house.sql("SELECT state FROM rests") != before
    again.close()


def test_a_firing_rule_rests_until_it_can_be_armed_again(house: House) -> None:
    house.tick("S", "79")
    again = rested(house)
    assert asked(again) == 0
    again.tick("S", "90")
    assert {each["state"] for each in again.ask()["alerts"]} == {"cleared"}
    again.close()


def test_facts_of_another_process_reload_only_whom_they_reach(house: House) -> None:
    kept = house.app.projector.taxpayer("main")
    other = house.beside()
    other.say(buy("b2", "10", "1200"), taxpayer="other")
    other.close()
    house.app.projector.follow()
    assert house.app.projector.taxpayers == {"main": kept}
    assert house.app.projector.changed == {"other"}
    assert len(house.app.projector.taxpayer("other").portfolio.trades) == 2
    assert house.unequal() == []

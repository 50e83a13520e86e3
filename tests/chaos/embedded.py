"""The embedded edition on the same messages: what the streaming edition has to end with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TypeVar

from infra.simulate import SOURCE, Said
from infra.sources.json_lines import fact_of
from infra.sources.mark_feed import quote_of
from services.ledger import Offer
from services.marks import Quote
from tests.chaos.answers import Answers, answers
from tests.chaos.feed import RECORDED_AT, Feed
from tests.services.house import Clock, House

T = TypeVar("T")
_FACTS_AT_ONCE, _MARKS_AT_ONCE = 5_000, 1_000


def embedded(feed: Feed, path: Path) -> Answers:
    """What one process on a file has to say after the whole feed."""
    house = House(path, Clock(datetime.fromisoformat(RECORDED_AT)))
    try:
        app = house.app
        app.projector  # noqa: B018  makes the tables
        app.ledger.append(feed.rules, RECORDED_AT)
        app.projector.catch_up(house.clock.day)
        for kind, said in feed.phases():
            sound = (each for each in said if not each.is_poison)
            if kind == "facts":
                _take_facts(house, map(_offer, sound))
            else:
                for some in _parts(map(_quote, sound), _MARKS_AT_ONCE):
                    app.market.take(some)
        with app.database.reading() as connection:
            return answers(connection)
    finally:
        house.close()


def _take_facts(house: House, offers: Iterable[Offer]) -> None:
    for some in _parts(offers, _FACTS_AT_ONCE):
        house.app.ledger.append(some, RECORDED_AT)
        house.app.projector.catch_up(house.clock.day)
    house.app.market.facts_changed(RECORDED_AT)


def _offer(said: Said) -> Offer:
    source, external_id, fact, _ = fact_of(said.data, SOURCE)
    return Offer(said.subject, source, external_id, fact)


def _quote(said: Said) -> Quote:
    return quote_of(said.data)


def _parts(each: Iterable[T], most: int) -> Iterator[Sequence[T]]:
    left = iter(each)
    while some := list(islice(left, most)):
        yield some

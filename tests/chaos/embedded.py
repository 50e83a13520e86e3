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


class Embedded:
    """One process over a file at `path`, which takes the phases of a feed one after the other."""

    def __init__(self, feed: Feed, path: Path) -> None:
        self._house = House(path, Clock(datetime.fromisoformat(RECORDED_AT)))
        self._house.app.projector  # noqa: B018  makes the tables
        self._house.app.ledger.append(feed.rules, RECORDED_AT)
        self._house.app.projector.catch_up(self._house.clock.day)

    def take(self, kind: str, said: Iterable[Said]) -> None:
        """A phase, but for what nobody can use."""
        sound = (each for each in said if not each.is_poison)
        app = self._house.app
        if kind == "marks":
            for some in _parts(map(_quote, sound), _MARKS_AT_ONCE):
                app.market.take(some)
            return
        for facts in _parts(map(_offer, sound), _FACTS_AT_ONCE):
            app.ledger.append(facts, RECORDED_AT)
            app.projector.catch_up(self._house.clock.day)
        app.market.facts_changed(RECORDED_AT)

    def answers(self) -> Answers:
        """What it ended with; then it is closed."""
        with self._house.app.database.reading() as connection:
            found = answers(connection)
        self._house.close()
        return found


def embedded(feed: Feed, path: Path) -> Answers:
    """What it ends with after a whole feed."""
    house = Embedded(feed, path)
    for kind, said in feed.phases():
        house.take(kind, said)
    return house.answers()


def _offer(said: Said) -> Offer:
    source, external_id, fact, _ = fact_of(said.data, SOURCE)
    return Offer(said.subject, source, external_id, fact)


def _quote(said: Said) -> Quote:
    return quote_of(said.data)


def _parts(each: Iterable[T], most: int) -> Iterator[Sequence[T]]:
    left = iter(each)
    while some := list(islice(left, most)):
        yield some

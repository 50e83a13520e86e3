"""Looking up an asset's last mark: the same as going through all of them, on either database."""

from __future__ import annotations

from random import Random

import pytest

from services.mark_lookup import last_before
from services.mark_policy import KINDS
from services.marks import MarkBoard, Quote, latest, store
from tests.services.house import House

ASSETS = ("A", "B", "C")
# Neighbours in a span, the ends of spans and of days, and a year away.
INSTANTS = (
    "2024-06-02T14:00:00.000000Z", "2025-06-02T13:59:59.999999Z", "2025-06-02T14:00:00.000000Z",
    "2025-06-02T14:00:09.999999Z", "2025-06-02T14:00:10.000000Z", "2025-06-02T23:59:59.999999Z",
    "2025-06-03T00:00:00.000000Z",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_the_last_mark_is_that_of_all(seed: int, house: House) -> None:
    rng = Random(seed)
    kinds = rng.sample(KINDS, rng.randint(1, 3))
    told: list[tuple[str, int, Quote]] = []
    with house.app.projector.database.writing() as connection:
        for id in range(1, rng.choice((5, 40, 120))):
            quote = Quote(rng.choice(ASSETS), str(id), rng.choice(INSTANTS), kind=rng.choice(kinds))
            known = f"2025-06-0{rng.randint(1, 9)}"
            assert store(connection, [quote], known) == 1
            told.append((known, id, quote))
    ends = (*INSTANTS, "2025-06-02T14:00:05Z", "2025-06-02", "2025-06-03", "2026-01-01")
    with house.app.projector.database.reading() as connection:
        for asset in ASSETS:
            for known_at in (None, "2025-06-05", "2025-06-01"):
                find = last_before(connection, asset, known_at)
                for end in ends:
                    row = find(end)
                    found = None if row is None else row.id
                    ids = [
                        (quote.at, id)
                        for known, id, quote in told
                        if quote.asset == asset and quote.at < end and known <= (known_at or "~")
                    ]
                    assert found == (max(ids)[1] if ids else None)
        for end in ends:
            past = {quote.asset for _, _, quote in told if quote.at <= end}
            assert latest(connection, end).keys() == past


def test_a_mark_that_is_known_leaves_nothing(file_house: House) -> None:
    quote = Quote("A", "1", INSTANTS[0])
    with file_house.app.projector.database.writing() as connection:
        assert [store(connection, [quote], INSTANTS[0]) for _ in range(2)] == [1, 0]
    spans = file_house.sql("SELECT asset, kind, span FROM mark_spans")
    assert spans == [("A", "trade", "2024-06-02T14:00:0")]


@pytest.mark.parametrize("seed", range(5))
def test_a_board_of_before_is_what_it_was(seed: int, house: House) -> None:
    """Of whatever instants the marks are that came since."""
    rng = Random(seed)
    was = {}
    with house.app.projector.database.writing() as connection:
        for id in range(1, 40):
            kind = rng.choice(("trade", "bid"))
            quote = Quote(rng.choice(ASSETS), str(id), rng.choice(INSTANTS), kind=kind)
            store(connection, [quote], INSTANTS[-1])
            was[id] = MarkBoard(connection).marks
    with house.app.projector.database.reading() as connection:
        for id, marks in was.items():
            board = MarkBoard(connection, id)
            assert board.marks == marks
            assert board.last_id == id

"""A batch of many taxpayers is written at once, and only what it changed: the same rows as if each
fact had come alone."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection

from projections.rows import Changes, array
from projections.schema import CHECKPOINTS, digest
from services.ledger import Offer
from services.marks import Quote
from services.projector import Projector
from services.read_models import PROJECTIONS
from tests.projections.streams import batches, stream
from tests.services.house import STOCK, House, buy, sell

STREAMS = int(os.environ.get("THRESHER_STREAMS", "10"))


def interleaved(rng: random.Random, streams: Sequence[list[Offer]]) -> list[Offer]:
    """Facts of several taxpayers as they come in: those of each in their order."""
    turns = [number for number, each in enumerate(streams) for _ in each]
    rng.shuffle(turns)
    left = [iter(each) for each in streams]
    return [next(left[number]) for number in turns]


def project(house: House, found: Iterator[list[Offer]]) -> list[str]:
    """The digests of every read model after these batches, at marks that are there before."""
    house.app.projector  # noqa: B018
    house.app.market.take([Quote(f"A{n}", "0.5", house.clock.text) for n in range(9)])
    for batch in found:
        house.app.ledger.append(batch, house.clock.text)
        house.app.projector.catch_up(house.clock.day)
    with house.app.database.reading() as connection:
        return [digest(connection, each.table) for each in PROJECTIONS]


@pytest.mark.parametrize("seed", range(STREAMS))
def test_batches_of_many_taxpayers_write_what_single_facts_write(house: House, seed: int) -> None:
    """Late facts, corrections, busts and late declarations; on each store against a file."""
    rng = random.Random(f"taxpayers {seed}")
    facts = interleaved(rng, [stream(rng, f"T{number}") for number in range(4)])
    alone = House(house.path.with_name("alone.db"), house.clock)
    large = ([*a, *b, *c] for a, b, c in triples(batches(rng, facts)))
    assert project(house, large) == project(alone, ([each] for each in facts))
    assert house.unequal() == []
    alone.close()


def triples(found: Iterator[list[Offer]]) -> Iterator[tuple[list[Offer], ...]]:
    for first in found:
        yield first, next(found, []), next(found, [])


class Counted:
    """Counts the rows that changes drop and add, by table."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rows: dict[str, int] = {}
        write = Changes.write

        def counting(changes: Changes, connection: Connection) -> None:
            for (table, _), keys in changes._dropped.items():
                self.rows[table.name] = self.rows.get(table.name, 0) + len(keys)
            for table, rows in changes._added.items():
                self.rows[table.name] = self.rows.get(table.name, 0) + len(rows)
            write(changes, connection)

        monkeypatch.setattr(Changes, "write", counting)


@pytest.mark.parametrize("lots", [3, 300])
def test_a_trade_writes_what_it_changes_however_much_there_is(
    house: House, lots: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = [buy(f"b{n}", "1", str(100 + n), date="2025-02-20") for n in range(lots)]
    house.say(STOCK, *held, sell("none", "9999"), buy("x", asset="unknown"))
    counted = Counted(monkeypatch)
    house.say(buy("next", date="2025-02-21"))
    assert {name: rows for name, rows in counted.rows.items() if rows} == {
        "open_lots_v1": 1, "wash_windows_v1": 1, "opportunities_v4": 1, "checkpoints": 2,
    }  # fmt: skip
    assert house.unequal() == []


def test_a_worker_drops_opportunities_and_they_are_computed_when_asked_for(house: House) -> None:
    for taxpayer in ("main", "other"):
        house.say(STOCK, buy("b1", "2", "200"), taxpayer=taxpayer)
    house.tick("S", "60")
    house.app.market.refresh()
    other = house.ask(taxpayer="other")["opportunities"]
    worker = Projector(house.app.database, house.app.ledger, keeps_opportunities=False)
    house.append(buy("b2", "1", "90"))
    worker.catch_up(house.clock.day)
    assert house.sql("SELECT DISTINCT taxpayer FROM opportunities_v4") == [("other",)]
    with house.app.database.reading() as connection:
        names = {row.projection for row in connection.execute(CHECKPOINTS.select())}
    assert {name for name in names if name.startswith("opp")} == {"opportunities:other"}
    house.app.projector.follow()
    asked = [(row["lot"], row["loss"]) for row in house.ask()["opportunities"]]
    assert asked == [("csv:b1", "80"), ("csv:b2", "30")]
    assert house.ask(taxpayer="other")["opportunities"] == other != []
    assert house.unequal() == []


ODD = ["", " ", "NULL", 'a"b', "a\\b", "a,b", "{}", "x'); --", "é\n\t€", '"', "\\"]


@pytest.mark.postgres
@pytest.mark.parametrize("values", [[], ODD, *([text] for text in ODD)])
def test_an_array_is_read_as_what_it_was_made_of(postgres_url: str, values: list[Any]) -> None:
    with psycopg.connect(postgres_url) as server:
        (found,) = server.execute("SELECT %s::text[]", (array(values),)).fetchone() or ()
    assert found == values


@pytest.mark.parametrize("values", [["\0"], ["a", "b\0c"], ["a\0", ""]])
def test_an_array_refuses_what_the_server_does_not_store(values: list[str]) -> None:
    with pytest.raises(ValueError, match="NUL"):
        array(values)

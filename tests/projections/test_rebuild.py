"""Read models are what the facts give: live equals rebuilt, whatever came in which order."""

from __future__ import annotations

import os
import random

import pytest
from sqlalchemy import Connection

from projections.rows import Changes
from projections.schema import CHECKPOINTS
from services import projector as projecting
from services.ledger import Ledger, LoggedFact
from services.progress import Fenced, OtherVersion
from services.projector import Projector
from services.read_models import PROJECTIONS
from tests.projections.streams import batches, quotes, stream
from tests.services.house import COIN, STOCK, House, buy, sell

STREAMS = int(os.environ.get("THRESHER_STREAMS", "10"))


@pytest.mark.parametrize("seed", range(STREAMS))
def test_live_read_models_equal_those_rebuilt_from_fact_one(house: House, seed: int) -> None:
    """Late facts, corrections, busts, late declarations, marks, restarts, two taxpayers."""
    rng = random.Random(seed)
    app = house.app
    app.projector  # noqa: B018
    house.watch("sum", "200")
    facts = stream(rng) + (stream(rng, "other") if rng.random() < 0.3 else [])
    for batch in batches(rng, facts):
        house.clock.advance(hours=rng.choice([1, 5, 24, 24 * 9]))
        house.app.ledger.append(batch, house.clock.text)
        house.app.projector.catch_up(house.clock.day)
        house.app.market.facts_changed(house.clock.text)
        house.app.market.take(quotes(rng, house, facts))
        if rng.random() < 0.2:
            house.app.market.refresh()
        if rng.random() < 0.1:
            house = house.reopened()
    house.app.market.refresh()
    assert house.unequal() == []
    live = {name: house.ask(taxpayer=name) for name in house.app.ledger.taxpayers()}
    again = house.reopened()
    assert {name: again.ask(taxpayer=name) for name in live} == live
    again.close()


@pytest.mark.parametrize("seed", range(STREAMS))
def test_in_one_batch_or_one_by_one_the_answers_are_the_same(house: House, seed: int) -> None:
    rng = random.Random(f"batches {seed}")
    facts = stream(rng)
    house.app.projector  # noqa: B018
    for batch in batches(rng, facts):
        house.app.ledger.append(batch, house.clock.text)
        house.app.projector.catch_up(house.clock.day)
    at_once = House(house.path.with_name("once.db"), house.clock)
    at_once.app.ledger.append(facts, house.clock.text)
    assert at_once.ask() == house.ask()
    at_once.close()


def test_a_year_whose_only_sale_was_taken_back_is_no_year_any_more(file_house: House) -> None:
    """In a book that is long enough to be rewound, not folded anew."""
    house = file_house
    house.say(STOCK, *(buy(f"b{number}", date="2024-12-02") for number in range(1_100)))
    house.say(sell("s1"))
    assert [row["year"] for row in house.ask()["years"]] == ["2025"]
    house.say({"id": "s1", "type": "bust", "date": "2025-02-04"})
    assert house.ask()["years"] == []
    assert house.unequal() == []


def tables(house: House) -> list[list[object]]:
    return [house.sql(f"SELECT * FROM {p.table.name} ORDER BY 1, 2, 3") for p in PROJECTIONS] + [
        house.sql("SELECT * FROM checkpoints ORDER BY 1"),
        house.sql("SELECT * FROM outbox"),
    ]


def test_a_crash_between_rows_and_checkpoint_moves_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.say(STOCK, buy("b1", "2", "200"))
    house.watch("loss", "10", channels=("terminal",))
    before = tables(house)
    house.append(sell("s1"), buy("b2"))

    write = Changes.write

    def crash(changes: Changes, connection: Connection) -> None:
        write(changes, connection)
        assert connection.in_transaction()
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(Changes, "write", crash)
        with pytest.raises(RuntimeError, match="power cut"):
            house.app.projector.catch_up(house.clock.day)
    assert tables(house) == before
    house = house.reopened()
    assert [lot["lot"] for lot in house.ask()["lots"]] == ["csv:b1", "csv:b2"]
    assert house.unequal() == []
    house.close()


def test_a_failure_between_rows_and_checkpoint_leaves_nothing_in_memory(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever tries again must not take the facts in twice, nor believe that rows are there."""
    house.say(STOCK, buy("b1", "10", "1000"))
    house.append(buy("b2", "10", "900"), sell("s1", "5", "300"))

    def fail(*_: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(Projector, "_project_alerts", fail)
        with pytest.raises(OSError, match="disk full"):
            house.app.projector.catch_up(house.clock.day)
    house.app.projector.catch_up(house.clock.day)
    assert house.unequal() == []


def test_the_checkpoint_stands_at_the_head_of_the_log(house: House) -> None:
    house.say(STOCK, buy("b1"))
    house.say(sell("s1"))
    found = house.sql("SELECT position FROM checkpoints WHERE projection = 'read_models'")
    assert found == [(house.app.ledger.head(),)] == [(3,)]


class _OvertakenLedger(Ledger):
    """A log whose reader is overtaken by another process between reading and writing."""

    overtake = staticmethod(lambda: None)

    def read(self, after: int, limit: int) -> list[LoggedFact]:
        facts = super().read(after, limit)
        self.overtake()
        return facts


def test_a_projector_that_was_overtaken_notices_and_writes_nothing_twice(house: House) -> None:
    house.say(STOCK, buy("b1", "3", "300"))
    ledger = _OvertakenLedger(dict(house.app.ledger.env))
    slow = Projector(house.app.database, ledger)
    slow.taxpayer("main")
    house.append(sell("s1"), buy("b2"))
    ledger.overtake = lambda: house.app.projector.catch_up(house.clock.day)  # type: ignore[assignment]
    slow.catch_up(house.clock.day)
    assert slow.position == house.app.projector.position == 4
    assert [row["event"] for row in house.ask()["gains"]] == ["csv:s1"]
    assert house.unequal() == []
    ledger.close()


def test_a_stale_state_is_refused_by_compare_and_set(house: House) -> None:
    house.say(STOCK, buy("b1"))
    zombie = house.beside()
    zombie.ask()
    house.say(buy("b2"))
    before = tables(house)
    facts = zombie.app.ledger.read(2, 10)
    with pytest.raises(Fenced, match="position 2"):
        zombie.app.projector._project(facts, house.clock.day)
    assert tables(house) == before
    zombie.app.projector.catch_up(house.clock.day)
    assert zombie.ask() == house.ask()
    zombie.close()


def older_beside(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """A process that goes on while one of another version starts, and rebuilds, beside it."""
    older = house.beside()
    older.ask()
    house.close()
    monkeypatch.setattr(projecting, "VERSION", projecting.VERSION + 1)
    newer = house.reopened()
    newer.ask()
    assert newer.app.projector.position == older.app.projector.position
    return older


def test_what_another_version_rebuilt_is_not_written_to(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though it stands where this process stands. The fact is in the log, and not lost."""
    house.say(STOCK, buy("b1"))
    older = older_beside(house, monkeypatch)
    before = tables(house)
    older.append(buy("b2"))
    for _ in range(2):
        with pytest.raises(OtherVersion, match="start this command again"):
            older.app.projector.catch_up(older.clock.day)
    with pytest.raises(OtherVersion):
        older.app.projector.refresh("main", older.clock.day)
    assert tables(house) == before
    newer = older.beside()
    assert [lot["lot"] for lot in newer.ask()["lots"]] == ["csv:b1", "csv:b2"]
    assert newer.unequal() == []


def test_a_mark_does_not_move_what_another_version_rebuilt(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.say(STOCK, buy("b1", "10", "1000"))
    house.watch("loss", "200")
    older = older_beside(house, monkeypatch)
    with pytest.raises(OtherVersion):
        older.tick("S", "50")
    assert len(older.sql("SELECT * FROM marks")) == 1  # stored: whoever comes next asks about it
    newer = older.beside()
    newer.tick("S", "50")
    assert len(newer.ask()["alerts"]) == 1


def test_who_followed_another_process_goes_on_without_being_refused(house: House) -> None:
    """Being refused costs an alert the time in which all of its taxpayer's books are loaded."""
    house.say(STOCK, buy("b1", "10", "1000"))
    house.watch("loss", "200")
    house.beside().say(buy("b2", "10", "1000"))
    house.tick("S", "99")
    books = house.app.projector.taxpayer("main")
    assert len(house.tick("S", "50")) == 1
    assert house.app.projector.taxpayer("main") is books


def test_a_raised_version_rebuilds_and_sends_nothing_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.watch("loss", "10", channels=("terminal",))
    house.say(COIN, buy("b1", asset="C"))
    house.tick("C", "50")
    answers, sent = house.ask(), house.sql("SELECT key, sent_at FROM outbox")
    house.close()
    monkeypatch.setattr(projecting, "VERSION", projecting.VERSION + 1)
    house = house.reopened()
    assert house.ask() == answers
    assert house.sql("SELECT key, sent_at FROM outbox") == sent
    assert len(sent) == 1
    assert house.unequal() == []
    house.close()


def test_a_tampered_row_is_found(house: House) -> None:
    house.say(STOCK, buy("b1"))
    house.sql("UPDATE open_lots_v1 SET basis = '99'")
    assert house.unequal() == ["open_lots"]


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda each: each.name)
def test_a_row_too_many_is_found_in_every_read_model(house: House, projection: object) -> None:
    house.say(STOCK, buy("b1"))
    table = projection.table  # type: ignore[attr-defined]
    with house.app.database.writing() as connection:
        values = {c.name: 0 if c.type.python_type is not str else "x" for c in table.c}
        connection.execute(table.insert().values(**values))
    assert house.unequal() == [projection.name]  # type: ignore[attr-defined]


def test_every_checkpoint_is_of_a_known_projection(house: House) -> None:
    house.say(STOCK, buy("b1"))
    with house.app.database.reading() as connection:
        names = {row.projection for row in connection.execute(CHECKPOINTS.select())}
    assert names == {"read_models", "delivery", "tokens", "opportunities:main"}

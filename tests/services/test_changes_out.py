"""Changes of windows and opportunities: what differs from what was told last, told once."""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection

from infra.publisher import publisher_of
from services import projector as projecting
from services import telling as telling_service
from services.changes_out import (
    GONE,
    OPPORTUNITIES,
    WINDOWS,
    due_changes,
    due_streams,
    note_sent,
    tell_afresh,
)
from services.live.changes import Opportunities
from services.live.publishing import Publisher
from services.projector import Projector
from services.windows_out import follow_windows, tell_windows
from tests.services.house import STOCK, House, Json, buy, sell

BOUGHT, SOLD = buy("b1", "10", "1000"), sell("s1", "10", "700", date="2025-02-10")
WINDOW = "do_not_buy/csv:s1/A/S"


@pytest.fixture
def telling(house: House) -> Iterator[House]:
    """A house on either store whose changes are told."""
    made = House(house.path, house.clock, url=house.url, publish="opportunities,windows")
    yield made
    made.close_all()


def listen(house: House) -> None:
    """As a worker does when it begins."""
    follow_windows(house.app.projector, house.clock.text)


class Consumer:
    """Holds the last of each row, as a reader of the topic would."""

    def __init__(self, stream: str) -> None:
        self.rows: dict[tuple[str, str], Json] = {}
        self.ids: list[tuple[str, int]] = []
        self._stream = stream

    def take(self, house: House, *, noted: bool = True) -> list[str]:
        """Takes what waits; returns it as words. `noted`: the relay lives to note it."""
        with house.app.database.writing() as connection:
            found = due_changes(connection, self._stream, 1000)
            if noted:
                note_sent(connection, found)
        for each in found:
            key = each["taxpayer"], each["row"]
            self.ids.append((each["taxpayer"], each["number"]))
            self.rows[key] = json.loads(each["body"])
            if each["state"] == GONE:
                del self.rows[key]
        return [f"{each['number']} {each['state']} {each['row']}" for each in found]


@pytest.fixture
def windows() -> Consumer:
    return Consumer(WINDOWS)


@pytest.fixture
def losses() -> Consumer:
    return Consumer(OPPORTUNITIES)


def truth(house: House, *names: str) -> dict[tuple[str, str], Json]:
    """The opportunities of now, computed by one who knows of nothing yet."""
    rows = {}
    for name in names:
        for each in Opportunities(house.app.projector, name).changes(house.clock.text):
            row = each.row
            key = "/".join((row["lot"], row["account"], row["asset"], row["acquired"]))
            rows[name, key] = row
    return rows


def test_a_window_is_told_when_it_opens_changes_and_goes(telling: House, windows: Consumer) -> None:
    telling.say(STOCK, BOUGHT)
    assert windows.take(telling) == ["1 open do_not_sell/csv:b1/A/S"]
    telling.say(SOLD)
    assert windows.take(telling) == ["2 gone do_not_sell/csv:b1/A/S", f"3 open {WINDOW}"]
    shown = telling.ask()["windows"]
    assert [row | {"days_left": 12} for row in windows.rows.values()] == shown
    telling.say(buy("b2", "4", "300", date="2025-02-20"))
    assert windows.take(telling) == [f"4 changed {WINDOW}"]
    assert [row["qty"] for row in windows.rows.values()] == ["6"]
    telling.say(buy("b3", "6", "300", date="2025-02-21"))
    assert windows.take(telling) == [f"5 gone {WINDOW}"]
    assert telling.sql("SELECT * FROM told_rows") == []
    other = {**STOCK, "id": "T", "asset": "T"}
    telling.say(other, buy("far", asset="T", date="2025-02-22"))
    assert windows.take(telling) == ["6 open do_not_sell/csv:far/A/T"]


def test_what_changes_again_before_it_was_sent_is_told_once(
    telling: House, windows: Consumer
) -> None:
    telling.say(STOCK, BOUGHT, SOLD)
    for number in range(5):
        telling.say(buy(f"r{number}", "1", "80", date="2025-02-20"))
    assert windows.take(telling) == [f"6 open {WINDOW}"]
    telling.say(buy("rest", "5", "400", date="2025-02-21"))
    telling.say({"id": "rest", "type": "bust", "reason": "a slip"})
    assert windows.take(telling) == [f"8 open {WINDOW}"]
    assert [row["qty"] for row in windows.rows.values()] == ["5"]


def test_a_fact_that_changes_no_window_tells_nothing(telling: House, windows: Consumer) -> None:
    telling.say(STOCK, BOUGHT, SOLD)
    windows.take(telling)
    telling.say({"id": "p", "type": "profile", "filing_status": "single"})
    telling.say(STOCK, BOUGHT, SOLD, taxpayer="other")
    assert [each.split(" ", 1)[1] for each in windows.take(telling)] == [f"open {WINDOW}"]
    assert {name for name, _ in windows.rows} == {"main", "other"}


def test_a_restart_and_a_rebuild_tell_nothing_twice(
    telling: House, windows: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rebuild goes fact by fact, through every window that ever was."""
    telling.say(STOCK, BOUGHT, SOLD, buy("b2", "4", "300", date="2025-02-20"))
    assert windows.take(telling) == [f"1 open {WINDOW}"]
    again = telling.reopened()
    listen(again)
    again.close()
    telling.sql("UPDATE checkpoints SET version = 0 WHERE projection = 'read_models'")
    monkeypatch.setattr(projecting, "BATCH", 1)
    again = telling.reopened()
    listen(again)
    assert windows.take(again) == []


def test_windows_are_told_although_another_process_came_to_the_head_first(
    telling: House, windows: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It projects the second of two facts between this one's first and second batch."""
    telling.say(STOCK)
    other = telling.beside()
    other.app.projector  # noqa: B018  of the same position
    monkeypatch.setattr(projecting, "BATCH", 1)
    telling.append(BOUGHT)
    telling.append(buy("b2", asset="S"), taxpayer="other")

    def between(done: int, _total: int) -> None:
        if done == 1:
            other.app.projector.telling.listener = None
            other.app.projector.catch_up(telling.clock.day)

    telling.app.projector.catch_up(telling.clock.day, between)
    assert windows.take(telling) == ["1 open do_not_sell/csv:b1/A/S"]


class Killed(Exception):
    """A process that ends where it stands."""


@pytest.mark.parametrize("after", ["a batch", "the last batch", "half of the telling"])
def test_windows_are_told_by_the_next_who_starts_if_a_catch_up_was_killed(
    telling: House, windows: Consumer, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    telling.say(STOCK)
    monkeypatch.setattr(projecting, "BATCH", 1)
    monkeypatch.setattr(telling_service, "_AT_ONCE", 1)
    telling.append(BOUGHT)
    telling.append(STOCK, BOUGHT, taxpayer="other")

    def progress(done: int, total: int) -> None:
        if done == {"a batch": 1, "the last batch": total}.get(after):
            raise Killed

    told: list[str] = []

    def listener(connection: Connection, names: Collection[str], at: str) -> None:
        if told:
            raise Killed
        told.extend(names)
        tell_windows(connection, names, at)

    telling.app.projector.telling.listener = listener
    with pytest.raises(Killed):
        telling.app.projector.catch_up(telling.clock.day, progress)
    again = telling.reopened()
    again.app.projector  # noqa: B018  starts
    found = sorted(windows.take(again))
    assert found == ["1 open do_not_sell/csv:b1/A/S", "1 open do_not_sell/csv:b1/A/S"]
    assert {name for name, _ in windows.rows} == {"main", "other"}
    assert again.sql("SELECT * FROM checkpoints WHERE projection LIKE 'untold%'") == []
    again.say(SOLD)
    assert windows.take(again) == [
        "2 gone do_not_sell/csv:b1/A/S", "3 open do_not_buy/csv:s1/A/S",
    ]  # fmt: skip


def test_what_another_process_holds_meanwhile_is_left_to_it(
    telling: House, windows: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    telling.say(STOCK, BOUGHT)
    windows.take(telling)
    with telling.app.database.writing() as connection:
        telling.app.projector.telling.head = 99
        telling.app.projector.telling.came(connection, {"main"}, 98, telling.clock.text)
    telling.app.projector.tell_all(telling.clock.text)
    held = telling.sql("SELECT position, as_of FROM checkpoints WHERE projection = 'untold'")
    assert held == [(98, telling.clock.text)]


def test_what_came_while_nobody_listened_is_told_at_the_start(
    house: House, telling: House, windows: Consumer
) -> None:
    house.say(STOCK, BOUGHT, SOLD)
    assert windows.take(house) == []
    listen(telling)
    assert windows.take(telling) == [f"1 open {WINDOW}"]
    house.say(buy("b2", "10", "700", date="2025-02-20"))
    listen(telling.reopened())
    assert windows.take(telling) == [f"2 gone {WINDOW}"]


def test_a_window_is_told_in_the_transaction_of_its_row(
    telling: House, windows: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    telling.say(STOCK, BOUGHT)
    windows.take(telling)

    def crash(*arguments: object) -> None:
        tell_windows(*arguments)  # type: ignore[arg-type]
        raise RuntimeError("power cut")

    monkeypatch.setattr(telling.app.projector.telling, "listener", crash)
    with pytest.raises(RuntimeError, match="power cut"):
        telling.say(SOLD)
    assert windows.take(telling) == []
    again = telling.reopened()
    again.app.projector  # noqa: B018  projects it
    assert windows.take(again) == ["2 gone do_not_sell/csv:b1/A/S", f"3 open {WINDOW}"]


def test_a_loss_is_told_when_it_appears_changes_and_goes(telling: House, losses: Consumer) -> None:
    telling.say(STOCK, BOUGHT)
    publisher = publisher_of(telling.app)
    row = "csv:b1/A/S/2025-01-02"
    for price, said in (
        ("90", f"1 open {row}"), ("80", f"2 changed {row}"), ("120", f"3 gone {row}"),
        ("95", f"4 open {row}"),
    ):  # fmt: skip
        telling.tick("S", price)
        assert publisher.step() == 1
        assert losses.take(telling) == [said]
        assert losses.rows == truth(telling, "main")
    telling.clock.advance(minutes=1)
    assert publisher.step() == 0
    assert due_streams_of(telling) == [WINDOWS]


def due_streams_of(house: House) -> list[str]:
    with house.app.database.reading() as connection:
        return due_streams(connection)


def test_a_taxpayer_is_looked_at_once_a_second(telling: House, losses: Consumer) -> None:
    telling.say(STOCK, BOUGHT)
    publisher = publisher_of(telling.app)
    told = []
    for price in ("90", "89", "88"):
        telling.ticks(("S", price))
        told.append(publisher.step())
        telling.clock.advance(milliseconds=500)
    assert told == [1, 0, 1]
    assert [row["price"] for row in losses_after(telling, losses)] == ["88"]


def losses_after(house: House, losses: Consumer) -> list[Json]:
    losses.take(house)
    return list(losses.rows.values())


def test_a_loss_that_went_while_nobody_was_there_is_told_gone(
    telling: House, losses: Consumer
) -> None:
    telling.say(STOCK, BOUGHT)
    telling.tick("S", "90")
    first = publisher_of(telling.app)
    first.step()
    losses.take(telling)
    again = telling.reopened()
    again.tick("S", "200")
    publisher = publisher_of(again.app)
    assert publisher.step() == 1
    assert losses.take(again) == ["2 gone csv:b1/A/S/2025-01-02"]


def test_one_who_does_not_know_what_another_told_tells_nothing_and_looks_anew(
    telling: House, losses: Consumer
) -> None:
    telling.say(STOCK, BOUGHT)
    publishers = [publisher_of(telling.app) for _ in range(2)]
    for price in ("90", "80"):
        telling.tick("S", price)
        assert publishers[0].step() == 1
        telling.clock.advance(seconds=1)
    assert publishers[1].step() == 0  # it begins with what was told
    telling.tick("S", "70")
    assert [each.step() for each in publishers] == [1, 0]
    telling.tick("S", "60")
    assert [each.step() for each in reversed(publishers)] == [1, 0]
    telling.clock.advance(seconds=1)
    assert [each.step() for each in publishers] == [0, 0]
    losses.take(telling)
    assert losses.rows == truth(telling, "main")


class Running:
    """A clock that goes on by so much whenever it is read."""

    def __init__(self, start: datetime, by: timedelta) -> None:
        self.now, self.by = start, by

    def __call__(self) -> datetime:
        self.now += self.by
        return self.now


def test_it_works_half_of_the_time_at_most(telling: House) -> None:
    """Each taxpayer takes 30 ms here: a slice is two of them, and the rest as long."""
    for number in range(10):
        telling.say(STOCK, BOUGHT, taxpayer=f"t{number}")
    telling.tick("S", "90")
    clock = Running(telling.clock.now, timedelta(milliseconds=30))
    publisher = Publisher([Projector(telling.app.database, telling.app.ledger)], clock)
    began, told, steps = clock.now, list[int](), 0
    while sum(told) < 10:
        told.append(publisher.step())
        steps += 1
    assert [each for each in told if each] == [2, 2, 2, 2, 2]
    worked = 5 * 2 * timedelta(milliseconds=30)
    assert clock.now - began >= 2 * worked - timedelta(milliseconds=60)


@pytest.mark.parametrize("seed", range(3))
def test_a_consumer_holds_what_there_is_whatever_happens(
    telling: House, losses: Consumer, windows: Consumer, seed: int
) -> None:
    """Facts, busts, ticks, days, restarts, and relays that are killed before they note."""
    chance, house, ids = random.Random(seed), telling, list[str]()
    names = ("main", "other")
    for name in names:
        house.say(STOCK, {**STOCK, "id": "T", "asset": "T"}, taxpayer=name)
        house.say(buy("s", "9", "900"), buy("t", "9", "900", asset="T"), taxpayer=name)
    publisher = publisher_of(house.app)
    for step in range(40):
        house.clock.advance(seconds=1)
        name, asset = chance.choice(names), chance.choice("ST")
        match chance.randrange(8):
            case 0 | 1:
                trade = chance.choice((buy, sell))
                day = house.clock.now.date().isoformat()
                ids.append(f"t{step}")
                amount = str(chance.randrange(50, 150))
                house.say(trade(ids[-1], "1", amount, asset=asset, date=day), taxpayer=name)
            case 2 if ids:
                house.say({"id": chance.choice(ids), "type": "bust", "reason": "x"}, taxpayer=name)
            case 3:
                house.clock.advance(days=chance.randrange(20))
            case 4:
                publisher.close()
                house = house.reopened()
                publisher = publisher_of(house.app)
            case _:
                house.ticks((asset, str(chance.randrange(50, 150))))
        publisher.step()
        for each in (losses, windows):
            if chance.random() < 0.5:
                each.take(house, noted=chance.random() < 0.7)
    house.clock.advance(seconds=1)
    publisher.step()
    losses.take(house)
    windows.take(house)
    assert losses.rows == truth(house, *names)
    open_now = {
        (name, "/".join((row["kind"], row["event"], row["account"], row["asset"])))
        for name in names
        for row in house.ask(taxpayer=name)["windows"]
    }
    assert open_now <= windows.rows.keys()
    assert len(set(losses.ids)) > 20
    house.close_all()


def test_who_begins_to_listen_gets_all_rows_once_more_under_their_ids(
    telling: House, windows: Consumer
) -> None:
    telling.say(STOCK, BOUGHT, SOLD)
    assert windows.take(telling) == [f"1 open {WINDOW}"]
    with telling.app.database.writing() as connection:
        tell_afresh(connection)
    assert windows.take(telling) == [f"1 open {WINDOW}"]
    assert windows.take(telling) == []

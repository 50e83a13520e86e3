"""Where a store stands: positions, ages and counts for those who run it."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.days import sortable_instant
from services.delivery import DeliveryFailed, Message
from services.marks import Quote
from services.quarantine import BadRow, hold
from services.sending import RETRY_AFTER_SECONDS
from services.standing import Backlog, Partition, backlog, partitions
from tests.services.house import START, STOCK, House, buy, sell

AT = sortable_instant(START)
OVER_SHARD_1 = """
SELECT thresher_append(1, ARRAY['other:csv:b1'], ARRAY[1]::bigint[], ARRAY[topic], ARRAY[state])
FROM facts WHERE shard = 0 AND position = 1
"""


def standing(house: House) -> list[Partition]:
    with house.app.database.reading() as connection:
        return partitions(connection, house.clock())


def waiting(house: House) -> Backlog:
    with house.app.database.reading() as connection:
        return backlog(connection, house.clock())


def test_what_is_projected_does_not_wait(house: House) -> None:
    house.say(STOCK, buy("b1"))
    assert standing(house) == [Partition(0, head=2, position=2, delivered=2, waiting_seconds=0)]


def test_the_lag_is_in_facts_and_since_the_first_of_them(house: House) -> None:
    house.say(STOCK)
    house.append(buy("b1"))
    house.clock.advance(seconds=90)
    house.append(buy("b2"))
    house.clock.advance(seconds=30)
    (found,) = standing(house)
    assert (found.lag, found.waiting_seconds, found.rebuilt) == (2, 120, 1)


def test_a_rebuild_is_told_from_a_lag_by_what_was_delivered(house: House) -> None:
    house.say(STOCK, *(buy(f"b{n}") for n in range(7)))
    house.sql("UPDATE checkpoints SET position = 2 WHERE projection = 'read_models'")
    (found,) = standing(house)
    assert (found.lag, found.rebuilt) == (6, 0.25)


def test_read_models_of_another_version_are_still_to_be_built(house: House) -> None:
    house.say(STOCK, buy("b1"))
    house.sql("UPDATE checkpoints SET version = 1 WHERE projection = 'read_models'")
    (found,) = standing(house)
    assert (found.position, found.rebuilt) == (0, 0)


def test_before_the_first_fact_nothing_is_behind(house: House) -> None:
    house.app.projector  # noqa: B018  makes the tables
    (found,) = standing(house)
    assert (found.lag, found.rebuilt) == (0, 1)


@pytest.mark.postgres
def test_each_shard_of_a_server_is_a_partition(postgres_url: str) -> None:
    house = House(Path("unused"), url=postgres_url)
    house.say(STOCK)
    house.sql("INSERT INTO heads VALUES (1, 0), (2, 0)")
    house.sql(OVER_SHARD_1)
    house.clock.advance(seconds=7)
    assert [(each.number, each.lag, each.waiting_seconds) for each in standing(house)] == [
        (0, 0, 0), (1, 1, 7), (2, 0, 0),
    ]  # fmt: skip
    house.close()


def test_what_waits_is_counted(house: House) -> None:
    house.say(STOCK, buy("b1"), sell("s1", "5", "400"))  # four more than were held
    house.tick("S", "100")
    house.app.market.take([Quote("S", "1", house.clock.text)])  # a jump: held
    with house.app.database.writing() as connection:
        hold(connection, "main", [BadRow("x.csv", 2, "qty", "is no number", "", "")], AT)
    found = waiting(house)
    assert sum(found.issues.values()) == 1
    assert all(held_out for _, held_out in found.issues)
    assert (found.quarantined, found.held_marks) == (1, 1)
    assert found.dead_letters == (0 if house.is_postgres else None)


def test_the_age_of_the_outbox_counts_from_when_a_delivery_was_due(house: House) -> None:
    def refuse(_target: str, _message: Message) -> None:
        raise DeliveryFailed("not now")

    house.app.channels = {"webhook": refuse}
    house.say(STOCK, buy("b1", "10", "1000"))
    house.watch("loss", "200", channels=("webhook:x",))
    house.tick("S", "50")
    assert (waiting(house).outbox_pending, waiting(house).outbox_seconds) == (1, 0)
    house.clock.advance(seconds=RETRY_AFTER_SECONDS[0] + 60)
    assert waiting(house).outbox_seconds == 60
    for _ in RETRY_AFTER_SECONDS:
        house.clock.advance(days=2)
        house.app.market.deliver()
    found = waiting(house)
    assert (found.outbox_pending, found.outbox_seconds, found.given_up) == (0, 0, 1)

"""The order in which alerts leave: that of the log, whatever rules are called and clocks say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from domain.decisions import AlertSnoozed
from services import sending
from services.delivery import outbox
from services.ledger import Offer
from services.marks import Quote
from tests.services.house import COIN, House, Json, buy

# As files had it before the columns `number` and `severity`.
EARLIER = (
    "ALTER TABLE outbox RENAME TO new_outbox", "DROP INDEX outbox_due", "DROP INDEX outbox_line",
    """CREATE TABLE outbox (key TEXT NOT NULL, channel TEXT NOT NULL, taxpayer TEXT NOT NULL,
payload TEXT NOT NULL, created_at TEXT NOT NULL, due_at TEXT NOT NULL, attempts INTEGER NOT NULL,
sent_at TEXT NOT NULL, last_error TEXT NOT NULL, PRIMARY KEY (key, channel))""",
    """INSERT INTO outbox SELECT key, channel, taxpayer, payload, created_at, due_at, attempts,
sent_at, last_error FROM new_outbox ORDER BY key""",
    "CREATE INDEX outbox_due ON outbox (sent_at, due_at)", "DROP TABLE new_outbox",
)  # fmt: skip
IN_LOG = ["main/z/1", "main/m/1", "main/a/1"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "alerts.jsonl"


@pytest.fixture
def coin(house: House) -> House:
    """Ten coins bought for 1,000."""
    house.say(COIN, buy("b1", "10", "1000", asset="C"))
    return house


def fall(house: House, *prices: str) -> None:
    """Marks a second apart that come together: what fires is recorded at one instant."""
    quotes = []
    for price in prices:
        house.clock.advance(seconds=1)
        quotes.append(Quote("C", price, house.clock.text))
    house.app.market.take(quotes, confirmed=True)


def three_waiting(house: House, channel: str, **last: str) -> None:
    """Alerts of three rules, in the log against the alphabet; the last is of a rule like `last`."""
    house.watch("z", "200", channels=(channel,))
    house.watch("m", "300", channels=(channel,))
    house.watch("a", "400", channels=(channel,), **last)
    house.app.market.tell = lambda targets: None
    fall(house, "75", "65", "55")


def sent(file: Path) -> list[str]:
    return [json.loads(line)["data"]["key"] for line in file.read_text().splitlines()]


def rows(house: House) -> list[Json]:
    with house.app.projector.database.reading() as connection:
        return outbox(connection, "main")


def snooze(house: House, rule: str, until: str) -> None:
    fact = AlertSnoozed(effective_at=house.clock.text, rule=rule, until=until)
    house.app.ledger.append([Offer("main", "thresher", f"snooze/{rule}", fact)], house.clock.text)
    house.app.projector.catch_up(house.clock.day)


def test_alerts_of_one_instant_leave_in_the_order_of_the_log(coin: House, file: Path) -> None:
    three_waiting(coin, f"file:{file}")
    assert coin.app.market.deliver()["sent"] == 3
    assert sent(file) == IN_LOG


def test_a_clock_that_is_set_back_changes_no_order(coin: House, file: Path) -> None:
    coin.watch("z", "200", channels=(f"file:{file}",))
    coin.watch("a", "400", channels=(f"file:{file}",))
    coin.app.market.tell = lambda targets: None
    coin.tick("C", "75")
    coin.clock.advance(minutes=-30)
    coin.app.market.take([Quote("C", "55", "2025-03-01T12:02:00.000000Z")], confirmed=True)
    coin.clock.advance(hours=1)
    assert coin.app.market.deliver()["sent"] == 2
    assert sent(file) == ["main/z/1", "main/a/1"]


def test_a_digest_lists_alerts_in_the_order_of_the_log(coin: House, file: Path) -> None:
    coin.watch("z", "200", channels=(f"file:{file}",), digest="hourly")
    coin.watch("a", "400", channels=(f"file:{file}",), digest="hourly")
    fall(coin, "75", "55")
    coin.clock.advance(hours=1)
    assert coin.app.market.deliver()["sent"] == 1
    (message,) = map(json.loads, file.read_text().splitlines())
    assert [each["data"]["key"] for each in message["data"]["alerts"]] == ["main/z/1", "main/a/1"]


def test_a_digest_leaves_after_what_came_before_it_was_made(coin: House, file: Path) -> None:
    coin.watch("calm", "200", channels=(f"file:{file}",), digest="hourly")
    coin.watch("loud", "400", channels=(f"file:{file}",))
    coin.app.market.tell = lambda targets: None
    fall(coin, "75", "55")
    coin.clock.advance(hours=1)
    assert coin.app.market.deliver()["sent"] == 2
    assert sent(file) == ["main/loud/1", "digest:main/calm/1"]


def test_what_waits_in_a_file_of_an_earlier_version_leaves_in_order(
    file_house: House, file: Path
) -> None:
    file_house.say(COIN, buy("b1", "10", "1000", asset="C"))
    three_waiting(file_house, f"file:{file}", severity="urgent", quiet="12:30-20:00")
    before = rows(file_house)
    for statement in EARLIER:
        file_house.sql(statement)
    for _ in range(2):  # renewed once
        file_house = file_house.reopened()
        assert rows(file_house) == before
    snooze(file_house, "a", "2025-03-01T13:00:00.000000Z")  # within its quiet hours
    assert file_house.app.market.deliver()["sent"] == 2
    fall(file_house, "99", "75", "65", "55")
    file_house.clock.advance(hours=1)
    file_house.app.market.deliver()
    assert sent(file) == [*IN_LOG[:2], "main/z/2", "main/m/2", "main/a/1", "main/a/2"]


def test_a_process_of_an_earlier_version_beside_leaves_rows_that_are_sent(
    coin: House, file: Path
) -> None:
    three_waiting(coin, f"file:{file}")
    columns = "key, channel, taxpayer, payload, created_at, due_at, attempts, sent_at, last_error"
    coin.sql(
        f"INSERT INTO outbox ({columns}) SELECT replace(key, 'z', 'b'), "
        f"{columns.removeprefix('key, ')} FROM outbox WHERE key = 'main/z/1'"
    )
    assert [(row["key"], row["severity"]) for row in rows(coin)] == [
        (key, "notice") for key in (*IN_LOG, "main/b/1")
    ]
    assert coin.app.market.deliver()["sent"] == 4
    assert sent(file) == [*IN_LOG, "main/z/1"]


def test_neither_what_was_sent_nor_all_that_waits_is_sorted(coin: House) -> None:
    """The plan of the statement that is asked for each target, where much was sent and waits."""
    channel = "file:/nowhere"
    three_waiting(coin, channel)
    columns = "channel, taxpayer, payload, created_at, due_at, attempts, last_error, severity"
    for sent_at in ("2025-02-01", ""):
        coin.sql(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
            f"INSERT INTO outbox (key, sent_at, {columns}) SELECT '{sent_at}/' || i, '{sent_at}', "
            f"{columns} FROM outbox, n WHERE key = 'main/z/1'"
        )
    if coin.is_postgres:
        coin.sql("ANALYZE outbox")  # as it does by itself
    explain = "EXPLAIN " if coin.is_postgres else "EXPLAIN QUERY PLAN "
    with coin.app.database.reading() as connection:
        asked = sending._DUE.params(target=channel, now=coin.clock.text)
        literal = str(asked.compile(connection, compile_kwargs={"literal_binds": True}))
        plan = "\n".join(map(str, connection.exec_driver_sql(explain + literal))).lower()
    assert "outbox_line" in plan
    assert "sort" not in plan
    assert "temp b-tree" not in plan

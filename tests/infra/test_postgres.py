"""PostgreSQL as the store: its schema, what the application's login may do, many writers."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from sqlalchemy import make_url

from infra.composition import App
from infra.importing import Importer, recognise
from infra.postgres.migrate import NotMigrated, migrate
from infra.postgres.opening import ServerNotReached
from infra.settings import Settings
from services.ledger import Outcome
from services.marks import Quote, store
from tests.end_to_end.command import thresher
from tests.services.house import COIN, STOCK, House, buy, sell
from tests.services.test_outbox_order import rows, sent, three_waiting

pytestmark = pytest.mark.postgres
ROOT = Path(__file__).parents[2]
WRITERS, FACTS_EACH, A_BATCH = 8, 1500, 10
WRITER = """
import sys
from pathlib import Path
from tests.services.house import House, buy
house, name = House(Path("unused"), url=sys.argv[1]), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
for start in range(0, int(sys.argv[3]), int(sys.argv[4])):
    house.append(*(buy(f"{name}-{i}") for i in range(start, start + int(sys.argv[4]))))
house.close()
"""


def app_on(url: str) -> App:
    return App(Settings(database_url=url))


def test_without_a_schema_every_command_says_what_to_run(empty_postgres: str) -> None:
    with pytest.raises(NotMigrated, match=r"of revision none.*run thresher migrate"):
        app_on(empty_postgres).ledger  # noqa: B018


def test_a_server_that_does_not_answer_is_one_line() -> None:
    app = app_on("postgresql://nobody:secret@127.0.0.1:1/x")
    with pytest.raises(ServerNotReached) as caught:
        app.database  # noqa: B018
    assert "refused" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_the_query_of_the_url_says_counts_for_tables_and_log(postgres_url: str) -> None:
    place = make_url(postgres_url)
    named = {"host": place.host, "port": place.port, "user": place.username}
    if place.password:
        named["password"] = place.password
    query = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in named.items())
    for start in ("postgresql:///", "postgresql://nobody:x@nowhere.invalid:1/"):
        house = House(Path("unused"), url=f"{start}{place.database}?{query}")
        house.say(STOCK, buy("b1"))
        assert house.app.ledger.head() == 2
        house.close()


def test_what_the_url_leaves_out_libpq_knows_for_tables_and_log(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = make_url(postgres_url)
    for name, value in (
        ("PGHOST", place.host), ("PGPORT", place.port), ("PGUSER", place.username),
        ("PGPASSWORD", place.password),
    ):  # fmt: skip
        monkeypatch.setenv(name, str(value or ""))
    house = House(Path("unused"), url=f"postgresql:///{place.database}")
    house.say(STOCK, buy("b1"))
    assert house.app.ledger.head() == 2
    house.close()


def test_migrating_again_or_twice_at_once_changes_nothing(empty_postgres: str) -> None:
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: migrate(empty_postgres), range(3)))
    assert len(set(found)) == 1
    house = House(Path("unused"), url=empty_postgres)
    house.say(STOCK, buy("b1"))
    assert migrate(empty_postgres) == found[0]
    assert house.app.ledger.head() == 2
    house.close()


def test_migrating_says_how_many_logs_there_are(
    empty_postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THRESHER_DATABASE_URL", empty_postgres)
    assert thresher("migrate").err.endswith("the log has 1 shard\n")
    assert thresher("migrate", "--shards", "4").err.endswith("the log has 4 shards\n")
    assert thresher("migrate").err.endswith("the log has 4 shards\n")


def test_what_waits_under_the_schema_before_leaves_in_order_after(
    empty_postgres: str, tmp_path: Path
) -> None:
    """Also from a process of before that goes on beside: it knows no number and no severity."""
    file = tmp_path / "alerts.jsonl"
    migrate(empty_postgres)
    house = House(Path("unused"), url=empty_postgres)
    house.say(COIN, buy("b1", "10", "1000", asset="C"))
    three_waiting(house, f"file:{file}", severity="urgent", quiet="12:30-20:00")
    before = rows(house)
    house.close()
    for statement in (
        "DROP INDEX outbox_line", "ALTER TABLE outbox DROP COLUMN number, DROP COLUMN severity",
        "DROP INDEX marks_by_asset",
        "ALTER TABLE marks ADD UNIQUE (asset, at, source, kind, price)",
        "UPDATE alembic_version SET version_num = '0002'",
    ):  # fmt: skip
        house.sql(statement)
    with pytest.raises(NotMigrated, match=r"of revision 0002.*needs 0004"):
        house.reopened().app.database  # noqa: B018
    migrate(empty_postgres)
    house = house.reopened()
    assert rows(house) == before
    old = "key, channel, taxpayer, payload, created_at, due_at, attempts, sent_at, last_error"
    house.sql(
        f"INSERT INTO outbox ({old}) SELECT 'main/b/1', {old.removeprefix('key, ')} "
        "FROM outbox WHERE key = 'main/z/1'"
    )
    assert [(row["key"], row["severity"], row["number"]) for row in rows(house)] == [
        ("main/z/1", "notice", 1), ("main/m/1", "notice", 2), ("main/a/1", "urgent", 3),
        ("main/b/1", "notice", 4),
    ]  # fmt: skip
    assert house.app.market.deliver()["sent"] == 4
    assert sent(file) == ["main/z/1", "main/m/1", "main/a/1", "main/z/1"]
    house.close_all()


def test_the_login_of_the_application_can_append_and_never_change(
    empty_postgres: str, postgres_server: str
) -> None:
    role = "app_" + empty_postgres.rpartition("/")[2]
    with psycopg.connect(empty_postgres, autocommit=True) as owner:
        owner.execute(f"CREATE ROLE {role} LOGIN")
        owner.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    migrate(empty_postgres, role)
    url = empty_postgres.replace("postgres@", f"{role}@")
    house = House(Path("unused"), url=url)
    house.say(STOCK, buy("b1", "10", "1000"), sell("s1", "4", "300"))
    house.watch("loss", "50")
    assert [each.rule for each in house.ticks(("S", "90"))] == ["loss"]
    assert house.unequal() == []
    for statement in (
        "UPDATE facts SET topic = 'x'", "DELETE FROM facts", "TRUNCATE facts",
        "INSERT INTO facts VALUES (0, 99, 'a:b:c', 1, 'buy.v1', '')",
        "UPDATE heads SET position = 0", "CREATE TABLE mine ()", "DROP TABLE facts",
    ):  # fmt: skip
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            house.sql(statement)
    house.close()
    with psycopg.connect(empty_postgres, autocommit=True) as owner:
        owner.execute(f"DROP OWNED BY {role}")
        owner.execute(f"DROP ROLE {role}")


@pytest.mark.parametrize("change", ["UPDATE facts SET topic = 'x'", "DELETE FROM facts"])
def test_even_the_owner_does_not_change_a_fact_by_accident(postgres_url: str, change: str) -> None:
    house = House(Path("unused"), url=postgres_url)
    house.append(buy("b1"))
    with pytest.raises(psycopg.errors.RaiseException, match="never changed"):
        house.sql(change)
    house.close()


def test_eight_writers_and_a_reader_that_tails_the_log_miss_nothing(postgres_url: str) -> None:
    house = House(Path("unused"), url=postgres_url)
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, postgres_url, f"w{n}", str(FACTS_EACH), str(A_BATCH)],
            cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for n in range(WRITERS)
    ]  # fmt: skip
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    seen: list[str] = []
    while any(writer.poll() is None for writer in writers) or len(seen) < house.app.ledger.head():
        seen += [fact.ref for fact in house.app.ledger.read(len(seen), 500)]  # raises on a gap
    assert [writer.wait() for writer in writers] == [0] * WRITERS
    assert len(seen) == len(set(seen)) == WRITERS * FACTS_EACH
    for writer in writers:
        writer.communicate()
    house.close()


def test_a_lost_connection_is_taken_up_again(postgres_url: str) -> None:
    house = House(Path("unused"), url=postgres_url)
    house.say(STOCK, buy("b1"))
    with psycopg.connect(postgres_url, autocommit=True) as owner:
        owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert house.say(buy("b2")) == [Outcome.NEW]
    assert [lot["lot"] for lot in house.ask()["lots"]] == ["csv:b1", "csv:b2"]
    house.close()


def test_who_sends_alone_keeps_the_server_from_cleaning_up_nothing(postgres_url: str) -> None:
    """The transaction that holds the lock lasts as long as its messages take."""
    house = House(Path("unused"), url=postgres_url)
    query = (
        "SELECT state, backend_xmin FROM pg_stat_activity "
        "WHERE datname = current_database() AND state = 'idle in transaction'"
    )
    for _ in range(8):  # then the driver has prepared the statements
        with house.app.database.alone("deliver file") as is_alone:
            assert is_alone
            held = house.sql(query)
        assert held == [("idle in transaction", None)]
    house.close()


def test_prices_that_are_imported_beside_a_feed_cost_no_mark(
    postgres_url: str, tmp_path: Path
) -> None:
    """Both number their marks; who came second must not take a number of the first."""
    feed = House(Path("unused"), url=postgres_url)
    feed.say(STOCK)
    (file := tmp_path / "prices.csv").write_text("asset,price,time\nS,91,2025-02-28T12:00:00Z\n")
    importer = Importer(feed.beside().app, "main", "csv")
    with ThreadPoolExecutor(1) as pool:
        with feed.app.database.writing_marks() as connection:
            store(connection, [Quote("S", "90", feed.clock.text)], feed.clock.text)
            (source,) = recognise([file], siblings=False)
            imported = pool.submit(importer.file, source, lambda count: None)
            while not (imported.done() or is_waiting(postgres_url)):
                time.sleep(0.01)
        imported.result()
    assert feed.sql("SELECT id, price FROM marks ORDER BY id") == [(1, "90"), (2, "91")]
    feed.close_all()


def is_waiting(url: str) -> bool:
    """Whether a connection waits for another one."""
    query = (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with psycopg.connect(url) as server:
        return bool(server.execute(query).fetchone() != (0,))

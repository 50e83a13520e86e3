"""The proxy cuts where it says: what the server kept, and what the client was told."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.servers.proxy import Cut, Proxy

pytestmark = pytest.mark.postgres


@pytest.fixture
def proxy(postgres_url: str) -> Iterator[Proxy]:
    with psycopg.connect(postgres_url) as direct:
        direct.execute("CREATE TABLE kept (id integer)")
        port = direct.info.port
    made = Proxy(port)
    yield made
    made.close()


def through(proxy: Proxy, url: str) -> psycopg.Connection:
    return psycopg.connect(url, port=proxy.port)


def kept(url: str) -> int:
    with psycopg.connect(url) as direct:
        (row,) = direct.execute("SELECT count(*) FROM kept").fetchall()
        return int(row[0])


@pytest.mark.parametrize(("cut", "rows"), [(Cut.BEFORE, 0), (Cut.AFTER, 1)])
def test_the_next_commit_fails_and_was_kept_or_not(
    proxy: Proxy, postgres_url: str, cut: Cut, rows: int
) -> None:
    connection = through(proxy, postgres_url)
    connection.execute("INSERT INTO kept VALUES (1)")
    proxy.arm(cut)
    with pytest.raises(psycopg.OperationalError):
        connection.commit()
    connection.close()
    assert kept(postgres_url) == rows
    assert proxy.cuts == {cut: 1}
    with through(proxy, postgres_url) as again:
        again.execute("INSERT INTO kept VALUES (2)")
    assert kept(postgres_url) == rows + 1


def test_all_connections_are_cut_at_once(proxy: Proxy, postgres_url: str) -> None:
    connections = [through(proxy, postgres_url) for _ in range(3)]
    assert proxy.cut_all() == 3
    for connection in connections:
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        connection.close()

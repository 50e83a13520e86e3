"""Fixtures of the servers: one of each for a run of tests, an own database for each test."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from infra.kafka.topics import Topics, make_topics, topics
from infra.postgres.migrate import migrate
from tests.servers import kafka, postgres

_NUMBER = count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A server with a migrated database called `template`."""
    with postgres.server() as url:
        migrate(postgres.new_database(url, "template"))
        yield url
        postgres.drop_database(url, "template")


@pytest.fixture
def empty_postgres(postgres_server: str) -> Iterator[str]:
    """The URL of a database without a schema."""
    name = f"test_{next(_NUMBER)}"
    yield postgres.new_database(postgres_server, name)
    postgres.drop_database(postgres_server, name)


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of a migrated, empty database."""
    name = f"test_{next(_NUMBER)}"
    yield postgres.new_database(postgres_server, name, "template")
    postgres.drop_database(postgres_server, name)


@pytest.fixture(scope="session")
def broker() -> Iterator[kafka.Broker]:
    """A running broker."""
    with kafka.broker() as running:
        yield running


@pytest.fixture
def names(broker: kafka.Broker) -> Topics:
    """Empty topics of the test's own."""
    made = topics(f"test{next(_NUMBER)}")
    make_topics(broker.bootstrap, made, 1)
    return made

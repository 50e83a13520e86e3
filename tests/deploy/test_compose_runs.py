"""docker-compose.yml on real servers without containers: its commands in its order, to the end.

PostgreSQL is the machine's, made as the image makes it, with passwords. Kafka is set up by the
image's own program, which is in its jars. Names and ports of the file's network are replaced.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import InsufficientPrivilege

from tests.deploy.compose import Compose, Service, example
from tests.deploy.host import Host, plain
from tests.end_to_end.command import ROOT, until
from tests.servers import kafka, postgres

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]
PASSWORD = "s3cret"
COMPOSE = Compose(example(PASSWORD))
POSTGRES = COMPOSE.services["postgres"]
KAFKA = COMPOSE.services["kafka"]
OF_KAFKA = {
    "kafka:9092": "127.0.0.1:{port}",
    "localhost:9093": "127.0.0.1:{controller}",
    "://:9092": "://127.0.0.1:{port}",
    "://:9093": "://127.0.0.1:{controller}",
    "/var/lib/kafka/data": "{data}",
}


def test_what_the_file_starts_gets_ready_works_and_ends_in_good_order(tmp_path: Path) -> None:
    with database() as port, kafka.broker(settings_of_kafka()) as broker:
        places = {"@postgres/": f"@127.0.0.1:{port}/", "kafka:9092": broker.bootstrap}
        host = Host(tmp_path, places)
        try:
            bring_up(host)
            the_login_is_let_in_by_its_password_and_makes_nothing(port)
            sent = int(host.run(a_small_load()).split()[0])
            until(lambda: taken_in(port) == sent)
            staying = [each for each in host.running if not each.service.ends]
            names = sorted(each.service.name for each in staying)
            assert names == ["deliver", "serve", "worker", "worker"]
            for running in staying:
                running.until_healthy()
                running.stop()
        finally:
            host.close()


def bring_up(host: Host) -> None:
    """As `up --wait`: each after what it waits for, until it has ended well or is healthy."""
    for service in COMPOSE.services.values():
        if not service.is_ours or "profiles" in service.said:
            continue
        if service.ends:
            host.run(service)
            continue
        for running in [host.start(service) for _ in range(service.replicas)]:
            running.until_healthy()


def a_small_load() -> Service:
    """The file's, but for how much and how fast."""
    said = COMPOSE.services["simulate"].said
    small = {"100000": "400", "1000": "0"}
    assert small.keys() <= set(said["command"])
    return Service("simulate", said | {"command": [small.get(w, w) for w in said["command"]]})


def taken_in(port: int) -> int:
    """How many messages of both topics are stored."""
    with connected(port, PASSWORD) as login:
        found = login.execute(
            "SELECT coalesce(sum(next), 0) FROM offsets WHERE topic = ANY(%s)",
            (["thresher.facts", "thresher.marks"],),
        ).fetchone()
    assert found is not None
    return int(found[0])


def the_login_is_let_in_by_its_password_and_makes_nothing(port: int) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connected(port, "guessed")
    with connected(port, PASSWORD) as login, pytest.raises(InsufficientPrivilege):
        login.execute("CREATE TABLE of_its_own ()")


def connected(port: int, password: str) -> psycopg.Connection:
    return psycopg.connect(
        host="127.0.0.1", port=port, dbname="thresher", user="thresher_app", password=password
    )


def settings_of_kafka() -> dict[str, str]:
    """The environment of the file, with what Broker puts in place of addresses and the folder."""
    replaced = {}
    for name, value in KAFKA.environment.items():
        for said, here in OF_KAFKA.items():
            value = value.replace(said, here)  # noqa: PLW2901
        replaced[name] = value
    return replaced


@contextmanager
def database() -> Iterator[int]:
    """The port of a server as the image makes it: owner, database, our script, then passwords."""
    said = POSTGRES.environment
    with postgres.cluster(durable=False) as server:
        with psycopg.connect(f"{server.url}/postgres", autocommit=True) as admin:
            user, name = sql.Identifier(said["POSTGRES_USER"]), sql.Identifier(said["POSTGRES_DB"])
            password = sql.Literal(said["POSTGRES_PASSWORD"])
            admin.execute(
                sql.SQL("CREATE ROLE {} SUPERUSER LOGIN PASSWORD {}").format(user, password)
            )
            admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, user))
            run_scripts(server.port)
            ask_for_passwords(admin)
        in_its_container("pg_isready", *POSTGRES.health[2:], port=server.port)
        yield server.port


def run_scripts(port: int) -> None:
    (place,) = (each for each in POSTGRES.mounts if each.target == "/docker-entrypoint-initdb.d")
    for script in sorted((ROOT / place.source).iterdir()):
        in_its_container(script, port=port)


def in_its_container(program: str | Path, *arguments: str, port: int) -> None:
    """Runs a program beside the server, as the image or the engine does."""
    path = f"{postgres.programs()}:{os.environ['PATH']}"
    here = {"PATH": path, "PGHOST": "127.0.0.1", "PGPORT": str(port)}
    done = subprocess.run(
        [program, *arguments], env=plain() | POSTGRES.environment | here,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def ask_for_passwords(admin: psycopg.Connection) -> None:
    (place,) = admin.execute("SHOW hba_file").fetchone() or ("",)
    Path(place).write_text("host all all all scram-sha-256\n", encoding="utf-8")
    admin.execute("SELECT pg_reload_conf()")

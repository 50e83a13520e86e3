"""An empty store for a replay: in memory, a database and a ledger of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from infra.composition import App
from infra.settings import Settings
from services.replay import Store

_NUMBER = count(1)


@contextmanager
def new_store() -> Iterator[Store]:
    """A store that nobody else has, gone when it is done; never the configured one."""
    app = App(Settings(database_url=f"sqlite:///:memory:replay-{next(_NUMBER)}"))
    try:
        yield app.database, app.ledger
    finally:
        app.close()

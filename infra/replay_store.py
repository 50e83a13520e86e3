"""An empty store for a replay: a database and a ledger of its own, gone when it is done."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.composition import App
from infra.settings import Settings
from services.replay import Store


@contextmanager
def new_store() -> Iterator[Store]:
    """A store in a temporary folder; never the configured one."""
    with tempfile.TemporaryDirectory(prefix="thresher-replay-") as folder:
        app = App(Settings(database_url=f"sqlite:///{Path(folder) / 'replay.db'}"))
        try:
            yield app.database, app.ledger
        finally:
            app.close()

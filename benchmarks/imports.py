"""import/...: a neutral CSV to durable facts and every projection up to date."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks import trade_csv
from benchmarks.report import Result, growth, note, wall_and_cpu
from infra.composition import App
from infra.importing import Importer, recognise
from infra.settings import Settings
from services.ingest import BATCH_ROWS

TAXPAYER = "bench"


def results(tiny: bool) -> Iterator[Result]:
    """Rows a second for the middle size, and how time grows with n."""
    sizes = [100, 200, 400] if tiny else [10_000, 30_000, 100_000, 300_000]
    middle = sizes[-2] if not tiny else sizes[-1]
    taken: dict[int, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="thresher-bench-") as folder:
        for size in sizes:
            runs = 3 if size in (sizes[0], middle) else 1
            note(f"import: {size:,} rows, {runs} times")
            taken[size] = [_imported(Path(folder), size) for _ in range(runs)]
        bare = median(_bare(Path(folder), middle) for _ in range(3))
    wall, cpu = (median(part) for part in zip(*taken[middle], strict=True))
    against = (
        "executemany of the same rows in sqlite3, one table keyed by event_id, WAL, FULL, "
        f"{BATCH_ROWS:,} rows a transaction: {middle / bare:,.0f} rows/s by the wall clock, as "
        f"the value is (by CPU time: {middle / cpu:,.0f})"
    )
    yield Result("import/100k", middle / wall, "rows/s", against, wall / bare)
    points = [(size, median(used for _, used in each)) for size, each in taken.items()]
    yield growth("import/growth", points, "CPU time, rows of one taxpayer")


def imported(path: Path, database: Path) -> App:
    """Imports a file as `thresher import` does; the caller closes the app."""
    app = App(Settings(database_url=f"sqlite:///{database}"))
    importer = Importer(app, TAXPAYER, "csv")
    for source in recognise([path], siblings=False):
        importer.file(source, lambda rows: None)
    importer.facts_arrived()
    counts = importer.counts
    assert counts.new == counts.rows, f"{counts.known} known, {counts.first_bad} refused"
    return app


def _imported(folder: Path, size: int) -> tuple[float, float]:
    path = folder / f"trades-{size}.csv"
    if not path.exists():
        trade_csv.write(path, size)
    with tempfile.TemporaryDirectory(dir=folder) as fresh:
        apps: list[App] = []
        seconds = wall_and_cpu(lambda: apps.append(imported(path, Path(fresh, "thresher.db"))))
        apps[0].close()
    return seconds


def _bare(folder: Path, size: int) -> float:
    """Seconds that sqlite3 alone takes for the same rows with the same durability."""
    rows = list(trade_csv.rows(size))
    with tempfile.TemporaryDirectory(dir=folder) as fresh:
        connection = sqlite3.connect(Path(fresh, "bare.db"), isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        columns = trade_csv.HEADER.replace("event_id", "event_id PRIMARY KEY").replace(
            "group", '"group"'
        )
        connection.execute(f"CREATE TABLE trades ({columns})")
        seconds, _ = wall_and_cpu(lambda: _insert(connection, rows))
        connection.close()
    return seconds


def _insert(connection: sqlite3.Connection, rows: list[trade_csv.Row]) -> None:
    marks = ",".join("?" * len(rows[0]))
    for start in range(0, len(rows), BATCH_ROWS):
        connection.execute("BEGIN")
        connection.executemany(
            f"INSERT INTO trades VALUES ({marks})", rows[start : start + BATCH_ROWS]
        )
        connection.execute("COMMIT")

"""What a peer and our engine say of the same histories, row by row, in one form."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from infra.sources.scenario_file import parse_scenario
from services.scenario import evaluate
from tests.peers.ledgers import Event, history, scenario

HERE = Path(__file__).parent
PYTHON = HERE.parents[1] / ".venv-peers" / "bin" / "python"
# Peers divide in 28 to 31 digits. Far below a cent, so no rounding can hide a difference.
TOLERANCE = Fraction(1, 10**9)
YEAR = timedelta(days=365)
PATIENCE_SECONDS = 300

# One row for each event and the purchase (or receipt) that its units came from.
Key = tuple[str, str]
Row = dict[str, Any]


@cache
def asked(peer: str, method: str, seeds: range, kinds: tuple[str, ...]) -> tuple[list[Row], ...]:
    """The peer's rows of the histories of `seeds`, from one process of its own Python."""
    assert PYTHON.exists(), "run make peers: it makes the environment that the peers run in"
    histories = [history(seed, *kinds) for seed in seeds]
    with tempfile.TemporaryDirectory() as folder:
        ran = subprocess.run(
            [PYTHON, "-I", HERE / f"{peer}_answers.py"],
            input=json.dumps({"method": method, "histories": histories}),
            cwd=folder, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
        )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return tuple(json.loads(ran.stdout))


def theirs(events: list[Event], rows: list[Row]) -> dict[Key, Row]:
    """A peer's rows by the ids of the events: instants tell events apart."""
    ids = {event["ts"]: event["id"] for event in events}
    return summed(
        (ids[row["sold"]], ids[row["acquired"]], row["qty"], row["proceeds"], row["basis"],
         row["term"])
        for row in rows
    )  # fmt: skip


def ours(events: list[Event], policy: dict[str, Any]) -> dict[Key, Row]:
    """Our rows of the same history."""
    result = evaluate(parse_scenario(scenario(events, policy)))
    assert "error" not in result
    return summed(
        (row["event"], row["lot"], row["qty"], row["proceeds"], row["basis"], row["term"])
        for row in result["disposals"]
    )


def summed(rows: Any) -> dict[Key, Row]:
    """Rows of one event and one purchase as one: a transfer may have cut the lot to pieces."""
    sums: dict[Key, Row] = defaultdict(lambda: dict.fromkeys(("qty", "proceeds", "basis"), 0))
    for event, lot, qty, proceeds, basis, term in rows:
        row = sums[event, lot]
        for name, value in (("qty", qty), ("proceeds", proceeds), ("basis", basis)):
            row[name] += Fraction(value)
        row["term"] = term
    return dict(sums)


def assert_same(events: list[Event], our: dict[Key, Row], their: dict[Key, Row]) -> None:
    """Units exactly, money far below a cent, terms but for the day that the peers get wrong."""
    assert our.keys() == their.keys()
    at = {event["id"]: datetime.fromisoformat(event["ts"]) for event in events}
    for (event, lot), row in our.items():
        other = their[event, lot]
        assert row["qty"] == other["qty"], (event, lot)
        for name in ("proceeds", "basis"):
            assert abs(row[name] - other[name]) < TOLERANCE, (event, lot, name)
        if row["term"] != other["term"]:
            # A holding of 365 or 366 days: they count days, the law counts calendar months.
            held = at[event] - at[lot]
            assert YEAR <= held < YEAR + timedelta(days=2), (event, lot, "term")


def differing(our: dict[Key, Row], their: dict[Key, Row]) -> bool:
    """Whether the two chose other lots, or another basis."""
    return our.keys() != their.keys() or any(
        abs(row["basis"] - their[key]["basis"]) >= TOLERANCE for key, row in our.items()
    )


def units(rows: dict[Key, Row]) -> Decimal:
    """All units that the rows dispose of."""
    total = sum((row["qty"] for row in rows.values()), Fraction(0))
    return Decimal(total.numerator) / Decimal(total.denominator)

"""Where the quotes of a file are cut into batches."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from infra.cli import quotes
from services.marks import Quote
from services.quarantine import BadRow

ROWS = "A,1,2025-03-01T10:00:00Z\nB,2,2025-03-01T10:00:00Z\nC,x,2025-03-01T10:00:00Z\n" * 2
LATER = "A,3,2025-03-01T10:00:01Z\nB,4,2025-03-01T10:00:02Z\n"


def batches(file: Path, rows: str, at_most: int) -> tuple[list[str], list[int]]:
    """The assets of each batch, and the numbers of the rows refused."""
    file.write_text(f"asset,price,time\n{rows}", encoding="utf-8")
    taken, bad = list[str](), list[BadRow]()

    def take(quotes: Sequence[Quote], *, waits: bool) -> None:
        assert not waits
        taken.append("".join(quote.asset for quote in quotes))

    quotes.follow(file, take, lambda count, *, drained: count >= at_most, bad.append)
    return taken, [row.row for row in bad]


@pytest.mark.parametrize(
    ("at_most", "expected"), [(1, ["ABAB", "A", "B"]), (5, ["ABABA", "B"]), (9, ["ABABAB"])]
)
def test_a_batch_ends_where_an_instant_does(
    tmp_path: Path, at_most: int, expected: list[str]
) -> None:
    assert batches(tmp_path / "marks.csv", ROWS + LATER, at_most) == (expected, [4, 7])


def test_an_instant_without_end_is_cut_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quotes, "MOST_TOGETHER", 3)
    assert batches(tmp_path / "marks.csv", ROWS, 9) == (["ABA", "B"], [4, 7])

"""Refused rows of a feed: how many a minute are told, and where."""

from __future__ import annotations

import io
import sys
from typing import cast

import pytest
from rich.console import Console
from rich.live import Live

from infra.cli.refused import MINUTE, Refused
from infra.cli.watching import Screen
from services.live.changes import Opportunities
from services.quarantine import BadRow


def bad(row: int, reason: str = "no number") -> BadRow:
    return BadRow("pipe", row, "price", reason, "write digits", "")


def test_five_rows_a_minute_are_told_and_the_others_counted_when_it_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, said = [100.0], list[str]()
    monkeypatch.setattr("infra.cli.refused.time.monotonic", lambda: now[0])
    rows = Refused(said.append)
    for row in range(8):
        rows.add(bad(row))
    assert [line[:7] for line in said] == [f"  row {row}" for row in range(5)]
    now[0] += MINUTE - 1
    rows.time_passed()
    assert len(said) == 5
    now[0] += 1
    rows.time_passed()
    rows.time_passed()
    rows.add(bad(8))
    assert said[5:] == ["  ... and 3 more", "  row 8 price: no number; write digits"]
    rows.tell_rest()
    assert (len(said), rows.count) == (7, 9)


def test_bytes_that_are_no_text_are_told_escaped() -> None:
    said = list[str]()
    Refused(said.append).add(bad(1, "\udcff is no number"))
    assert said == ["  row 1 price: \\udcff is no number; write digits"]


@pytest.mark.parametrize("is_terminal", [True, False])
def test_over_a_live_table_they_are_told_above_it_unless_errors_go_elsewhere(
    monkeypatch: pytest.MonkeyPatch, is_terminal: bool
) -> None:
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(err, "isatty", lambda: is_terminal)
    monkeypatch.setattr(sys, "stderr", err)
    live = Live(console=Console(file=out, force_terminal=True))
    Screen(live, cast("Opportunities", None), 5).note("row [1]")
    assert (out.getvalue(), err.getvalue())[not is_terminal] == "row [1]\n"
    assert (out.getvalue(), err.getvalue())[is_terminal] == ""

"""The commands asked before a trade: check buy with its exit codes, and the re-entry calendar."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import icalendar
import pytest

from infra.cli.check import EXIT_CODES
from services.check_buy import State
from tests.end_to_end.command import thresher
from tests.end_to_end.test_commands import PRICES, TRADES

ACCOUNTS = (
    "account,kind,owner\nnorth,broker,self\nsouth,broker,self\nira,ira,self\nwallet,wallet,self\n"
)
DAY = ("--as-of", "2025-02-14")


def fill(tmp_path: Path) -> None:
    """A ledger with trades, prices and accounts."""
    (tmp_path / "trades.csv").write_text(TRADES)
    (tmp_path / "prices.csv").write_text(PRICES)
    (tmp_path / "accounts.csv").write_text(ACCOUNTS)
    thresher("import", tmp_path / "trades.csv")


@pytest.fixture(autouse=True)
def _filled(database: Path, tmp_path: Path) -> None:
    fill(tmp_path)


def check(*args: str, code: int) -> dict[str, Any]:
    ran = thresher("check", "buy", *args, "--all-seen", *DAY)
    assert (ran.code, ran.err) == (code, "")
    (answer,) = ran.rows
    return answer  # type: ignore[no-any-return]


def test_each_state_has_an_exit_code_of_its_own() -> None:
    assert set(EXIT_CODES) == set(State)
    assert len(set(EXIT_CODES.values())) == len(State)
    assert EXIT_CODES[State.CLEAR] == 0
    assert not {1, 2, 4} & set(EXIT_CODES.values())  # errors, usage, a mismatch of verify
    shown = thresher("check", "buy", "--help").out
    for code in EXIT_CODES.values():
        assert str(code) in shown


def test_buying_back_washes_what_is_still_unmatched() -> None:
    """40 were sold, 30 of them are replaced: 10 of 15 bought wash, 5 block what is open."""
    answer = check("AAPL", "15", "--account", "north", code=3)
    assert (answer["state"], answer["safe_from"]) == ("would wash", "2025-03-13")
    assert [row["event"] for row in answer["booked"]] == ["csv:s1"]
    assert [row["by_qty"] for row in answer["booked"]] == ["10"]
    assert [lot["lot"] for lot in answer["open"]["lots"]] == ["csv:b1", "csv:b2"]
    assert check("AAPL", "10", "--account", "ira", code=5)["state"] == "IRA risk: lost for good"


def test_an_nft_is_clear_and_an_unknown_asset_is_not() -> None:
    token = "eip155:1/erc721:0x00000000000000000000000000000000deadbeef/412"
    assert "no rule for nft today" in check(token, "1", code=0)["hidden"]["says"]
    assert check("NOPE", "1", code=6)["coverage"][0]["code"] == "unknown_asset"


def test_a_check_as_a_table_for_people() -> None:
    ran = thresher("check", "buy", "AAPL", "10", "--account", "north", "-o", "table", *DAY)
    assert ran.code == 3
    assert "would wash" in ran.out
    assert "safe to buy from 2025-03-13" in ran.out
    assert "not seen: no account of a spouse" in ran.out


@pytest.mark.parametrize("args", [["AAPL", "x"], ["AAPL"], ["AAPL", "0"], ["--", "AAPL", "-1"]])
def test_a_purchase_that_cannot_be_is_no_traceback(args: list[str]) -> None:
    ran = thresher("check", "buy", *args)
    assert ran.code in (1, 2)
    assert "Traceback" not in ran.err
    assert ran.out == ""


def test_the_calendar_as_json_as_a_table_and_as_a_file(tmp_path: Path) -> None:
    answer = json.loads(thresher("calendar", "-o", "json", *DAY).out)
    (line,) = answer["groups"]
    assert (line["group"], line["safe_to_buy_from"]) == ("AAPL", "2025-03-13")
    assert answer["coverage"]
    shown = thresher("calendar", "-o", "table", *DAY)
    assert "2025-03-13" in shown.out
    assert "csv:s1" in shown.out
    path = tmp_path / "out" / "windows.ics"
    ran = thresher("calendar", "--ics", path, *DAY)
    assert (ran.code, ran.out) == (0, "")
    (event,) = icalendar.Calendar.from_ical(path.read_bytes()).walk("VEVENT")
    assert event["summary"] == "AAPL: safe to buy again"
    assert thresher("calendar", "--ics", "-", *DAY).out.encode() == path.read_bytes()
    assert b"Loss at risk" not in path.read_bytes()
    assert "Loss at risk" in thresher("calendar", "--ics", "-", "--amounts", *DAY).out


def test_the_calendar_of_an_empty_day_says_so() -> None:
    ran = thresher("calendar", "-o", "table", "--as-of", "2025-06-01")
    assert "Every group is safe today." in ran.out

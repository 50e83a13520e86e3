"""The demo ends where infra/demo/STORY.md says, and what it prints can be run and proved."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import subprocess
import sys
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from infra.demo.place import NotADemoLedger, clear
from tests.demo.conftest import Played, thresher

DEMO = Path(__file__).parents[2] / "infra" / "demo"
ALERTS = [
    ("notice", "2008-01-23", "2008-01-28", "25799.50"),
    ("notice", "2008-02-04", "2008-04-18", "25669.88"),
    ("notice", "2008-07-18", "", "26147.12"),
    ("urgent", "2008-09-29", "2009-01-20", "48764.95"),
    ("urgent", "2009-02-20", "2009-05-20", "61782.28"),
]
WASH_SALES = [
    ("north-0005", "wallet-0004", "60", "3606.35"),
    ("north-0006", "ira-0003", "120", "1090.16"),
    ("north-0006", "south-0005", "40", "363.39"),
    ("south-0007", "south-0008", "15", "3118.55"),
    ("south-0009", "south-0010", "15", "3301.60"),
    ("wallet-0008", "north-0010", "20", "1429.32"),
    ("north-0011", "south-0013", "30", "1133.95"),
]
TOTALS = {
    "lots": "17", "value": "75295.92", "loss": "42128.19", "harvestable": "36604.30",
    "short": "9352.09", "long": "27252.21", "blocked": "5523.90",
}  # fmt: skip


def cents(text: str) -> str:
    return str(Decimal(text).quantize(Decimal("0.01"), ROUND_HALF_UP))


def rounded(row: dict[str, Any], *names: str) -> list[str]:
    return [cents(row[name]) for name in names]


def test_alerts_fire_and_rearm_on_the_days_of_the_story(played: Played) -> None:
    found = [
        (each["rule"], each["fired_at"][:10], each["rearmed_at"][:10], cents(each["value"]))
        for each in played.ask("alerts")
    ]
    assert found == ALERTS


def test_alerts_go_out_through_the_terminal_channel_as_they_fire(played: Played) -> None:
    alerts = re.findall(r"^ALERT (\S{10})\S* +(\w+) #", played.story, re.MULTILINE)
    assert alerts == [(day, rule) for rule, day, _, _ in sorted(ALERTS, key=lambda each: each[1])]
    assert played.story.count(" re-armed ") == 4


def test_wash_sales_are_those_of_the_story(played: Played) -> None:
    line = re.compile(
        r"wash sale: loss of ([\d.]+) on \S+ \S+ \(csv:(\S+)\) meets (\S+) \S+ bought \S+ in \S+ "
        r"\(csv:(\S+)\)"
    )
    found = set()
    for loss, replacement, _, _ in WASH_SALES:
        for said in played.ask("explain", loss)["arithmetic"]:
            match = line.match(said)
            if match:
                found.add((match[2], match[4], match[3], match[1]))
        assert any(key[1] == replacement for key in found)
    assert found == set(WASH_SALES)
    assert cents(played.answer["year"]["disallowed_so_far"]) == "14043.30"
    words = " ".join(played.story.split())
    for loss, replacement, units, disallowed in WASH_SALES:
        told = rf" loss {Decimal(disallowed):,} \({loss}\) met by {units} \w+ bought .*?"
        assert re.search(rf"{told}\({replacement}\)", words)


def test_years_are_those_of_the_story(played: Played) -> None:
    names = ("st", "lt", "net", "deduction", "carry_st", "carry_lt")
    years = {each["year"]: rounded(each, *names) for each in played.ask("years")}
    assert years == {
        "2008": ["480.93", "-9470.68", "-8989.75", "3000.00", "0.00", "5989.75"],
        "2009": ["15754.60", "-9355.87", "6398.73", "0.00", "0.00", "0.00"],
    }


def test_windows_at_the_end_are_those_of_the_story(played: Played) -> None:
    windows = played.ask("windows", "--as-of", "2009-05-29")
    assert [(each["kind"], each["group"], each["event"], each["last_day"]) for each in windows] == [
        ("do_not_buy", "IBM", "csv:south-0017", "2009-05-30"),
        ("do_not_sell", "GOOG", "csv:ira-0007", "2009-06-11"),
        ("do_not_buy", "MSFT", "csv:north-0012", "2009-06-13"),
        ("do_not_sell", "AAPL", "csv:wallet-0013", "2009-06-19"),
    ]


def test_harvestable_now_is_what_all_lots_give_together(played: Played) -> None:
    found = played.answer["harvestable"]
    together = found["together"]
    assert {name: str(together[name]) if name == "lots" else cents(together[name])
            for name in TOTALS} == TOTALS  # fmt: skip
    assert rounded(found["each_alone"], "harvestable", "short", "long", "blocked") == [
        "32361.34", "7736.03", "24625.31", "9766.86",
    ]  # fmt: skip
    assert cents(found["tax_saved"]) == "3289.56"
    assert cents(found["carryover_created"]) == "27205.57"
    after = played.answer["year"]["after_harvest"]
    assert rounded(after, "net", "deduction", "carry_st", "carry_lt") == [
        "-30205.57", "3000.00", "0.00", "27205.57",
    ]  # fmt: skip


def test_assets_of_the_answer_are_those_of_the_story(played: Played) -> None:
    found = [
        (each["name"], *rounded(each, "loss"), *rounded(each["each_alone"], "blocked"))
        for each in played.answer["assets"]
    ]
    assert found == [
        ("GOOG", "12992.35", "3897.71"), ("MSFT", "8013.72", "0.00"),
        ("NFT #412", "6075.89", "0.00"), ("COIN", "5998.40", "0.00"),
        ("AAPL", "5524.13", "3901.32"), ("tAAPL", "1967.83", "1967.83"),
        ("IBM", "1555.87", "0.00"),
    ]  # fmt: skip
    assert {each["name"]: each["mark_source"] for each in played.answer["assets"]} == {
        "GOOG": "Quandl WIKI", "MSFT": "Quandl WIKI", "AAPL": "Quandl WIKI", "IBM": "Quandl WIKI",
        "tAAPL": "derived", "COIN": "synthetic", "NFT #412": "synthetic",
    }  # fmt: skip


def test_a_loss_that_an_ira_would_take_is_told_from_one_that_moves(played: Played) -> None:
    blocked = {each["by"]: each for each in played.answer["blocked_by"]}
    assert blocked.keys() == {"ira-0007", "wallet-0013"}
    assert blocked["ira-0007"]["kept"] is False
    assert blocked["wallet-0013"]["kept"] is True
    assert rounded(blocked["wallet-0013"], "loss") == ["1626.19"]


def widest(screen: str) -> int:
    """Before the commands, which are left whole."""
    return max(map(len, screen.partition("Go on")[0].splitlines()))


def test_the_screen_says_what_is_real_and_fits(played: Played) -> None:
    for said in ("$36,604.30", "Quandl WIKI", "synthetic", "Made up", "not tax advice", "spouse"):
        assert said in played.screen
    assert widest(played.screen) <= 100
    narrow = thresher("demo", "--quiet", database=played.ledger.with_name("own.db"), columns=80)
    assert narrow.stderr == ""
    assert widest(narrow.stdout) <= 80
    assert "…" not in narrow.stdout


def test_a_rebuild_is_equal(played: Played) -> None:
    assert all(each["equal"] for each in played.ask("verify", "--rebuild"))


def test_a_second_run_starts_from_nothing_and_answers_the_same(played: Played) -> None:
    again = thresher("demo", database=played.ledger.with_name("own.db"))
    assert again.exit_code == 0
    assert (again.stdout, again.stderr) == (played.screen, played.story)
    assert not played.ledger.with_name("own.db").exists()
    assert len(played.ask("gains")) == 16


def test_an_import_of_the_same_trades_adds_nothing(played: Played, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    thresher("demo", "--quiet", "--database", str(copy), database=tmp_path / "own.db")
    result = thresher("import", str(DEMO / "trades.csv"), database=copy)
    assert "0 new, 62 already known, 0 quarantined" in result.stderr


def test_another_ledger_is_never_replaced(tmp_path: Path) -> None:
    own = tmp_path / "own.db"
    thresher("import", str(DEMO / "trades.csv"), "--taxpayer", "anna", database=own)
    before = own.read_bytes()
    refused = thresher("demo", "--database", str(own), database=own)
    assert isinstance(refused.exception, NotADemoLedger)
    assert own.read_bytes() == before
    text = tmp_path / "notes.txt"
    text.write_text("mine")
    with pytest.raises(NotADemoLedger, match="another file"):
        clear(text)


def test_the_next_steps_run_as_printed(played: Played) -> None:
    steps = played.screen[played.screen.index("Go on") :].split("\n\n")[1:]
    assert len(steps) == len(played.answer["next"]) == 4
    python = f'thresher() {{ "{sys.executable}" -m infra.main "$@"; }}\n'
    for step in steps:
        run = subprocess.run(
            ["bash", "-c", python + step], cwd=DEMO.parents[1], capture_output=True, check=False,
            env={**os.environ, "THRESHER_TAXPAYER": ""},
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
        assert run.stdout


def test_the_closes_are_the_ones_of_the_provenance() -> None:
    said = (DEMO / "PROVENANCE.md").read_text(encoding="utf-8")
    hashes = {name: digest for digest, name in re.findall(r"^([0-9a-f]{64})  (.+)$", said, re.M)}
    unpacked = gzip.decompress((DEMO / "prices.csv.gz").read_bytes())
    made_up = (DEMO / "synthetic.csv").read_bytes()
    assert hashlib.sha256(unpacked).hexdigest() == hashes["prices.csv.gz, unpacked"]
    assert hashlib.sha256(made_up).hexdigest() == hashes["synthetic.csv"]

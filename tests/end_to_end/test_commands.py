"""The commands: formats, taxpayers, exit codes and help, through the entry point."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from infra.commands import app
from infra.settings import Settings
from tests.end_to_end.command import PATIENCE_SECONDS, ROOT, process, thresher

TRADES = """\
event_id,ts,type,account,asset,asset_class,group,qty,unit_price,fee
b1,2024-06-03T14:30:00Z,BUY,north,AAPL,stock,AAPL,100,190.00,1
b2,2025-02-03T14:30:00Z,BUY,south,AAPL,stock,AAPL,30,180.00,1
s1,2025-02-10T14:30:00Z,SELL,north,AAPL,stock,AAPL,40,150.00,1
n1,2025-01-15T09:00:00Z,BUY,wallet,eip155:1/erc721:0x00000000000000000000000000000000deadbeef/412,nft,,1,5000,0
"""
PRICES = "date,asset,price\n2025-02-14,AAPL,140\n"
READS = ("lots", "gains", "windows", "opportunities", "years", "alerts", "issues")


@pytest.fixture
def filled(database: Path, tmp_path: Path) -> Path:
    """A ledger with a wash sale, an open window, a loss, an alert and a bad row."""
    (tmp_path / "trades.csv").write_text(TRADES + "bad,2025-02-30,BUY,north,AAPL,stock,,1,1,0\n")
    (tmp_path / "prices.csv").write_text(PRICES)
    thresher("import", tmp_path / "trades.csv")
    thresher("rules", "add", "loss", "100")
    return database


def commands(group: Any = None, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every command and group, by its words."""
    group = group or typer.main.get_command(app)
    found = [path]
    for name, command in getattr(group, "commands", {}).items():
        found += commands(command, (*path, name))
    return found


@pytest.mark.parametrize("path", commands(), ids=" ".join)
def test_every_command_has_help(path: tuple[str, ...]) -> None:
    ran = thresher(*path, "--help")
    assert ran.code == 0
    assert "Usage:" in ran.out
    assert ran.err == ""


def test_the_commands_are_those_that_are_promised() -> None:
    promised = {
        "demo",
        "import",
        "marks",
        *READS,
        "rules",
        "whatif",
        "explain",
        "verify",
        "scenario",
    }
    assert promised <= {path[0] for path in commands() if path}
    assert {("rules", "add"), ("rules", "list"), ("rules", "remove")} <= set(commands())
    asked = {("whatif", name) for name in ("sell", "harvest", "reach", "methods")}
    assert asked <= set(commands())


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("name", READS)
def test_a_read_is_a_json_array_or_json_lines_or_a_table(name: str) -> None:
    day = ("--as-of", "2025-02-14") if name in ("windows", "opportunities") else ()
    array = json.loads(thresher(name, "-o", "json", *day).out)
    assert array
    assert thresher(name, *day).rows == thresher(name, "-o", "jsonl", *day).rows == array
    table = thresher(name, "-o", "table", *day)
    assert (table.code, table.err) == (0, "")
    assert len(table.out.splitlines()) > len(array)
    for row in array:
        assert all(isinstance(value, str | int | bool | dict | list) for value in row.values())
        assert not any(isinstance(value, float) for value in row.values())


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("width", ["60", "100", "300"])
def test_a_table_fits_the_width_of_the_terminal(
    width: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    for name in READS:
        for line in thresher(name, "-o", "table").out.splitlines():
            assert len(line) <= int(width)


@pytest.mark.usefixtures("filled")
def test_a_table_shows_cents_and_short_chain_ids() -> None:
    table = thresher("lots", "-o", "table").out
    assert "5,000.00" in table
    assert "eip155:1/erc721:0x0000../412" in table
    assert "11,400.60" in table


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("name", [*READS, "rules list"])
def test_an_empty_ledger_gives_empty_answers(name: str, tmp_path: Path) -> None:
    (tmp_path / "trades.csv").write_text(TRADES.splitlines()[0] + "\n")
    assert thresher("import", tmp_path / "trades.csv").err.startswith("0 new")
    assert json.loads(thresher(*name.split(), "-o", "json").out) == []
    assert thresher(*name.split()).out == ""
    assert thresher(*name.split(), "-o", "table").out.count("\n") == 1
    assert thresher("verify", "--rebuild").code == 0


@pytest.mark.usefixtures("filled")
def test_reads_take_a_day_and_an_instant_of_knowledge() -> None:
    assert thresher("gains", "--as-of", "2025-02-09").rows == []
    assert len(thresher("gains", "--as-of", "2025-02-10").rows) == 1
    assert thresher("lots", "--known-at", "2020-01-01").rows == []
    assert len(thresher("windows", "--as-of", "2025-02-10").rows) == 1
    assert thresher("opportunities", "--as-of", "2025-02-13").rows == []
    (share, *_) = thresher("opportunities", "--as-of", "2025-02-14").rows
    assert (share["asset"], share["mark_at"]) == ("AAPL", "2025-02-14T23:59:59.000000Z")
    assert thresher("alerts", "--as-of", "2025-02-14").rows == []


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("option", ["--as-of", "--known-at"])
@pytest.mark.parametrize("value", ["2025-02-30", "yesterday", "", "2025", "20250101T000000"])
def test_a_wrong_date_is_one_clear_line(option: str, value: str) -> None:
    ran = thresher("lots", option, value)
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (1, "", 1)
    assert "write 2025-01-31" in ran.err


def test_the_only_taxpayer_is_meant_unless_one_is_named(
    filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(thresher("lots").rows) == len(thresher("lots", "--taxpayer", "main").rows) == 3
    thresher("import", tmp_path / "trades.csv", "--taxpayer", "second")
    ran = thresher("lots")
    assert (ran.code, ran.err) == (1, "thresher: say which with --taxpayer: main, second\n")
    assert thresher("import", tmp_path / "trades.csv").code == 1
    assert len(thresher("lots", "--taxpayer", "second").rows) == 3
    monkeypatch.setenv("THRESHER_TAXPAYER", "second")
    assert len(thresher("lots").rows) == 3
    assert thresher("alerts").rows == []
    assert len(thresher("alerts", "--taxpayer", "main").rows) == 1
    assert thresher("lots", "--taxpayer", "a:b").code == 1
    nobody = thresher("lots", "--taxpayer", "nobody")
    assert (nobody.code, nobody.out) == (1, "")
    assert nobody.err == "thresher: no facts of taxpayer 'nobody'; known: main, second\n"


def test_verify_is_0_when_equal_and_4_when_a_row_was_tampered_with(filled: Path) -> None:
    assert thresher("verify", "--rebuild", "-o", "json").code == 0
    connection = sqlite3.connect(filled)
    connection.execute("UPDATE disposals_v1 SET wash = '0'")
    connection.commit()
    connection.close()
    ran = thresher("verify", "--rebuild")
    assert ran.code == 4
    assert [row["projection"] for row in ran.rows if not row["equal"]] == ["disposals"]
    assert thresher("verify", "--rebuild", "-o", "table").code == 4
    assert process("verify", "--rebuild").code == 4


def test_verify_wants_to_be_told_to_rebuild(database: Path) -> None:
    assert thresher("verify").code == 2


@pytest.mark.parametrize("args", [["nonsense"], ["lots", "--nonsense"], ["whatif"], ["import"],
                                  ["lots", "-o", "xml"], ["whatif", "sell", "A"]])  # fmt: skip
@pytest.mark.usefixtures("database")
def test_a_wrong_call_is_exit_code_2(args: list[str]) -> None:
    ran = thresher(*args)
    assert (ran.code, "Traceback" in ran.err) == (2, False)


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("mysql://localhost/x", "THRESHER_DATABASE_URL: .*write sqlite:///PATH"),
        ("postgresql://someone@127.0.0.1:1/x", "127.0.0.1:1/x: .*refused"),
        ("postgresql://u:pass@h:abc/db", "THRESHER_DATABASE_URL: cannot be read: write postgres"),
        ("postgresql://h/db?port=abc", "THRESHER_DATABASE_URL: cannot be read: write postgres"),
        ("postgresql://h:65536/db", "THRESHER_DATABASE_URL: port 65536: use 1 to 65535"),
        ("postgresql://a,b/db", "THRESHER_DATABASE_URL: several hosts cannot be used: name one"),
        ("postgresql:///db?host=a:1&host=b:2", "THRESHER_DATABASE_URL: several hosts"),
        ("postgresql://h/db?user=a&user=b", "THRESHER_DATABASE_URL: user is given twice"),
        ("sqlite:///", "THRESHER_DATABASE_URL: .*write sqlite:///PATH"),
        ("nonsense", "THRESHER_DATABASE_URL: .*write sqlite:///PATH"),
        ("sqlite:///{tmp}", "unable to open database file"),
        ("sqlite:///{tmp}/text.db", "file is not a database"),
        ("sqlite:///{tmp}/text.db/below/x.db", "[Nn]ot a directory|File exists|no ledger"),
    ],
)
def test_a_wrong_database_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, complaint: str
) -> None:
    (tmp_path / "text.db").write_text("just some text, and quite a lot of it " * 100)
    monkeypatch.setenv("THRESHER_DATABASE_URL", url.format(tmp=tmp_path))
    commands: list[list[str | Path]] = [
        ["lots"], ["import", tmp_path / "text.db"], ["rules", "list"], ["deliver", "--once"],
    ]  # fmt: skip
    if "DATABASE_URL: " in complaint:
        commands += [["migrate"], ["worker"], ["serve"]]
    for command in commands:
        ran = thresher(*command)
        assert (ran.code, ran.out, ran.is_clean) == (1, "", True)
        (line,) = ran.err.splitlines()
        assert re.match(rf"thresher: .*({complaint}|unknown columns)", line)
        assert "pass@" not in line


@pytest.mark.parametrize(
    "brokers", ["kafka", "kafka:port", "kafka:0", "a:1,", "a:1;b:2", "plaintext://a:1", "a:65536"]
)
@pytest.mark.usefixtures("database")
def test_a_wrong_place_of_brokers_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, brokers: str
) -> None:
    monkeypatch.setenv("THRESHER_KAFKA", brokers)
    for command in ("topics", "worker", "lots"):
        ran = thresher(command)
        assert (ran.code, ran.out, len(ran.err.splitlines())) == (1, "", 1)
        assert re.match(r"thresher: THRESHER_KAFKA: '.*': write HOST:PORT, or several", ran.err)


@pytest.mark.parametrize("brokers", ["", "a:1", "broker-1.example:9092, b_2:9092", "[::1]:9092"])
def test_places_of_brokers(brokers: str) -> None:
    assert Settings(kafka=brokers).kafka == brokers


@pytest.mark.usefixtures("database")
def test_as_a_process_of_its_own_it_says_the_same(tmp_path: Path) -> None:
    (tmp_path / "trades.csv").write_text(TRADES)
    ran = process("import", tmp_path / "trades.csv")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == "4 new, 0 already known, 0 quarantined\n"
    assert process("gains").out == thresher("gains").out
    assert process("lots", "--as-of", "x").code == 1


@pytest.mark.usefixtures("filled")
def test_a_mistyped_taxpayer_of_a_rule_is_said_and_does_not_hide_the_only_one() -> None:
    ran = thresher("rules", "add", "o", "100", "--taxpayer", "bob")
    assert (ran.code, len(ran.err.splitlines())) == (0, 2)
    assert "nothing is known of taxpayer bob so far" in ran.err
    assert len(thresher("lots").rows) == 3
    assert thresher("rules", "remove", "o", "--taxpayer", "bob").code == 0
    assert [rule["taxpayer"] for rule in thresher("rules", "list").rows] == ["main"]


@pytest.mark.usefixtures("database")
def test_of_several_that_have_rules_alone_one_has_to_be_named() -> None:
    for name in ("bob", "rob"):
        assert thresher("rules", "add", "o", "100", "--taxpayer", name).code == 0
    ran = thresher("rules", "list")
    assert (ran.code, ran.err) == (1, "thresher: say which with --taxpayer: bob, rob\n")


@pytest.mark.usefixtures("filled")
def test_rules_are_listed_replaced_and_removed() -> None:
    (rule,) = thresher("rules", "list").rows
    assert {name: rule[name] for name in rule if name not in ("taxpayer", "since")} == {
        "name": "loss",
        "scope": "all",
        "metric": "harvestable_loss",
        "threshold": "100",
        "rearm_ratio": "0.85",
        "rearms_below": "85",
        "channels": "terminal",
        "severity": "notice",
        "quiet": "",
        "amount": "0",
        "cooldown_seconds": 0,
        "dwell_seconds": 0,
        "digest": "",
        "pending_since": "",
        "snoozed_until": "",
        "tz": "UTC",
    }
    thresher("rules", "add", "loss", "10", "--scope", "class:nft", "--metric", "loss_percent",
             "--rearm", "0.5", "--channel", "file:/x", "--channel", "terminal")  # fmt: skip
    (rule,) = thresher("rules", "list").rows
    assert (rule["scope"], rule["channels"]) == ("class:nft", "file:/x terminal")
    assert thresher("rules", "remove", "loss").code == 0
    assert thresher("rules", "list").rows == []
    assert thresher("rules", "remove", "loss").code == 2


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    "args",
    [
        ["a b", "5"],
        ["r", "1e5"],
        ["r", "0"],
        ["r", "five"],
        ["r", "5", "--scope", "x"],
        ["r", "5", "--metric", "x"],
        ["r", "5", "--rearm", "2"],
        ["r", "5", "--channel", "x:y"],
    ],
)
def test_a_rule_that_cannot_be_is_one_clear_line_and_is_not_kept(args: list[str]) -> None:
    ran = thresher("rules", "add", *args)
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (1, "", 1)
    assert thresher("rules", "list").rows == []


@pytest.mark.usefixtures("filled")
def test_deliver_says_what_was_sent() -> None:
    ran = thresher("deliver", "--once")
    assert (ran.code, ran.err) == (0, "0 sent, 0 retry, 0 given up\n")


def test_an_interrupt_while_the_commands_are_loaded_ends_quietly(tmp_path: Path) -> None:
    """A module that is loaded at the start, and meets Ctrl-C there."""
    (tmp_path / "typer.py").write_text(
        "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nsignal.pause()\n"
    )
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    ran = subprocess.run(
        [sys.executable, "-P", "-m", "infra.main", "lots"],
        env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False,
        timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout, ran.stderr) == (130, "", "")

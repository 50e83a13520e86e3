"""The commands that answer a question in full: whatif, explain, scenario."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.command import process, thresher
from tests.end_to_end.test_commands import PRICES, TRADES


@pytest.fixture(autouse=True)
def _filled(database: Path, tmp_path: Path) -> None:
    (tmp_path / "trades.csv").write_text(TRADES)
    (tmp_path / "prices.csv").write_text(PRICES)
    thresher("import", tmp_path / "trades.csv")
    thresher("rules", "add", "loss", "100")


def whatif(*args: str, day: str = "2025-02-14") -> dict[str, Any]:
    answer: dict[str, Any] = thresher("whatif", "sell", *args, "--as-of", day).rows[0]
    return answer


def test_a_hypothetical_sale_shows_what_is_allowed_saved_and_blocked() -> None:
    before = thresher("gains").out
    answer = whatif("AAPL", "10", "--account", "north")
    assert answer["sale"] == {"asset": "AAPL", "account": "north", "qty": "10", "price": "140",
                              "priced_by": "prices.csv close of 2025-02-14T23:59:59.000000Z",
                              "on": "2025-02-14"}  # fmt: skip
    assert [(row["lot"], row["qty"]) for row in answer["rows"]] == [("csv:b1", "10")]
    assert answer["gain"] == "-500.1"
    assert answer["do_not_buy_until"]["safe_from"] == "2025-03-17"
    assert thresher("gains").out == before
    assert thresher("verify", "--rebuild").code == 0


def test_a_purchase_of_the_last_days_blocks_it() -> None:
    """30 of the 60 meet the purchase of six days ago; at 90.01 below cost each."""
    answer = whatif("AAPL", "60", "--price", "100", "--account", "north", day="2025-02-09")
    assert answer["sale"]["priced_by"] == "given"
    assert (answer["gain"], answer["disallowed"]) == ("-5400.6", "2700.3")
    assert [(w["replacement"], w["qty"], w["basis"]) for w in answer["washed_by"]] == [
        ("csv:b2", "30", "moves to the replacement"),
    ]  # fmt: skip
    assert answer["do_not_buy_until"]["loss_at_risk"] == "2700.3"


def test_the_lots_may_be_chosen() -> None:
    answer = whatif("AAPL", "5", "--lots", "csv:b2", "--account", "south", "--price", "150")
    assert {(row["lot"], row["chosen_by"]) for row in answer["rows"]} == {("csv:b2", "specific")}
    answer = whatif("AAPL", "5", "--lots", "csv:b2=5", "--account", "south", "--price", "150")
    assert {row["lot"] for row in answer["rows"]} == {"csv:b2"}
    answer = whatif("AAPL", "5", "--lots", "csv:zz", "--account", "south", "--price", "150")
    assert "csv:zz is not in this account" in answer["notes"][0]


NFT = "eip155:1/erc721:0x00000000000000000000000000000000deadbeef/412"


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (["AAPL", "1"], "give --account"),
        (["NOPE", "1"], "no account holds NOPE"),
        ([NFT, "1"], f"no mark of {NFT}"),
        (["NOPE", "1", "--price", "1"], "no account holds NOPE"),
        (["AAPL", "1e5"], "write a plain decimal"),
        (["AAPL", "1", "--price", "x"], "write a plain decimal"),
        (["AAPL", "500", "--account", "north"], "held"),
        (["AAPL", "1", "--account", "nowhere"], "held"),
        (["AAPL", "2", "--account", "south", "--lots", "csv:b1,csv:b2"], "LOT=QTY"),
    ],
)
def test_a_sale_that_cannot_be_is_one_clear_line(args: list[str], complaint: str) -> None:
    ran = thresher("whatif", "sell", *args, "--as-of", "2025-02-14")
    assert (ran.code, ran.out, ran.is_clean) == (1, "", True)
    (line,) = ran.err.splitlines()
    assert complaint in line


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_ends_of_the_calendar_are_no_traceback(day: str) -> None:
    for command in ("lots", "gains", "windows", "opportunities", "years", "alerts", "issues"):
        assert thresher(command, "--as-of", day).code == 0
    ran = thresher("whatif", "sell", "AAPL", "1", "--price", "1", "--account", "north",
                   "--as-of", day)  # fmt: skip
    assert (ran.code, ran.is_clean, len(ran.err.splitlines())) == (1, True, 1)


def test_a_hypothetical_sale_as_a_table_for_people() -> None:
    ran = thresher("whatif", "sell", "AAPL", "60", "--account", "north", "--price", "100",
                   "-o", "table", "--as-of", "2025-02-14")  # fmt: skip
    assert ran.code == 0
    assert "do not buy group AAPL before 2025-03-17" in ran.out
    assert "tax saved now about" in ran.out


def explained(id: str, *what: str, day: str = "2025-02-14") -> dict[str, Any]:
    answer: dict[str, Any] = thresher("explain", id, "--as-of", day).rows[0]
    assert set(what) <= set(answer["what"])
    assert answer["facts"]
    assert answer["law"]
    for fact in answer["facts"]:
        assert len(fact["evidence"]["payload_sha256"]) == 64
    shown = thresher("explain", id, "--as-of", day, "-o", "table")
    assert shown.code == 0
    for line in answer["arithmetic"]:
        assert line in shown.out
    return answer


def test_a_lot_is_explained_by_its_fact_its_washes_and_its_rest() -> None:
    answer = explained("csv:b2", "lot")
    text = "\n".join(answer["arithmetic"])
    assert "wash sale: loss of" in text
    assert "open: " in text
    assert {fact["ref"] for fact in answer["facts"]} >= {"csv:b2", "csv:s1"}
    assert all(rule["source"] for rule in answer["rules"])


def test_a_sale_is_explained_by_its_lots_and_the_rule_that_disallows() -> None:
    answer = explained("s1", "disposal", "window")
    assert answer["id"] == "csv:s1"
    assert any("taxable: gain" in line for line in answer["arithmetic"])
    assert any("1091" in rule["source"] for rule in answer["rules"])
    assert answer["facts"][0]["evidence"]["locator"] == "trades.csv row 4"


def test_a_window_is_explained_by_its_days() -> None:
    text = "\n".join(explained("s1", "window")["arithmetic"])
    assert "2025-02-10 + 30 days = 2025-03-12" in text
    assert "window" not in explained("s1", "disposal", day="2025-03-13")["what"]


def test_an_alert_is_explained_by_its_marks_and_lots() -> None:
    (alert,) = thresher("alerts").rows
    answer = thresher("explain", alert["key"]).rows[0]
    assert answer["what"] == ["alert"]
    assert "threshold 100" in answer["arithmetic"][0]
    assert answer["facts"][0]["kind"] == "alert_fired"
    assert thresher("explain", "loss/1").rows[0] == answer
    assert thresher("explain", "loss/1", "-o", "table").code == 0


def test_what_is_not_known_or_not_unique_is_said(tmp_path: Path) -> None:
    assert "no lot, disposal, window or alert has the id 'zz'" in thresher("explain", "zz").err
    thresher("import", tmp_path / "trades.csv", "--source", "other")
    ran = thresher("explain", "s1")
    assert (ran.code, ran.err) == (1, "thresher: 's1' is ambiguous: csv:s1, other:s1\n")


TRADE = {"account": "A", "asset": "S"}
SCENARIO: dict[str, Any] = {
    "schema": "tlh-golden/1",
    "id": "one",
    "as_of": "2025-03-01",
    "accounts": [{"id": "A"}],
    "assets": [{"id": "S", "class": "stock", "group": "S"}],
    "events": [
        TRADE | {"id": "b", "type": "buy", "date": "2025-01-02", "qty": "2", "amount": "200"},
        TRADE | {"id": "s", "type": "sell", "date": "2025-02-03", "qty": "1", "amount": "80"},
    ],
    "marks": {"S": "90"},
    "snapshots": [{"as_of": "2025-01-31"}, {"as_of": "2025-03-01", "known_at": "2025-02-01"}],
}


def saved(path: Path, document: object) -> Path:
    path.write_text(json.dumps(document))
    return path


def test_a_scenario_without_expected_prints_one_json_line_a_file(tmp_path: Path) -> None:
    one = saved(tmp_path / "1.json", SCENARIO)
    two = saved(tmp_path / "2.json", SCENARIO | {"id": "two", "snapshots": []})
    ran = thresher("scenario", one, two)
    assert (ran.code, ran.err) == (0, "")
    first, second = ran.rows
    assert [set(each) for each in (first, second)] == [{"id", "result"}] * 2
    assert [each["id"] for each in (first, second)] == ["one", "two"]
    result = first["result"]
    assert result["totals"] == {"proceeds": "80", "basis": "100", "gain": "-20", "wash": "0"}
    assert [each["loss"] for each in result["harvest"]] == ["10"]
    assert [(s["as_of"], s["known_at"]) for s in result["snapshots"]] == [
        ("2025-01-31", None), ("2025-03-01", "2025-02-01"),
    ]  # fmt: skip
    assert process("scenario", one, "-o", "json").out == ran.out.splitlines(keepends=True)[0]


def test_expected_is_never_looked_at_but_with_check(tmp_path: Path) -> None:
    plain = thresher("scenario", saved(tmp_path / "1.json", SCENARIO)).out
    wrong = SCENARIO | {"expected": {"totals": {"gain": "1"}, "nonsense": 7}}
    assert thresher("scenario", saved(tmp_path / "1.json", wrong)).out == plain


def test_check_prints_pass_or_the_difference(tmp_path: Path) -> None:
    right = SCENARIO | {"expected": {"totals": {"gain": "-20.00"}}}
    wrong = SCENARIO | {"id": "wrong", "expected": {"totals": {"gain": "-21"}, "disposals": []}}
    ran = thresher("scenario", "--check", saved(tmp_path / "1.json", right))
    assert (ran.code, ran.out) == (0, "pass one\n1 passed, 0 failed\n")
    ran = thresher("scenario", "--check", tmp_path / "1.json", saved(tmp_path / "2.json", wrong))
    assert ran.code == 1
    lines = ran.out.splitlines()
    assert lines[:3] == ["pass one", "FAIL wrong", "  totals.gain: expected -21, got -20"]
    assert lines[3].startswith("  disposals: not expected event=s")
    assert lines[-1] == "1 passed, 1 failed"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"schema": "other/1"}, "schema"),
        ({"as_of": "2025-02-30"}, "as_of"),
        ({"as_of": None}, "as_of"),
        ({"events": [{"id": "x", "type": "lend"}]}, "events[0]"),
        ({"events": [SCENARIO["events"][0] | {"qty": "1e5"}]}, "events[0].qty"),
        ({"events": 5}, "events"),
        ({"policy": {"colour": "blue"}}, "policy.colour"),
    ],
)
def test_a_malformed_scenario_names_what_is_wrong(
    tmp_path: Path, change: dict[str, Any], complaint: str
) -> None:
    path = saved(tmp_path / "x.json", SCENARIO | change)
    ran = thresher("scenario", path)
    assert ran.code == 1
    (answer,) = ran.rows
    assert complaint in answer["result"]["error"]
    checked = thresher("scenario", "--check", path)
    assert checked.code == 1
    assert "FAIL" in checked.out
    assert complaint in checked.out


@pytest.mark.parametrize(
    "change",
    [{"policy": {"lot_method": "BEST"}}, {"assets": [{"id": "S", "class": "sock", "group": "S"}]}],
)
def test_a_position_that_no_rule_knows_is_the_error_of_the_result(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    (answer,) = thresher("scenario", saved(tmp_path / "x.json", SCENARIO | change)).rows
    assert answer["result"]["error"] == "unsupported"


def test_numbers_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(SCENARIO).replace('"80"', "80.5"))
    assert "80.5 would lose digits" in thresher("scenario", path).rows[0]["result"]["error"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the file is empty; write one scenario as a JSON object"),
        (b" \n", "the file is empty"),
        (b"a,b\n1,2\n", "no JSON object: Expecting value in line 1, column 1"),
        (b"[]", "no JSON object; write one scenario"),
        (b"\xff\xfe{", "the file is not valid UTF-8; save the file as UTF-8"),
        (b"[" * 100_000, "nested too deep"),
        (None, "No such file or directory"),
    ],
    ids=["empty", "blank", "csv", "array", "utf16", "deep", "missing"],
)
def test_a_file_that_is_no_scenario_is_told_in_plain_words(
    tmp_path: Path, content: bytes | None, says: str
) -> None:
    path = tmp_path / "x.csv"
    if content is not None:
        path.write_bytes(content)
    ran = thresher("scenario", path)
    assert ran.code == 1
    (line,) = ran.err.splitlines()
    assert line.startswith(f"thresher: {path}: ")
    assert says in line
    assert "char 0" not in line
    assert says in ran.rows[0]["result"]["error"]

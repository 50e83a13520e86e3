"""Importing: neutral CSV in every spelling that is allowed, siblings, facts as JSON lines."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.command import Ran, thresher

HEADER = (
    "seq,event_id,ts,type,account,to_account,asset,asset_class,group,qty,unit_price,fee,currency"
)
ROWS = (
    "1,b1,2025-01-02T10:00:00Z,BUY,A,,ETH,crypto,ETH,2,100,1,USD",
    "2,t1,2025-01-03T10:00:00Z,TRANSFER,A,W,ETH,,,1,,,USD",
    "3,s1,2025-01-04T10:00:00Z,SELL,A,,ETH,crypto,,1,80,2,USD",
)
pytestmark = pytest.mark.usefixtures("database")


def written(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def trades(tmp_path: Path) -> Path:
    return written(tmp_path / "trades.csv", HEADER, *ROWS)


def counted(ran: Ran) -> str:
    assert ran.is_clean
    assert ran.code == 0
    return ran.err.splitlines()[-1]


def lots() -> list[tuple[str, str, str]]:
    return [(lot["account"], lot["qty"], lot["basis"]) for lot in thresher("lots").rows]


def gains() -> list[tuple[str, str, str]]:
    return [(row["event"], row["proceeds"], row["basis"]) for row in thresher("gains").rows]


ANSWER = [("W", "1", "100.5")], [("csv:s1", "78", "100.5")]


def test_a_fee_joins_the_basis_of_a_buy_and_leaves_the_proceeds_of_a_sale(trades: Path) -> None:
    assert counted(thresher("import", trades)) == "3 new, 0 already known, 0 quarantined"
    assert (lots(), gains()) == ANSWER


def test_importing_again_adds_nothing_and_says_so(trades: Path) -> None:
    thresher("import", trades)
    assert counted(thresher("import", trades)) == "0 new, 3 already known, 0 quarantined"
    assert counted(thresher("import", trades, trades)) == "0 new, 3 already known, 0 quarantined"
    assert (lots(), gains()) == ANSWER


def test_columns_come_in_any_order_and_may_be_left_out(tmp_path: Path) -> None:
    names = [*("qty", "asset", "type", "event_id", "unit_price"), *("account", "asset_class", "ts")]
    names += ["fee", "to_account"]
    rows = [dict(zip(HEADER.split(","), row.split(","), strict=True)) for row in ROWS]
    lines = [",".join(row[name] for name in names) for row in rows]
    thresher("import", written(tmp_path / "t.csv", ",".join(names), *lines))
    assert (lots(), gains()) == ANSWER


def test_rows_come_in_any_order(tmp_path: Path) -> None:
    thresher(
        "import",
        written(
            tmp_path / "t.csv", HEADER, ROWS[2].replace(",,1,80", ",ETH,1,80"), ROWS[0], ROWS[1]
        ),
    )
    assert (lots(), gains()) == ANSWER


@pytest.mark.parametrize(
    "packed",
    [
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: text.rstrip(b"\n"),
        lambda text: text + b"\n\n\n",
        lambda text: text.replace(b"b1", b'"b1"').replace(b"seq,", b'"seq",'),
    ],
    ids=["bom", "crlf", "no newline at the end", "blank lines", "quoted"],
)
@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
def test_a_file_may_be_saved_in_many_ways(trades: Path, name: str, packed: Any) -> None:
    content = packed(trades.read_bytes())
    path = trades.with_name(name)
    path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    assert counted(thresher("import", path)) == "3 new, 0 already known, 0 quarantined"
    assert (lots(), gains()) == ANSWER


def test_what_assets_csv_says_is_not_overruled_by_the_trades_beside_it(trades: Path) -> None:
    written(trades.with_name("assets.csv"), "asset,asset_class,group,ratio,collectible,name",
            "ETH,nft,G,2,true,A name")  # fmt: skip
    ran = thresher("import", trades)
    assert "'crypto', but asset ETH is declared as 'nft'" in ran.err
    assert ran.err.splitlines()[-1].startswith("2 new, 0 already known, 2 quarantined")
    written(trades, HEADER, *(row.replace("crypto", "nft") for row in ROWS))
    assert counted(thresher("import", trades)).startswith("2 new, 2 already known, 0 quarantined")
    (fact,) = thresher("explain", "declared:asset/ETH").rows[0]["facts"]
    assert fact["fact"]["title"] == "A name"


def test_declarations_beside_the_trades_count_for_them(trades: Path) -> None:
    written(trades.with_name("accounts.csv"), "account,kind,owner", "A,ira,self")
    written(trades.with_name("assets.csv"), "asset,asset_class,group", "ETH,crypto,G")
    written(trades.with_name("prices.csv"), "date,asset,price", "2025-01-05,ETH,50")
    assert (
        counted(thresher("import", trades)) == "5 new, 0 already known, 0 quarantined, 1 new marks"
    )
    assert gains() == []  # an IRA reports nothing
    assert [o["loss"] for o in thresher("opportunities").rows] == ["50.5"]


def test_alone_leaves_them_out(trades: Path) -> None:
    written(trades.with_name("accounts.csv"), "account,kind,owner", "A,ira,self")
    assert counted(thresher("import", trades, "--alone")).startswith("3 new")
    assert gains() == ANSWER[1]


def test_prices_are_history_and_fire_no_rule(trades: Path) -> None:
    thresher("rules", "add", "loss", "10")
    written(
        trades.with_name("prices.csv"), "date,asset,price", "2025-01-05,ETH,1", "2025-01-06,ETH,99"
    )
    thresher("import", trades)
    assert thresher("alerts").rows == []


def test_a_sale_of_more_than_is_held_is_an_issue_that_a_later_fact_mends(tmp_path: Path) -> None:
    first = written(tmp_path / "1.csv", HEADER, ROWS[0],
                    "3,s1,2025-01-04T10:00:00Z,SELL,A,,ETH,crypto,,5,80,0,USD")  # fmt: skip
    counted(thresher("import", first))
    (issue,) = thresher("issues").rows
    assert (issue["fact"], issue["code"], issue["held_out"]) == (
        "csv:s1",
        "insufficient_units",
        True,
    )
    assert issue["remedy"]
    assert gains() == []
    late = written(tmp_path / "2.csv", HEADER, "0,b0,2025-01-01,BUY,A,,ETH,crypto,,3,10,0,USD")
    counted(thresher("import", late))
    assert thresher("issues").rows == []
    assert sum(float(row["proceeds"]) for row in thresher("gains").rows) == 400


def test_an_asset_without_a_class_is_refused_until_it_is_declared(tmp_path: Path) -> None:
    trades = written(tmp_path / "t.csv", HEADER, ROWS[2].replace("crypto", ""))
    assert "1 quarantined" in thresher("import", trades).err
    (issue,) = thresher("issues").rows
    assert issue["says"] == "asset_class: missing, and asset ETH is not declared"
    written(tmp_path / "assets.csv", "asset,asset_class", "ETH,crypto")
    assert counted(thresher("import", trades)) == "2 new, 0 already known, 0 quarantined"


def test_text_that_looks_like_a_formula_or_markup_is_just_text(tmp_path: Path) -> None:
    names = ["=1+1", "@SUM(A1)", "[/red]", "[bold]x", "%s", "{0}", "'; DROP TABLE facts; --", "a\\"]
    rows = [
        f'{i},"{n}",2025-01-02,BUY,"{n}",,"{n}",crypto,"{n}",1,1,0,USD' for i, n in enumerate(names)
    ]
    counted(thresher("import", written(tmp_path / "t.csv", HEADER, *rows)))
    assert {lot["asset"] for lot in thresher("lots").rows} == set(names)
    shown = thresher("lots", "-o", "table").out
    for name in names:
        assert name in shown
        assert name in thresher("explain", f"csv:{name}", "-o", "table").out


def test_facts_of_days_to_come_are_taken_in_and_told(tmp_path: Path) -> None:
    late = ROWS[0].replace("b1", "b9").replace("2025-01-02", "2999-01-02")
    ran = thresher("import", written(tmp_path / "t.csv", HEADER, late))
    assert counted(ran) == "1 new, 0 already known, 0 quarantined"
    assert ran.err.startswith("the latest fact is of 2999-01-02: it counts already")


def test_names_of_columns_in_capitals_are_told_as_such(tmp_path: Path) -> None:
    ran = thresher("import", written(tmp_path / "t.csv", HEADER.replace("event_id", "Event_ID")))
    assert ran.code == 1
    assert "column Event_ID: write names of columns in small letters" in ran.err


def test_a_quarantined_row_says_where_what_and_how_to_mend_it(tmp_path: Path) -> None:
    bad = ROWS[0].replace(",2,100,", ",1e5,100,")
    ran = thresher("import", written(tmp_path / "t.csv", HEADER, bad))
    assert ran.err.splitlines() == [
        "  t.csv row 2 qty: '1e5' is not valid; write a plain decimal such as 12.5 "
        "(at most 20 digits, 18 decimals)",
        "0 new, 0 already known, 1 quarantined (listed by: thresher issues)",
        "thresher: no row could be used (docs/FORMATS.md: what a row needs)",
    ]


def test_another_source_may_use_the_same_ids(trades: Path) -> None:
    thresher("import", trades)
    assert counted(thresher("import", trades, "--source", "kraken")).startswith("3 new")
    assert thresher("import", trades, "--source", "a:b").code == 1

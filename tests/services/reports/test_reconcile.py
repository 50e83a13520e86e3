"""1099 reconciliation: each kind of difference, its name and the line of Form 8949 it leads to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from domain.exact import cents, money, quantity
from infra.sources.broker_rows import read_broker_rows
from infra.sources.csv_lines import HeaderError
from services.quarantine import BadRow
from services.reports.pairing import BrokerRow
from services.reports.reconcile import SAYS, reconcile
from tests.services.house import House
from tests.services.reports.histories import (
    STATEMENT,
    YEAR,
    account,
    asset,
    event,
    stated,
)

STOCK = (account("A"), account("B"), asset("S", "stock"), asset("C", "crypto"))


def row(number: int = 2, **said: Any) -> BrokerRow:
    """A row that says what the ledger says of `sold` below, unless told otherwise."""
    given = {"account": "A", "asset": "S", "qty": "10", "acquired": "2025-01-02",
             "sold": "2025-06-02", "proceeds": "150", "basis": "100", "wash": "0", "term": "S",
             "form": "1099-B"} | said  # fmt: skip
    return BrokerRow(
        number, given["account"], given["asset"], quantity(given["qty"]), given["acquired"],
        given["sold"], money(given["proceeds"]),
        None if given["basis"] is None else money(given["basis"]), money(given["wash"]),
        given["term"], given["form"],
    )  # fmt: skip


def found(house: House, *rows: BrokerRow) -> list[dict[str, Any]]:
    report = reconcile(stated(house, as_of=None), rows)
    counted = [name for each in report["rows"] for name in each["differences"].split()]
    assert report["differences"] == {name: counted.count(name) for name in SAYS if name in counted}
    return list(report["rows"])


@pytest.fixture
def sold(house: House) -> House:
    """Ten shares bought for 100 and sold for 150."""
    house.say(*STOCK, event("b1", "buy", "2025-01-02", "A", "S", "10", "100"),
              event("s1", "sell", "2025-06-02", "A", "S", "10", "150"))  # fmt: skip
    return house


@pytest.mark.parametrize(
    ("said", "names", "line"),
    [
        ({}, "same", ("A", "150.00", "100.00", "", "", "50.00")),
        ({"proceeds": "150.004"}, "same", ("A", "150.00", "100.00", "", "", "50.00")),
        ({"acquired": "VARIOUS"}, "same", ("A", "150.00", "100.00", "", "", "50.00")),
        ({"basis": "90"}, "basis_differs", ("A", "150.00", "90.00", "B", "-10.00", "50.00")),
        ({"basis": None}, "missing_basis", ("B", "150.00", "100.00", "", "", "50.00")),
        ({"proceeds": "155"}, "proceeds_differ", ("A", "155.00", "100.00", "E", "-5.00", "50.00")),
        ({"proceeds": "149"}, "proceeds_differ", ("A", "149.00", "100.00", "O", "1.00", "50.00")),
        ({"term": "L"}, "term_differs", ("A", "150.00", "100.00", "T", "0.00", "50.00")),
        ({"wash": "7"}, "wash_differs", ("A", "150.00", "100.00", "W", "0.00", "50.00")),
        (
            {"acquired": "2024-03-01", "basis": "130", "term": "L"},
            "other_lots term_differs",
            ("A", "150.00", "130.00", "BT", "30.00", "50.00"),
        ),
        (
            {"basis": "90", "proceeds": "160"},
            "basis_differs proceeds_differ",
            ("A", "160.00", "90.00", "BE", "-20.00", "50.00"),
        ),
    ],
)
def test_a_difference_has_a_name_and_a_line(
    sold: House, said: dict[str, Any], names: str, line: tuple[str, ...]
) -> None:
    (only,) = found(sold, row(**said))
    assert only["differences"] == names
    assert tuple(only[name] for name in ("box", "d", "e", "f", "g", "h")) == line
    assert (only["sale"], only["row"]) == ("csv:s1", "2")


def test_a_wash_sale_in_another_account_is_not_on_the_statement(house: House) -> None:
    """Reg. 1.6045-1(d)(6)(iii); case P071: the broker's zero is no answer."""
    house.say(*STOCK, event("b1", "buy", "2025-01-02", "A", "S", "10", "100"),
              event("s1", "sell", "2025-06-02", "A", "S", "10", "60"),
              event("b2", "buy", "2025-06-03", "B", "S", "10", "60"))  # fmt: skip
    (only,) = found(house, row(proceeds="60"))
    assert only["differences"] == "wash_in_another_account"
    assert (only["f"], only["g"], only["h"]) == ("W", "40.00", "0.00")


def test_a_wash_sale_in_the_same_account_just_differs(house: House) -> None:
    house.say(*STOCK, event("b1", "buy", "2025-01-02", "A", "S", "10", "100"),
              event("s1", "sell", "2025-06-02", "A", "S", "10", "60"),
              event("b2", "buy", "2025-06-03", "A", "S", "10", "60"))  # fmt: skip
    assert found(house, row(proceeds="60"))[0]["differences"] == "wash_differs"
    assert found(house, row(proceeds="60", wash="40"))[0]["differences"] == "same"


def test_rows_that_only_one_side_has(sold: House) -> None:
    theirs, ours = found(sold, row(sold="2025-06-01"))
    assert (theirs["differences"], theirs["row"], theirs["box"]) == ("missing_here", "2", "")
    assert (ours["differences"], ours["sale"], ours["box"]) == ("missing_there", "csv:s1", "C")


def test_units_that_only_one_side_has(sold: House) -> None:
    same, ours = found(sold, row(qty="4", proceeds="60", basis="40"))
    assert (same["differences"], same["qty"], same["h"]) == ("same", "4", "20.00")
    assert (ours["differences"], ours["qty"], ours["h"]) == ("missing_there", "6", "30.00")
    same, theirs = found(sold, row(qty="12", proceeds="180", basis="120"))
    assert (same["differences"], theirs["differences"], theirs["qty"]) == (
        "same",
        "missing_here",
        "2",
    )


def test_identified_lots_stand_against_the_brokers_fifo(house: House) -> None:
    """Notice 2026-20 sec. 4.05: the identified units are the units sold."""
    house.say(*STOCK, event("c1", "buy", "2026-01-05", "A", "C", "1", "1000"),
              event("c2", "buy", "2026-02-05", "A", "C", "1", "3000"),
              event("s1", "sell", "2026-06-02", "A", "C", "1", "2500",
                    lots=[{"lot": "c2", "qty": "1"}]))  # fmt: skip
    said = row(asset="C", qty="1", acquired="2026-01-05", sold="2026-06-02", proceeds="2500",
               basis="1000", form="1099-DA")  # fmt: skip
    report = reconcile(stated(house, 2026, None), [said])
    (only,) = report["rows"]
    assert only["differences"] == "other_lots"
    assert (only["box"], only["e"], only["f"], only["g"], only["h"]) == (
        "G", "1000.00", "B", "-2000.00", "-500.00",
    )  # fmt: skip
    assert "Notice 2026-20" in only["says"]


def test_many_lots_against_one_row_and_one_lot_against_many(house: House) -> None:
    house.say(*STOCK, event("b1", "buy", "2025-01-02", "A", "S", "4", "40"),
              event("b2", "buy", "2025-01-03", "A", "S", "6", "66"),
              event("s1", "sell", "2025-06-02", "A", "S", "10", "150"))  # fmt: skip
    (only,) = found(house, row(acquired="VARIOUS", basis="106"))
    assert (only["differences"], only["our_acquired"], only["b"]) == ("same", "VARIOUS", "VARIOUS")
    first, second = found(house, row(acquired="2025-01-02", basis="106"))
    assert (first["differences"], second["differences"]) == ("basis_differs", "other_lots")
    assert money(first["their_basis"]) + money(second["their_basis"]) == money("106")
    parts = (row(2, qty="3", proceeds="45", basis="30"), row(3, qty="7", proceeds="105", basis="76",
             acquired="2025-01-03"))  # fmt: skip
    lines = found(house, *parts)
    assert sum(money(each["our_proceeds"]) for each in lines) == money("150")
    assert sum(money(each["their_basis"]) for each in lines) == money("106")
    assert sum(quantity(each["qty"]) for each in lines) == quantity("10")


def test_short_and_long_stay_apart(house: House) -> None:
    """Column (b) may say VARIOUS, but not over both parts of the form."""
    house.say(*STOCK, event("b1", "buy", "2023-01-02", "A", "S", "4", "40"),
              event("b2", "buy", "2025-01-03", "A", "S", "6", "66"),
              event("s1", "sell", "2025-06-02", "A", "S", "10", "150"))  # fmt: skip
    lines = found(house, row(acquired="VARIOUS", basis="106", term=""))
    assert [(each["box"], each["qty"], each["our_term"]) for each in lines] == [
        ("D", "4", "L"), ("A", "6", "S"),
    ]  # fmt: skip


def test_every_line_comes_to_our_gain(told_house: House) -> None:
    """(h) is ours whatever the statement says; (d) is the statement's where it has one."""
    rows, _ = read_broker_rows(STATEMENT, YEAR)
    report = reconcile(stated(told_house), rows)
    ours = [each for each in report["rows"] if each["sale"]]
    assert len(ours) == len(report["rows"]) - 1
    for each in ours:
        gain = money(each["our_proceeds"]) - money(each["our_basis"]) + money(each["our_wash"])
        assert abs(money(each["h"]) - money(cents(gain))) <= money("0.01")
        if each["their_proceeds"]:
            assert each["d"] == cents(money(each["their_proceeds"]))
    assert report["notes"] == ["2 sales from own wallets are on no statement"]
    assert set(report["differences"]) == set(SAYS) - {"wash_differs"}


HEADER = "account,asset,qty,acquired,sold,proceeds,basis,wash,term,form\n"


def parsed(folder: Path, text: str) -> tuple[list[BrokerRow], list[BadRow]]:
    path = folder / "rows.csv"
    path.write_text(text, encoding="utf-8")
    return read_broker_rows(path, YEAR)


def test_a_row_is_read_as_it_stands(tmp_path: Path) -> None:
    good, bad = parsed(tmp_path, "\ufeff" + HEADER + 'A,S,10,,2025-06-02,150.10,,,,\n'
                       '"A, B",S,1,INHERITED,2025-06-02,1,0,0.5,L,1099-DA\n')  # fmt: skip
    assert bad == []
    assert good[0] == row(acquired="VARIOUS", proceeds="150.10", basis=None, term="", form="")
    assert (good[1].account, good[1].acquired, good[1].basis) == ("A, B", "INHERITED", 0)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("A,S,0,,2025-06-02,1,,,,", "qty"), ("A,S,1e3,,2025-06-02,1,,,,", "qty"),
        ("A,S,1,,06/02/2025,1,,,,", "sold"), ("A,S,1,,2024-06-02,1,,,,", "sold"),
        ("A,S,1,soon,2025-06-02,1,,,,", "acquired"), ("A,S,1,,2025-06-02,-1,,,,", "proceeds"),
        ('A,S,1,,2025-06-02,"1,000",,,,', "proceeds"), ("A,S,1,,2025-06-02,1,$5,,,", "basis"),
        ("A,S,1,,2025-06-02,1,,,X,", "term"), ("A,S,1,,2025-06-02,1,,,,1099", "form"),
        (",S,1,,2025-06-02,1,,,,", "account"), ("A,S,1,,2025-06-02,,,,,", "proceeds"),
        ("A,S,1", ""),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_used_says_why(tmp_path: Path, line: str, field: str) -> None:
    good, (bad,) = parsed(tmp_path, f"{HEADER}{line}\nA,S,1,,2025-06-02,1,,,,\n")
    assert len(good) == 1
    assert (bad.row, bad.field.split(".")[0]) == (2, field)
    assert bad.reason
    assert bad.remedy


@pytest.mark.parametrize(
    ("header", "says"),
    [("account,asset,qty,sold", "missing column proceeds"), ("", "missing column account"),
     ("account,asset,qty,sold,proceeds,cusip", "unknown column 'cusip'"),
     ("account,asset,qty,sold,proceeds,qty", "given twice")],
)  # fmt: skip
def test_a_header_that_is_another_is_refused(tmp_path: Path, header: str, says: str) -> None:
    with pytest.raises(HeaderError, match=says):
        parsed(tmp_path, header + "\n")

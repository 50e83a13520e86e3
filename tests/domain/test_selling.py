"""Which units go, and which losses look for replacements first."""

from __future__ import annotations

import pytest

from tests.domain.make import Json, buy, cells, result, sell

ROW = ("lot", "qty", "basis", "acquired")


def test_a_washed_part_with_no_days_added_still_goes_first() -> None:
    """`x` is sold on the day it was bought, so the adjusted part of `a` keeps its date."""
    answer = result(
        buy("x", "2025-03-03", "4", "40", time="09:00"),
        buy("a", "2025-03-03", "10", "100", time="10:00"),
        sell("s", "2025-03-03", "4", "20", time="11:00"),
        sell("t", "2025-09-01", "4", "400"),
    )
    assert cells(answer["disposals"], *ROW)[1] == ("a", "4", "60", "2025-03-03")
    assert cells(answer["open_lots"], *ROW) == [("a", "6", "60", "2025-03-03")]


@pytest.mark.parametrize("method", ["FIFO", "LIFO", "HIFO"])
def test_losses_of_one_sale_are_matched_by_acquisition_whatever_the_method(method: str) -> None:
    """`a` holds 4 units washed (25 each, from 22 January) and 6 plain ones (10 each)."""
    answer = result(
        buy("x", "2025-01-02", "4", "80"),
        sell("s", "2025-02-11", "4", "20"),
        buy("a", "2025-03-03", "10", "100"),
        sell("t", "2025-06-02", "10", "50"),
        buy("r", "2025-06-10", "4", "24"),
        policy={"lot_method": method},
    )
    rows = cells(answer["disposals"], "event", "acquired", "qty", "wash")
    assert ("t", "2025-01-22", "4", "80") in rows
    assert ("t", "2025-03-03", "6", "0") in rows


def identified(id: str, date: str, lots: Json, **more: str) -> Json:
    named = [{"lot": lot, "qty": qty} for lot, qty in lots.items()]
    return sell(id, date, "2", "200", lots=named, **more)


LOTS = buy("b1", "2025-01-06", "5", "50"), buy("b2", "2025-01-07", "5", "60")


@pytest.mark.parametrize(
    ("named", "more", "sold"),
    [
        ({"b2": "2"}, {}, ["b2"]),
        ({"b2": "1"}, {}, ["b1", "b2"]),  # the rest by the method
        ({"b1": "1", "b2": "1"}, {}, ["b1", "b2"]),
        ({"b2": "3"}, {}, ["b1"]),  # more than was sold
        ({"b2": "6"}, {}, ["b1"]),
        ({"b9": "2"}, {}, ["b1"]),
        ({"b2": "2"}, {"identified_at": "2025-06-03T23:59:59Z"}, ["b2"]),  # settlement day
        ({"b2": "2"}, {"identified_at": "2025-06-04T00:00:00Z"}, ["b1"]),
        ({"b2": "2"}, {"identified_to": "books"}, ["b2"]),
    ],
)
def test_units_identified_in_time_are_sold_and_others_are_not(
    named: Json, more: dict[str, str], sold: list[str]
) -> None:
    answer = result(*LOTS, identified("s", "2025-06-02", named, **more))
    assert sorted(lot for (lot,) in cells(answer["disposals"], "lot")) == sold


@pytest.mark.parametrize(
    ("date", "more", "sold"),
    [
        ("2025-06-02", {"identified_at": "2025-06-02T23:59:59Z"}, "b2"),  # no hour was given
        ("2025-06-02", {"identified_at": "2025-06-03T00:00:00Z"}, "b1"),
        ("2025-06-02", {"time": "12:00", "identified_at": "2025-06-02T12:00:00Z"}, "b2"),
        ("2025-06-02", {"time": "12:00", "identified_at": "2025-06-02T12:00:01Z"}, "b1"),
        ("2026-12-31", {"identified_to": "books"}, "b2"),
        ("2027-01-01", {"identified_to": "books"}, "b1"),
        ("2027-01-01", {"identified_to": "broker"}, "b2"),
        ("2027-01-01", {}, "b2"),
    ],
)
def test_coins_are_identified_until_the_disposal_and_with_the_broker(
    date: str, more: dict[str, str], sold: str
) -> None:
    coins = [lot | {"asset": "Y"} for lot in LOTS]
    sale = identified("s", date, {"b2": "2"}, **more) | {"asset": "Y"}
    answer = result(*coins, sale, as_of="2027-12-31")
    assert cells(answer["disposals"], "lot") == [(sold,)]


def test_in_own_custody_own_books_always_suffice() -> None:
    coins = [lot | {"asset": "Y"} for lot in LOTS]
    sale = identified("s", "2027-06-01", {"b2": "2"}, identified_to="books") | {"asset": "Y"}
    wallet = [{"id": "A", "custody": "self"}]
    answer = result(*coins, sale, as_of="2027-12-31", accounts=wallet)
    assert cells(answer["disposals"], "lot") == [("b2",)]


def wrapped(day: str, qty: str) -> Json:
    """Units of coin C become units of its wrap V, which is a group of its own."""
    return {
        "id": "v", "type": "convert", "date": day, "account": "A",
        "out": {"asset": "C", "qty": qty}, "in": {"asset": "V", "qty": qty},
    }  # fmt: skip


@pytest.mark.parametrize(("sold", "wash"), [("C", "0"), ("V", "60")])
def test_units_replace_in_the_group_that_they_are_in_at_the_sale(sold: str, wash: str) -> None:
    coin = {"class": "crypto"}
    answer = result(
        buy("old", "2025-01-02", "3", "300", asset=sold),
        buy("new", "2025-05-20", "3", "240", asset="C", account="B"),
        wrapped("2025-05-25", "3") | {"account": "B"},
        sell("s", "2025-06-02", "3", "240", asset=sold),
        assets=[coin | {"id": name, "group": name} for name in ("C", "V")],
        policy={"wash_sale": [{"from": "0001-01-01", "classes": ["crypto"]}]},
    )
    assert cells(answer["disposals"], "wash") == [(wash,)]

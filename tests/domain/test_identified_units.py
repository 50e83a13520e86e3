"""Units identified for a sale: when an identification counts, and what is said when not."""

from __future__ import annotations

from typing import Any

import pytest

from domain.portfolio import Portfolio
from infra.sources.scenario_file import parse_scenario
from services import statement
from tests.domain.make import Json, buy, cells, result, scenario, sell

LOTS = [{"lot": "b2", "qty": "1"}]


def folded(*events: Json, **more: Any) -> Portfolio:
    parsed = parse_scenario(scenario(*events, **more))
    made = Portfolio()
    for ref, fact in [*parsed.declarations, *((ref, fact) for ref, fact, _ in parsed.events)]:
        made.add(ref, fact)
    made.settle()
    return made


def sold(*more: Json, at: str = "2025-06-02", kind: str = "X", **fields: Any) -> Portfolio:
    """Two lots of two units, then a sale of one that names the second lot."""
    events = [
        buy("b1", "2025-01-06", "2", "20", asset=kind),
        buy("b2", "2025-01-07", "2", "24", asset=kind),
        *more,
    ]
    picked = {"lots": LOTS} | fields
    sale = sell("s", at, picked.pop("qty", "1"), "15", asset=kind, **picked)
    if "ts" in sale:
        del sale["date"]
    return folded(*events, sale)


def lots_of(answer: Portfolio) -> list[tuple[Any, ...]]:
    return sorted(cells(statement.disposals(answer), "lot", "qty"))


def told(answer: Portfolio) -> list[str]:
    """Why the identification does not count; such an issue never blocks."""
    issues = answer.all_issues()
    assert [(each.ref, each.code, each.blocking) for each in issues] == (
        [("s", "identification_inadequate", False)] if issues else []
    )
    return [each.says.removesuffix("; the account's method was applied") for each in issues]


IDENTIFIED = [("b2", "1")]
BY_METHOD = [("b1", "1")]


@pytest.mark.parametrize(
    ("kind", "day", "identified_at", "counts"),
    [
        # Securities until settlement, a weekday after the trade (Reg. 1.1012-1(c)(8)).
        ("X", "2025-06-02", "2025-06-03", True),
        ("X", "2025-06-02", "2025-06-04", False),
        ("X", "2025-05-30", "2025-06-02", True),
        ("X", "2025-05-30", "2025-06-03", False),
        ("X", "2025-06-02", "2025-06-03T23:59:59Z", True),
        # Digital assets until the disposal (Reg. 1.1012-1(j)(3)(i)).
        ("Y", "2025-06-02", "2025-06-02", True),
        ("Y", "2025-06-02", "2025-06-02T23:59:59Z", True),
        ("Y", "2025-06-02", "2025-06-03", False),
        ("Y", "2025-06-02", "2025-05-01", True),
    ],
)
def test_an_identification_in_time_counts_and_a_late_one_does_not(
    kind: str, day: str, identified_at: str, counts: bool
) -> None:
    answer = sold(kind=kind, at=day, identified_at=identified_at)
    assert lots_of(answer) == (IDENTIFIED if counts else BY_METHOD)
    late = f"identified at {identified_at}, after the deadline"
    assert told(answer) == ([] if counts else [late])


@pytest.mark.parametrize(
    ("identified_at", "counts"),
    [
        ("2025-06-02T14:59:59Z", True),
        ("2025-06-02T15:00:00Z", True),
        ("2025-06-02T15:00:00.000001Z", False),
    ],
)
def test_units_of_a_digital_asset_are_named_by_the_moment_of_a_timed_sale(
    identified_at: str, counts: bool
) -> None:
    answer = sold(kind="Y", ts="2025-06-02T15:00:00Z", identified_at=identified_at)
    assert lots_of(answer) == (IDENTIFIED if counts else BY_METHOD)


@pytest.mark.parametrize(
    ("lots", "qty", "reason"),
    [
        ([{"lot": "nowhere", "qty": "1"}], "1", "lot nowhere is not in this account"),
        ([{"lot": "b2", "qty": "2.5"}], "3", "lot b2 holds fewer units than were named"),
        (
            [{"lot": "b2", "qty": "2"}, {"lot": "b2", "qty": "0.000000000000000001"}],
            "3",
            "lot b2 holds fewer units than were named",
        ),
        (
            [{"lot": "b2", "qty": "1"}, {"lot": "b1", "qty": "0.5"}],
            "1",
            "more units were named than were sold",
        ),
    ],
    ids=["another", "more-than-held", "more-than-held-in-two-picks", "more-than-sold"],
)
def test_naming_what_is_not_there_is_no_identification(
    lots: list[Json], qty: str, reason: str
) -> None:
    answer = sold(lots=lots, qty=qty)
    assert told(answer) == [reason]
    assert lots_of(answer)[0][0] == "b1"


def test_units_in_another_account_cannot_be_named() -> None:
    elsewhere = buy("b3", "2025-01-08", "2", "30", account="B")
    answer = sold(elsewhere, lots=[{"lot": "b3", "qty": "1"}])
    assert lots_of(answer) == BY_METHOD
    assert told(answer) == ["lot b3 is not in this account"]


def test_a_lot_named_without_its_source_is_one_of_the_sales_own_source() -> None:
    events = [
        buy("csv:b1", "2025-01-06", "2", "20"),
        buy("csv:b2", "2025-01-07", "2", "24"),
        buy("b2", "2025-01-08", "2", "22", account="B"),
    ]
    answer = folded(*events, sell("csv:s", "2025-06-02", "1", "15", lots=LOTS))
    assert lots_of(answer) == [("csv:b2", "1")]
    assert answer.all_issues() == []


def test_all_that_a_lot_holds_can_be_named_and_the_rest_goes_by_the_method() -> None:
    answer = sold(lots=[{"lot": "b2", "qty": "2"}], qty="3")
    assert lots_of(answer) == [("b1", "1"), ("b2", "2")]
    assert told(answer) == []


@pytest.mark.parametrize(
    ("kind", "account", "day", "counts"),
    [
        ("Y", "K", "2026-12-31", True),
        ("Y", "K", "2027-01-01", False),
        ("Y", "W", "2027-01-01", True),
        ("X", "K", "2027-01-01", True),
    ],
)
def test_own_books_suffice_at_a_broker_to_the_end_of_2026(
    kind: str, account: str, day: str, counts: bool
) -> None:
    """Notice 2025-7, extended by Notice 2026-20; securities and own wallets: no such limit."""
    accounts = [{"id": "K", "custody": "broker"}, {"id": "W", "custody": "self"}]
    events = [
        buy("b1", "2025-01-06", "2", "20", asset=kind, account=account),
        buy("b2", "2025-01-07", "2", "24", asset=kind, account=account),
        sell(
            "s", day, "1", "15", asset=kind, account=account, lots=LOTS, identified_to="books"
        ),
    ]  # fmt: skip
    answer = folded(*events, accounts=accounts)
    assert lots_of(answer) == (IDENTIFIED if counts else BY_METHOD)
    unheard = "the broker was not told, and own books no longer suffice there"
    assert told(answer) == ([] if counts else [unheard])


def order(id: str, date: str, method: str, **more: Any) -> Json:
    return {
        "id": id,
        "type": "standing_order",
        "date": date,
        "account": "A",
        "method": method,
    } | more


def test_standing_orders_act_forward_only_and_the_latest_counts() -> None:
    events = [
        buy("b1", "2025-01-06", "3", "30"),
        buy("b2", "2025-01-07", "3", "36"),
        buy("b3", "2025-01-08", "3", "33"),
        order("o2", "2025-04-01", "LIFO"),
        order("o1", "2025-03-01", "HIFO"),
        sell("s0", "2025-02-28", "1", "20"),
        sell("s1", "2025-03-02", "1", "20"),
        sell("s2", "2025-04-02", "1", "20"),
    ]
    sales = cells(result(*events)["disposals"], "event", "lot")
    assert sales == [("s0", "b1"), ("s1", "b2"), ("s2", "b3")]


@pytest.mark.parametrize(("day", "lot"), [("2026-12-31", "b2"), ("2027-01-02", "b1")])
def test_a_standing_order_kept_in_own_books_ends_with_the_relief(day: str, lot: str) -> None:
    events = [
        buy("b1", "2025-01-06", "2", "20", asset="Y"),
        buy("b2", "2025-01-07", "2", "24", asset="Y"),
        order("o", "2025-02-01", "HIFO", recorded_in="books"),
        sell("s", day, "1", "15", asset="Y"),
    ]
    answer = result(*events, as_of="2027-12-31")
    assert cells(answer["disposals"], "lot") == [(lot,)]


def test_a_moment_of_identification_is_told_by_the_taxpayers_zone() -> None:
    """20:00 in London is the next day's morning in Tokyo."""
    at = "2025-06-02T20:00:00Z"
    events = [
        buy("b1", "2025-01-06", "2", "20", asset="Y"),
        buy("b2", "2025-01-07", "2", "24", asset="Y"),
        sell("s", "2025-06-02", "1", "15", asset="Y", lots=LOTS, identified_at=at),
    ]
    assert lots_of(folded(*events)) == IDENTIFIED
    assert lots_of(folded(*events, policy={"tz": "Asia/Tokyo"})) == BY_METHOD


def test_the_source_of_an_id_ends_at_its_first_colon() -> None:
    events = [buy("csv:b1", "2025-01-06", "2", "20"), buy("csv:b2", "2025-01-07", "2", "24")]
    answer = folded(*events, sell("csv:2025:s", "2025-06-02", "1", "15", lots=LOTS))
    assert lots_of(answer) == [("csv:b2", "1")]


def in_pieces(method: str, qty: str) -> Portfolio:
    """b2 in two pieces: a loss of 5 joined one unit of it, which counts as held 14 days longer."""
    events = [
        buy("b1", "2025-01-06", "1", "15"),
        sell("s1", "2025-01-20", "1", "10"),
        buy("b2", "2025-01-22", "2", "24"),
        buy("b3", "2025-06-01", "2", "24"),
        sell("s2", "2025-06-02", qty, "15", lots=[{"lot": "b2", "qty": qty}]),
    ]
    return folded(*events, policy={"lot_method": method})


@pytest.mark.parametrize("method", ["FIFO", "LIFO", "HIFO"])
def test_the_pieces_of_a_named_lot_go_first_in_first_out(method: str) -> None:
    rows = statement.disposals(in_pieces(method, "1"))
    assert cells(rows, "event", "lot", "basis") == [("s1", "b1", "15"), ("s2", "b2", "17")]


@pytest.mark.parametrize("method", ["FIFO", "LIFO", "HIFO"])
def test_all_pieces_of_a_lot_can_be_named_together(method: str) -> None:
    answer = in_pieces(method, "2")
    assert answer.all_issues() == []
    rows = [row for row in statement.disposals(answer) if row["event"] == "s2"]
    assert sorted(cells(rows, "lot", "qty", "basis")) == [("b2", "1", "12"), ("b2", "1", "17")]


def chosen_by(*events: Json, **more: Any) -> list[str]:
    answer = folded(*events, **more)
    return [row.chosen_by for book in answer.books.values() for row in book.disposals]


def test_a_row_keeps_the_rule_that_chose_its_units() -> None:
    bought = buy("b2", "2025-01-06", "9", "90", asset="Y")
    sale = sell("s", "2025-06-02", "1", "15", asset="Y")
    late = sale | {"date": "2027-06-02"}
    books = order("o", "2025-02-01", "HIFO", recorded_in="books")
    assert chosen_by(bought, sale) == ["fifo"]
    assert chosen_by(bought, sale, policy={"lot_method": "LIFO"}) == ["standing_order"]
    assert chosen_by(bought, order("o", "2025-02-01", "FIFO"), sale) == ["standing_order"]
    assert chosen_by(bought, books, sale) == ["standing_order"]
    assert chosen_by(bought, books, late, as_of="2027-12-31") == ["books_at_broker"]
    assert chosen_by(bought, sale | {"lots": LOTS}) == ["specific"]
    too_late = {"lots": LOTS, "identified_at": "2025-07-01"}
    assert chosen_by(bought, sale | too_late) == ["fifo"]


@pytest.mark.parametrize(("tz", "lot"), [("UTC", "b2"), ("Asia/Tokyo", "b1")])
def test_a_standing_order_is_given_at_its_moment_in_the_taxpayers_zone(tz: str, lot: str) -> None:
    """20:00 UTC on 1 March is 5:00 on 2 March in Tokyo: after a sale dated 2 March."""
    given = order("o", "", "HIFO", ts="2025-03-01T20:00:00Z")
    del given["date"]
    events = [
        buy("b1", "2025-01-06", "1", "10"),
        buy("b2", "2025-01-07", "1", "12"),
        given,
        sell("s", "2025-03-02", "1", "20"),
    ]
    assert lots_of(folded(*events, policy={"tz": tz})) == [(lot, "1")]


def test_of_orders_of_one_moment_the_last_that_was_said_counts() -> None:
    events = [
        buy("b1", "2025-01-06", "1", "10"),
        buy("b2", "2025-01-07", "1", "12"),
        buy("b3", "2025-01-08", "1", "11"),
        order("o2", "2025-03-01", "HIFO"),
        order("o1", "2025-03-01", "LIFO"),
        sell("s", "2025-03-02", "1", "20"),
    ]
    assert lots_of(folded(*events)) == [("b3", "1")]


@pytest.mark.parametrize(("method", "rest"), [("HIFO", "dear"), ("HIFO_LT", "old")])
def test_units_beyond_those_named_go_by_the_method_at_their_share_of_the_price(
    method: str, rest: str
) -> None:
    """10 a unit: `dear` is a short-term gain of 1 and `old` a long-term gain of 9."""
    events = [
        buy("old", "2023-01-06", "1", "1"),
        buy("named", "2025-01-06", "1", "5"),
        buy("dear", "2025-01-07", "1", "9"),
        sell("s", "2025-06-02", "2", "20", lots=[{"lot": "named", "qty": "1"}]),
    ]
    answer = folded(*events, policy={"lot_method": method})
    assert lots_of(answer) == sorted([("named", "1"), (rest, "1")])


def test_what_was_neither_named_nor_sold_can_be_sold_later() -> None:
    events = [buy("b2", "2025-01-06", "5", "50"), sell("s", "2025-06-02", "3", "36", lots=LOTS)]
    rest = folded(*events, sell("t", "2025-06-03", "2", "24"))
    assert rest.all_issues() == []
    assert statement.lots(rest) == []
    beyond = folded(*events, sell("t", "2025-06-03", "3", "36"))
    assert [each.code for each in beyond.all_issues()] == ["insufficient_units"]


def test_a_gift_of_more_units_than_were_named_takes_the_rest_by_the_method() -> None:
    gift = sell("g", "2025-06-02", "2", "0", lots=LOTS) | {"type": "gift_out"}
    del gift["amount"]
    made = folded(buy("b1", "2025-01-06", "2", "20"), buy("b2", "2025-01-07", "2", "24"), gift)
    left = sorted(cells(statement.lots(made), "lot", "qty"))
    assert left == [("b1", "1"), ("b2", "1")]
    assert statement.disposals(made) == []

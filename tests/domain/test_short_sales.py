"""Short sales that close at a loss, and what washes it (IRC 1091(e); decision 0009)."""

from __future__ import annotations

import pytest

from tests.domain.make import Json, buy, cells, result, sell

ROW = ("event", "lot", "proceeds", "basis", "wash")
TEN_FOR_1000 = ("2025-03-03", "10", "1000")


def opened(id: str, date: str, qty: str, amount: str, **more: str) -> Json:
    return buy(id, date, qty, amount) | {"type": "short_open"} | more


def closed(id: str, date: str, qty: str, opens: str, lot: str = "") -> Json:
    named = {"lots": [{"lot": lot, "qty": qty}]} if lot else {}
    return {
        "id": id, "type": "short_close", "date": date, "account": "A", "asset": "X", "qty": qty,
        "opens": opens,
    } | named  # fmt: skip


def squeezed(*others: Json, **more: object) -> Json:
    """Ten units sold short for 1000 on 3 March, bought back for 1200 a week later: a loss of 200.

    They were not held when the short was opened, so that other sales wash the loss.
    """
    return result(
        opened("o", *TEN_FOR_1000),
        buy("b", "2025-03-10", "10", "1200"),
        closed("c", "2025-03-10", "10", "o", "b"),
        *others,
        **more,
    )


def wash_of_the_close(answer: Json) -> str:
    ((wash,),) = [
        each[1:] for each in cells(answer["disposals"], "event", "wash") if each[0] == "c"
    ]
    return str(wash)


def held(qty: str = "10", account: str = "B") -> Json:
    return buy("h", "2024-01-02", qty, "500", account=account)


@pytest.mark.parametrize(
    ("sold", "wash"),
    [
        ("2025-02-07", "0"),
        ("2025-02-08", "200"),
        ("2025-03-10", "200"),
        ("2025-04-09", "200"),
        ("2025-04-10", "0"),
    ],
)
def test_a_sale_within_thirty_days_of_the_close_washes_the_loss(sold: str, wash: str) -> None:
    answer = squeezed(held(), sell("s", sold, "10", "900", account="B"))
    assert wash_of_the_close(answer) == wash


def test_a_loss_that_a_sale_washes_joins_nothing() -> None:
    answer = squeezed(held("20"), sell("s", "2025-03-20", "10", "900", account="B"))
    assert cells(answer["disposals"], *ROW) == [
        ("c", "b", "1000", "1200", "200"),
        ("s", "h", "900", "250", "0"),
    ]
    assert cells(answer["open_lots"], "lot", "basis") == [("h", "250")]


def test_sales_wash_a_loss_oldest_first_and_each_unit_once() -> None:
    answer = squeezed(
        held(),
        sell("before", "2025-03-05", "3", "300", account="B"),
        sell("after", "2025-03-20", "4", "400", account="B"),
        opened("o2", "2025-04-01", "10", "1500"),
        buy("b2", "2025-04-03", "10", "1600"),
        closed("c2", "2025-04-03", "10", "o2", "b2"),
    )
    washes = dict(cells(answer["disposals"], "event", "wash"))
    # 3 + 4 sold and 3 of the ten sold short again wash c; for c2 no unit is left of 30 days
    assert washes == {"before": "0", "c": "200", "after": "0", "c2": "0"}
    proceeds = dict(cells(answer["disposals"], "event", "proceeds"))
    assert proceeds["c2"] == "1440"  # 1500 less the 60 of three units


def test_purchases_do_not_wash_it() -> None:
    answer = squeezed(buy("again", "2025-03-12", "10", "1150"))
    assert wash_of_the_close(answer) == "0"
    assert cells(answer["open_lots"], "lot", "basis") == [("again", "1150")]


@pytest.mark.parametrize(
    ("day", "wash", "proceeds"),
    [("2025-04-09", "200", "1300"), ("2025-04-10", "0", "1500"), ("2025-02-08", "200", "1300")],
)
def test_another_short_takes_the_loss_off_its_own_proceeds(
    day: str, wash: str, proceeds: str
) -> None:
    answer = squeezed(
        opened("o2", day, "10", "1500"),
        buy("b2", "2025-06-02", "10", "900"),
        closed("c2", "2025-06-02", "10", "o2", "b2"),
    )
    assert cells(answer["disposals"], *ROW) == [
        ("c", "b", "1000", "1200", wash),
        ("c2", "b2", proceeds, "900", "0"),
    ]


def test_a_short_that_is_closed_already_takes_nothing() -> None:
    """It was opened within the 30 days, so the loss is disallowed; its own row is written."""
    answer = squeezed(
        held("5", account="A"),
        opened("o2", "2025-03-04", "5", "600"),
        closed("c2", "2025-03-05", "5", "o2", "h"),
    )
    assert cells(answer["disposals"], *ROW) == [
        ("c2", "h", "600", "500", "0"),
        ("c", "b", "1000", "1200", "100"),
    ]


def test_its_own_opening_and_other_closings_are_no_sales_that_wash_it() -> None:
    answer = result(
        opened("o", *TEN_FOR_1000),
        buy("b", "2025-03-10", "10", "1200"),
        closed("c1", "2025-03-10", "4", "o", "b"),
        closed("c2", "2025-03-11", "6", "o", "b"),
    )
    assert cells(answer["disposals"], *ROW) == [
        ("c1", "b", "400", "480", "0"),
        ("c2", "b", "600", "720", "0"),
    ]


@pytest.mark.parametrize("split", ["2025-03-09", "2025-03-15"])
def test_a_split_between_sale_and_loss_counts_in_new_units(split: str) -> None:
    """Half of what was sold short again is half of what was lost, in units before or after it."""
    event = {"id": "two", "type": "split", "date": split, "asset": "X", "num": "2", "den": "1"}
    before = split < "2025-03-10"
    bought = "20" if before else "10"
    answer = result(
        opened("o", *TEN_FOR_1000),
        opened("o2", "2025-03-04", "4", "600", account="B"),
        event,
        buy("b", "2025-03-10", bought, "1200"),
        closed("c", "2025-03-10", bought, "o", "b"),
        held(),
        sell("s", "2025-03-20", "2", "100", account="B"),
    )
    # four old units of o2 wash 80; two new ones (one old) of s wash 20
    assert wash_of_the_close(answer) == "100"


def test_a_sale_before_the_split_counts_in_new_units_too() -> None:
    """Three old units are six of the twenty that the loss has."""
    answer = result(
        held(),
        opened("o", *TEN_FOR_1000),
        sell("s", "2025-03-05", "3", "300", account="B"),
        {"id": "two", "type": "split", "date": "2025-03-09", "asset": "X", "num": "2", "den": "1"},
        buy("b", "2025-03-10", "20", "1200"),
        closed("c", "2025-03-10", "20", "o", "b"),
    )
    assert wash_of_the_close(answer) == "60"


def test_a_split_of_a_token_of_the_group_leaves_losses_and_sales_of_the_share() -> None:
    answer = squeezed(
        held(),
        opened("o2", "2025-03-04", "2", "240"),
        {"id": "two", "type": "split", "date": "2025-03-15", "asset": "T", "num": "2", "den": "1"},
        sell("s", "2025-03-20", "3", "300", account="B"),
        assets=[
            {"id": "X", "class": "stock", "group": "X"},
            {"id": "T", "class": "tokenized_security", "group": "X"},
        ],
    )
    assert wash_of_the_close(answer) == "100"


def test_a_split_of_a_token_leaves_earlier_sales_of_the_share_as_they_are() -> None:
    """Only splits of what was sold, after it was sold, change how many units it is."""
    answer = squeezed(
        held(),
        {"id": "old", "type": "split", "date": "2025-03-04", "asset": "X", "num": "1", "den": "1"},
        sell("s", "2025-03-05", "3", "300", account="B"),
        {"id": "two", "type": "split", "date": "2025-03-08", "asset": "T", "num": "2", "den": "1"},
        assets=[
            {"id": "X", "class": "stock", "group": "X"},
            {"id": "T", "class": "tokenized_security", "group": "X"},
        ],
    )
    assert wash_of_the_close(answer) == "60"


def test_a_close_at_a_gain_uses_no_purchase_up_whatever_the_position() -> None:
    """Units acquired after the opening look for other sales, and a gain looks for nothing."""
    answer = result(
        buy("dear", "2024-01-02", "10", "1500", account="B"),
        opened("o", *TEN_FOR_1000),
        buy("b", "2025-03-10", "10", "800"),
        closed("c", "2025-03-10", "10", "o", "b"),
        buy("r", "2025-03-12", "10", "900"),
        sell("s", "2025-03-14", "10", "1000", account="B"),
        policy={"gain_units": "in_order"},
    )
    assert cells(answer["disposals"], *ROW) == [
        ("c", "b", "1000", "800", "0"),
        ("s", "dear", "1000", "1500", "500"),
    ]


def test_what_is_owed_is_split_too() -> None:
    answer = result(
        opened("o", *TEN_FOR_1000),
        {"id": "two", "type": "split", "date": "2025-03-05", "asset": "X", "num": "2", "den": "1"},
        buy("b", "2025-03-10", "20", "900"),
        closed("c", "2025-03-10", "20", "o"),
    )
    assert cells(answer["disposals"], *ROW) == [("c", "b", "1000", "900", "0")]


def test_sales_of_another_group_that_shares_the_book_wash_nothing() -> None:
    """A conversion joins the books of two groups, not the groups."""
    answer = squeezed(
        buy("y", "2024-01-02", "20", "500", asset="Y"),
        {"id": "w", "type": "convert", "date": "2024-02-01", "account": "A",
         "out": {"asset": "Y", "qty": "5"}, "in": {"asset": "X", "qty": "5"}},
        sell("s", "2025-03-05", "10", "900", asset="Y"),
        sell("s2", "2025-03-20", "5", "900", asset="Y"),
    )  # fmt: skip
    assert wash_of_the_close(answer) == "0"


def test_units_held_at_the_opening_make_a_loss_of_the_opening_day() -> None:
    """Reg. 1.1091-1(g): a purchase within 30 days of the opening replaces them."""
    answer = result(
        buy("h", "2024-01-02", "10", "1200"),
        opened("o", *TEN_FOR_1000),
        buy("r", "2025-03-20", "10", "1100"),
        closed("c", "2025-07-01", "10", "o", "h"),
    )
    assert cells(answer["disposals"], *ROW) == [("c", "h", "1000", "1200", "200")]
    assert cells(answer["open_lots"], "lot", "basis") == [("r", "1300")]


@pytest.mark.parametrize(
    "close",
    [
        closed("c", "2025-03-10", "11", "o"),
        closed("c", "2025-03-10", "10", "nobody"),
        closed("c", "2025-03-10", "10", "o") | {"asset": "Y"},
    ],
    ids=["too many", "unknown", "another asset"],
)
def test_a_close_of_what_is_not_open_is_held_out(close: Json) -> None:
    answer = result(
        opened("o", *TEN_FOR_1000),
        buy("b", "2025-03-09", "20", "1200"),
        buy("y", "2025-03-09", "20", "1200", asset="Y"),
        close,
    )
    assert answer["error"] == "no_such_short_sale"
    assert answer["disposals"] == []


def test_a_close_with_nothing_to_deliver_is_held_out_and_can_be_made_up_for() -> None:
    close = closed("c", "2025-03-10", "10", "o")
    assert result(opened("o", *TEN_FOR_1000), close)["error"] == "insufficient_units"
    late = buy("late", "2025-03-09", "10", "700")
    answer = result(opened("o", *TEN_FOR_1000), close, late)
    assert cells(answer["disposals"], *ROW) == [("c", "late", "1000", "700", "0")]

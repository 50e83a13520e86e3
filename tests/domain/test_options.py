"""Options become shares, expire bought, expire written (rulebook a.7; decision 0009)."""

from __future__ import annotations

import pytest

from tests.domain.make import Json, buy, cells, result, sell

ROW = ("event", "lot", "qty", "proceeds", "basis", "wash", "term")
LOT = ("lot", "asset", "qty", "basis", "acquired")


def told(*events: Json) -> Json:
    """The answer with C, a call on X, and P, a put on X that nobody calls identical to it."""
    return result(
        *events,
        assets=[
            {"id": "X", "class": "stock", "group": "X"},
            {"id": "C", "class": "option", "group": "X"},
            {"id": "P", "class": "option", "group": "P"},
        ],
    )


def exercise(date: str, qty: str, shares: str, **more: str) -> Json:
    return {
        "id": "e", "type": "option_exercise", "date": date, "account": "A", "asset": "C",
        "qty": qty, "underlying": "X", "underlying_qty": shares, "amount": "1000", "fee": "10",
    } | more  # fmt: skip


def expire(date: str, qty: str, **more: str) -> Json:
    return {
        "id": "e", "type": "option_expire", "date": date, "account": "A", "asset": "C", "qty": qty,
    } | more  # fmt: skip


def write(id: str, date: str, qty: str, amount: str, **more: str) -> Json:
    return {
        "id": id, "type": "short_open", "date": date, "account": "A", "asset": "C", "qty": qty,
        "amount": amount, "fee": "1",
    } | more  # fmt: skip


def test_shares_cost_the_strike_the_fee_and_what_the_options_cost_and_are_new() -> None:
    """The option's life is not part of the holding period (Rev. Rul. 78-182)."""
    answer = told(
        buy("c1", "2024-01-02", "1", "30", asset="C"),
        buy("c2", "2025-01-02", "2", "90", asset="C"),
        exercise("2025-03-03", "2", "200"),
    )
    assert cells(answer["open_lots"], *LOT) == [
        ("c2", "C", "1", "45", "2025-01-02"),
        ("e", "X", "200", "1085", "2025-03-03"),
    ]
    assert answer["disposals"] == []


def test_exercised_shares_are_a_purchase_that_a_loss_finds() -> None:
    answer = told(
        buy("b", "2024-01-02", "100", "1500"),
        buy("c", "2025-01-02", "1", "40", asset="C"),
        sell("s", "2025-03-03", "100", "1300"),
        exercise("2025-03-10", "1", "60"),
    )
    assert cells(answer["disposals"], *ROW) == [("s", "b", "100", "1300", "1500", "120", "L")]
    # 1000 + 10 + 40 and the loss of 120; the days of the sold shares (426) come before
    assert cells(answer["open_lots"], *LOT) == [("e", "X", "60", "1170", "2024-01-09")]


def test_options_that_took_a_loss_make_shares_that_took_it_and_take_no_other() -> None:
    """Reg. 1.1091-1(e): the exercise is no second acquisition; the tacked days stay."""
    answer = told(
        buy("b", "2025-01-02", "1", "100"),
        sell("s1", "2025-02-03", "1", "80"),
        buy("c", "2025-02-10", "1", "5", asset="C"),
        exercise("2025-03-03", "1", "1", amount="60", fee="0"),
        buy("d", "2024-06-03", "1", "100", account="B"),
        sell("s2", "2025-03-10", "1", "70", account="B"),
    )
    assert cells(answer["disposals"], "event", "wash") == [("s1", "20"), ("s2", "0")]
    assert cells(answer["open_lots"], *LOT) == [("e", "X", "1", "85", "2025-01-30")]


def test_tokens_got_by_exercise_are_in_the_wallet_that_exercised() -> None:
    """Wallets that are one pool of basis: each still has to hold what it gives."""
    sale = sell("s", "2025-04-01", "60", "2000", asset="X")
    mine = {
        "accounts": [{"id": "A", "custody": "self"}, {"id": "B", "custody": "self"}],
        "assets": [
            {"id": "X", "class": "tokenized_security", "group": "X"},
            {"id": "C", "class": "option", "group": "X"},
        ],
        "policy": {"self_custody_pool": "one"},
    }
    had = [buy("c", "2025-01-02", "1", "40", asset="C"), exercise("2025-03-03", "1", "60")]
    assert cells(result(*had, sale, **mine)["disposals"], "lot", "gain") == [("e", "950")]
    assert result(*had, sale | {"account": "B"}, **mine)["error"] == "insufficient_units"


@pytest.mark.parametrize("event", [exercise("2025-03-03", "2", "200"), expire("2025-03-03", "2")])
def test_options_that_are_not_there_are_held_out(event: Json) -> None:
    answer = told(buy("c", "2025-01-02", "1", "30", asset="C"), event)
    assert answer["error"] == "insufficient_units"
    assert answer["disposals"] == []
    assert cells(answer["open_lots"], *LOT) == [("c", "C", "1", "30", "2025-01-02")]


def test_a_bought_option_that_expires_was_sold_for_nothing() -> None:
    """IRC 1234(a)(2)."""
    answer = told(buy("c", "2024-01-02", "2", "30", asset="C"), expire("2025-03-03", "2"))
    assert cells(answer["disposals"], *ROW) == [("e", "c", "2", "0", "30", "0", "L")]


def test_of_a_written_option_that_expires_the_premium_is_a_short_term_gain() -> None:
    """IRC 1234(b)(1); the oldest first, the rest stays open."""
    answer = told(
        write("w1", "2023-01-03", "1", "31"),
        write("w2", "2025-01-02", "2", "91"),
        expire("2025-03-03", "2"),
    )
    assert cells(answer["disposals"], *ROW) == [
        ("e", "w1", "1", "30", "0", "0", "S"),
        ("e", "w2", "1", "45", "0", "0", "S"),
    ]


@pytest.mark.parametrize(("account", "gains"), [("A", ["30"]), ("R", [])])
def test_a_written_option_expires_once(account: str, gains: list[str]) -> None:
    again = expire("2025-03-04", "1", account=account) | {"id": "again"}
    answer = told(
        write("w", "2025-01-02", "1", "31", account=account),
        expire("2025-03-03", "1", account=account),
        again,
    )
    assert answer["error"] == "insufficient_units"
    assert [row["gain"] for row in answer["disposals"]] == gains


@pytest.mark.parametrize(
    "written",
    [
        write("w", "2025-01-02", "1", "31"),  # too few
        write("w", "2025-01-02", "2", "31", account="B"),
        write("w", "2025-01-02", "2", "31", asset="P"),
    ],
    ids=["too few", "another account", "another option"],
)
def test_only_what_was_written_there_can_expire_there(written: Json) -> None:
    answer = told(written, expire("2025-03-03", "2"))
    assert answer["error"] == "insufficient_units"
    assert answer["disposals"] == []


def test_bought_options_expire_before_written_ones() -> None:
    answer = told(
        write("w", "2025-01-02", "1", "31"),
        buy("c", "2025-02-03", "1", "20", asset="C"),
        expire("2025-03-03", "1"),
    )
    assert cells(answer["disposals"], "lot", "proceeds", "basis") == [("c", "0", "20")]

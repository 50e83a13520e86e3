"""Positions the taxpayer takes, and facts that the engine holds out."""

from __future__ import annotations

import pytest

from tests.domain.make import Json, buy, cells, result, sell

LOT = ("lot", "qty", "basis", "acquired")
TO_Y = {"type": "swap", "account": "A", "amount": "90", "in": {"asset": "Y", "qty": "5"}}


def washed(seller: str, buyer: str, **policy: str) -> tuple[str, str]:
    """(disallowed, basis of the replacement) of a loss of 200 and a purchase for 850."""
    answer = result(
        buy("b", "2025-01-02", "10", "1000", account=seller),
        sell("s", "2025-02-03", "10", "800", account=seller),
        buy("r", "2025-02-10", "10", "850", account=buyer),
        accounts=[
            {"id": "A"},
            {"id": "M", "owner": "spouse"},
            {"id": "E", "owner": "entity"},
            {"id": "R", "type": "ira"},
        ],
        policy=policy,
    )
    ((wash,),) = cells(answer["disposals"], "wash")
    ((basis,),) = cells(answer["open_lots"], "basis")
    return wash, basis


@pytest.mark.parametrize(
    ("seller", "buyer", "policy", "basis"),
    [
        ("A", "A", {}, "1050"),
        ("A", "M", {}, "1050"),
        ("M", "A", {}, "1050"),
        ("M", "M", {}, "1050"),
        ("A", "M", {"spouse_basis": "none"}, "850"),
        ("M", "A", {"spouse_basis": "none"}, "850"),
        ("M", "M", {"spouse_basis": "none"}, "1050"),
        ("A", "A", {"spouse_basis": "none"}, "1050"),
        ("A", "E", {}, "850"),
        ("A", "E", {"entity_basis": "shift"}, "1050"),
        ("M", "E", {"entity_basis": "shift"}, "1050"),
        ("A", "R", {}, "850"),
        ("A", "R", {"entity_basis": "shift", "spouse_basis": "shift"}, "850"),
    ],
)
def test_the_disallowed_loss_goes_where_the_position_says(
    seller: str, buyer: str, policy: dict[str, str], basis: str
) -> None:
    assert washed(seller, buyer, **policy) == ("200", basis)


@pytest.mark.parametrize(
    ("sold", "wash"), [("2025-12-31", "0"), ("2026-01-01", "20"), ("2026-01-02", "20")]
)
def test_a_wash_sale_version_acts_from_its_first_day(sold: str, wash: str) -> None:
    answer = result(
        buy("b", "2025-11-03", "1", "100"),
        sell("s", sold, "1", "80"),
        buy("r", "2026-01-05", "1", "90"),
        policy={"wash_sale": [{"from": "2026-01-01", "classes": ["stock"]}]},
    )
    assert cells(answer["disposals"], "wash") == [(wash,)]


@pytest.mark.parametrize("reversed_order", [False, True])
def test_the_later_of_two_versions_wins_in_any_order(reversed_order: bool) -> None:
    versions: list[Json] = [
        {"from": "0001-01-01", "classes": ["stock"]},
        {"from": "2026-01-01", "classes": []},
    ]
    answer = result(
        buy("b", "2025-11-03", "2", "200"),
        sell("s1", "2025-12-31", "1", "80"),
        sell("s2", "2026-01-01", "1", "80"),
        buy("r", "2026-01-05", "2", "180"),
        policy={"wash_sale": versions[::-1] if reversed_order else versions},
    )
    assert cells(answer["disposals"], "event", "wash") == [("s1", "20"), ("s2", "0")]


def swap(out: str, qty: str) -> Json:
    return TO_Y | {"id": "w", "date": "2025-02-02", "out": {"asset": out, "qty": qty}}


def test_a_swap_that_the_account_cannot_cover_is_held_out_whole() -> None:
    answer = result(buy("b", "2025-01-02", "1", "10"), swap("X", "3"))
    assert answer["error"] == "insufficient_units"
    assert cells(answer["open_lots"], *LOT) == [("b", "1", "10", "2025-01-02")]


def test_a_swap_held_out_is_let_in_by_a_late_purchase() -> None:
    late = buy("late", "2025-01-03", "2", "20")
    answer = result(buy("b", "2025-01-02", "1", "10"), swap("X", "3"), late)
    assert "error" not in answer
    assert cells(answer["open_lots"], *LOT) == [("w", "5", "90", "2025-02-02")]


@pytest.mark.parametrize(
    "event",
    [
        sell("e", "2025-02-02", "3", "9"),
        sell("e", "2025-02-02", "3", "9", type="spend"),
        {"id": "e", "type": "gift_out", "date": "2025-02-02", "account": "A", "asset": "X",
         "qty": "3"},
        {"id": "e", "type": "abandon", "date": "2025-02-02", "account": "A", "asset": "X",
         "qty": "3"},
        {"id": "e", "type": "transfer", "date": "2025-02-02", "from": "A", "to": "B", "asset": "X",
         "qty": "1", "fee_qty": "1", "fee_amount": "9"},
        {"id": "e", "type": "convert", "date": "2025-02-02", "account": "A",
         "out": {"asset": "X", "qty": "3"}, "in": {"asset": "Y", "qty": "3"}},
        {"id": "e", "type": "return_of_capital", "date": "2025-02-02", "account": "B", "asset": "X",
         "amount": "5"},
    ],
    ids=lambda event: event["type"],
)  # fmt: skip
def test_what_an_account_cannot_cover_is_held_out_and_changes_nothing(event: Json) -> None:
    before = buy("b", "2025-01-02", "1", "10")
    answer = result(before, event)
    assert answer["error"] == "insufficient_units"
    assert answer["disposals"] == []
    assert cells(answer["open_lots"], *LOT) == [("b", "1", "10", "2025-01-02")]


def test_what_becomes_worthless_without_being_held_is_nothing() -> None:
    nothing = {"id": "e", "type": "worthless", "date": "2025-02-02", "account": "A", "asset": "X"}
    answer = result(nothing)
    assert (answer["disposals"], answer.get("error")) == ([], None)


def test_an_asset_that_was_never_declared_is_reported() -> None:
    answer = result(buy("b", "2025-01-02", "1", "10", asset="Z"))
    assert (answer["error"], answer["open_lots"]) == ("unknown_asset", [])


def test_an_account_that_was_never_declared_is_the_taxpayers_own() -> None:
    answer = result(
        buy("b", "2025-01-02", "1", "10", account="new"),
        sell("s", "2025-02-02", "1", "15", account="new"),
    )
    assert cells(answer["disposals"], "account", "gain") == [("new", "5")]


@pytest.mark.parametrize(("known_at", "lots"), [("2025-09-25", 0), ("2025-09-26", 1)])
def test_what_has_no_date_of_recording_is_known_from_its_tax_date_on(
    known_at: str, lots: int
) -> None:
    """15:00 in London is midnight, and so the next day, in Tokyo."""
    bought = buy("b", "2025-09-25", "1", "10", ts="2025-09-25T15:00:00Z")
    del bought["date"]
    asked = [{"as_of": "2025-12-31", "known_at": known_at}]
    answer = result(bought, policy={"tz": "Asia/Tokyo"}, snapshots=asked)
    assert len(answer["snapshots"][0]["result"]["open_lots"]) == lots

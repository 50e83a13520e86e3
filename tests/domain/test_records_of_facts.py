"""What gifts, moves, distributions, conversions and losses leave in a book, field by field."""

from __future__ import annotations

from typing import Any

import pytest

from domain.days import day_of
from domain.exact import money, quantity
from tests.domain.make import Json, buy, cells, result, scenario, sell
from tests.domain.records import all_told, folded, issue, told
from tests.domain.replay import portfolio_of

LEAST = "0.000000000000000001"
WALLETS = {
    "accounts": [
        {"id": "A", "custody": "self"},
        {"id": "B", "custody": "self"},
        {"id": "K", "custody": "broker"},
    ],
    "assets": [
        {"id": "X", "class": "stock", "group": "X"},
        {"id": "T", "class": "tokenized_security", "group": "T"},
        {"id": "U", "class": "tokenized_security", "group": "U"},
    ],
}
ONE_POOL = {"self_custody_pool": "one"}


def gift(donor_basis: str, amount: str, **more: Any) -> Json:
    """Ten units that are worth `amount` on the day."""
    given = {"donor_basis": donor_basis, "donor_acquired": "2020-01-02"}
    return buy("g", "2025-01-02", "10", amount, type="gift_in") | given | more


def out(kind: str, qty: str, **more: Any) -> Json:
    return {
        "id": "e", "type": kind, "date": "2025-03-03", "account": "A", "asset": "X", "qty": qty,
    } | more  # fmt: skip


def moved(asset: str, qty: str, **more: Any) -> Json:
    return {
        "id": "t", "type": "transfer", "date": "2025-02-03", "asset": asset, "from": "A",
        "to": "B", "qty": qty,
    } | more  # fmt: skip


def wrapped(out: tuple[str, str], into: tuple[str, str]) -> Json:
    return {
        "id": "w", "type": "convert", "date": "2025-02-03", "account": "A",
        "out": dict(zip(("asset", "qty"), out, strict=True)),
        "in": dict(zip(("asset", "qty"), into, strict=True)),
    }  # fmt: skip


def lot_of(ref: str, day: str, units: str, basis: str, **more: Any) -> dict[str, Any]:
    """A lot of X in A as it was acquired, unless said otherwise; `told` without its serial."""
    at = day_of(day)
    return {
        "ref": ref, "asset": "X", "account": "A", "quantity": quantity(units),
        "basis": money(basis), "acquired": at, "order": 0, "offset": 0, "origin": at,
        "covered": False, "used": False, "picked": False, "inherited": False, "loss_basis": -1,
        "gift_day": 0,
    } | more  # fmt: skip


def open_lots(*events: Json, **more: Any) -> list[dict[str, Any]]:
    lots = all_told(folded(*events, **more).open_lots())
    for lot in lots:
        del lot["serial"]
    return lots


@pytest.mark.parametrize(
    ("amount", "loss"),
    [("99", {"loss_basis": money("99"), "gift_day": day_of("2025-01-02")}), ("100", {}),
     ("101", {}), ("0", {"loss_basis": 0, "gift_day": day_of("2025-01-02")})],
)  # fmt: skip
def test_a_gift_has_a_basis_for_losses_only_if_it_was_worth_less_than_the_donors(
    amount: str, loss: dict[str, int]
) -> None:
    """IRC 1015(a), 1223(2)."""
    lot = lot_of("g", "2020-01-02", "10", "100", origin=day_of("2025-01-02")) | loss
    assert open_lots(gift("100", amount)) == [lot]


def test_what_was_given_or_inherited_replaces_no_sold_units() -> None:
    """IRC 1091(a) asks for a purchase or exchange on which gain or loss is recognized."""
    bought = buy("b", "2024-01-02", "10", "1000")
    sold = sell("s", "2025-01-03", "10", "500")
    heir = buy("i", "2025-01-04", "10", "500", type="inherit")
    assert folded(bought, sold, gift("100", "100"), heir).matches() == []


@pytest.mark.parametrize(
    ("kind", "policy", "left"),
    [
        ("gift_out", {}, "gift"),
        ("abandon", {}, "abandoned"),
        ("abandon", {"abandonment": "ordinary"}, "ordinary_loss"),
    ],
)
def test_what_leaves_without_a_row_says_how(kind: str, policy: Json, left: str) -> None:
    book = folded(buy("b", "2024-01-02", "10", "1000"), out(kind, "4"), policy=policy)
    (found,) = book.departures
    assert told(found) == {
        "kind": left, "ref": "e", "lot": "b", "asset": "X", "quantity": quantity("4"),
        "basis": money("400"),
    }  # fmt: skip
    assert book.disposals == []


@pytest.mark.parametrize("event", ["abandon", "worthless"])
def test_a_row_for_nothing_names_the_fact_that_made_it(event: str) -> None:
    """By the position taken units given up are a capital loss; worthless ones are by IRC 165(g)."""
    facts = {
        "abandon": out("abandon", "10"),
        "worthless": {"id": "e", "type": "worthless", "date": "2025-03-03", "account": "A",
                      "asset": "X"},
    }  # fmt: skip
    position = {"abandonment": "capital"}
    book = folded(buy("b", "2024-01-02", "10", "1000"), facts[event], policy=position)
    ((rule, taxable),) = [(row.chosen_by, row.taxable) for row in book.disposals]
    assert (rule, taxable) == (event, money("-1000"))


PRICED = [
    buy("old", "2023-01-03", "1", "90", asset="T"),
    buy("new", "2025-01-03", "1", "80", asset="T"),
]


@pytest.mark.parametrize("method", ["FIFO", "HIFO", "MIN_TAX"])
def test_units_of_a_fee_are_chosen_by_the_method_at_their_value(method: str) -> None:
    """At 50 a loss of 30 at 35 % spares more than one of 40 at 15 %; the dearer one is not it."""
    fee = moved("T", "1", fee_qty="1", fee_amount="50")
    book = folded(*PRICED, fee, **WALLETS, policy={"lot_method": method})
    rule = "fifo" if method == "FIFO" else "standing_order"
    lot = "new" if method == "MIN_TAX" else "old"
    assert [(row.lot, row.chosen_by) for row in book.disposals] == [(lot, rule)]


@pytest.mark.parametrize("method", ["HIFO", "MIN_TAX"])
def test_worthless_units_of_one_wallet_are_chosen_by_the_method_at_nothing(method: str) -> None:
    """Two wallets are one pool of basis by the position taken; only what A holds is worthless."""
    book = folded(
        buy("old", "2023-01-03", "1", "190", asset="T"),
        buy("new", "2025-01-03", "1", "180", asset="T", account="B"),
        {"id": "e", "type": "worthless", "date": "2025-03-03", "account": "A", "asset": "T"},
        **WALLETS,
        policy=ONE_POOL | {"lot_method": method},
    )
    lot = "new" if method == "MIN_TAX" else "old"
    assert [(row.lot, row.quantity) for row in book.disposals] == [(lot, quantity("1"))]


@pytest.mark.parametrize(("to", "left"), [("B", "B"), ("K", "K")])
def test_units_go_from_a_shared_pool_to_a_wallet_of_it_or_out_of_it(to: str, left: str) -> None:
    """Within one pool of basis units move and lots stay; to a broker the lots go along."""
    had = buy("b", "2024-01-02", "10", "1000", asset="T")
    book = folded(had, moved("T", "4", to=to), **WALLETS, policy=ONE_POOL)
    shared = book.pools[("A", "T")]
    lots = [(lot.account.id, lot.quantity) for lot in book.open_lots()]
    if to == "B":
        assert book.pools[("B", "T")] is shared
        assert shared.wallets == {"A": quantity("6"), "B": quantity("4")}
        assert lots == [("A", quantity("10"))]
    else:
        assert shared.wallets == {"A": quantity("6")}
        assert sorted(lots) == [("A", quantity("6")), (left, quantity("4"))]
        assert book.pools[("K", "T")].quantity == quantity("4")


def test_a_move_within_one_account_that_shares_no_pool_changes_no_figure() -> None:
    lots = open_lots(buy("b", "2024-01-02", "10", "1000"), moved("X", "4", to="A"))
    common = lot_of("b", "2024-01-02", "4", "400", covered=True)
    rest = {"quantity": quantity("6"), "basis": money("600"), "offset": quantity("4")}
    assert sorted(lots, key=lambda lot: lot["offset"]) == [common, common | rest]


def test_digital_units_that_move_are_covered_no_more() -> None:
    """Who receives them does not know their basis; the owner's own books do."""
    had = buy("b", "2024-01-02", "10", "1000", asset="T", account="K")
    (lot,) = open_lots(had, moved("T", "10", **{"from": "K"}), **WALLETS)
    assert lot == lot_of("b", "2024-01-02", "10", "1000", asset="T", account="B", covered=False)


def test_a_fee_that_joins_the_basis_joins_that_for_losses_too_if_it_was_nothing() -> None:
    """By the position taken; a gift that was worth nothing has a basis of nothing for losses."""
    fee = moved("X", "10", fee_amount="5", fee_qty="0")
    (lot,) = open_lots(gift("100", "0"), fee, policy={"transfer_fee": "add_to_basis"})
    assert (lot["basis"], lot["loss_basis"]) == (money("105"), money("5"))


def returned(amount: str) -> Json:
    return {
        "id": "r", "type": "return_of_capital", "date": "2025-03-03", "account": "A",
        "asset": "X", "amount": amount,
    }  # fmt: skip


def test_capital_comes_back_unit_by_unit_over_all_lots() -> None:
    """IRC 301(c)(2): 60 over 1 + 2 + 3 units is 10 each."""
    book = folded(
        buy("b1", "2024-01-02", "1", "100"),
        buy("b2", "2024-01-03", "2", "100"),
        buy("b3", "2024-01-04", "3", "100"),
        returned("60"),
    )
    assert [lot.basis for lot in book.open_lots()] == [money("90"), money("80"), money("70")]
    common = {"kind": "returned", "ref": "r", "asset": "X", "quantity": 0}
    assert all_told(book.departures) == [
        common | {"lot": f"b{at}", "basis": money(f"{at}0")} for at in (1, 2, 3)
    ]
    assert book.pools[("A", "X")].method == "FIFO"


def test_capital_comes_back_to_the_least_holding() -> None:
    answer = result(buy("b", "2024-01-02", LEAST, "100"), returned("60"))
    assert cells(answer["open_lots"], "lot", "basis") == [("b", "40")]


def test_a_conversion_takes_the_units_that_the_standing_order_says() -> None:
    order = {"id": "so", "type": "standing_order", "date": "2025-01-10", "account": "A",
             "method": "LIFO"}  # fmt: skip
    book = folded(*PRICED, order, wrapped(("T", "1"), ("U", "1")), **WALLETS)
    converted = [(lot.ref, lot.basis) for lot in book.open_lots() if lot.asset.id == "U"]
    assert converted == [("new", money("80"))]


def test_pieces_of_one_lot_keep_their_places_in_what_they_become() -> None:
    """Half of a lot went before; 4 of 8 units become 2 of 4, behind the place of the first 4."""
    lots = open_lots(
        buy("b", "2024-01-02", "12", "1200", asset="T"),
        sell("s", "2024-06-03", "4", "900", asset="T"),
        wrapped(("T", "8"), ("U", "4")),
        **WALLETS,
    )
    place = {"offset": quantity("2")}
    assert lots == [lot_of("b", "2024-01-02", "4", "800", asset="U") | place]


def test_a_piece_too_small_for_a_unit_gives_its_basis_to_the_next() -> None:
    """The least unit becomes nothing at 1 for 4; whoever keeps lots hears of it as empty."""
    book = folded(
        buy("tiny", "2024-01-02", LEAST, "7", asset="T"),
        buy("b", "2024-01-03", "0.000000000000000003", "30", asset="T"),
        wrapped(("T", "0.000000000000000004"), ("U", LEAST)),
        **WALLETS,
    )
    assert [(lot.ref, lot.basis) for lot in book.open_lots()] == [("b", money("37"))]
    empty = {lot.serial: lot for lot in book.touched if not lot.quantity}
    assert {lot.basis for lot in empty.values()} == {0}


def test_what_a_wallet_converts_is_in_that_wallet() -> None:
    had = buy("b", "2024-01-02", "10", "1000", asset="T")
    book = folded(had, wrapped(("T", "4"), ("U", "2")), **WALLETS, policy=ONE_POOL)
    assert book.pools[("A", "T")].wallets == {"A": quantity("6")}
    assert book.pools[("A", "U")].wallets == {"A": quantity("2")}


def test_a_collectible_in_an_ira_counts_as_a_distribution() -> None:
    book = folded(
        buy("b", "2025-01-02", "1", "1000", asset="G", account="R"),
        assets=[{"id": "G", "class": "nft", "group": "G", "collectible": True}],
    )
    assert all_told(book.issues) == [
        issue(
            "b",
            "deemed_distribution",
            "a collectible bought in R counts as a distribution of its cost (IRC 408(m)(1))",
            "report the distribution; no figure here includes it",
            blocking=False,
        )
    ]


def test_a_conversion_that_is_an_exchange_by_position_asks_for_a_value() -> None:
    book = folded(*PRICED, wrapped(("T", "1"), ("U", "1")), **WALLETS, policy={"wrap": "swap"})
    assert all_told(book.issues) == [
        issue(
            "w",
            "unvalued_wrap",
            "by the position taken this conversion is a taxable exchange, but it has no amount",
            "correct it with the fair market value received as `amount`, or elect wrap no_event",
        )
    ]


def test_a_fact_that_cannot_name_lots_names_none() -> None:
    facts = [buy("b", "2024-01-02", "10", "1000"), out("abandon", "4")]
    assert [each.lots for each in portfolio_of(scenario(*facts)).entries["X"]] == [(), ()]

"""Moves, splits, distributions and tokens given up: what happens to basis and units."""

from __future__ import annotations

import pytest

from domain.decisions import AccountDeclared, AssetDeclared, Bust
from domain.entries import Issue
from domain.facts import Buy
from domain.portfolio import Portfolio
from infra.sources.scenario_file import parse_scenario
from tests.domain.make import Json, buy, cells, result, scenario, sell

LOT = ("lot", "asset", "account", "qty", "basis")


def issues(*events: Json, **more: object) -> list[Issue]:
    """All data issues of a small scenario."""
    parsed = parse_scenario(scenario(*events, **more))
    portfolio = Portfolio()
    for ref, fact in [*parsed.declarations, *[event[:2] for event in parsed.events]]:
        portfolio.add(ref, fact)
    portfolio.settle()
    return portfolio.all_issues()


def move(date: str, qty: str, **more: str) -> Json:
    return {
        "id": "t", "type": "transfer", "date": date, "from": "A", "to": "B", "asset": "Y",
        "qty": qty,
    } | more  # fmt: skip


def split(num: str, den: str, date: str = "2025-03-03") -> Json:
    return {"id": "split", "type": "split", "date": date, "asset": "X", "num": num, "den": den}


def given(id: str, date: str, qty: str, worth: str, donor_basis: str) -> Json:
    return {
        "id": id, "type": "gift_in", "date": date, "account": "A", "asset": "Y", "qty": qty,
        "amount": worth, "donor_basis": donor_basis, "donor_acquired": "2020-01-02",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("position", "basis"), [("disposal_only", ["30", "20"]), ("add_to_basis", ["36", "24"])]
)
def test_the_fee_of_a_move_is_added_to_what_moves_by_a_position(
    position: str, basis: list[str]
) -> None:
    """A fee of one unit worth 10; five units move, of two lots: 6 and 4 of the ten."""
    answer = result(
        buy("b1", "2024-01-02", "4", "40", asset="Y"),
        buy("b2", "2024-02-02", "2", "20", asset="Y"),
        move("2025-01-02", "5", fee_qty="1", fee_amount="10"),
        policy={"transfer_fee": position},
    )
    assert [row["proceeds"] for row in answer["disposals"]] == ["10"]
    assert [lot["basis"] for lot in answer["open_lots"]] == basis
    assert {lot["account"] for lot in answer["open_lots"]} == {"B"}


def test_coins_moved_into_a_shared_pool_are_in_the_wallet_that_got_them() -> None:
    """From the broker to one of two own wallets that are one pool of basis."""
    shared = {
        "accounts": [
            {"id": "A"},
            {"id": "B", "custody": "self"},
            {"id": "C", "custody": "self"},
        ],
        "policy": {"self_custody_pool": "one"},
    }
    had = [
        buy("b", "2024-01-02", "2", "20", asset="Y"),
        buy("c", "2024-02-02", "1", "30", asset="Y", account="C"),
        move("2025-01-02", "2"),
    ]
    sale = sell("s", "2025-02-03", "2", "99", asset="Y", account="B")
    assert cells(result(*had, sale, **shared)["disposals"], "lot", "basis") == [("b", "20")]
    assert result(*had, sale | {"account": "C"}, **shared)["error"] == "insufficient_units"


@pytest.mark.parametrize(
    ("price", "gain"), [("40", "-40"), ("90", "0"), ("130", "20")], ids=["loss", "between", "gain"]
)
def test_a_moved_gift_keeps_two_bases_and_the_fee_joins_both(price: str, gain: str) -> None:
    """IRC 1015(a): donor's basis 100 and value 70, both with the fee of 10 on top."""
    answer = result(
        buy("b", "2019-01-02", "1", "5", asset="Y"),
        given("g", "2024-06-03", "1", "70", "100"),
        move("2025-01-02", "1", fee_qty="1", fee_amount="10"),
        sell("s", "2025-02-03", "1", price, asset="Y", account="B"),
        policy={"transfer_fee": "add_to_basis"},
    )
    assert answer["disposals"][-1]["gain"] == gain


def test_a_distribution_lowers_both_bases_of_a_gift() -> None:
    """The basis for a loss never falls below nothing (IRC 301(c)(2), 1015(a))."""
    gift = given("g", "2024-06-03", "1", "30", "100") | {"asset": "X"}
    paid = {"id": "d", "type": "return_of_capital", "date": "2025-01-02", "account": "A",
            "asset": "X", "amount": "40"}  # fmt: skip
    sold = result(gift, paid, sell("s", "2025-02-03", "1", "20"))
    assert cells(sold["disposals"], "event", "gain") == [("s", "0")]
    dear = result(gift, paid, sell("s", "2025-02-03", "1", "75"))
    assert cells(dear["disposals"], "event", "gain") == [("s", "15")]


@pytest.mark.parametrize(
    ("position", "rows", "nondeductible"),
    [
        ("nothing", [], ["40"]),
        ("ordinary", [], []),
        ("capital", [("e", "b", "0", "40")], []),
    ],
)
def test_a_coin_given_up_is_what_the_position_says(
    position: str, rows: list[tuple[str, ...]], nondeductible: list[str]
) -> None:
    answer = result(
        buy("b", "2024-01-02", "2", "80", asset="Y"),
        {"id": "e", "type": "abandon", "date": "2025-02-02", "account": "A", "asset": "Y",
         "qty": "1"},
        policy={"abandonment": position},
    )  # fmt: skip
    assert cells(answer["disposals"], "event", "lot", "proceeds", "basis") == rows
    assert [each["basis"] for each in answer.get("nondeductible", [])] == nondeductible
    assert cells(answer["open_lots"], *LOT) == [("b", "Y", "A", "1", "40")]


def test_a_coin_that_is_not_there_cannot_be_given_up_for_a_loss() -> None:
    answer = result(
        {"id": "e", "type": "abandon", "date": "2025-02-02", "account": "A", "asset": "Y",
         "qty": "1"},
        policy={"abandonment": "capital"},
    )  # fmt: skip
    assert (answer["error"], answer["disposals"]) == ("insufficient_units", [])


@pytest.mark.parametrize(
    ("account", "collectible", "codes"),
    [("R", True, ["deemed_distribution"]), ("A", True, []), ("R", False, [])],
)
def test_a_collectible_bought_in_a_retirement_account_is_a_distribution(
    account: str, collectible: bool, codes: list[str]
) -> None:
    """IRC 408(m)(1): said, and held out of no figure."""
    found = issues(
        buy("b", "2025-01-02", "1", "10", asset="N", account=account),
        assets=[{"id": "N", "class": "nft", "group": "N", "collectible": collectible}],
    )
    assert [(each.code, each.blocking) for each in found] == [(code, False) for code in codes]


def test_a_wrap_without_a_value_cannot_be_a_swap() -> None:
    wrap = {"id": "w", "type": "convert", "date": "2025-02-02", "account": "A",
            "out": {"asset": "Y", "qty": "1"}, "in": {"asset": "X", "qty": "1"}}  # fmt: skip
    first = buy("b", "2024-01-02", "1", "40", asset="Y")
    answer = result(first, wrap, policy={"wrap": "swap"})
    assert (answer["error"], answer["disposals"]) == ("unvalued_wrap", [])
    assert cells(answer["open_lots"], *LOT) == [("b", "Y", "A", "1", "40")]
    swapped = result(first, wrap | {"amount": "55"}, policy={"wrap": "swap"})
    assert cells(swapped["disposals"], "event", "gain") == [("w", "15")]
    assert cells(swapped["open_lots"], *LOT) == [("w", "X", "A", "1", "55")]


def test_a_lot_too_small_for_a_reverse_split_leaves_its_basis_to_the_next() -> None:
    """Half of 10**-18 units is none: the total is kept, and so is all of the basis."""
    answer = result(
        buy("speck", "2024-01-02", "0.000000000000000001", "3"),
        buy("b", "2024-02-02", "10", "100"),
        split("1", "2"),
    )
    assert cells(answer["open_lots"], *LOT) == [("b", "X", "A", "5", "103")]


def test_a_lot_too_small_for_a_conversion_leaves_its_basis_to_the_next() -> None:
    """Two old units for one new: 10**-18 old ones are none."""
    old = "10.000000000000000001"
    answer = result(
        buy("speck", "2024-01-02", "0.000000000000000001", "3", asset="Y"),
        buy("b", "2024-02-02", "10", "100", asset="Y"),
        {"id": "w", "type": "convert", "date": "2025-02-02", "account": "A",
         "out": {"asset": "Y", "qty": old}, "in": {"asset": "Z", "qty": "5"}},
        assets=[
            {"id": "Y", "class": "crypto", "group": "Y"},
            {"id": "Z", "class": "crypto", "group": "Z"},
        ],
    )  # fmt: skip
    assert cells(answer["open_lots"], *LOT) == [("b", "Z", "A", "5", "103")]


def test_a_holding_too_small_for_a_reverse_split_is_gone() -> None:
    answer = result(buy("speck", "2024-01-02", "0.000000000000000001", "3"), split("1", "2"))
    assert (answer["open_lots"], answer["disposals"]) == ([], [])


def test_an_account_that_holds_nothing_any_more_is_not_split() -> None:
    answer = result(
        buy("b1", "2024-01-02", "2", "20"),
        buy("b2", "2024-02-02", "3", "60", account="B"),
        sell("s", "2024-06-03", "2", "50"),
        split("3", "1"),
    )
    assert cells(answer["open_lots"], *LOT) == [("b2", "X", "B", "9", "60")]


def test_securities_become_worthless_wallet_by_wallet_of_one_pool() -> None:
    """Tokens of a security in one pool of two wallets: only those of the wallet named are sold."""
    answer = result(
        buy("b1", "2024-01-02", "2", "20", asset="T", account="A"),
        buy("b2", "2024-02-02", "3", "60", asset="T", account="B"),
        {"id": "w", "type": "worthless", "date": "2025-05-05", "account": "B", "asset": "T"},
        {"id": "w2", "type": "worthless", "date": "2025-05-06", "account": "B", "asset": "T"},
        accounts=[{"id": "A", "custody": "self"}, {"id": "B", "custody": "self"}],
        assets=[{"id": "T", "class": "tokenized_security", "group": "T"}],
        policy={"self_custody_pool": "one"},
    )
    assert cells(answer["disposals"], "event", "lot", "qty", "basis", "sold") == [
        ("w", "b1", "2", "20", "2025-12-31"), ("w", "b2", "1", "20", "2025-12-31"),
    ]  # fmt: skip
    assert [lot["qty"] for lot in answer["open_lots"]] == ["2"]


@pytest.mark.parametrize(("account", "income"), [("A", [("i", "30")]), ("R", [])])
def test_a_reward_in_a_retirement_account_is_units_but_no_income(
    account: str, income: list[tuple[str, str]]
) -> None:
    answer = result(buy("i", "2025-01-02", "2", "30", asset="Y", account=account, type="income"))
    assert cells(answer.get("income", []), "event", "amount") == income
    assert cells(answer["open_lots"], *LOT) == [("i", "Y", account, "2", "30")]


def declared(asset: str = "X") -> AssetDeclared:
    return AssetDeclared(effective_at="0001-01-01", asset=asset, asset_class="stock", group=asset)


def bought(asset: str = "X", account: str = "A") -> Buy:
    return Buy(effective_at="2025-01-02", account=account, asset=asset, quantity="1", amount="10")


def test_the_same_stream_again_is_its_last_word() -> None:
    portfolio = Portfolio()
    portfolio.add("asset", declared())
    portfolio.add("b", bought())
    portfolio.settle()
    portfolio.add("b", bought(account="B"))
    portfolio.settle()
    assert [lot.account.id for lot in portfolio.books["X"].open_lots()] == ["B"]


def test_a_fact_of_an_unknown_asset_can_be_taken_back() -> None:
    portfolio = Portfolio()
    portfolio.add("b", bought("Z"))
    portfolio.settle()
    assert [issue.code for issue in portfolio.all_issues()] == ["unknown_asset"]
    portfolio.add("b", Bust(effective_at="2025-01-02"))
    portfolio.settle()
    assert (portfolio.all_issues(), portfolio.books) == ([], {})


def test_a_late_asset_lets_in_what_waited_for_it() -> None:
    portfolio = Portfolio()
    portfolio.add("b", bought("Z"))
    portfolio.settle()
    portfolio.add("asset", declared("Z"))
    portfolio.settle()
    assert portfolio.all_issues() == []
    assert [lot.ref for lot in portfolio.books["Z"].open_lots()] == ["b"]


def test_a_declaration_that_no_rule_knows_is_left_out_alone() -> None:
    portfolio = Portfolio()
    portfolio.add("asset", declared())
    odd = AccountDeclared(effective_at="0001-01-01", account="odd", kind="casino")
    portfolio.add("odd", odd)
    portfolio.add("b", bought(account="odd"))
    portfolio.settle()
    assert [(each.ref, each.code) for each in portfolio.all_issues()] == [("odd", "unsupported")]
    assert [lot.ref for lot in portfolio.books["X"].open_lots()] == ["b"]


def test_a_bust_of_nothing_changes_nothing() -> None:
    portfolio = Portfolio()
    portfolio.add("asset", declared())
    portfolio.add("b", bought())
    portfolio.settle()
    portfolio.add("never", Bust(effective_at="2025-01-02"))
    portfolio.settle()
    assert portfolio.changed == set()
    assert [lot.ref for lot in portfolio.books["X"].open_lots()] == ["b"]

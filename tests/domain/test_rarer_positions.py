"""Positions where two of them meet, or meet a rarer account: marked to market, shared wallets."""

from __future__ import annotations

import pytest

from domain.days import day_of
from domain.decisions import AccountDeclared, AssetDeclared
from domain.exact import format_money, money, quantity
from domain.facts import Buy, Sell
from domain.harvest import opportunities
from domain.portfolio import Portfolio
from services import statement
from tests.domain.make import Json, buy, cells, result, sell

START = "0001-01-01"


def trader(marked: bool) -> Portfolio:
    """A loss of 10 in a trader's account T, a purchase in it nine days later, and units left."""
    made = Portfolio()
    facts = [
        AccountDeclared(effective_at=START, account="T", marked_to_market=marked),
        AssetDeclared(effective_at=START, asset="X", asset_class="stock", group="X"),
        Buy(effective_at="2025-01-06", account="T", asset="X", quantity="2", amount="40"),
        Sell(effective_at="2025-03-03", account="T", asset="X", quantity="1", amount="10"),
        Buy(effective_at="2025-03-12", account="A", asset="X", quantity="3", amount="30"),
    ]
    for number, fact in enumerate(facts):
        made.add(f"f{number}", fact)
    made.settle()
    return made


@pytest.mark.parametrize(("marked", "wash"), [(True, "0"), (False, "10")])
def test_losses_of_an_account_marked_to_market_are_no_wash_sales(marked: bool, wash: str) -> None:
    """IRC 475(f)(1)(D)."""
    assert cells(statement.disposals(trader(marked)), "event", "wash") == [("f3", wash)]


@pytest.mark.parametrize(("marked", "blocked"), [(True, "0"), (False, "15")])
def test_nothing_blocks_a_loss_in_an_account_marked_to_market(marked: bool, blocked: str) -> None:
    (book,) = trader(marked).books.values()
    found = [
        each
        for each in opportunities(book, {"X": quantity("5")}, day_of("2025-03-20"))
        if each.lot.account.id == "T"
    ]
    assert [format_money(each.blocked) for each in found] == [blocked]
    assert sum(each.harvestable for each in found) == money("15") - money(blocked)


WALLETS = [{"id": "K"}, {"id": "W1", "custody": "self"}, {"id": "W2", "custody": "self"}]


def moved(position: str) -> Json:
    """The oldest coin lies in W2, a dearer one comes from a broker into W1; W1 sells one."""
    events: list[Json] = [
        buy("old", "2025-01-06", "1", "10", asset="Y", account="W2"),
        buy("new", "2025-01-07", "1", "30", asset="Y", account="K"),
        {
            "id": "t", "type": "transfer", "date": "2025-02-03", "asset": "Y", "from": "K",
            "to": "W1", "qty": "1",
        },
        sell("s", "2025-03-03", "1", "20", asset="Y", account="W1"),
    ]  # fmt: skip
    return result(*events, accounts=WALLETS, policy={"self_custody_pool": position})


@pytest.mark.parametrize(
    ("position", "sold", "left"), [("wallet", "new", ("old", "W2")), ("one", "old", ("new", "W2"))]
)
def test_a_move_from_a_broker_joins_the_one_pool_of_own_wallets(
    position: str, sold: str, left: tuple[str, str]
) -> None:
    """The unit that is left lies in W2 either way; what it cost is the position's matter."""
    answer = moved(position)
    assert cells(answer["disposals"], "event", "lot") == [("s", sold)]
    assert [row[0] for row in cells(answer["open_lots"], "lot", "account")] == [left[0]]


def sold_again(**policy: object) -> Json:
    """b2 was bought and sold again within the 30 days before a loss on b1; M is a spouse's."""
    events = [
        buy("b1", "2025-01-06", "1", "30"),
        buy("b2", "2025-06-02", "1", "20", account="M"),
        sell("s2", "2025-06-09", "1", "25", account="M"),
        sell("s1", "2025-06-16", "1", "12"),
    ]
    return result(*events, policy={"sold_replacements": "count"} | policy)


@pytest.mark.parametrize(
    ("spouse_basis", "basis"),
    [("shift", {"s1": "30", "s2": "38"}), ("none", {"s1": "30", "s2": "20"})],
)
def test_a_loss_joins_units_that_a_spouse_sold_already_if_basis_shifts_between_them(
    spouse_basis: str, basis: dict[str, str]
) -> None:
    rows = sold_again(spouse_basis=spouse_basis)["disposals"]
    assert {row["event"]: row["basis"] for row in rows} == basis
    assert {row["event"]: row["wash"] for row in rows} == {"s1": "18", "s2": "0"}


def test_units_sold_at_a_gain_use_up_replacements_that_were_sold_already() -> None:
    """Positions `gain_units` in_order and `sold_replacements` count together: nothing moves."""
    events = [
        buy("b1", "2025-01-06", "1", "5"),
        buy("b0", "2025-01-07", "1", "30"),
        buy("b2", "2025-06-02", "1", "20", account="B"),
        sell("s2", "2025-06-09", "1", "25", account="B"),
        sell("s1", "2025-06-16", "2", "24"),
    ]
    policy = {"sold_replacements": "count"}
    skipped = result(*events, policy=policy)["disposals"]
    assert {row["lot"]: row["wash"] for row in skipped} == {"b2": "0", "b1": "0", "b0": "18"}
    in_order = result(*events, policy=policy | {"gain_units": "in_order"})["disposals"]
    assert {row["lot"]: row["wash"] for row in in_order} == {"b2": "0", "b1": "0", "b0": "0"}
    assert {row["lot"]: row["basis"] for row in in_order} == {"b2": "20", "b1": "5", "b0": "30"}

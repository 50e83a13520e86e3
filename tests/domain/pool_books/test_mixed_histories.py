"""Histories of every kind of fact under a law of pools: cost and units conserved, order-free."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.exact import money
from domain.facts import Buy, Fact, Income, Swap
from domain.pool_books.book import PoolBook
from domain.pool_books.steps import ring_of
from domain.portfolio import Portfolio
from infra.sources.fact_json import parse_event
from tests.domain.pool_books.told import Json

START = date(2024, 1, 1)
OWN = ("A", "B", "plan")
amounts = st.integers(0, 300)


def dated(**fields: st.SearchStrategy[object]) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries({"day": st.integers(0, 70)} | fields)


def given_as(kind: str) -> st.SearchStrategy[str]:
    return st.just(kind)


units, account = st.integers(1, 9).map(str), st.sampled_from(OWN)
asset = st.sampled_from(("X", "X10", "Y"))
amount = amounts.map(str)
leg = st.fixed_dictionaries({"asset": asset, "qty": units})
histories = st.lists(
    st.one_of(
        dated(type=given_as("buy"), account=st.sampled_from((*OWN, "wife")), asset=asset, qty=units,
              amount=amount, fee=st.sampled_from(("0", "3"))),
        dated(type=given_as("income"), account=account, asset=asset, qty=units, amount=amount,
              kind=given_as("staking")),
        dated(type=given_as("sell"), account=account, asset=asset, qty=units, amount=amount),
        dated(type=given_as("swap"), account=account, out=leg, into=leg, amount=amount),
        dated(type=given_as("convert"), account=account, out=leg, into=leg),
        dated(type=given_as("transfer"), source=account, target=st.sampled_from((*OWN, "wife")),
              asset=asset, qty=units, fee_qty=st.sampled_from(("0", "1")),
              fee_amount=given_as("7")),
        dated(type=given_as("split"), asset=asset, num=st.sampled_from(("3", "1", "2")),
              den=st.sampled_from(("1", "7", "2"))),
        dated(type=given_as("return_of_capital"), account=account, asset=asset, amount=amount),
        dated(type=given_as("abandon"), account=account, asset=asset, qty=units),
        dated(type=given_as("gift_out"), account=account, asset=asset, qty=units),
    ),
    min_size=1, max_size=30,
)  # fmt: skip


def facts(law: str, history: list[Json]) -> list[tuple[str, Fact]]:
    said: list[Json] = [
        {"id": "law", "type": "policy", "jurisdiction": law},
        {"id": "wife", "type": "account", "account": "wife", "owner": "spouse"},
        {"id": "plan", "type": "account", "account": "plan", "kind": "ira"},
        {"id": "X", "type": "asset", "asset": "X", "class": "crypto", "group": "X"},
        {"id": "X10", "type": "asset", "asset": "X10", "class": "crypto", "group": "X",
         "ratio": "10"},
        {"id": "Y", "type": "asset", "asset": "Y", "class": "stock", "group": "Y"},
    ]  # fmt: skip
    names = {"into": "in", "source": "from", "target": "to"}
    opening = [
        {"day": 0, "type": "buy", "account": account, "asset": asset, "qty": "20", "amount": "90"}
        for account in OWN
        for asset in ("X", "X10", "Y")
    ]
    for number, told in enumerate([*opening, *history], start=-len(opening)):
        event = {names.get(name, name): value for name, value in told.items() if name != "day"}
        day = (START + timedelta(days=told["day"])).isoformat()
        said.append({"id": f"t{number}", "date": day, "seq": number + len(opening)} | event)
    return [(event.id, fact) for event, fact in map(parse_event, said)]


def settled(said: list[tuple[str, Fact]], batches: int = 1) -> Portfolio:
    portfolio = Portfolio()
    for start in range(batches):
        for ref, fact in said[start::batches]:
            portfolio.add(ref, fact)
        portfolio.settle()
    return portfolio


def kept(portfolio: Portfolio) -> list[PoolBook]:
    books = [portfolio.books[name] for name in sorted(portfolio.books)]
    return [book for book in books if isinstance(book, PoolBook)]


@pytest.mark.parametrize("law", ["UK", "CA"])
@settings(deadline=None, max_examples=200)
@given(history=histories)
def test_cost_and_units_are_conserved(law: str, history: list[Json]) -> None:
    said = facts(law, history)
    portfolio = settled(said)
    refused = {issue.ref for issue in portfolio.all_issues() if issue.blocking}
    came = 0
    for ref, fact in said:
        if ref not in refused and isinstance(fact, Buy | Income | Swap):
            came += money(fact.amount) + (money(fact.fee) if isinstance(fact, Buy) else 0)
    for book in kept(portfolio):
        came += sum(match.disallowed for match in book.matches() if match.shifted)
        came -= sum(row.basis for row in book.disposals)
        came -= sum(gone.basis for gone in book.departures)
        came -= sum(lot.basis for lot in book.open_lots())
        held: dict[object, int] = {}
        for lot in book.open_lots():
            ring = ring_of(lot.account, lot.asset)
            held[ring] = held.get(ring, 0) + lot.quantity * book.scales.of(lot.asset)
        assert {ring: pot.units for ring, pot in book.pots.items() if pot.units} == held
    assert came == 0


@pytest.mark.parametrize("law", ["UK", "CA"])
@settings(deadline=None, max_examples=100)
@given(history=histories, seed=st.integers(0, 999), batches=st.integers(1, 4))
def test_the_order_of_arrival_does_not_matter(
    law: str, history: list[Json], seed: int, batches: int
) -> None:
    said = facts(law, history)
    once = [state(book) for book in kept(settled(said))]
    Random(seed).shuffle(said)
    assert [state(book) for book in kept(settled(said, batches))] == once


def state(book: PoolBook) -> object:
    return (
        [(row.ref, row.lot, row.quantity, row.proceeds, row.basis, row.wash)
         for row in book.disposals],
        [(lot.account.id, lot.asset.id, lot.quantity, lot.basis, lot.acquired)
         for lot in book.open_lots()],
        [(gone.ref, gone.kind, gone.basis) for gone in book.departures],
        [(issue.ref, issue.code) for issue in book.issues],
    )  # fmt: skip

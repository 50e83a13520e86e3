"""Random histories: the engine against the law unit by unit; nothing lost, no order of arrival."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.exact import money
from domain.facts import Buy, Fact, Sell
from domain.portfolio import Portfolio
from infra.sources.fact_json import parse_event
from tests.domain.pool_books.told import ASSETS, Json, answer, trade
from tests.domain.pool_books.unit_by_unit import Told, canada, united_kingdom

START = date(2024, 1, 1)
TINY = Fraction(1, 10**25)  # the engine's money ends at 10**-36, each division below that
trades = st.builds(
    Told, st.integers(0, 90), st.sampled_from(("buy", "buy", "sell")), st.integers(1, 12),
    st.integers(0, 200),
)  # fmt: skip
histories = st.lists(trades, min_size=1, max_size=25).map(lambda each: sorted(each, key=_day))


def _day(told: Told) -> int:
    return told.day


def events(history: list[Told]) -> list[Json]:
    return [
        trade(told.kind, day_text(told.day), told.units, told.amount)
        for told in history
    ]  # fmt: skip


def day_text(day: int) -> str:
    return (START + timedelta(days=day)).isoformat()


def near(text: str, exact: Fraction) -> bool:
    return abs(Fraction(text) - exact) < TINY


@settings(deadline=None, max_examples=150)
@given(histories)
def test_united_kingdom(history: list[Told]) -> None:
    matched, units, cost = united_kingdom(history)
    result = answer("UK", events(history))
    rows = {row["date"]: row for row in result["uk_disposals"]}
    assert rows.keys() == {day_text(day) for day in matched}
    for day, met in matched.items():
        pieces: dict[tuple[str, int], Fraction] = {}
        for rule, bought, each in met:
            pieces[rule, bought] = pieces.get((rule, bought), Fraction(0)) + each
        found = rows[day_text(day)]["matches"]
        assert [piece["rule"] for piece in found] == [rule for rule, _ in pieces]
        for piece, exact in zip(found, pieces.values(), strict=True):
            assert near(piece["cost"], exact)
        assert sum(Fraction(piece["qty"]) for piece in found) == len(met)
    pools = result["uk_pool"] or {"qty": "0", "cost": "0"}
    assert pools["qty"] == str(units)
    assert near(pools["cost"], cost)


@settings(deadline=None, max_examples=150)
@given(histories, st.integers(0, 130))
def test_canada(history: list[Told], last_day: int) -> None:
    dispositions, units, cost = canada(history, last_day)
    result = answer("CA", events(history), day_text(last_day))
    assert len(result["ca_disposals"]) == len(dispositions)
    for row, exact in zip(result["ca_disposals"], dispositions, strict=True):
        assert near(row["acb"], exact.cost)
        assert near(row["denied"], exact.denied)
    pools = result["ca_pool"] or {"qty": "0", "acb": "0"}
    assert pools["qty"] == str(units)
    assert near(pools["acb"], cost)


ACCOUNTS = ("A", "B", "wife", "plan", "firm")
shared = st.lists(
    st.tuples(trades, st.sampled_from(ACCOUNTS), st.sampled_from(("X", "X10"))),
    min_size=1, max_size=25,
)  # fmt: skip


def facts(told: list[tuple[Told, str, str]], law: str) -> list[tuple[str, Fact]]:
    """Trades of all persons, with the policy, the accounts and the assets."""
    said: list[Json] = [
        {"id": "law", "type": "policy", "jurisdiction": law},
        {"id": "wife", "type": "account", "account": "wife", "owner": "spouse"},
        {"id": "plan", "type": "account", "account": "plan", "kind": "ira"},
        {"id": "firm", "type": "account", "account": "firm", "owner": "entity"},
        *({"id": each["id"], "type": "asset", "asset": each["id"], "class": each["class"],
           "group": each["group"], "ratio": each.get("ratio", "1")} for each in ASSETS),
    ]  # fmt: skip
    for number, (each, account, asset) in enumerate(told):
        said.append(
            {"id": f"t{number}", "seq": number + 1}
            | trade(each.kind, day_text(each.day), each.units, each.amount, account=account,
                    asset=asset)
        )  # fmt: skip
    return [(event.id, fact) for event, fact in map(parse_event, said)]


def settled(told: list[tuple[str, Fact]], batches: int = 1) -> Portfolio:
    portfolio = Portfolio()
    for start in range(batches):
        for ref, fact in told[start::batches]:
            portfolio.add(ref, fact)
        portfolio.settle()
    return portfolio


def state(portfolio: Portfolio) -> object:
    (book,) = portfolio.books.values()
    return (
        [(row.ref, row.lot, row.quantity, row.proceeds, row.basis) for row in book.disposals],
        [(lot.account.id, lot.asset.id, lot.quantity, lot.basis) for lot in book.open_lots()],
        [(gone.ref, gone.kind, gone.basis) for gone in book.departures],
        [(match.loss.ref, match.replacement, match.disallowed) for match in book.matches()],
        sorted((issue.ref, issue.code) for issue in portfolio.all_issues()),
    )  # fmt: skip


@pytest.mark.parametrize("law", ["UK", "CA"])
@settings(deadline=None, max_examples=100)
@given(told=shared)
def test_no_cost_is_lost(law: str, told: list[tuple[Told, str, str]]) -> None:
    """Cost in, and what denied losses add = cost out, and what is left in pools."""
    said = facts(told, law)
    portfolio = settled(said)
    refused = {issue.ref for issue in portfolio.all_issues()}
    (book,) = portfolio.books.values()
    came = sum(money(fact.amount) for _, fact in said if isinstance(fact, Buy))
    came += sum(match.disallowed for match in book.matches() if match.shifted)
    went = sum(row.basis for row in book.disposals) + sum(gone.basis for gone in book.departures)
    left = sum(lot.basis for lot in book.open_lots())
    by_others = added_by_others(told, refused, law)
    assert went + left - came == by_others or by_others is None
    for row in book.disposals:
        denied = sum(match.disallowed for match in book.matches() if match.loss is row)
        assert row.wash == denied
        assert row.wash <= max(0, -row.gain)
    sold = [fact for ref, fact in said if isinstance(fact, Sell) and ref not in refused]
    own = [fact for fact in sold if fact.account in ("A", "B")]
    assert sum(row.proceeds for row in book.disposals) == sum(money(fact.amount) for fact in own)


def added_by_others(told: list[tuple[Told, str, str]], refused: set[str], law: str) -> int | None:
    """Losses of the spouse and the company have no matches here: None if they can have any."""
    others = any(
        each.kind == "sell" and account in ("wife", "firm") and f"t{number}" not in refused
        for number, (each, account, _) in enumerate(told)
    )
    return None if law == "CA" and others else 0


@pytest.mark.parametrize("law", ["UK", "CA"])
@settings(deadline=None, max_examples=100)
@given(told=shared, order=st.randoms(use_true_random=False), batches=st.integers(1, 4))
def test_the_order_of_arrival_does_not_matter(
    law: str, told: list[tuple[Told, str, str]], order: object, batches: int
) -> None:
    said = facts(told, law)
    once = state(settled(said))
    mixed = list(said)
    order.shuffle(mixed)  # type: ignore[attr-defined]
    assert state(settled(mixed, batches)) == once

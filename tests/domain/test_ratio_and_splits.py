"""Ratios and splits: a ratio holds on the day of the asset's first fact, in units of the base."""

from __future__ import annotations

import itertools

import pytest

from domain.decisions import AssetDeclared, GroupDeclared
from domain.declarations import Declarations
from domain.facts import Buy, Fact, Sell, Split
from services import statement
from tests.domain.replay import Said, state
from tests.domain.test_declarations import portfolio

START = "0001-01-01"


def asset(name: str, kind: str = "stock", ratio: str = "1", group: str = "G") -> AssetDeclared:
    return AssetDeclared(effective_at=START, asset=name, asset_class=kind, group=group, ratio=ratio)


def traded(kind: type[Buy | Sell], day: str, name: str, quantity: str, amount: str) -> Fact:
    return kind(effective_at=day, account="A", asset=name, quantity=quantity, amount=amount)


def halved(name: str, day: str = "2025-03-03") -> Fact:
    return Split(effective_at=day, asset=name, numerator="2", denominator="1")


SHARE, TOKEN, CALL = asset("S"), asset("A", "tokenized_security"), asset("C", "option", "100")
DECLARED: list[Said] = [("asset/A", TOKEN), ("asset/C", CALL), ("asset/S", SHARE)]
TRADES: list[Said] = [
    ("t1", traded(Buy, "2025-01-06", "A", "400", "40000")),
    ("p1", halved("A")),
    ("s1", traded(Sell, "2025-05-05", "A", "800", "32000")),
    ("o1", traded(Buy, "2025-05-12", "C", "1", "200")),
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_base_is_the_share_in_whatever_order_assets_are_declared(
    order: tuple[int, ...],
) -> None:
    """The token alone is split: 100 shares of the call are 200 of the 800 tokens sold."""
    declared = [DECLARED[at] for at in order]
    for settle_each in (False, True):
        (row,) = statement.disposals(portfolio([*declared, *TRADES], settle_each=settle_each))
        assert (row["wash"], row["taxable"]) == ("2000", "-6000")


@pytest.mark.parametrize("late", range(len(DECLARED)))
def test_a_base_that_is_declared_late_counts_as_if_it_had_come_first(late: int) -> None:
    """Until the share is declared its token is the base, and then no more."""
    early = [each for at, each in enumerate(DECLARED) if at != late]
    said = [*early, *TRADES, DECLARED[late]]
    expected = state(portfolio([*DECLARED, *TRADES]), "2025-12-31")
    assert state(portfolio(said, settle_each=True), "2025-12-31") == expected


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[1:])
def test_facts_may_come_in_any_order(order: tuple[int, ...]) -> None:
    facts = [
        ("b1", traded(Buy, "2025-01-06", "S", "100", "9000")),
        ("p1", halved("S")),
        ("s1", traded(Sell, "2025-05-05", "S", "200", "8000")),
        ("o1", traded(Buy, "2025-05-12", "C", "1", "200")),
    ]
    expected = state(portfolio([*DECLARED, *facts]), "2025-12-31")
    told = portfolio([*DECLARED, *(facts[at] for at in order)], settle_each=True)
    assert state(told, "2025-12-31") == expected
    assert [row["wash"] for row in statement.disposals(told)] == ["500"]


@pytest.mark.parametrize(
    ("assets", "base"),
    [
        ((asset("A", "tokenized_security"), asset("S")), "S"),
        ((asset("G", "tokenized_security"), asset("S")), "G"),
        ((asset("A", "option"), asset("B", "tokenized_security")), "B"),
        ((asset("A", "option"), asset("B", "fund")), "B"),
        ((asset("B"), asset("A")), "A"),
        ((asset("A", ratio="0.1"), asset("G", ratio="10")), None),
        ((asset("A", ratio="0.1"), asset("B", "option")), "B"),
    ],
    ids=["share", "namesake", "token", "fund", "first-id", "none", "only-one"],
)
def test_what_the_base_of_a_group_is(assets: tuple[AssetDeclared, ...], base: str | None) -> None:
    for order in (assets, assets[::-1]):
        declared = Declarations([(each.asset, each) for each in order])
        assert [name for name, each in declared.assets.items() if each.is_base] == (
            [] if base is None else [base]
        )


def test_a_declared_group_has_one_base() -> None:
    group = GroupDeclared(effective_at=START, group="G", assets=("X", "Y"))
    apart = [asset("X", group="X"), asset("Y", group="Y")]
    declared = Declarations([("g", group), *((each.asset, each) for each in apart)])
    assert [each.is_base for each in declared.assets.values()] == [True, False]

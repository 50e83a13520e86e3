"""Tokens: how many units of their base one unit is, under every law and after splits."""

from __future__ import annotations

import pytest

from domain.tokens import Token, tokens_of
from tests.domain.make import Json, buy, scenario
from tests.domain.replay import portfolio_of

SHARE: Json = {"id": "S", "class": "stock", "group": "S"}
TENTH: Json = {"id": "T", "class": "tokenized_security", "group": "S", "ratio": "0.1"}
SPLIT: Json = {
    "id": "p", "type": "split", "date": "2025-06-02", "asset": "S", "num": "3", "den": "1"
}  # fmt: skip


def tokens(*events: Json, assets: list[Json], law: str = "US") -> list[Token]:
    policy = {"jurisdiction": law}
    return tokens_of(portfolio_of(scenario(*events, assets=assets, policy=policy)))


@pytest.mark.parametrize("law", ["US", "UK", "CA"])
def test_a_token_is_its_ratio_of_the_share_held_or_not(law: str) -> None:
    bought = buy("t", "2025-01-06", "10", "100", asset="T")
    (only,) = tokens(bought, assets=[SHARE, TENTH], law=law)
    assert only == Token("T", "S", 1, 10)
    assert only.share == "0.1"
    both = [buy("s", "2025-01-07", "1", "100", asset="S"), bought]
    assert tokens(*both, assets=[SHARE, TENTH], law=law) == [only]


@pytest.mark.parametrize("law", ["US", "UK", "CA"])
def test_a_split_of_the_share_makes_one_token_more_of_them(law: str) -> None:
    (only,) = tokens(buy("t", "2025-01-06", "10", "100", asset="T"), SPLIT, assets=[SHARE, TENTH],
                     law=law)  # fmt: skip
    assert (only.number, only.unit, only.share) == (3, 10, "0.3")


def test_a_share_that_is_no_decimal_is_a_fraction() -> None:
    join = SPLIT | {"num": "1", "den": "3"}
    (only,) = tokens(buy("t", "2025-01-06", "10", "100", asset="T"), join, assets=[SHARE, TENTH])
    assert only.share == "1/30"


@pytest.mark.parametrize(
    "assets",
    [
        [SHARE | {"id": "T"}],
        [TENTH],
        [TENTH | {"ratio": "1"}],
        [TENTH, {"id": "O", "class": "option", "group": "S", "ratio": "1"}],
    ],
    ids=["no token", "no base", "its own base", "an option as the base"],
)
def test_what_is_worth_no_share_of_another_is_none(assets: list[Json]) -> None:
    assert tokens(buy("t", "2025-01-06", "10", "100", asset="T"), assets=assets) == []


def test_tokens_come_by_their_ids_and_only_those_that_were_ever_there() -> None:
    more = [SHARE, TENTH, TENTH | {"id": "B", "ratio": "1"}, TENTH | {"id": "N"}]
    events = [
        buy("t", "2025-01-06", "10", "100", asset="T"),
        buy("b", "2025-01-06", "10", "100", asset="B"),
    ]
    assert [each.asset for each in tokens(*events, assets=more)] == ["B", "T"]

"""Recorded facts cut to the units that are still there: amounts shrink with them."""

from __future__ import annotations

from typing import Any

import pytest

from domain.exact import money, quantity
from domain.facts import (
    Abandon,
    Buy,
    Convert,
    Fact,
    GiftOut,
    Leg,
    LotPick,
    Sell,
    Spend,
    Swap,
    Transfer,
)
from services.backtest_fit import Fitted, fitted, place_of
from tests.services.house import COIN, House, buy

AT: dict[str, Any] = {"effective_at": "2025-02-01"}
HERE: dict[str, Any] = AT | {"account": "W", "asset": "C"}
OUT, INTO, CUT = Leg("C", "20"), Leg("D", "40"), Leg("C", "5")


def fit(house: House, fact: Fact) -> Fitted:
    house.say(COIN, buy("b", account="W", asset="C", qty="5", amount="50"))
    place = place_of(fact)
    assert place is not None
    return fitted(house.app.projector.taxpayer("main").portfolio, fact, place)


@pytest.mark.parametrize(
    ("fact", "cut"),
    [
        (Sell(**HERE, quantity="20", amount="200", fee="1"),
         Sell(**HERE, quantity="5", amount="50", fee="0.25")),
        (Spend(**HERE, quantity="20", amount="200"), Spend(**HERE, quantity="5", amount="50")),
        (GiftOut(**HERE, quantity="20"), GiftOut(**HERE, quantity="5")),
        (Abandon(**HERE, quantity="20"), Abandon(**HERE, quantity="5")),
        (Transfer(**AT, from_account="W", to_account="X", asset="C", quantity="19",
                  fee_quantity="1"),
         Transfer(**AT, from_account="W", to_account="X", asset="C", quantity="4",
                  fee_quantity="1")),
        (Swap(**AT, account="W", out=OUT, into=INTO, amount="400", fee="4"),
         Swap(**AT, account="W", out=CUT, into=Leg("D", "10"), amount="100", fee="1")),
        (Convert(**AT, account="W", out=OUT, into=INTO),
         Convert(**AT, account="W", out=CUT, into=Leg("D", "10"))),
    ],
    ids=["sell", "spend", "gift", "abandon", "transfer", "swap", "convert"],
)  # fmt: skip
def test_a_fact_is_cut_to_what_is_there(house: House, fact: Fact, cut: Fact) -> None:
    found = fit(house, fact)
    assert (found.fact, found.missing) == (cut, quantity("15"))
    amount = getattr(fact, "amount", None) or "0"
    assert found.amount == money(amount) * 3 // 4


def test_a_fact_that_fits_stays_as_it_is(house: House) -> None:
    picks = (LotPick("csv:b", "5"),)
    fact = Sell(**HERE, quantity="5", amount="1", lots=picks, identified_at="2025-02-01")
    found = fit(house, fact)
    assert found.fact is fact
    assert (found.missing, found.amount) == (0, 0)


def test_identified_units_that_are_gone_are_chosen_anew(house: House) -> None:
    picks = (LotPick("csv:b", "2"), LotPick("csv:gone", "3"))
    fact = Sell(**HERE, quantity="5", amount="1", lots=picks, identified_at="2025-02-01")
    assert fit(house, fact).fact == Sell(**HERE, quantity="5", amount="1")


def test_nothing_is_left_to_be_told(house: House) -> None:
    fact = Sell(**(HERE | {"account": "X"}), quantity="2", amount="20")
    assert fit(house, fact) == Fitted(None, ("X", "C"), quantity("2"), money("20"))


def test_a_fact_that_takes_nothing_out_has_no_place() -> None:
    assert place_of(Buy(**HERE, quantity="1", amount="1")) is None

"""The hand of a backtest, over histories made by chance: what it may never do, whatever happens."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import pytest

from domain.decisions import AlertFired, AlertRuleSet
from domain.portfolio import Portfolio
from infra.replay_store import new_store
from services.backtest_hand import BUYS, SALES, Hand
from services.history import History, as_happened
from services.marks import Quote
from services.replay import Replay, Watched
from tests.services.house import COIN, STOCK, House, Json

START = date(2024, 1, 2)
DAYS, LAST = 400, 600
IRA: Json = {"id": "ira", "type": "account", "account": "IRA", "kind": "ira"}
RULE = AlertRuleSet(
    effective_at="", name="r", scope="all", metric="harvestable_loss", threshold="200"
)
NO_LOSS = "1000000"


def day(number: int) -> str:
    return (START + timedelta(days=number)).isoformat()


def record(chance: Random) -> list[Json]:
    """Purchases, sales, transfers and splits that fit, in order of time."""
    held: dict[tuple[str, str], int] = {}
    facts: list[Json] = [STOCK, COIN, IRA]
    for number in range(0, DAYS, 9):
        account, asset = chance.choice(("A", "B", "IRA")), chance.choice("SSC")
        place = account, asset
        kind = chance.choice(("buy", "buy", "sell", "transfer", "split"))
        fact: Json = {"id": f"f{number}", "type": kind, "date": day(number), "asset": asset}
        units = chance.randint(1, 9)
        if kind == "split":
            facts.append(fact | {"num": "2", "den": "1"})
            held |= {each: 2 * held[each] for each in held if each[1] == asset}
        elif kind == "buy" or held.get(place, 0) < units:
            amount = str(units * chance.randint(40, 160))
            facts.append(
                fact | {"type": "buy", "account": account, "qty": str(units), "amount": amount}
            )
            held[place] = held.get(place, 0) + units
        elif kind == "sell":
            facts.append(fact | {"account": account, "qty": str(units), "amount": "500"})
            held[place] -= units
        elif account != "IRA":
            to = "B" if account == "A" else "A"
            facts.append(fact | {"from_account": account, "to_account": to, "qty": str(units)})
            held[place] -= units
            held[to, asset] = held.get((to, asset), 0) + units
    return facts


def marks(chance: Random) -> list[Quote]:
    """A mark of each asset every other day; at last one at which nobody has a loss."""
    found = [
        Quote(asset, str(chance.randint(30, 130)), f"{day(number)}T21:00:00.000000Z")
        for number in range(0, DAYS, 2)
        for asset in "SC"
    ]
    return found + [Quote(asset, NO_LOSS, f"{day(LAST)}T21:00:00.000000Z") for asset in "SC"]


def harvested(history: History) -> tuple[Portfolio, Hand]:
    """The history told with a sale of what may be harvested at every alert."""
    with new_store() as store:
        replay = Replay(store, history, Watched((RULE,)))
        hand = Hand(replay, rebuys=True)
        for step in history.steps:
            if any(isinstance(each, AlertFired) for each in hand.tell(step)) and step.quotes:
                hand.harvest(step, {"all"})
        return replay.portfolio, hand


def holdings(portfolio: Portfolio) -> dict[tuple[str, str], int]:
    units: dict[tuple[str, str], int] = {}
    for book in portfolio.books.values():
        for lot in book.open_lots():
            place = lot.account.id, lot.asset.id
            units[place] = units.get(place, 0) + lot.quantity
    return units


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens(house: House, seed: int) -> None:
    chance = Random(seed)
    house.say(*record(chance))
    house.app.market.take(marks(chance), confirmed=True)
    assert house.ask()["issues"] == []
    queries = house.app.queries
    portfolio, hand = harvested(as_happened(queries, queries.view("main")))
    assert hand.tally.sales
    assert hand.tally.buys
    assert portfolio.all_issues() == []
    # In the end the owner holds what the record holds.
    assert holdings(portfolio) == holdings(house.app.projector.taxpayer("main").portfolio)
    for match in (match for book in portfolio.books.values() for match in book.matches()):
        bought = date.fromisoformat(portfolio.trades[match.replacement].effective_at[:10])
        if match.loss.ref.startswith(SALES):
            assert bought.toordinal() > match.loss.sold, "sold into a window"
        if match.replacement.startswith(BUYS):
            assert bought.toordinal() < match.loss.sold, "bought back into a window"

"""One universal pool before 2025, as rp2 counts it: FIFO, LIFO and HIFO on random histories."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.peers.answers import asked, assert_same, ours, theirs
from tests.peers.ledgers import Event, history

SEEDS = range(60)
KINDS = ("sell", "sell", "transfer")

every_seed = pytest.mark.parametrize("seed", SEEDS)


def policy(method: str) -> dict[str, str]:
    return {"pool": "universal_before_2025", "lot_method": method}


def test_the_histories_end_while_pools_are_universal() -> None:
    last = max(history(seed, *KINDS)[-1]["ts"] for seed in SEEDS)
    assert "2021" < last < "2025"


@every_seed
@pytest.mark.parametrize("method", ["FIFO", "LIFO", "HIFO"])
def test_one_pool_gives_up_its_lots_as_rp2_has_it(method: str, seed: int) -> None:
    events = history(seed, *KINDS)
    their = theirs(events, asked("rp2", method, SEEDS, KINDS)[seed])
    assert_same(events, ours(events, policy(method)), their)


def across_wallets(events: list[Event], rows: Iterable[tuple[str, str]]) -> bool:
    """Whether a row sells from one wallet what was bought in another."""
    wallet = {event["id"]: event["wallet"] for event in events}
    return any(wallet[event] != wallet[lot] for event, lot in rows)


def test_the_histories_do_sell_units_of_other_wallets() -> None:
    for seed in SEEDS:
        events = [event for event in history(seed, "sell") if event["kind"] != "transfer"]
        assert across_wallets(events, ours(events, policy("FIFO")))
        assert not across_wallets(events, ours(events, {"lot_method": "FIFO"}))

"""Lots by wallet, as coinbasis counts them: FIFO, LIFO and HIFO on random histories."""

from __future__ import annotations

import pytest

from tests.peers.answers import asked, assert_same, differing, ours, theirs, units
from tests.peers.ledgers import history

SEEDS = range(60)
TRADES = ("sell", "sell", "income", "spend")
WITH_TRANSFERS = (*TRADES, "transfer")

every_seed = pytest.mark.parametrize("seed", SEEDS)


@every_seed
@pytest.mark.parametrize("method", ["FIFO", "LIFO", "HIFO"])
def test_lots_are_chosen_and_valued_as_coinbasis_does(method: str, seed: int) -> None:
    events = history(seed, *TRADES)
    their = theirs(events, asked("coinbasis", method, SEEDS, TRADES)[seed])
    assert_same(events, ours(events, {"lot_method": method}), their)


@every_seed
def test_lots_keep_their_place_when_they_move_as_coinbasis_has_it(seed: int) -> None:
    events = history(seed, *WITH_TRANSFERS)
    their = theirs(events, asked("coinbasis", "FIFO", SEEDS, WITH_TRANSFERS)[seed])
    assert_same(events, ours(events, {"lot_method": "FIFO"}), their)


@pytest.mark.parametrize("method", ["LIFO", "HIFO"])
def test_coinbasis_moves_units_by_fifo_whatever_the_method_and_the_regulation_does_not(
    method: str,
) -> None:
    """Reg. 1.1012-1(j)(3): the order applies to units "sold, disposed of, or transferred"."""
    differ = []
    for seed in SEEDS:
        events = history(seed, *WITH_TRANSFERS)
        their = theirs(events, asked("coinbasis", method, SEEDS, WITH_TRANSFERS)[seed])
        our = ours(events, {"lot_method": method})
        assert units(our) == units(their)
        differ.append(differing(our, their))
    assert any(differ), "coinbasis no longer differs: compare transfers under every method"

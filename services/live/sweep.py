"""The sweep: every rule against every line of every holding at once, to say which may be across.

It counts in floating point, over arrays, so a million lots take milliseconds whatever the market
does. It never values anything: it widens each comparison by more than its rounding can amount to
and so names at least every rule that is across; whoever asks those gets exact values. It knows
nothing of guards and trigger prices, so that it can tell when they are wrong (`relief.py`).

Why the widening is enough. Let u be 2**-53, the relative error of one rounding. Basis b, units n
and price p are rounded once, n x p and the subtraction once more: where b - n x p is above zero
n x p is below b, so a line is off by at most 6 u b, and a line at zero on both sides not at all.
Adding k numbers that are not negative adds at most k u of their sum, which is at most the basis
of all. A limit is off by fewer roundings than there are numbers. `_slack` takes twice as much.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from services.live.engine import Engine
from services.live.sweep_parts import Part
from services.live.tax_room import room
from services.live.triggers import Key
from services.live.watched import Watched
from services.statement import Mark

Floats = NDArray[np.float64]
Marks = Mapping[str, Mark]
TAXPAYERS_A_BLOCK = 256  # small enough for a block's arrays to stay in the processor's cache
_EPSILON = 2.0**-52
_PERCENT = 100 * 10**36  # a percentage is loss / cost in 10**-36 of a percent


class Block:
    """Some taxpayers' parts, end to end; joined anew when one of them changed."""

    def __init__(self) -> None:
        self.parts: dict[str, Part] = {}
        self._cost: tuple[int, Floats] | None = None

    def join(self) -> None:
        """Lays the parts end to end; their limits become views of the whole, so both change."""
        parts = list(self.parts.values())
        self._cost = None
        self._keys = [key for part in parts for key in part.row_keys]
        if not self._keys:
            return
        self._basis = np.concatenate([part.basis for part in parts])
        self._units = np.concatenate([part.units for part in parts])
        self._asset = np.concatenate([part.asset for part in parts])
        self._leg_cost = np.concatenate([part.leg_cost for part in parts])
        self._leg_asset = np.concatenate([part.leg_asset for part in parts])
        self._leg_start = _joined([part.leg_start for part in parts], [len(p.basis) for p in parts])
        self._row_legs = _joined([p.row_legs for p in parts], [len(p.leg_cost) for p in parts])
        self._row_start = _joined([p.row_start for p in parts], [len(p.row_legs) for p in parts])
        self._size = np.concatenate([part.row_size for part in parts])
        self._slack = _EPSILON * (np.concatenate([part.row_count for part in parts]) + 8)
        self._limit = np.concatenate([part.limit for part in parts])
        self._share = np.concatenate([part.share for part in parts])
        self._armed = np.concatenate([part.armed for part in parts])
        first = 0
        for part in parts:
            rows = slice(first, first + len(part.row_keys))
            part.limit, part.share = self._limit[rows], self._share[rows]
            part.armed, first = self._armed[rows], rows.stop

    def may_cross(self, prices: Floats, priced: int) -> set[Key]:
        """Rules that may be across at these prices, of which `priced` are known."""
        if not self._keys:
            return set()
        lines = np.maximum(self._basis - self._units * prices[self._asset], 0.0)
        legs = np.add.reduceat(lines, self._leg_start)
        value = np.add.reduceat(legs[self._row_legs], self._row_start)
        if self._cost is None or self._cost[0] != priced:
            self._cost = priced, self._cost_of_priced(prices)
        cost = self._cost[1]
        limit = self._limit + self._share * cost
        limit[(self._share > 0) & (cost == 0)] = np.inf  # nothing priced: zero percent
        error = self._slack * self._size
        reached = value + error >= limit * (1 - self._slack)
        fell = value - error < limit * (1 + self._slack)
        rows = np.flatnonzero(np.where(self._armed, reached, fell))
        return {self._keys[row] for row in rows.tolist()}

    def _cost_of_priced(self, prices: Floats) -> Floats:
        """Per row the basis that its percentage is of: of assets that have a price."""
        costs = np.where(np.isfinite(prices[self._leg_asset]), self._leg_cost, 0.0)
        found: Floats = np.add.reduceat(costs[self._row_legs], self._row_start)
        return found


class Sweep:
    """The rules of an engine as arrays; only the taxpayers that changed are laid out anew."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._blocks: list[Block] = []
        self._block_of: dict[str, Block] = {}
        self._assets: dict[str, int] = {"": 0}  # the first is the asset that never has a price
        self._prices: Floats = np.full(1, np.inf)
        self._priced = 0

    def may_cross(self, marks: Marks) -> set[Key]:
        """Every rule that these marks may have brought across, and few others. Whoever rests is
        not looked at before something else asks for its books (decision 0021).

        Rules in their cooldown or dwell are not; those it does not cover are never among them.
        """
        self._learn(marks)
        self._price(marks)
        found: set[Key] = set()
        for block in self._blocks:
            found |= block.may_cross(self._prices, self._priced)
        return {key for key in found if not self._waits(self._engine.watched[key])}

    def covers(self, key: Key) -> bool:
        """Whether it speaks for a rule: not for pools, nor for re-arming by a mere upper bound,
        nor for one in its dwell, which ends both by falling below the threshold and by time.
        """
        block, watched = self._block_of.get(key[0]), self._engine.watched[key]
        part = block.parts.get(key[0]) if block is not None else None
        return part is not None and not watched.dwell.since and part.covers(key, watched.firing)

    def _waits(self, watched: Watched) -> bool:
        is_cooling = not watched.firing and self._engine.now < watched.ready_at
        return is_cooling or bool(watched.dwell.since)

    def _learn(self, marks: Marks) -> None:
        """Lays out anew who changed, and sets the limits of the rules that were asked."""
        engine = self._engine
        stale, engine.stale = {name for name in engine.stale if not engine.is_asleep(name)}, set()
        touched, engine.touched = engine.touched, set()
        changed = {}
        for name in sorted(stale):
            block = self._block(name)
            changed[id(block)] = block
            block.parts.pop(name, None)
            if rules := engine.rules_of(name):
                watched = {key: engine.watched[key] for key in sorted(rules)}
                block.parts[name] = Part(engine.holder(name), watched, self._assets)
                touched |= rules
        for block in changed.values():
            block.join()
        for key in touched & engine.watched.keys():
            self._set_limits(key, marks)

    def _block(self, name: str) -> Block:
        block = self._block_of.get(name)
        if block is None:
            if len(self._block_of) == TAXPAYERS_A_BLOCK * len(self._blocks):
                self._blocks.append(Block())
            block = self._block_of[name] = self._blocks[-1]
        return block

    def _price(self, marks: Marks) -> None:
        known = [marks.get(asset) for asset in self._assets]
        self._prices = np.array(
            [np.inf if mark is None else mark.price for mark in known], dtype=np.float64
        )
        self._priced = len(known) - known.count(None)

    def _set_limits(self, key: Key, marks: Marks) -> None:
        """What the rows of a rule are compared with, from the side that it is on."""
        watched = self._engine.watched[key]
        part = self._block_of[key[0]].parts[key[0]]
        limit = watched.level if watched.firing else watched.threshold
        for row in part.rows.get(key, ()):
            part.armed[row] = not watched.firing
            if not part.covers(key, watched.firing):
                part.limit[row], part.share[row] = -np.inf, 0.0  # firing; never named
            elif watched.metric == "loss_percent":
                part.limit[row], part.share[row] = 0.0, limit / _PERCENT
            elif watched.metric == "harvestable_loss":
                part.limit[row] = limit
        if watched.metric == "tax_saved" and part.covers(key, watched.firing):
            found = room(part.legs_of(key), self._engine.holder(key[0]).outlook(), watched, marks)
            for row, term in zip(part.rows[key], part.terms[key], strict=True):
                part.limit[row] = found[term]


def _joined(indices: list[NDArray[np.intp]], lengths: list[int]) -> NDArray[np.intp]:
    """Indices into arrays of these lengths as indices into the arrays joined."""
    starts = np.cumsum([0, *lengths[:-1]])
    return np.concatenate([each + start for each, start in zip(indices, starts, strict=True)])

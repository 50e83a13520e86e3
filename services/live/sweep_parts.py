"""One taxpayer as arrays for the sweep: lines, legs that add lines up, rows that add legs up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.loss_curves import Curve, Lines
from services.alert_rules import in_scope, lot_of
from services.live.holder import Holder
from services.live.triggers import Key
from services.live.watched import Watched

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Term = tuple[bool, bool]  # long-term, collectible
_NO_LINE = Lines([-1], [0, 0], [1, 0])  # at a loss at no price


class Leg(NamedTuple):
    """The lines of one asset, account and term; `curve` is None where there are none."""

    curve: Curve | None
    term: Term
    lines: Lines
    cost: int


class Part:
    """Numbers are in 10**-36 (basis, cost, limits) and 10**-18 (units), rounded once.

    A row is a sum of legs that has a limit: one a rule, and of the tax saved one a term. Its
    `limit` and `share` (of the basis) are what it is compared with: from below if `armed`.
    `assets` numbers them all; the number 0 never has a price.
    """

    def __init__(
        self, holder: Holder, watched: Mapping[Key, Watched], assets: dict[str, int]
    ) -> None:
        self._legs = [Leg(None, (False, False), _NO_LINE, 0), *_legs(holder.curves)]
        self._lay_legs(assets)
        self.rows: dict[Key, list[int]] = {}
        self.terms: dict[Key, list[Term]] = {}
        self.row_keys: list[Key] = []
        self._loose: set[Key] = set()
        self._rows: list[list[int]] = []
        for key, rule in watched.items():
            metric = holder.metric(rule.metric, rule.scope)
            if not metric.is_exact:
                self._loose.add(key)
            if not metric.opaque and not lot_of(rule.scope):
                self._add_rows(key, rule)
        self._lay_rows()

    def covers(self, key: Key, is_firing: bool) -> bool:
        """Whether the rows of a rule say that it may be across: pools and single lots have none; a
        curve that is only an upper bound says nothing of a fall below a level.
        """
        return key in self.rows and not (is_firing and key in self._loose)

    def legs_of(self, key: Key) -> dict[Term, list[tuple[str, Lines]]]:
        """Per term the lines in a rule's scope, with their asset."""
        found: dict[Term, list[tuple[str, Lines]]] = {}
        for row, term in zip(self.rows[key], self.terms[key], strict=True):
            legs = [self._legs[leg] for leg in self._rows[row]]
            found[term] = [(leg.curve.asset.id, leg.lines) for leg in legs if leg.curve is not None]
        return found

    def _lay_legs(self, assets: dict[str, int]) -> None:
        basis: list[int] = []
        units: list[int] = []
        starts = []
        for leg in self._legs:
            starts.append(len(basis))
            basis += [more - less for more, less in pairwise(leg.lines.basis)]
            units += [more - less for more, less in pairwise(leg.lines.units)]
        ids = [leg.curve.asset.id if leg.curve is not None else "" for leg in self._legs]
        self.leg_asset: Indices = np.array(
            [assets.setdefault(id, len(assets)) for id in ids], dtype=np.intp
        )
        self.leg_cost: Floats = np.array([leg.cost for leg in self._legs], dtype=np.float64)
        self.leg_start: Indices = np.array(starts, dtype=np.intp)
        self.basis: Floats = np.array(basis, dtype=np.float64)
        self.units: Floats = np.array(units, dtype=np.float64)
        self._lines_of = np.diff([*starts, len(basis)])
        self.asset: Indices = np.repeat(self.leg_asset, self._lines_of)

    def _add_rows(self, key: Key, rule: Watched) -> None:
        by_term: dict[Term, list[int]] = {}
        for number, leg in enumerate(self._legs):
            curve = leg.curve
            if curve is not None and in_scope(rule.scope, curve.asset, curve.account, ""):
                term = leg.term if rule.metric == "tax_saved" else (False, False)
                by_term.setdefault(term, []).append(number)
        by_term = by_term or {(False, False): [0]}  # no row may be empty
        self.terms[key] = list(by_term)
        self.rows[key] = [len(self._rows) + at for at in range(len(by_term))]
        self.row_keys += [key] * len(by_term)
        self._rows += by_term.values()

    def _lay_rows(self) -> None:
        count = len(self._rows)
        sizes = np.add.reduceat(self.basis, self.leg_start)
        self.row_legs: Indices = np.array([leg for row in self._rows for leg in row], dtype=np.intp)
        lengths = [len(row) for row in self._rows]
        self.row_start: Indices = np.cumsum([0, *lengths])[:-1]
        self.row_size: Floats = np.array([sizes[row].sum() for row in self._rows])
        self.row_count: Floats = np.array(
            [len(row) + self._lines_of[row].sum() for row in self._rows], dtype=np.float64
        )
        self.limit: Floats = np.zeros(count)
        self.share: Floats = np.zeros(count)
        self.armed = np.ones(count, dtype=np.bool_)


def _legs(curves: list[Curve]) -> Iterator[Leg]:
    """The legs of curves; the first of each has its cost."""
    for curve in curves:
        cost = curve.cost
        both = ((False, curve.short), (True, curve.long))
        for is_long, lines in [each for each in both if each[1] is not None] or [(False, _NO_LINE)]:
            yield Leg(curve, (is_long, curve.asset.collectible), lines or _NO_LINE, cost)
            cost = 0

"""Lot methods: each is one sort key in a table. Adding one is adding a row."""

from __future__ import annotations

from typing import Any

from domain.lots import Lot, SortKey


def _fifo(lot: Lot) -> tuple[Any, ...]:
    """Actual acquisition first, then the earlier tacked date (rulebook a.4, c.11)."""
    return (lot.order, lot.acquired, lot.offset, lot.serial, lot)


def _lifo(lot: Lot) -> tuple[Any, ...]:
    return (-lot.order, -lot.acquired, lot.offset, lot.serial, lot)


def _hifo(lot: Lot) -> tuple[Any, ...]:
    """Highest adjusted basis per unit, to 18 decimals (so exact ties stay ties), then FIFO."""
    per_unit = (2 * lot.basis + lot.quantity) // (2 * lot.quantity)
    return (-per_unit, lot.order, lot.acquired, lot.offset, lot.serial, lot)


LOT_METHODS: dict[str, SortKey] = {"FIFO": _fifo, "LIFO": _lifo, "HIFO": _hifo}

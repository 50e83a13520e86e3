"""Quotes into the store: those that can be marks get their numbers, the others are held."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from services.asset_facts import AssetFacts
from services.database import Database
from services.held_marks import DAYS_AHEAD, Screen
from services.marks import MarkBoard, Quote, store_after

Stored = Sequence[tuple[int, Quote]]


class Taken(NamedTuple):
    """Marks stored since the last one of the board, by anyone, with their ids; quotes held."""

    stored: Stored
    held: int


class MarkIntake:
    """Stores quotes in batches, each durable before anybody is asked about it."""

    def __init__(
        self, database: Database, assets: AssetFacts, days_ahead: int = DAYS_AHEAD
    ) -> None:
        self._database = database
        self._screen = Screen(assets, days_ahead)

    def take(
        self,
        board: MarkBoard,
        quotes: Sequence[Quote],
        recorded_at: str,
        *,
        confirmed: bool = False,
        beside: Callable[[Connection], None] = lambda connection: None,
    ) -> Taken:
        """Stores quotes; one that jumps from the board, or is dated ahead of the clock, is held,
        unless it is `confirmed`.

        `beside` writes in the transaction of the marks: how far their stream was read.
        """
        with self._database.writing_marks() as connection:
            beside(connection)
            usable, held = list(quotes), 0
            if not confirmed:
                usable, held = self._screen.usable(connection, board, quotes, recorded_at)
            return Taken(store_after(connection, usable, recorded_at, board.last_id), held)

"""Marks of the topic into the store, by the one worker that owns their partition; and out of it,
to the shards of every worker."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from infra.composition import App
from infra.kafka.records import Record, mark_quote
from services.asset_facts import AssetFacts
from services.intake import DeadLetter, Intake, Step, move
from services.mark_intake import MarkIntake, Stored
from services.marks import MarkBoard, Quote, stored_after

_MOST = 10_000  # read at once


class MarkStream:
    """Has a board of its own: what the screen measures quotes by."""

    def __init__(self, app: App) -> None:
        self._database = app.database
        self._intake = MarkIntake(
            app.database,
            AssetFacts([each.ledger for each in app.of_all_shards()]),
            app.settings.marks_ahead,
        )
        with app.database.reading() as connection:
            self._board = MarkBoard(connection)
        self._fresh: list[tuple[int, Quote]] = []

    def take(self, step: Step, records: Sequence[Record], recorded_at: str) -> int:
        """Stores the marks of a batch of messages; returns how many could not be used.

        Raises PositionMoved if another worker read on from there.
        """
        read = [mark_quote(record) for record in records]
        unusable = [found for found in read if isinstance(found, DeadLetter)]

        def beside(connection: Connection) -> None:
            move(connection.exec_driver_sql, Intake((step,), unusable, recorded_at))

        quotes = [found for found in read if isinstance(found, Quote)]
        self._put(self._intake.take(self._board, quotes, recorded_at, beside=beside).stored)
        return len(unusable)

    def since(self) -> Stored:
        """The marks that were stored since it was asked last, by whichever worker."""
        with self._database.reading() as connection:
            self._put(stored_after(connection, self._board.last_id, _MOST))
        stored, self._fresh = self._fresh, []
        return stored

    @property
    def last(self) -> int:
        """The id of the last mark that is known here."""
        return self._board.last_id

    def _put(self, stored: Stored) -> None:
        for id, quote in stored:
            self._board.take(id, quote)
        self._fresh += stored

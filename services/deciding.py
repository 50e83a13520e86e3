"""Decisions on held quotes: one becomes a mark after all, or never does."""

from __future__ import annotations

from domain.days import sortable_instant
from services.database import Clock, Database
from services.held_marks import decide, held_quote
from services.market import Market
from services.marks import Quote


def confirm(market: Market, database: Database, clock: Clock, held: int) -> Quote:
    """Makes a held quote a mark after all; raises NoSuchHeldMark.

    Stored first: if this stops in between, it is still listed and can be confirmed again.
    """
    with database.reading() as connection:
        quote = held_quote(connection, held)
    market.take([quote], confirmed=True)
    _decide(database, clock, held, "confirmed")
    return quote


def reject(database: Database, clock: Clock, held: int) -> Quote:
    """Lets a held quote never become a mark; raises NoSuchHeldMark."""
    return _decide(database, clock, held, "rejected")


def _decide(database: Database, clock: Clock, held: int, state: str) -> Quote:
    with database.writing_marks() as connection:
        quote = decide(connection, held, state, sortable_instant(clock()))
    database.through.flush()
    return quote

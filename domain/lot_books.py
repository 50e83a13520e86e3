"""Books of lots: the kind of a law that identifies the units sold."""

from __future__ import annotations

from collections.abc import Sequence

from domain.book import Book
from domain.checkpoints import Ladder
from domain.entries import Entry
from domain.handlers import fold
from domain.harvest import lot_opportunities
from domain.identification import StandingOrders
from domain.kept_book import BookKind
from domain.policy import Policy
from domain.shared_pools import allocations_in_time, hand_out


def _new(
    policy: Policy, orders: dict[str, StandingOrders], until_day: int, known: Sequence[Entry]
) -> Book:
    book = Book(policy, orders)
    if policy.is_universal:
        book.allocations = allocations_in_time(known, policy.rules.per_wallet_from)
    return book


def _finish(book: Book, until_day: int) -> None:
    """What is left of a universal pool is handed out when 2025 has come."""
    if not book.is_handed_out and until_day >= book.policy.rules.per_wallet_from:
        hand_out(book)


LOTS = BookKind(_new, fold, _finish, Ladder, lot_opportunities)

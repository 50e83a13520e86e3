"""Books of lots: the kind of a law that identifies the units sold."""

from __future__ import annotations

from domain.book import Book
from domain.checkpoints import Ladder
from domain.handlers import fold
from domain.harvest import lot_opportunities
from domain.identification import StandingOrders
from domain.kept_book import BookKind
from domain.policy import Policy
from domain.shared_pools import hand_out_rest


def _new(policy: Policy, orders: dict[str, StandingOrders], until_day: int) -> Book:
    return Book(policy, orders)


def _finish(book: Book, until_day: int) -> None:
    """What is left of a universal pool is handed out when 2025 has come."""
    policy = book.policy
    if policy.is_universal and until_day >= policy.rules.per_wallet_from:
        hand_out_rest(book)


LOTS = BookKind(_new, fold, _finish, Ladder, lot_opportunities)

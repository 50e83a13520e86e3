"""Explains a wash-sale window: the days in which a purchase or a sale would disallow a loss."""

from __future__ import annotations

from domain.days import day_of, iso
from domain.disposals import Disposal
from domain.exact import cents, format_quantity
from domain.kept_book import KeptBook
from domain.purchases import Purchase
from services.explain.answer import Answer, Ground


def explain_window(answer: Answer, ground: Ground, ref: str) -> None:
    """The windows that the sale or purchase `ref` keeps open on the view's day."""
    day = day_of(ground.view.as_of)
    for book in ground.books:
        days = book.policy.rules.window_days
        for group, state in book.washes.items():
            for loss in state.open_losses:
                if loss.ref == ref and loss.open_quantity and loss.loss_day + days >= day:
                    _do_not_buy(answer, group, loss, days)
            for purchase in state.recent:
                held = _unused(purchase, book.wash_classes(day))
                if purchase.ref == ref and purchase.day + days >= day and held:
                    _do_not_sell(answer, book, group, purchase, held)


def _unused(purchase: Purchase, classes: frozenset[str]) -> int:
    """Units still held and unused, of classes under the rule."""
    pieces = purchase.pieces
    return sum(piece.quantity for piece in pieces if piece.asset.asset_class.name in classes)


def _do_not_buy(answer: Answer, group: str, loss: Disposal, days: int) -> None:
    _opens(answer, group)
    last = loss.loss_day + days
    answer.say(
        f"window: {format_quantity(loss.open_quantity)} units of this loss "
        f"({cents(loss.open_loss)}) are unmatched; a purchase of group {group} up to "
        f"{iso(loss.loss_day)} + {days} days = {iso(last)} disallows them; safe from "
        f"{iso(last + 1)}",
        "wash_sale",
    )


def _do_not_sell(answer: Answer, book: KeptBook, group: str, purchase: Purchase, held: int) -> None:
    _opens(answer, group)
    answer.say(
        f"window: this purchase ({format_quantity(held)} units held, unused) blocks losses on "
        f"other units of group {group} until "
        f"{iso(purchase.day + book.policy.rules.window_days)}",
        "wash_sale",
    )


def _opens(answer: Answer, group: str) -> None:
    answer.is_a("window")
    answer.groups.add(group)

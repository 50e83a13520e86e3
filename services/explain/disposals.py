"""Explains a disposal: each row of the return with proceeds, basis, term and what is disallowed."""

from __future__ import annotations

from domain.book import Book
from domain.days import first_long_day, iso
from domain.disposals import Disposal, box
from domain.exact import cents, format_quantity
from domain.kept_book import KeptBook
from domain.lot_methods import LOT_METHODS
from services.explain.answer import Answer, Ground
from services.explain.washes import say_wash

CONVENTIONAL = frozenset(LOT_METHODS) - {"FIFO", "LIFO"}


def explain_disposal(answer: Answer, ground: Ground, ref: str) -> None:
    """The rows that the fact `ref` made."""
    for book in ground.books:
        for row in book.disposals:
            if row.ref == ref:
                _row(answer, ground, book, row)


def _row(answer: Answer, ground: Ground, book: KeptBook, row: Disposal) -> None:
    answer.is_a("disposal")
    answer.groups.add(row.asset.group)
    rules = ground.portfolio.declared.policy.rules
    collectible = ("collectible",) if row.code.startswith("C") else ()
    answer.say(_line(row), row.chosen_by, "cost", "term", *collectible)
    answer.stands_on(row.lot)
    _say_method(answer, ground, book, row)
    if row.short_ref:
        answer.stands_on(row.short_ref)
        answer.say(f"closes the short sale {row.short_ref}", "short_sale")
    for match in (each for each in book.matches() if each.loss is row):
        say_wash(answer, match, match.replacement)
    if row.gain < 0 and not row.wash_classes and "wash_classes" in rules.citations:
        _say_outside(answer, row)
    if row.moved_in:
        answer.say(
            f"basis {cents(row.own_basis)} + {cents(row.moved_in)} moved in by a later loss = "
            f"{cents(row.basis)}",
            "wash_basis",
        )
    if row.wash:
        answer.say(
            f"taxable: gain {cents(row.gain)} + disallowed {cents(row.wash)} = {cents(row.taxable)}"
        )
    if rules.has_form_8949:
        answer.say(f"Form 8949 box {box(row, rules)}{f', code {row.code}' if row.code else ''}")


def _say_method(answer: Answer, ground: Ground, book: KeptBook, row: Disposal) -> None:
    """The order in which lots were taken, where no lot was identified (in time)."""
    if row.chosen_by == "specific" or not isinstance(book, Book):
        return
    if row.chosen_by == "inadequate":
        answer.say("the identification was none: the account's method applies", "inadequate",
                   "settlement_weekdays")  # fmt: skip
    entry = next((each for each in ground.entries(book) if each.ref == row.ref), None)
    orders = ground.portfolio.declared.orders.get(row.account.id)
    if entry is not None:
        name = orders.method(entry, book.policy)[0] if orders else book.policy.lot_method
        conventional = ("method_order",) if name in CONVENTIONAL else ()
        answer.say(f"lots of {row.account.id} by {name}", *conventional)


def _say_outside(answer: Answer, row: Disposal) -> None:
    """Why no purchase can disallow the loss."""
    if row.account.marked_to_market:
        answer.say(
            f"{row.account.id} is marked to market: outside the wash-sale rule", "marked_to_market"
        )
    else:
        name = row.asset.asset_class.name
        answer.say(f"{name} is not under the wash-sale rule on that day", "wash_classes")


def _line(row: Disposal) -> str:
    term = "long-term" if row.is_long else "short-term"
    edge = "" if row.inherited else f" (long-term from {iso(first_long_day(row.acquired))})"
    figures = (
        f"sold {iso(row.sold)}: proceeds {cents(row.proceeds)} - basis {cents(row.basis)} = "
        f"{cents(row.gain)}"
    )
    units = f"{format_quantity(row.quantity)} {row.asset.id}"
    if not row.term:  # a law of pools
        return f"{units} by {row.lot} {figures}, acquired {row.acquired_text} or since"
    return f"{units} of lot {row.lot} {figures}, {term}, held since {row.acquired_text}{edge}"

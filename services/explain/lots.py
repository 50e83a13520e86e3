"""Explains a lot: the fact that opened it, washes that moved into it, sales of it, what is left."""

from __future__ import annotations

from domain.days import iso
from domain.exact import cents, format_quantity
from domain.facts import Buy, Fact, GiftIn, Income, Inherit, OptionExercise, Swap
from domain.kept_book import KeptBook
from domain.lots import Lot
from services.explain.answer import Answer, Ground
from services.explain.washes import say_wash

_RULES: dict[type[Fact], str] = {
    Buy: "cost", Swap: "swap", Income: "income", GiftIn: "gift", Inherit: "inherited",
    OptionExercise: "option",
}  # fmt: skip


def explain_lot(answer: Answer, ground: Ground, ref: str) -> None:
    """All that became of the units that the fact `ref` brought in."""
    for book in ground.books:
        _in_book(answer, ground, book, ref)


def _in_book(answer: Answer, ground: Ground, book: KeptBook, ref: str) -> None:
    pieces = [lot for lot in book.open_lots() if lot.ref == ref]
    washes = [match for match in book.matches() if match.replacement == ref]
    sales = [row for row in book.disposals if row.lot == ref and row.ref != ref]
    if not (pieces or washes or sales):
        return
    answer.is_a("lot")
    fact = ground.portfolio.trades.get(ref)
    rule = _RULES.get(type(fact), "cost") if fact is not None else "cost"
    answer.say(f"lot {ref} was opened by this fact{_cost(fact)}", rule, "per_wallet")
    for match in washes:
        say_wash(answer, match, match.loss.ref)
    for row in sales:
        answer.groups.add(row.asset.group)
        answer.say(
            f"{format_quantity(row.quantity)} {row.asset.id} left in {row.ref} on "
            f"{iso(row.sold)} with basis {cents(row.basis)}"
        )
        answer.stands_on(row.ref)
    for lot in pieces:
        answer.groups.add(lot.asset.group)
        answer.say(_open_line(lot), "term")


def _cost(fact: Fact | None) -> str:
    """How its first basis came about."""
    if isinstance(fact, OptionExercise):
        return f": basis = amount {fact.amount} + fee {fact.fee} + basis of the option"
    if isinstance(fact, Buy):
        return f": basis = amount {fact.amount} + fee {fact.fee}"
    if isinstance(fact, Income | Inherit):
        return f": basis = value {fact.amount}"
    if isinstance(fact, Swap):
        return f": basis = value received {fact.amount}"
    if isinstance(fact, GiftIn):
        return f": donor's basis {fact.donor_basis}, value that day {fact.amount}"
    return ""


def _open_line(lot: Lot) -> str:
    if lot.inherited:
        held = "inherited: long-term"
    else:
        tacked = lot.origin - lot.acquired
        days = f", {tacked} days tacked" if tacked > 0 and lot.used else ""
        held = f"held since {iso(lot.acquired)}{days}, long-term from {lot.long_from_text}"
    return (
        f"open: {format_quantity(lot.quantity)} {lot.asset.id} in {lot.account.id}, basis "
        f"{cents(lot.basis)}, {held}"
    )

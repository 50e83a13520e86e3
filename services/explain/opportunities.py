"""Explains an opportunity: a lot at its mark, what is blocked, and what the rest saves in tax."""

from __future__ import annotations

from domain.days import day_of
from domain.exact import cents, money
from domain.kept_book import KeptBook
from domain.years import Key, basis_of_tax, tax_of_year
from projections.opportunities import present
from projections.schema import Piece
from services import statement
from services.explain.answer import Answer, Ground


def explain_opportunity(answer: Answer, ground: Ground, ref: str) -> None:
    """The loss of lot `ref` at the mark of the view's day, as if it alone were sold."""
    for book in ground.books:
        if any(lot.ref == ref for lot in book.open_lots()):
            for found in _of(ground, book):
                if found["lot"] == ref and money(found["loss"]) > 0:
                    _explain(answer, ground, found)


def _of(ground: Ground, book: KeptBook) -> list[Piece]:
    """The book's opportunities as they are shown."""
    day = day_of(ground.view.as_of)
    pieces = statement.opportunity_pieces(
        ground.portfolio, book, ground.marks, day, ground.year_sums
    )
    return present(pieces)


def _explain(answer: Answer, ground: Ground, found: Piece) -> None:
    answer.is_a("opportunity")
    asset = ground.portfolio.declared.assets[found["asset"]]
    answer.groups.add(asset.group)
    loss, blocked, rest = (money(found[name]) for name in ("loss", "blocked", "harvestable"))
    answer.say(
        f"at mark {found['price']} ({found['mark_source']}, {found['mark_at']}{_cut(found)}): "
        f"{found['qty']} {found['asset']} in {found['account']}: basis "
        f"{cents(money(found['basis']))} - value {cents(money(found['value']))} = loss "
        f"{cents(loss)}",
        "cost",
        "term",
    )
    if blocked:
        answer.say(
            f"blocked: {cents(blocked)}, by the purchase {found['blocked_by']} until "
            f"{found['blocked_until']}",
            "wash_sale",
            "wash_once",
        )
        answer.stands_on(found["blocked_by"])
    answer.say(
        f"harvestable: loss {cents(loss)} - blocked {cents(blocked)} = {cents(rest)}, "
        f"{'long' if found['term'] == 'L' else 'short'}-term",
        "wash_classes",
    )
    _say_saved(answer, ground, found, asset.collectible)


def _cut(found: Piece) -> str:
    """What its kind takes off the quote, if anything."""
    if found["haircut"] == "0":
        return ""
    return f", {found['mark_kind']} of {found['quoted']} less a share of {found['haircut']}"


def _say_saved(answer: Answer, ground: Ground, found: Piece, collectible: bool) -> None:
    """Two whole years side by side: never loss x rate."""
    portfolio = ground.portfolio
    policy = portfolio.declared.policy
    year = policy.rules.tax_year_of(day_of(ground.view.as_of))
    outlook = statement.outlook(portfolio, year, ground.year_sums)
    key: Key = (year, found["term"] == "L", collectible)
    after = outlook.after({key: -money(found["harvestable"])})
    answer.from_rates = answer.from_rates or outlook.before.tax is None
    was, becomes = tax_of_year(outlook.before, policy), tax_of_year(after, policy)
    basis = basis_of_tax(after, policy)
    answer.say(
        f"tax saved in {year} by selling it alone: tax as it stands {cents(was)} - tax with the "
        f"harvestable loss {cents(becomes)} = {cents(was - becomes)} ({basis}); "
        "the replacement's lower basis defers the rest",
        "netting",
        "carryover",
    )

"""Nothing is lost: basis and units are conserved in the engine's own integers."""

from __future__ import annotations

from collections import defaultdict

from domain import facts as f
from domain.exact import money, quantity
from domain.facts import Fact
from domain.kept_book import KeptBook
from domain.portfolio import Portfolio
from tests.domain.replay import Json, every_history, history, portfolio_of

Totals = dict[str, int]


def opened(fact: Fact) -> tuple[int, str, str] | None:
    """(basis, asset, quantity) of the lot that a fact opens."""
    if isinstance(fact, f.Buy):
        return money(fact.amount) + money(fact.fee), fact.asset, fact.quantity
    if isinstance(fact, f.Income | f.Inherit):
        return money(fact.amount), fact.asset, fact.quantity
    if isinstance(fact, f.GiftIn):
        return money(fact.donor_basis), fact.asset, fact.quantity
    if isinstance(fact, f.Swap):
        return money(fact.amount), fact.into.asset, fact.into.quantity
    if isinstance(fact, f.OptionExercise):
        paid = money(fact.amount) + money(fact.fee)
        return paid, fact.underlying, fact.underlying_quantity
    return None


def swapped(portfolio: Portfolio, fact: Fact) -> Fact:
    """A wrap, where the position taken makes it a swap, as that swap."""
    if not isinstance(fact, f.Convert) or portfolio.declared.policy.wrap != "swap":
        return fact
    return f.Swap(
        effective_at=fact.effective_at, account=fact.account, out=fact.out, into=fact.into,
        amount=fact.amount or "0",
    )  # fmt: skip


def accepted(portfolio: Portfolio) -> dict[str, Fact]:
    """The trades that were not held out."""
    refused = {issue.ref for issue in portfolio.all_issues() if issue.blocking}
    return {
        ref: swapped(portfolio, fact)
        for ref, fact in portfolio.trades.items()
        if ref not in refused
    }


def basis_in(portfolio: Portfolio) -> Totals:
    """By lot: what its units cost, and the disallowed losses that joined them."""
    total: Totals = defaultdict(int)
    for ref, fact in accepted(portfolio).items():
        lot = opened(fact)
        if lot is not None:
            total[ref] += lot[0]
    for book in portfolio.books.values():
        for match in book.matches():
            if match.shifted and not isinstance(portfolio.trades[match.replacement], f.ShortOpen):
                total[match.replacement] += match.disallowed
        for gone in book.departures:
            if gone.kind == "exercised":  # the option's basis joins that of the shares
                total[gone.ref] += gone.basis
    return total


def basis_out(book: KeptBook, total: Totals) -> None:
    """By lot: basis of what was sold, of what left otherwise, and of what is still there."""
    for row in book.disposals:
        total[row.lot] += row.basis
    for gone in book.departures:
        total[gone.lot] += gone.basis
    for lot in book.open_lots():
        total[lot.ref] += lot.basis


def lower_valued_gifts(portfolio: Portfolio) -> set[str]:
    """Gifts with two bases: a sale between them, or below the lower, ends part of the donor's."""
    return {
        ref
        for ref, fact in portfolio.trades.items()
        if isinstance(fact, f.GiftIn) and money(fact.amount) < money(fact.donor_basis)
    }


@every_history
def test_basis_is_conserved_lot_by_lot(seed: int) -> None:
    scenario = history(seed)
    portfolio = portfolio_of(scenario)
    came = basis_in(portfolio)
    went: Totals = defaultdict(int)
    for book in portfolio.books.values():
        basis_out(book, went)
    gifts = lower_valued_gifts(portfolio)
    sure = {lot for lot in came.keys() | went.keys() if lot in portfolio.trades} - gifts
    if portfolio.declared.policy.transfer_fee == "add_to_basis":
        fees = sum(map(fee_kept, accepted(portfolio).values()))
        assert sum(went[lot] for lot in sure) <= sum(came[lot] for lot in sure) + fees
        return
    assert {lot: went[lot] for lot in sure} == {lot: came[lot] for lot in sure}
    for lot in gifts:
        assert went[lot] <= came[lot]


@every_history
def test_units_are_conserved_lot_by_lot(seed: int) -> None:
    """In units of the group, so that conversions count; lots that were split aside."""
    scenario = history(seed)
    portfolio = portfolio_of(scenario)
    ratio = {each["id"]: quantity(each.get("ratio", "1")) for each in scenario["assets"]}
    came: Totals = {}
    for ref, fact in accepted(portfolio).items():
        lot = opened(fact)
        if lot is not None:
            came[ref] = quantity(lot[2]) * ratio[lot[1]]
    went = units_out(portfolio, ratio)
    for each in lots_split(portfolio, scenario):
        came.pop(each, None)
        went.pop(each, None)
    assert went == came


def units_out(portfolio: Portfolio, ratio: dict[str, int]) -> Totals:
    total: Totals = defaultdict(int)
    for book in portfolio.books.values():
        for row in book.disposals:
            if not isinstance(portfolio.trades[row.ref], f.ReturnOfCapital) and not isinstance(
                portfolio.trades[row.lot], f.ShortOpen
            ):
                total[row.lot] += row.quantity * ratio[row.asset.id]
        for gone in book.departures:
            total[gone.lot] += gone.quantity * ratio[gone.asset.id]
        for lot in book.open_lots():
            total[lot.ref] += lot.quantity * ratio[lot.asset.id]
    return dict(total)


def lots_split(portfolio: Portfolio, scenario: Json) -> set[str]:
    """Lots of groups that were ever split."""
    group = {each["id"]: each["group"] for each in scenario["assets"]}
    facts = portfolio.trades.values()
    split = {group[fact.asset] for fact in facts if isinstance(fact, f.Split)}
    lots = {ref: opened(fact) for ref, fact in portfolio.trades.items()}
    return {ref for ref, lot in lots.items() if lot is not None and group[lot[1]] in split}


def received(fact: Fact) -> int:
    """Net proceeds of a fact."""
    if isinstance(fact, f.Sell | f.Swap | f.ShortOpen):
        return money(fact.amount) - money(fact.fee)
    return fee_kept(fact)


def fee_kept(fact: Fact) -> int:
    """What the units that paid a network were worth."""
    return money(fact.fee_amount) if isinstance(fact, f.Transfer) else 0


@every_history
def test_a_full_exit_allows_exactly_the_economic_loss(seed: int) -> None:
    """Taxable accounts alone: a wash sale defers a loss, and never makes it vanish."""
    portfolio = portfolio_of(history(seed, taxable_only=True))
    trades = accepted(portfolio)
    assert len(trades) == len(portfolio.trades)
    rows = [row for book in portfolio.books.values() for row in book.disposals]
    assert not [lot for book in portfolio.books.values() for lot in book.open_lots()]
    lots = [lot for lot in map(opened, trades.values()) if lot is not None]
    spent = sum(basis for basis, _, _ in lots)
    if portfolio.declared.policy.transfer_fee == "add_to_basis":
        spent += sum(map(fee_kept, trades.values()))
    assert sum(row.taxable for row in rows) == sum(map(received, trades.values())) - spent

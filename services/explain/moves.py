"""Explains what moves or changes units and makes no row: transfers, splits, conversions."""

from __future__ import annotations

from domain.facts import (
    BasisAllocation,
    Convert,
    Fact,
    ReturnOfCapital,
    ShortOpen,
    Split,
    Transfer,
)
from services.explain.answer import Answer, Ground

# What is said of a kind of fact, filled in from its fields, and the rules that it follows.
_SAYS: dict[type[Fact], tuple[str, tuple[str, ...]]] = {
    Transfer: (
        "move: {0.quantity} {0.asset} from {0.from_account} to {0.to_account}; basis and dates go "
        "along",
        ("transfer", "per_wallet"),
    ),
    Split: (
        "split: {0.numerator} {0.asset} for {0.denominator}, in every account; basis and dates "
        "stay with the units",
        ("split",),
    ),
    Convert: (
        "conversion in {0.account}: {0.out.quantity} {0.out.asset} into {0.into.quantity} "
        "{0.into.asset}",
        ("convert",),
    ),
    ReturnOfCapital: (
        "distribution of {0.amount} on all {0.asset} in {0.account}: taken off the basis of each "
        "unit, what is over is gain",
        ("return_of_capital",),
    ),
    ShortOpen: (
        "short sale of {0.quantity} {0.asset} in {0.account}: amount {0.amount} - fee {0.fee} are "
        "the proceeds of the row that closes it",
        ("short_sale",),
    ),
    BasisAllocation: (
        "allocation of the basis of {0.asset} to wallets as of 2025-01-01 by {0.method}",
        ("universal_pool",),
    ),
}


def explain_move(answer: Answer, ground: Ground, ref: str) -> None:
    """The fact `ref`, if units or basis move by it without a row."""
    fact = ground.portfolio.trades.get(ref)
    if fact is None or type(fact) not in _SAYS:
        return
    text, rules = _SAYS[type(fact)]
    answer.is_a("move" if isinstance(fact, Transfer) else "event")
    answer.say(text.format(fact), *rules)
    if isinstance(fact, Transfer) and fact.fee_quantity != "0":
        answer.say(
            f"fee: {fact.fee_quantity} {fact.asset} worth {fact.fee_amount} are disposed of first",
            "fee_first",
        )
    answer.groups.update(_groups(ground, fact))


def _groups(ground: Ground, fact: Fact) -> set[str]:
    legs = (getattr(fact, "out", None), getattr(fact, "into", None))
    names = [getattr(fact, "asset", None), *(leg.asset for leg in legs if leg is not None)]
    assets = (ground.portfolio.declared.assets.get(name) for name in names if name is not None)
    return {asset.group for asset in assets if asset is not None}

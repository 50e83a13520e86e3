"""Tokens: assets that stand for another one, and how many of its units one of theirs is today."""

from __future__ import annotations

from dataclasses import dataclass

from domain.exact import ONE_UNIT, format_quantity
from domain.portfolio import Portfolio
from domain.weights import reduced


@dataclass(frozen=True, slots=True)
class Token:
    """A token of the asset `base`: one unit is `number` / `unit` units of it (lowest terms)."""

    asset: str
    base: str
    number: int
    unit: int

    @property
    def share(self) -> str:
        """How many units of the base one unit is, as text: a decimal, or else a fraction."""
        if ONE_UNIT % self.unit:
            return f"{self.number}/{self.unit}"
        return format_quantity(self.number * ONE_UNIT // self.unit)


def tokens_of(portfolio: Portfolio) -> list[Token]:
    """The tokens that the portfolio ever had and whose group has a base, by their ids.

    Splits of the base count, whether the base itself was ever held or not (decision 0016).
    """
    assets = portfolio.declared.assets
    tokens = {each.id for each in assets.values() if each.asset_class.derived == 1}
    if not tokens:
        return []
    bases = {each.group: each for each in assets.values() if each.is_base}
    found = []
    for book in portfolio.books.values():
        for asset in (assets[id] for id in book.weights.keys() & tokens):
            base = bases.get(asset.group)
            if base is None or base is asset or base.asset_class.derived > 1:
                continue
            (number, unit), (base_number, base_unit) = book.weight(asset), book.weight(base)
            share = reduced(number * base_unit, unit * base_number)
            found.append(Token(asset.id, base.id, *share))
    return sorted(found, key=lambda token: token.asset)

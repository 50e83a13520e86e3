"""What is held: assets, and the table of asset classes by what they are in law."""

from __future__ import annotations

from dataclasses import dataclass

from domain.days import day_of
from domain.errors import UnsupportedLaw
from domain.exact import ONE_UNIT


@dataclass(frozen=True, slots=True)
class AssetClass:
    """Properties that the rules ask for; a new class is a new row of ASSET_CLASSES."""

    name: str
    is_digital: bool  # Form 1099-DA, boxes G-L; wallet by wallet (Reg. 1.1012-1(j))
    identify_until_settlement: bool  # Reg. 1.1012-1(c); digital assets: until the disposal
    worthless_is_sale: bool  # IRC 165(g)(1): securities only
    may_be_collectible: bool  # look through to the right or asset (Notice 2023-27)
    covered_from: int  # day; basis is reported for units bought on or after (Reg. 1.6045-1)
    trades_in_fractions: bool = False  # a whole holding too is sold in any part of a unit
    derived: int = 0  # 1: a token of another asset; 2: a contract on one


ASSET_CLASSES = {
    row.name: row
    for row in (
        AssetClass("stock", False, True, True, False, day_of("2011-01-01")),
        AssetClass("fund", False, True, True, False, day_of("2012-01-01")),
        AssetClass("option", False, True, True, False, day_of("2014-01-01"), derived=2),
        AssetClass("tokenized_security", True, False, True, False, day_of("2026-01-01"), derived=1),
        AssetClass("crypto", True, False, False, False, day_of("2026-01-01"), True),
        AssetClass("nft", True, False, False, True, day_of("2026-01-01")),
    )
}


@dataclass(frozen=True, slots=True, eq=False)
class Asset:
    """An asset as declared. `ratio` is group units in one unit, an integer of 10**-18.

    `asks_collectible`: it may be a collectible, and nobody said whether it is one. `is_base`: its
    unit is the group's, so that ratios are stated in its units of the day (decision 0016).
    """

    id: str
    asset_class: AssetClass
    group: str
    ratio: int = ONE_UNIT
    collectible: bool = False
    title: str = ""
    asks_collectible: bool = False
    is_base: bool = False


def asset_class(name: str) -> AssetClass:
    """The row of a class name; raises UnsupportedLaw for an unknown one."""
    try:
        return ASSET_CLASSES[name]
    except KeyError:
        known = ", ".join(ASSET_CLASSES)
        raise UnsupportedLaw(f"asset class {name!r} is none of {known}") from None

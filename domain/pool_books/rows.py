"""What pool books show as lots and rows: their units have neither a lot of origin nor a term."""

from __future__ import annotations

from domain.disposals import Disposal, WashMatch
from domain.lots import Lot
from domain.purchases import Purchase

POOL = "pool"


class PoolLot(Lot, gc=False, eq=False):
    """One account's units of a pool with their average share of its cost.

    `acquired` is the day since when the pool has held units without a break.
    """

    @property
    def long_from_text(self) -> str:
        """There is no long term."""
        return ""


class PoolDisposal(Disposal, gc=False, eq=False):
    """Units of one event that met one pool, or purchases of one day (`acquired`)."""

    @property
    def term(self) -> str:
        """There is no term."""
        return ""


class PoolMatching:
    """Losses of one group that purchases denied or still can, and the purchases that could."""

    __slots__ = ("matches", "open_losses", "recent")

    def __init__(self) -> None:
        self.matches: list[WashMatch] = []
        self.open_losses: list[Disposal] = []
        self.recent: list[Purchase] = []

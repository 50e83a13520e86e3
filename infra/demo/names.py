"""Short names of what is held and where, and the amounts beside them, for people."""

from __future__ import annotations

from domain.accounts import Account
from domain.assets import Asset
from domain.declarations import Declarations
from domain.exact import format_quantity, grouped

_KINDS = {"tokenized_security": "token"}


class Names:
    """Names by id; a chain asset is called by its title, a wallet by its address."""

    def __init__(self, declared: Declarations) -> None:
        self._declared = declared

    def asset(self, id: str) -> str:
        """`AAPL`, `tAAPL`, `COIN`."""
        asset = self._declared.assets.get(id)
        if asset is None or "/" not in id or not asset.title:
            return id
        return asset.title.partition(":")[0].partition(" (")[0]

    def account(self, id: str) -> str:
        """`broker-north`, `wallet 0x2b5a..d6cf`."""
        account = self._declared.accounts.get(id)
        if account is None or account.custody != "self":
            return id
        address = id.rpartition(":")[2]
        return f"wallet {address[:6]}..{address[-4:]}" if len(address) > 14 else f"wallet {address}"

    def kind(self, id: str) -> str:
        """What the asset is in law, in one word."""
        name = self._declared.assets[id].asset_class.name
        return _KINDS.get(name, name)

    def units(self, quantity: int, asset: Asset) -> str:
        """`60 tAAPL`."""
        return f"{format_quantity(quantity)} {self.asset(asset.id)}"

    def where(self, account: Account) -> str:
        """The account's name."""
        return self.account(account.id)


def ref(full: str) -> str:
    """A fact's id without its source, as the file has it."""
    return full.partition(":")[2] or full


def amount(money: int) -> str:
    """Money in cents with thousands separators."""
    return grouped(money)


def days_apart(bought: int, sold: int) -> str:
    """`15 days later`, `18 days earlier`, `the same day`."""
    gap = bought - sold
    if not gap:
        return "the same day"
    plural = "" if abs(gap) == 1 else "s"
    return f"{abs(gap)} day{plural} {'later' if gap > 0 else 'earlier'}"

"""What the owner declared: policy, profile, accounts, assets, groups and standing orders."""

from __future__ import annotations

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from domain.accounts import CUSTODIES, KINDS, OWNERS, Account, account
from domain.assets import Asset, asset_class
from domain.compile import order_key
from domain.decisions import (
    AccountDeclared,
    AssetDeclared,
    GroupDeclared,
    PolicyElected,
    ProfileStated,
    StandingOrder,
)
from domain.elections import default_policy, elect, known_method
from domain.errors import UnsupportedLaw
from domain.exact import quantity
from domain.facts import Fact
from domain.identification import StandingOrders
from domain.policy import Policy


class Declarations:
    """Answers who, where and by which positions; the compile step's directory of names.

    `assets` and `accounts` grow; anything that changes an earlier answer needs a new object
    and a new fold. Raises UnsupportedLaw for values that no rule here knows.
    """

    def __init__(self, declared: Iterable[tuple[str, Fact]]) -> None:
        facts = sorted(declared, key=lambda each: (each[1].effective_at, each[1].seq, each[0]))
        self.policy: Policy = default_policy()
        self.profile = ProfileStated(effective_at="0001-01-01")
        for _, fact in facts:
            if isinstance(fact, PolicyElected):
                self.policy = elect(self.policy, fact)
            elif isinstance(fact, ProfileStated):
                self.profile = fact
        self.zone: ZoneInfo | None = self.policy.zone
        self.wraps_are_swaps = self.policy.wrap == "swap"
        self.orders: dict[str, StandingOrders] = {}
        self.grouped: dict[str, str] = {}
        self.assets: dict[str, Asset] = {}
        self.declared_accounts: set[str] = set()
        self.accounts: dict[str, Account] = {}
        for _, fact in facts:
            if isinstance(fact, GroupDeclared):
                self.grouped.update(dict.fromkeys(fact.assets, fact.group))
        for ref, fact in facts:
            self.add(ref, fact)

    def add(self, ref: str, fact: Fact) -> None:
        """Takes in one declaration; those on policy, profile and groups act at construction."""
        if isinstance(fact, AssetDeclared):
            self._add_asset(fact)
        elif isinstance(fact, AccountDeclared):
            self._add_account(fact)
        elif isinstance(fact, StandingOrder):
            self._add_order(ref, fact)

    def account(self, id: str) -> Account:
        """The account; one that nobody declared is the taxpayer's own taxable broker account."""
        found = self.accounts.get(id)
        if found is None:
            found = self.accounts[id] = self._built(AccountDeclared(effective_at="", account=id))
        return found

    def asset(self, id: str) -> Asset:
        """The asset; KeyError(id) if it was never declared."""
        return self.assets[id]

    def _add_asset(self, fact: AssetDeclared) -> None:
        its_class = asset_class(fact.asset_class)
        unstated = (
            its_class.may_be_collectible and not fact.collectible and not fact.collectible_reason
        )
        position = self.policy.digital_art
        self.assets[fact.asset] = Asset(
            id=fact.asset,
            asset_class=its_class,
            group=self.grouped.get(fact.asset, fact.group),
            ratio=quantity(fact.ratio),
            collectible=fact.collectible or (unstated and position == "collectible"),
            title=fact.title,
            asks_collectible=unstated and position == "ask",
        )

    def _add_account(self, fact: AccountDeclared) -> None:
        for what, value, known in (
            ("kind", fact.kind, KINDS),
            ("owner", fact.owner, OWNERS),
            ("custody", fact.custody, CUSTODIES),
        ):
            if value not in known:
                listed = ", ".join(sorted(known))
                raise UnsupportedLaw(f"account {what} {value!r} is none of {listed}")
        self.declared_accounts.add(fact.account)
        self.accounts[fact.account] = self._built(fact)

    def _built(self, fact: AccountDeclared) -> Account:
        owners = self.policy.shifting_owners
        return account(
            fact.account, fact.kind, fact.owner, fact.custody, owners, fact.marked_to_market
        )

    def _add_order(self, ref: str, fact: StandingOrder) -> None:
        key = order_key(fact, 0, ref, self.zone)
        orders = self.orders.setdefault(fact.account, StandingOrders())
        orders.add(key, known_method(fact.method), fact.recorded_in)

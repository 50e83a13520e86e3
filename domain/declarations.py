"""What the owner declared: policy, profile, accounts, assets, groups and standing orders."""

from __future__ import annotations

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from domain.accounts import CUSTODIES, KINDS, OWNERS, Account, account
from domain.assets import ASSET_CLASSES, Asset, asset_class
from domain.compile import order_key
from domain.decisions import (
    AccountDeclared,
    AssetDeclared,
    GroupDeclared,
    PolicyElected,
    ProfileStated,
    SimilarDeclared,
    StandingOrder,
)
from domain.elections import default_policy, elect, known_method
from domain.errors import UnsupportedLaw
from domain.exact import ONE_UNIT, quantity
from domain.facts import Fact
from domain.identification import StandingOrders
from domain.policy import Policy

_Claim = tuple[bool, int, str]


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
        self.similar: dict[str, tuple[str, SimilarDeclared]] = {}  # by asset; with its ref
        self.assets: dict[str, Asset] = {}
        self.declared_accounts: set[str] = set()
        self.accounts: dict[str, Account] = {}
        for _, fact in facts:
            if isinstance(fact, GroupDeclared):
                self.grouped.update(dict.fromkeys(fact.assets, fact.group))
        self.similar |= {f.asset: (ref, f) for ref, f in facts if isinstance(f, SimilarDeclared)}
        self._bases: dict[str, _Claim] = {}
        assets = (fact for _, fact in facts if isinstance(fact, AssetDeclared))
        for asset in {asset.asset: asset for asset in assets}.values():
            self._claim(asset)
        for ref, fact in facts:
            self._take_in(ref, fact)

    def add(self, ref: str, fact: Fact) -> None:
        """Takes in one declaration; those that change an earlier answer act at construction."""
        if isinstance(fact, AssetDeclared):
            self._claim(fact)
        self._take_in(ref, fact)

    def has_all_accounts(self, day: str) -> bool:
        """Whether the owner said that every account is told up to that ISO day."""
        complete = self.profile.accounts_complete
        return complete is not None and day <= complete

    def takes_over(self, fact: AssetDeclared) -> bool:
        """Whether the asset would be the base of a group that has another one already."""
        known = self._bases.get(self._group(fact))
        return known is not None and _is_unit(fact) and self._claim_of(fact) < known

    def _take_in(self, ref: str, fact: Fact) -> None:
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

    def _group(self, fact: AssetDeclared) -> str:
        return self.grouped.get(fact.asset, fact.group)

    def _claim(self, fact: AssetDeclared) -> None:
        """The base of a group: of the assets whose unit is the group's, the best claim."""
        if _is_unit(fact):
            group, claim = self._group(fact), self._claim_of(fact)
            self._bases[group] = min(claim, self._bases.get(group, claim))

    def _claim_of(self, fact: AssetDeclared) -> _Claim:
        """The group's namesake first, an option last, a token before it; then by id."""
        is_namesake = fact.asset == self._group(fact)
        kind = ASSET_CLASSES.get(fact.asset_class)  # an unknown one is refused elsewhere
        return (not is_namesake, kind.derived if kind else 0, fact.asset)

    def _add_asset(self, fact: AssetDeclared) -> None:
        its_class = asset_class(fact.asset_class)
        unstated = (
            its_class.may_be_collectible and not fact.collectible and not fact.collectible_reason
        )
        position = self.policy.digital_art
        self.assets[fact.asset] = Asset(
            id=fact.asset,
            asset_class=its_class,
            group=self._group(fact),
            ratio=quantity(fact.ratio),
            collectible=fact.collectible or (unstated and position == "collectible"),
            title=fact.title,
            asks_collectible=unstated and position == "ask",
            is_base=self._bases.get(self._group(fact)) == self._claim_of(fact),
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


def _is_unit(fact: AssetDeclared) -> bool:
    return bool(quantity(fact.ratio) == ONE_UNIT)

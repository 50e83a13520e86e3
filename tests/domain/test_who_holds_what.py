"""Accounts and assets as declared: what follows from kind, owner, custody, class and reason."""

from __future__ import annotations

import pytest

from domain.accounts import KINDS, RETIREMENT, account
from domain.assets import ASSET_CLASSES, Asset, asset_class
from domain.decisions import AccountDeclared, AssetDeclared, GroupDeclared, PolicyElected
from domain.declarations import Declarations
from domain.errors import UnsupportedLaw
from domain.exact import ONE_UNIT
from domain.facts import Fact

START = "0001-01-01"
ALL = frozenset({"self", "spouse", "entity"})
SELF = frozenset({"self"})
NOBODY: frozenset[str] = frozenset()


def declared(*facts: Fact) -> Declarations:
    return Declarations((f"d{number}", fact) for number, fact in enumerate(facts))


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("owner", sorted(ALL))
def test_only_taxable_accounts_of_the_couple_make_rows_of_the_return(kind: str, owner: str) -> None:
    made = account("A", kind, owner, "self", ALL)
    assert (made.id, made.kind, made.owner, made.custody) == ("A", kind, owner, "self")
    assert made.reports is (kind == "taxable" and owner in ("self", "spouse"))
    assert made.is_retirement is (kind in RETIREMENT)
    assert made.marked_to_market is False


@pytest.mark.parametrize("elected", [True, False])
def test_an_election_of_section_475_is_kept_with_the_account(elected: bool) -> None:
    assert account("A", "taxable", "self", "broker", SELF, elected).marked_to_market is elected
    fact = AccountDeclared(effective_at=START, account="A", marked_to_market=elected)
    assert declared(fact).account("A").marked_to_market is elected


@pytest.mark.parametrize(
    ("owner", "shifting", "takes_from"),
    [
        ("self", SELF, {"self"}),
        ("spouse", SELF, {"spouse"}),
        ("self", SELF | {"spouse"}, {"self", "spouse"}),
        ("spouse", SELF | {"spouse"}, {"self", "spouse"}),
        ("entity", SELF | {"spouse"}, set()),
        ("entity", SELF | {"entity"}, {"self", "spouse"}),
        ("self", SELF | {"entity"}, {"self"}),
    ],
)
def test_a_lot_takes_the_losses_of_those_whose_basis_shifts_to_it(
    owner: str, shifting: frozenset[str], takes_from: set[str]
) -> None:
    """IRC 1091(d); between persons a position (decision 0009)."""
    assert account("A", "taxable", owner, "broker", shifting).takes_from == takes_from
    for kind in RETIREMENT:
        """Rev. Rul. 2008-5: an IRA's basis is not increased."""
        assert account("A", kind, owner, "broker", shifting).takes_from == NOBODY


def test_an_account_that_was_never_declared_is_the_taxpayers_own_at_a_broker() -> None:
    made = declared().account("Z")
    assert (made.id, made.kind, made.owner, made.custody) == ("Z", "taxable", "self", "broker")
    assert made.reports
    assert not made.is_retirement
    assert made.takes_from == {"self", "spouse"}


@pytest.mark.parametrize(
    ("fact", "told"),
    [
        (
            AccountDeclared(effective_at=START, account="Q", kind="piggybank"),
            "account kind 'piggybank' is none of 401k, hsa, ira, roth_ira, taxable",
        ),
        (
            AccountDeclared(effective_at=START, account="Q", owner="neighbour"),
            "account owner 'neighbour' is none of entity, self, spouse",
        ),
        (
            AccountDeclared(effective_at=START, account="Q", custody="mattress"),
            "account custody 'mattress' is none of broker, self",
        ),
        (
            AssetDeclared(effective_at=START, asset="Q", asset_class="tulip", group="Q"),
            f"asset class 'tulip' is none of {', '.join(ASSET_CLASSES)}",
        ),
    ],
)
def test_a_refusal_names_what_is_known(fact: Fact, told: str) -> None:
    with pytest.raises(UnsupportedLaw) as refused:
        declared(fact)
    assert str(refused.value) == told


@pytest.mark.parametrize("name", ASSET_CLASSES)
def test_a_class_is_found_by_its_name(name: str) -> None:
    assert asset_class(name).name == name


def nft(reason: str = "", collectible: bool = False, asset_class: str = "nft") -> AssetDeclared:
    return AssetDeclared(
        effective_at=START, asset="N", asset_class=asset_class, group="G", ratio="0.25",
        title="Gem", collectible=collectible, collectible_reason=reason,
    )  # fmt: skip


def asset(*facts: Fact) -> Asset:
    return declared(*facts).assets["N"]


def test_an_asset_is_kept_as_declared_in_the_group_that_the_owner_says() -> None:
    made = asset(nft(reason="a club card"))
    assert (made.id, made.group, made.title, made.ratio) == ("N", "G", "Gem", ONE_UNIT // 4)
    assert made.asset_class is ASSET_CLASSES["nft"]
    own = GroupDeclared(effective_at=START, group="H", assets=("N", "M"))
    assert asset(nft(), own).group == "H"
    assert asset(own, nft()).group == "H"


@pytest.mark.parametrize(
    ("position", "fact", "collectible", "asks"),
    [
        ("ask", nft(), False, True),
        ("collectible", nft(), True, False),
        ("not_collectible", nft(), False, False),
        ("ask", nft("a club card"), False, False),
        ("collectible", nft("a club card"), False, False),
        ("ask", nft(collectible=True), True, False),
        ("not_collectible", nft(collectible=True), True, False),
        ("ask", nft(asset_class="crypto"), False, False),
        ("collectible", nft(asset_class="crypto"), False, False),
    ],
)
def test_a_token_nobody_spoke_of_is_what_the_position_says(
    position: str, fact: AssetDeclared, collectible: bool, asks: bool
) -> None:
    """Notice 2023-27: look through to the right or asset that the token stands for."""
    made = asset(PolicyElected(effective_at=START, digital_art=position), fact)
    assert (made.collectible, made.asks_collectible) == (collectible, asks)

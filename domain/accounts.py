"""Where things are held: accounts and wallets, by kind, owner and custody."""

from __future__ import annotations

from dataclasses import dataclass

RETIREMENT = frozenset({"ira", "roth_ira", "401k", "hsa"})
KINDS = frozenset({"taxable"}) | RETIREMENT
OWNERS = frozenset({"self", "spouse", "entity"})
CUSTODIES = frozenset({"broker", "self"})


@dataclass(frozen=True, slots=True, eq=False)
class Account:
    """An account as declared, with what follows from its kind and owner.

    `reports`: its disposals are rows of the taxpayer's return. `takes_from`: owners
    whose disallowed loss joins the basis of a replacement bought here (IRC 1091(d); never in
    an IRA: Rev. Rul. 2008-5). `marked_to_market`: losses are outside the wash-sale rule
    (IRC 475(f)(1)(D)); purchases still replace.
    """

    id: str
    kind: str = "taxable"
    owner: str = "self"
    custody: str = "broker"
    reports: bool = True
    is_retirement: bool = False
    marked_to_market: bool = False
    takes_from: frozenset[str] = frozenset({"self"})


def account(
    id: str,
    kind: str,
    owner: str,
    custody: str,
    shifting_owners: frozenset[str],
    marked_to_market: bool = False,
) -> Account:
    """Builds an account; `shifting_owners` are the owners whose lots take a shifted basis."""
    taxable = kind == "taxable"
    return Account(
        id=id,
        kind=kind,
        owner=owner,
        custody=custody,
        reports=taxable and owner in ("self", "spouse"),
        is_retirement=not taxable,
        marked_to_market=marked_to_market,
        takes_from=_takes_from(owner, shifting_owners) if taxable else frozenset(),
    )


def _takes_from(owner: str, shifting_owners: frozenset[str]) -> frozenset[str]:
    """Sellers whose disallowed loss joins a lot of `owner`: the same person, or by position."""
    if owner == "entity":
        return frozenset({"self", "spouse"} if "entity" in shifting_owners else ())
    return frozenset({"self", "spouse"} if "spouse" in shifting_owners else {owner})

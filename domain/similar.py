"""Similar assets: what the owner would hold while a window runs, and what cannot be offered."""

from __future__ import annotations

from dataclasses import dataclass

from domain.assets import Asset
from domain.declarations import Declarations
from domain.entries import Issue

REMEDY = "say `thresher similar set` again without it, or declare the asset as it is"


@dataclass(frozen=True, slots=True)
class SimilarAsset:
    """An asset that the owner calls similar to another. `why_not`: why it is not offered; empty
    if it is."""

    asset: str
    why_not: str


def candidates(declared: Declarations, asset: str) -> list[SimilarAsset]:
    """The candidates for an asset as the owner listed them, judged by what is declared now."""
    if asset not in declared.similar:
        return []
    listed = dict.fromkeys(declared.similar[asset][1].candidates)
    return [SimilarAsset(each, why_not(declared, asset, each)) for each in listed]


def why_not(declared: Declarations, asset: str, candidate: str) -> str:
    """Why the candidate cannot stand in for the asset; empty if it can.

    Substantially identical property would wash the very loss that was harvested (IRC 1091(a));
    groups may be declared later, so this is asked each time and never stored.
    """
    for each in (asset, candidate):
        if each not in declared.assets:
            return f"asset {each} was never declared: neither its class nor its group is known"
    return _unlike(declared.assets[asset], declared.assets[candidate])


def _unlike(sold: Asset, other: Asset) -> str:
    if other.id == sold.id:
        return f"{other.id} is the same asset"
    if other.group == sold.group:
        return f"{other.id} is of the identical group {sold.group}, as {sold.id} is"
    if other.asset_class != sold.asset_class:
        classes = other.asset_class.name, sold.asset_class.name
        return f"{other.id} is of class {classes[0]}, {sold.id} of class {classes[1]}"
    return ""


def similar_issues(declared: Declarations) -> list[Issue]:
    """Candidates that are not offered, as data issues; nothing is held out of any total."""
    return [
        Issue(ref, "not_similar", f"no replacement for {asset}: {each.why_not}", REMEDY, False)
        for asset, (ref, _) in sorted(declared.similar.items())
        for each in candidates(declared, asset)
        if each.why_not
    ]

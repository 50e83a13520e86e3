"""Similar assets: what the owner listed, what cannot be offered and why, whatever came first."""

from __future__ import annotations

from itertools import permutations

import pytest

from domain.decisions import AssetDeclared, Bust, GroupDeclared, SimilarDeclared
from domain.portfolio import Portfolio
from domain.similar import SimilarAsset, candidates, similar_issues, why_not
from tests.domain.replay import Said

START = "0001-01-01"


def asset(name: str, kind: str = "stock", group: str = "") -> Said:
    return f"asset/{name}", AssetDeclared(
        effective_at=START, asset=name, asset_class=kind, group=group or name
    )


def similar(*names: str, of: str = "A") -> Said:
    fact = SimilarDeclared(effective_at=START, asset=of, candidates=names, reason="same sector")
    return f"similar/{of}", fact


def told(*said: Said) -> Portfolio:
    made = Portfolio()
    for ref, fact in said:
        made.add(ref, fact)
        made.settle()
    return made


def offered(made: Portfolio) -> list[str]:
    return [each.asset for each in candidates(made.declared, "A") if not each.why_not]


def test_candidates_are_as_listed_once_each() -> None:
    made = told(asset("A"), asset("B"), asset("C"), similar("C", "B", "C"))
    assert candidates(made.declared, "A") == [SimilarAsset("C", ""), SimilarAsset("B", "")]
    assert candidates(made.declared, "B") == []
    assert similar_issues(made.declared) == []


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        ("A", "A is the same asset"),
        ("A2", "A2 is of the identical group A, as A is"),
        ("TOKEN", "TOKEN is of the identical group A, as A is"),
        ("COIN", "COIN is of class crypto, A of class stock"),
        ("NOPE", "asset NOPE was never declared: neither its class nor its group is known"),
    ],
)
def test_what_cannot_stand_in_is_listed_with_the_reason(candidate: str, reason: str) -> None:
    made = told(
        asset("A"), asset("A2", group="A"), asset("TOKEN", "tokenized_security", "A"),
        asset("COIN", "crypto"), asset("B"), similar("B", candidate),
    )  # fmt: skip
    assert offered(made) == ["B"]
    (issue,) = similar_issues(made.declared)
    assert (issue.ref, issue.code, issue.blocking) == ("similar/A", "not_similar", False)
    assert issue.says == f"no replacement for A: {reason}"
    assert made.all_issues() == []


def test_of_an_asset_that_was_never_declared_nothing_can_be_said() -> None:
    made = told(asset("B"), similar("B"))
    assert why_not(made.declared, "A", "B").startswith("asset A was never declared")


def test_a_candidate_that_becomes_identical_is_offered_no_more() -> None:
    made = told(asset("A"), asset("B"), asset("C"), similar("B", "C"))
    made.add("group", GroupDeclared(effective_at=START, group="G", assets=("A", "B")))
    made.settle()
    assert offered(made) == ["C"]
    assert why_not(made.declared, "A", "B") == "B is of the identical group G, as A is"
    made.add("group", Bust(effective_at=START))
    made.settle()
    assert offered(made) == ["B", "C"]


def test_a_later_statement_replaces_the_list_and_none_takes_it_back() -> None:
    made = told(asset("A"), asset("B"), asset("C"), similar("B"), similar("C"))
    assert offered(made) == ["C"]
    made.add(*similar())
    made.settle()
    assert offered(made) == []
    made.add(*similar("B"))
    made.add("similar/A", Bust(effective_at=START))
    made.settle()
    assert made.declared.similar == {}


def test_the_order_of_arrival_does_not_matter() -> None:
    said = [asset("A"), asset("B"), asset("C", "crypto"), similar("B", "C")]
    for order in permutations(said):
        assert candidates(told(*order).declared, "A") == candidates(told(*said).declared, "A")

"""Declarations: what no rule knows is reported and left out, and late ones count as early."""

from __future__ import annotations

import pytest

from domain.decisions import (
    AccountDeclared,
    AssetDeclared,
    Bust,
    GroupDeclared,
    PolicyElected,
    ProfileStated,
    StandingOrder,
)
from domain.errors import UnsupportedLaw
from domain.facts import Buy, Fact, Sell
from domain.portfolio import Portfolio
from domain.rules.registry import rule_set
from services import statement
from tests.domain.replay import Said, state

START = "0001-01-01"
X = AssetDeclared(effective_at=START, asset="X", asset_class="stock", group="X")
Z = AssetDeclared(effective_at=START, asset="Z", asset_class="stock", group="Z")
TRADES: list[Said] = [
    ("b1", Buy(effective_at="2025-01-06", account="A", asset="X", quantity="2", amount="200")),
    ("b2", Buy(effective_at="2025-01-07", account="A", asset="Z", quantity="2", amount="90")),
    ("s1", Sell(effective_at="2025-01-20", account="A", asset="X", quantity="1", amount="80")),
    ("b3", Buy(effective_at="2025-01-21", account="P", asset="X", quantity="1", amount="85")),
    ("s2", Sell(effective_at="2025-09-02", account="A", asset="X", quantity="1", amount="80")),
]
DECLARED: list[Said] = [
    ("asset/X", X),
    ("asset/Z", Z),
    ("policy", PolicyElected(effective_at=START, lot_method="LIFO", time_zone="Asia/Tokyo")),
    ("profile", ProfileStated(effective_at=START, filing_status="mfs")),
    ("account/P", AccountDeclared(effective_at=START, account="P", kind="ira")),
    ("group/XZ", GroupDeclared(effective_at=START, group="XZ", assets=("X", "Z"))),
    ("order/A", StandingOrder(effective_at="2025-09-01", account="A", method="HIFO")),
]


def portfolio(said: list[Said], *, settle_each: bool = False) -> Portfolio:
    made = Portfolio()
    for ref, fact in said:
        made.add(ref, fact)
        if settle_each:
            made.settle()
    made.settle()
    return made


@pytest.mark.parametrize("late", range(len(DECLARED)))
def test_a_late_declaration_counts_as_if_it_had_come_first(late: int) -> None:
    early = [each for at, each in enumerate(DECLARED) if at != late]
    said = [*early, *TRADES, DECLARED[late]]
    expected = state(portfolio([*DECLARED, *TRADES]), "2025-12-31")
    assert state(portfolio(said, settle_each=True), "2025-12-31") == expected
    assert state(portfolio(said), "2025-12-31") == expected


def test_a_declared_group_washes_across_its_assets() -> None:
    rows = statement.disposals(portfolio([*DECLARED, *TRADES]))
    assert [row["wash"] for row in rows] == ["20", "0"]
    apart = [each for each in DECLARED if each[0] != "group/XZ"]
    assert len(portfolio([*apart, *TRADES]).books) == 2


def test_a_declaration_taken_back_counts_no_more() -> None:
    said = [*DECLARED, *TRADES, ("group/XZ", Bust(effective_at=START))]
    expected = [each for each in DECLARED if each[0] != "group/XZ"]
    busted = portfolio(said, settle_each=True)
    assert state(busted, "2025-12-31") == state(portfolio([*expected, *TRADES]), "2025-12-31")


UNKNOWN: list[Fact] = [
    AccountDeclared(effective_at=START, account="Q", kind="piggybank"),
    AccountDeclared(effective_at=START, account="Q", owner="neighbour"),
    AccountDeclared(effective_at=START, account="Q", custody="mattress"),
    AssetDeclared(effective_at=START, asset="Q", asset_class="tulip", group="Q"),
    StandingOrder(effective_at=START, account="A", method="DARTS"),
    PolicyElected(effective_at=START, jurisdiction="Utopia"),
    PolicyElected(effective_at=START, lot_method="DARTS"),
    PolicyElected(effective_at=START, time_zone="Mars/Olympus"),
    PolicyElected(effective_at=START, earlier_lots="perhaps"),
    PolicyElected(effective_at=START, spouse_basis="half"),
    PolicyElected(effective_at=START, pool="everything"),
]


@pytest.mark.parametrize("settle_each", [False, True])
@pytest.mark.parametrize("unknown", UNKNOWN, ids=repr)
def test_what_no_rule_knows_is_reported_and_left_out(unknown: Fact, settle_each: bool) -> None:
    made = portfolio([*DECLARED, ("odd", unknown), *TRADES], settle_each=settle_each)
    (issue,) = made.all_issues()
    assert (issue.ref, issue.code, issue.blocking) == ("odd", "unsupported", True)
    without = portfolio([*DECLARED, *TRADES])
    assert statement.disposals(made) == statement.disposals(without)


def test_an_issue_goes_when_its_cause_is_mended() -> None:
    odd = AccountDeclared(effective_at=START, account="Q", kind="piggybank")
    made = portfolio([*DECLARED, ("odd", odd), *TRADES], settle_each=True)
    made.add("odd", AccountDeclared(effective_at=START, account="Q", kind="hsa"))
    made.settle()
    assert made.all_issues() == []


def test_the_law_of_a_jurisdiction_cites_its_sources() -> None:
    law = rule_set("US")
    assert law.cite("wash_basis").source == "IRC 1091(d), 1223(3); Reg. 1.1091-2"
    for rule, citation in law.citations.items():
        assert citation.rule == rule
        assert citation.says.endswith(".")
        assert citation.source
    with pytest.raises(UnsupportedLaw, match="Utopia"):
        rule_set("Utopia")

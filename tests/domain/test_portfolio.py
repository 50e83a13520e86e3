"""What a portfolio says of itself: which books moved, which were folded anew, and what is amiss."""

from __future__ import annotations

import msgspec
import pytest

from domain import checkpoints
from domain.days import day_of
from domain.decisions import (
    AccountDeclared,
    AssetDeclared,
    Bust,
    GroupDeclared,
    PolicyElected,
    ProfileStated,
    StandingOrder,
)
from domain.entries import Issue
from domain.fact_codec import Correction
from domain.facts import BasisAllocation, Buy, Convert, Fact, Leg, Sell
from domain.portfolio import Portfolio
from services import statement
from tests.domain.replay import Said, state

START = "0001-01-01"
UNIVERSAL: Said = ("policy", PolicyElected(effective_at=START, pool="universal_before_2025"))


def asset(name: str, group: str | None = None) -> Said:
    made = AssetDeclared(effective_at=START, asset=name, asset_class="crypto", group=group or name)
    return f"asset/{name}", made


def bought(day: str, quantity: str = "2", *, of: str = "X") -> Buy:
    return Buy(effective_at=day, account="A", asset=of, quantity=quantity, amount="20")


def sold(day: str, quantity: str = "1", *, of: str = "X") -> Sell:
    return Sell(effective_at=day, account="A", asset=of, quantity=quantity, amount="5")


def wrapped(day: str, out: str, into: str) -> Convert:
    return Convert(effective_at=day, account="A", out=Leg(out, "1"), into=Leg(into, "1"))


def settle(portfolio: Portfolio, *said: Said) -> tuple[set[str], set[str]]:
    """Tells facts and settles once; the books that moved, and those that were folded anew.

    Then looks, as a read model does.
    """
    for ref, fact in said:
        portfolio.add(ref, fact)
    portfolio.settle()
    for book in portfolio.books.values():
        book.rewound = None
    return portfolio.changed, portfolio.refolded


def made(*said: Said) -> Portfolio:
    portfolio = Portfolio()
    settle(portfolio, *said)
    return portfolio


def all_of(portfolio: Portfolio) -> tuple[object, ...]:
    return sorted(portfolio.books), state(portfolio, "2026-12-31"), portfolio.all_issues()


@pytest.fixture
def tiny_ladders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every book can go back to before any of its entries."""
    monkeypatch.setattr(checkpoints, "SMALL", 0)
    monkeypatch.setattr(checkpoints, "_STEP", 1)


NONE: set[str] = set()
TWO = (asset("X"), asset("Z"), ("x", bought("2025-02-03")), ("z", bought("2025-02-04", of="Z")))


def test_before_anything_is_told_nothing_has_moved() -> None:
    portfolio = Portfolio()
    assert (portfolio.changed, portfolio.refolded) == (NONE, NONE)
    assert settle(portfolio) == (NONE, NONE)
    assert portfolio.books == {}


def test_a_book_is_new_once_and_then_moves_by_what_is_added() -> None:
    portfolio = Portfolio()
    assert settle(portfolio, *TWO) == ({"X", "Z"}, {"X", "Z"})
    assert settle(portfolio, ("s", sold("2025-03-03"))) == ({"X"}, NONE)
    assert settle(portfolio) == (NONE, NONE)


@pytest.mark.usefixtures("tiny_ladders")
def test_a_late_fact_takes_its_book_back_and_folds_it_anew_only_if_nobody_looked_since() -> None:
    portfolio = made(*TWO, ("s", sold("2025-06-02")))
    book = portfolio.books["X"]
    assert settle(portfolio, ("x2", bought("2025-05-05"))) == ({"X"}, NONE)
    portfolio.add("x3", bought("2025-05-06"))
    portfolio.settle()
    assert (portfolio.books["X"] is book, book.rewound is not None) == (True, True)
    portfolio.add("x4", bought("2025-05-07"))
    portfolio.settle()
    assert (portfolio.changed, portfolio.refolded) == ({"X"}, {"X"})
    assert portfolio.books["X"] is not book


PLAN = BasisAllocation(effective_at="2025-01-01", asset="X", allocations=(), method="global_lifo")


@pytest.mark.usefixtures("tiny_ladders")
@pytest.mark.parametrize(
    ("policy", "plan", "day", "anew"),
    [
        (True, False, "2024-12-31", True),
        (True, False, "2025-01-01", False),
        (True, False, "2025-05-05", False),
        (True, True, "2025-05-05", True),  # an allocation looks ahead to what ends its time
        (False, False, "2024-12-31", False),
        (False, True, "2025-05-05", False),
    ],
)
def test_what_may_change_the_hand_out_of_a_universal_pool_folds_its_book_anew(
    policy: bool, plan: bool, day: str, anew: bool
) -> None:
    """Rev. Proc. 2024-28: the transition is on 1 January 2025."""
    declared = [asset("X"), *([UNIVERSAL] if policy else [])]
    story = [("x", bought("2024-02-01")), *([("plan", PLAN)] if plan else [])]
    last = [("y", bought("2025-02-03")), ("s", sold("2025-06-02"))]
    portfolio = made(*declared, *story, *last)
    late = ("late", bought(day))
    assert settle(portfolio, late) == ({"X"}, {"X"} if anew else NONE)
    assert all_of(portfolio) == all_of(made(*declared, *story, late, *last))
    settle(portfolio, ("late", Bust(effective_at=day)))
    assert all_of(portfolio) == all_of(made(*declared, *story, *last))


@pytest.mark.parametrize(
    ("fresh", "anew"),
    [
        (bought("2024-12-31"), True),
        (bought("2025-01-01"), False),
        (PLAN, True),
    ],
)
def test_what_comes_in_order_but_before_the_hand_out_folds_anew(fresh: Fact, anew: bool) -> None:
    portfolio = made(asset("X"), UNIVERSAL, ("x", bought("2024-02-01")))
    assert settle(portfolio, ("y", fresh)) == ({"X"}, {"X"} if anew else NONE)
    plain = made(asset("X"), ("x", bought("2024-02-01")))
    assert settle(plain, ("y", fresh)) == ({"X"}, NONE)


def test_books_that_look_ahead_are_always_folded_anew() -> None:
    law: Said = ("policy", PolicyElected(effective_at=START, jurisdiction="UK"))
    portfolio = made(*TWO, law)
    assert settle(portfolio, ("s", sold("2025-06-02"))) == ({"X"}, {"X"})


A_NEW_ONE: list[Said] = [
    asset("W"),
    ("account/B", AccountDeclared(effective_at=START, account="B", kind="ira")),
]
CHANGES_ANSWERS: list[Said] = [
    asset("X", "G"),
    ("account/A", AccountDeclared(effective_at=START, account="A", kind="ira")),
    ("order", StandingOrder(effective_at="2025-01-02", account="A", method="LIFO")),
    ("group", GroupDeclared(effective_at=START, group="G", assets=("X", "Z"))),
    ("profile", ProfileStated(effective_at=START, filing_status="mfs")),
    ("policy", PolicyElected(effective_at=START, lot_method="LIFO")),
]


@pytest.mark.parametrize("said", A_NEW_ONE, ids=lambda said: said[0])
def test_a_declaration_of_what_no_fact_named_moves_no_book(said: Said) -> None:
    portfolio = made(*TWO)
    books = dict(portfolio.books)
    assert settle(portfolio, said) == (NONE, NONE)
    assert portfolio.books == books
    assert settle(portfolio, said) == ({"X", "Z"}, {"X", "Z"})  # said again, it is a correction


@pytest.mark.parametrize("said", CHANGES_ANSWERS, ids=lambda said: said[0])
def test_a_declaration_that_may_change_an_answer_folds_all_books_anew(said: Said) -> None:
    portfolio = made(*TWO)
    changed, refolded = settle(portfolio, said)
    assert changed == refolded == {"X", "Z"} | set(portfolio.books)
    assert all_of(portfolio) == all_of(made(said, *TWO) if said[0] != "asset/X" else
                                       made(*TWO[:2], said, *TWO[2:]))  # fmt: skip


def test_a_declaration_is_busted_like_a_trade() -> None:
    law: Said = ("policy", PolicyElected(effective_at=START, lot_method="LIFO"))
    portfolio = made(law, *TWO)
    assert settle(portfolio, ("policy", Bust(effective_at=START))) == ({"X", "Z"}, {"X", "Z"})
    assert portfolio.declared.policy.lot_method == "FIFO"


def test_an_asset_that_was_never_declared_is_an_issue_until_it_is() -> None:
    portfolio = made(*TWO, ("q", bought("2025-02-05", of="Q")))
    assert portfolio.all_issues() == [
        Issue("q", "unknown_asset", "asset Q was never declared",
              "import an assets.csv row or an `asset` fact for it"),
    ]  # fmt: skip
    settle(portfolio, asset("Q"))
    assert portfolio.all_issues() == []
    assert sorted(portfolio.books) == ["Q", "X", "Z"]


@pytest.mark.parametrize("word", [Bust(effective_at="2025-02-06"), "mended"])
def test_the_issue_of_a_fact_goes_with_it(word: Fact | str) -> None:
    portfolio = made(*TWO, ("q", bought("2025-02-05", of="Q")))
    mended = Correction(effective_at="2025-02-06", fact=bought("2025-02-05"))
    settle(portfolio, ("q", mended if isinstance(word, str) else word))
    assert portfolio.all_issues() == []


def test_a_declaration_that_no_rule_knows_is_an_issue_with_its_reason() -> None:
    odd = PolicyElected(effective_at=START, jurisdiction="Utopia")
    for portfolio in (made(*TWO, ("odd", odd)), made(("odd", odd), *TWO)):
        assert portfolio.all_issues() == [
            Issue("odd", "unsupported", "no rule set for jurisdiction 'Utopia' yet",
                  "correct or bust this declaration; until then it is left out"),
        ]  # fmt: skip


def test_issues_of_facts_come_before_those_of_books_by_name() -> None:
    sales: list[Said] = [("z1", sold("2025-06-02", "9", of="Z")), ("x1", sold("2025-06-03", "9"))]
    portfolio = made(*TWO, *sales, ("q", bought("2025-02-05", of="Q")))
    assert [each.ref for each in portfolio.all_issues()] == ["q", "x1", "z1"]


def test_conversions_one_after_another_make_one_book_of_all() -> None:
    assets = [asset(name) for name in "WXYZ"]
    buys: list[Said] = [(f"b{at}", bought(f"2025-02-0{at}", of=of))
                        for at, of in enumerate("WXYZ", 1)]  # fmt: skip
    wraps: list[Said] = [
        ("w1", wrapped("2025-03-03", "X", "Y")),
        ("w2", wrapped("2025-03-04", "Z", "W")),
        ("w3", wrapped("2025-03-05", "Z", "X")),
        ("w4", wrapped("2025-03-06", "X", "W")),
    ]
    at_once = made(*assets, *buys, *wraps)
    assert sorted(at_once.books) == ["Z"]
    for said in ([*buys, *wraps], [*wraps, *buys], [*wraps[:2], *buys, *wraps[2:]]):
        one_by_one = made(*assets)
        for each in said:
            settle(one_by_one, each)
        assert all_of(one_by_one) == all_of(at_once)
    lots = sorted((lot["lot"], lot["asset"], lot["qty"]) for lot in statement.lots(at_once))
    assert [each for each in lots if each[0] == "b4"] == [("b4", "W", "1"), ("b4", "X", "1")]


@pytest.mark.parametrize("turn", [1, -1])
def test_of_standing_orders_of_one_moment_the_last_by_name_holds(turn: int) -> None:
    """The first in is x, the last in y; the dearest lies between them."""
    orders: list[Said] = [
        (ref, StandingOrder(effective_at="2025-01-02", account="A", method=method))
        for ref, method in (("o1", "LIFO"), ("o2", "HIFO"))
    ]
    dear: Said = ("dear", msgspec.structs.replace(bought("2025-02-04"), amount="90"))
    later: Said = ("y", bought("2025-02-05"))
    portfolio = made(asset("X"))
    settle(portfolio, *orders[::turn], TWO[2], dear, later, ("s", sold("2025-03-03")))
    assert [row.lot for row in portfolio.books["X"].disposals] == ["dear"]


def test_a_view_of_a_day_leaves_out_what_is_later_and_so_does_its_bust() -> None:
    portfolio = Portfolio(until_day=day_of("2025-02-28"))
    settle(portfolio, *TWO, ("s", sold("2025-03-01")))
    assert [len(entries) for entries in portfolio.entries.values()] == [1, 1]
    assert settle(portfolio, ("s", Bust(effective_at="2025-03-02"))) == (NONE, NONE)


@pytest.mark.parametrize("last", [[], [("q", bought("2025-02-06"))]])
def test_what_is_told_and_taken_back_before_anyone_looks_was_never_told(last: list[Said]) -> None:
    portfolio = made(*TWO)
    bust: Said = ("q", Bust(effective_at="2025-02-05"))
    settle(portfolio, ("q", bought("2025-02-05")), bust, *last)
    assert all_of(portfolio) == all_of(made(*TWO, *last))
    assert portfolio.changed == ({"X"} if last else NONE)


@pytest.mark.usefixtures("tiny_ladders")
@pytest.mark.parametrize("turn", [1, -1])
def test_a_book_goes_back_to_before_the_first_of_what_was_taken_back(turn: int) -> None:
    more: list[Said] = [(f"x{day}", bought(f"2025-03-0{day}")) for day in range(1, 9)]
    portfolio = made(*TWO)
    for each in (*more, ("s", sold("2025-06-02"))):
        settle(portfolio, each)
    busts: list[Said] = [(ref, Bust(effective_at="2025-07-01")) for ref in ("x2", "s")]
    settle(portfolio, *busts[::turn])
    left = [each for each in more if each[0] != "x2"]
    assert all_of(portfolio) == all_of(made(*TWO, *left))


def test_an_addition_that_no_rule_knows_is_an_issue_with_its_reason() -> None:
    portfolio = made(*TWO)
    odd = AccountDeclared(effective_at=START, account="Q", owner="neighbour")
    assert settle(portfolio, ("odd", odd)) == (NONE, NONE)
    assert portfolio.all_issues() == made(("odd", odd), *TWO).all_issues()
    assert [each.says for each in portfolio.all_issues()] == [
        "account owner 'neighbour' is none of entity, self, spouse"
    ]


@pytest.mark.parametrize("said", [("again", asset("X", "G")[1]), asset("V")], ids=lambda it: it[0])
def test_an_asset_that_was_declared_or_takes_over_a_base_folds_all_books_anew(said: Said) -> None:
    """V is the namesake of its group, whose base was V2 until then."""
    portfolio = made(asset("V2", "V"), *TWO)
    changed, refolded = settle(portfolio, said)
    assert changed == refolded == {"X", "Z"} | set(portfolio.books)
    assert all_of(portfolio) == all_of(made(asset("V2", "V"), *TWO, said))

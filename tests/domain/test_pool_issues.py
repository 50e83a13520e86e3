"""What books of pools tell of a fact that they cannot count, or not finally: every word of it."""

from __future__ import annotations

import pytest

from domain.entries import Issue
from tests.domain.pool_books.records import book_of, folded
from tests.domain.pool_books.told import Json, buy, sell
from tests.domain.test_pool_records import converted, event, moved

BOUGHT = buy("2020-01-06", 10, 100)
MEND = "record the missing acquisition or transfer, or correct this fact"
DAY = "2024-03-01"


def told(law: str, *events: Json, as_of: str = "2030-12-31") -> list[Issue]:
    return folded(law, list(events), as_of).all_issues()


@pytest.mark.parametrize(
    ("fact", "kind", "qty"),
    [
        (sell(DAY, 11, 1), "sell", "11"),
        (moved(DAY, "11", "A", "B"), "transfer", "11"),
        (moved(DAY, "10", "A", "B", fee_qty="0.5", fee_amount="1"), "transfer", "10.5"),
        (moved(DAY, "11", "A", "wife"), "transfer", "11"),
        (converted(DAY, ("11", "X"), ("1.1", "X10")), "convert", "11"),
        (event("abandon", DAY, "11"), "abandon", "11"),
    ],
)
@pytest.mark.parametrize("law", ["UK", "CA"])
def test_more_than_an_account_holds_changes_nothing_and_is_told(
    law: str, fact: Json, kind: str, qty: str
) -> None:
    made = folded(law, [BOUGHT, fact])
    says = f"{kind} of {qty} X, but account A held 10 then"
    assert made.all_issues() == [Issue("e2", "insufficient_units", says, MEND, True)]
    (book,) = made.books.values()
    assert [(lot.account.id, lot.basis) for lot in book.open_lots()] == [("A", 100 * 10**36)]


AT_VALUE = (
    "units that pass from A to firm are disposed of at their market value, which the transfer does "
    "not state"
)
GIFT = (
    "a gift of X is a disposal at its market value, which the fact does not state; nothing is "
    "computed from it"
)


@pytest.mark.parametrize(
    ("fact", "code", "says", "remedy"),
    [
        (moved(DAY, "1", "A", "firm"), "transfer_at_value", AT_VALUE,
         "record a `spend` and a `buy` at the market value of that day instead"),
        (event("gift_out", DAY, "1"), "gift_at_value", GIFT,
         "correct it to a `spend` with the market value of that day as its amount"),
        (event("short_open", DAY, "1", amount="5"), "not_in_this_law",
         "short_open is not modelled for UK; nothing is computed from it",
         "record what happened as purchases and sales at their amounts"),
    ],
)  # fmt: skip
def test_what_needs_a_value_or_is_not_in_this_law_is_told_with_a_remedy(
    fact: Json, code: str, says: str, remedy: str
) -> None:
    assert told("UK", BOUGHT, fact) == [Issue("e2", code, says, remedy, True)]


SAYS = {
    "UK": "a purchase in the 30 days after 2024-03-01 would be matched with this disposal",
    "CA": "the loss counts by what is held on 2024-03-31; until then by what is held now",
}


@pytest.mark.parametrize("law", ["UK", "CA"])
@pytest.mark.parametrize(("as_of", "days"), [(DAY, 30), ("2024-03-20", 11), ("2024-03-30", 1)])
def test_a_loss_whose_thirty_days_are_not_over_says_when_to_ask_again(
    law: str, as_of: str, days: int
) -> None:
    remedy = f"ask again for a day {days} days later"
    assert told(law, BOUGHT, sell(DAY, 4, 20), as_of=as_of) == [
        Issue("e2", "provisional", SAYS[law], remedy, False)
    ]


@pytest.mark.parametrize("law", ["UK", "CA"])
def test_when_the_thirty_days_are_over_nothing_is_provisional(law: str) -> None:
    assert told(law, BOUGHT, sell(DAY, 4, 20), as_of="2024-03-31") == []


@pytest.mark.parametrize("law", ["UK", "CA"])
def test_what_a_spouse_sells_is_provisional_on_no_return_but_theirs(law: str) -> None:
    events = [buy("2020-01-06", 10, 100, account="wife"), sell(DAY, 4, 20, account="wife")]
    assert told(law, *events, as_of=DAY) == []


@pytest.mark.parametrize(("amount", "is_open"), [("40", False), ("39.999999999999999999", True)])
def test_in_canada_only_a_loss_is_provisional(amount: str, is_open: bool) -> None:
    book = book_of("CA", BOUGHT, sell(DAY, 4, amount), as_of=DAY)
    assert [row.is_provisional for row in book.records] == [is_open]
    assert bool(book.issues) is is_open


def test_in_the_uk_what_its_own_day_matches_is_final_and_the_pool_is_not() -> None:
    """4 bought and sold on a day; then the smallest unit more than 4, which the pool gives."""
    for qty, is_open in (("4", False), ("4.000000000000000001", True)):
        book = book_of("UK", BOUGHT, buy(DAY, 4, 50), sell(DAY, qty, 60), as_of=DAY)
        assert [row.is_provisional for row in book.records] == [is_open]
    early = book_of("UK", BOUGHT, sell("2023-03-01", 1, 5), as_of=DAY)
    assert [row.is_provisional for row in early.records] == [False]


@pytest.mark.parametrize("law", ["UK", "CA"])
def test_capital_of_units_that_no_wallet_holds_is_told(law: str) -> None:
    back = event("return_of_capital", DAY, amount="5", account="B")
    made = folded(law, [BOUGHT, back])
    says = "return_of_capital of 0.000000000000000001 X, but account B held 0 then"
    assert made.all_issues() == [Issue("e2", "insufficient_units", says, MEND, True)]
    (book,) = made.books.values()
    assert [lot.basis for lot in book.open_lots()] == [100 * 10**36]

"""What choosing units leaves in a book: the words of a refusal, prices to the last place, order."""

from __future__ import annotations

from tests.domain.make import Json, buy, sell
from tests.domain.records import all_told, folded, issue


def named(**more: object) -> Json:
    """Two units sold for 4.96, one of which is named."""
    return sell("s", "2025-06-02", "2", "4.96", lots=[{"lot": "named", "qty": "1"}]) | more


def test_an_identification_that_does_not_count_says_why_and_what_to_do() -> None:
    book = folded(
        buy("b", "2025-01-06", "2", "20"),
        buy("named", "2025-01-07", "2", "24"),
        named(identified_at="2025-06-20"),
    )
    assert all_told(book.issues) == [
        issue(
            "s",
            "identification_inadequate",
            "identified at 2025-06-20, after the deadline; the account's method was applied",
            "identify the units in time, in the account that holds them",
            blocking=False,
        )
    ]
    assert [(row.lot, row.chosen_by) for row in book.disposals] == [("b", "fifo")]


def test_the_share_of_units_beyond_those_named_is_exact() -> None:
    """At 2.48 a unit `even` makes no loss; a share in floats is less, and would sell it first."""
    book = folded(
        buy("old", "2023-01-06", "1", "1"),
        buy("named", "2025-01-06", "1", "2"),
        buy("even", "2025-01-07", "1", "2.48"),
        named(),
        policy={"lot_method": "HIFO_LT"},
    )
    assert sorted(row.lot for row in book.disposals) == ["named", "old"]


def test_a_pool_stays_in_the_order_of_the_last_sale() -> None:
    """Or it would be put in order again for every sale under a standing order."""
    order = {"id": "so", "type": "standing_order", "date": "2025-05-02", "account": "A",
             "method": "LIFO"}  # fmt: skip
    lots = [buy(f"b{at}", f"2025-01-0{at}", "1", "10") for at in (6, 7)]
    book = folded(*lots, order, sell("s", "2025-06-02", "1", "15"))
    assert [row.lot for row in book.disposals] == ["b7"]
    assert book.pools[("A", "X")].method == "LIFO"

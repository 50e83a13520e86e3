"""Harvest from pools: what a sale of all units of an account would lose, and what blocks it."""

from __future__ import annotations

from msgspec import structs

from domain.days import day_of
from domain.entries import Entry
from domain.exact import ONE_DOLLAR, ONE_UNIT
from domain.harvest import opportunities
from domain.pool_books.average_cost import average_cost
from domain.pool_books.book import PoolBook
from domain.pool_books.harvest import pool_opportunities
from domain.pool_books.reading import Reading
from tests.domain.pool_books.records import REST_OF_A_LOT, book_of, plain
from tests.domain.pool_books.told import Json, buy, sell
from tests.domain.test_pool_records import WEI

OLD = buy("2020-01-06", 10, 100)


def found(law: str, *events: Json, day: str, price: int = 4 * ONE_UNIT) -> list[Json]:
    book = book_of(law, *events)
    return [plain(each) for each in opportunities(book, {"X": price}, day_of(day))]


def test_a_loss_that_nothing_blocks_is_harvested_whole() -> None:
    """10 that cost 100 are worth 40 on the day. A pool has no term to wait for."""
    lot = REST_OF_A_LOT | {
        "ref": "pool", "asset": "X", "account": "A", "quantity": "10", "basis": "100",
        "acquired": "2020-01-06", "origin": "2020-01-06", "order": 1, "serial": 1,
    }  # fmt: skip
    for law in ("UK", "CA"):
        assert found(law, OLD, day="2024-01-11") == [
            {"lot": lot, "price": "4", "value": "40", "basis": "100", "loss": "60", "blocked": "0",
             "harvestable": "60", "is_long": False, "acquired": "2020-01-06", "days_to_long": 0,
             "blocked_by": "", "blocked_until": ""}
        ]  # fmt: skip


def test_the_last_purchase_in_the_way_says_how_long_it_blocks() -> None:
    """All 10 of A sold: S 10, P 3 + 2, B 5, so half of 60. All 5 of B: S 5, P 5, B 10, so all."""
    (first, second) = found(
        "CA", OLD, buy("2024-01-02", 3, 30, account="B"), buy("2024-01-05", 2, 20, account="B"),
        day="2024-01-11",
    )  # fmt: skip
    assert (first["lot"]["account"], first["loss"], first["blocked"]) == ("A", "60", "30")
    assert (first["harvestable"], first["blocked_by"]) == ("30", "e3")
    assert first["blocked_until"] == "2024-02-04"
    assert (second["lot"]["account"], second["loss"], second["blocked"]) == ("B", "30", "30")
    assert (second["harvestable"], second["blocked_by"]) == ("0", "e3")


def test_what_blocked_an_earlier_loss_does_not_block_this_one() -> None:
    """The purchase of 2023 denied the loss beside it; of 11 January nothing is in the way."""
    events = [buy("2020-01-06", 20, 200), sell("2023-06-01", 5, 20), buy("2023-06-10", 5, 50)]
    (one,) = found("CA", *events, day="2024-01-11")
    assert (one["blocked"], one["blocked_by"], one["blocked_until"]) == ("0", "", "")
    assert one["harvestable"] == one["loss"] == "150"


def test_a_sale_on_a_day_before_the_last_fact_is_tried_after_it() -> None:
    """The purchase of 10 March is known: a sale cannot come before it, so it is in the way."""
    events = [OLD, buy("2024-03-10", 5, 50, account="B")]
    (first, _) = found("CA", *events, day="2024-01-11")
    assert (first["blocked"], first["blocked_by"]) == ("30", "e2")


def test_only_losses_are_listed_and_the_smallest_is_one() -> None:
    assert found("CA", OLD, day="2024-01-11", price=10 * ONE_UNIT) == []
    nearly_one = buy("2020-01-06", "0.999999999999999999", WEI, account="B")
    book = book_of("CA", nearly_one, buy("2020-01-07", WEI, 0))
    losses = [each.loss for each in pool_opportunities(book, {"X": 0}, day_of("2024-01-11"))]
    assert losses == [1, ONE_UNIT - 1]


def test_the_trial_is_a_sale_as_if_it_had_been_recorded() -> None:
    """All units at the mark, after all else of the day; a sale recorded then says the same."""
    real = book_of("CA", OLD, buy("2024-01-02", "0.5", 3), sell("2024-01-11", "10.5", 42))
    recorded = real.entries[-1]
    tried: list[Entry] = []

    def compute(book: PoolBook, reading: Reading) -> None:
        average_cost(book, reading)
        tried.append(reading.steps[-1].entry)

    held = book_of("CA", OLD, buy("2024-01-02", "0.5", 3))
    book = PoolBook(held.policy, held.until_day, compute)
    book.take_in(held.entries)
    pool_opportunities(book, {"X": 4 * ONE_UNIT}, day_of("2024-01-11"))
    trial = tried[-1]
    assert trial.fact == structs.replace(recorded.fact, seq=trial.fact.seq)
    assert (trial.kind, trial.quantity, trial.amount) == (
        "sell",
        recorded.quantity,
        42 * ONE_DOLLAR,
    )
    assert (trial.key[0], *trial.key[3:]) == (day_of("2024-01-11"), recorded.key[3], trial.ref, 0)
    assert trial.key > recorded.key

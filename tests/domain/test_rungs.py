"""Where the ladder sets rungs, and what going back to one restores and tells."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import pytest

from domain import checkpoints
from domain.book import Book
from domain.checkpoints import Ladder
from domain.decisions import AssetDeclared
from domain.entries import Entry
from domain.facts import Buy, Convert, Leg, LotPick, Sell
from domain.portfolio import Portfolio
from domain.short_sales import ShortSale
from tests.domain.make import Json, buy, scenario, sell
from tests.domain.records import all_told, folded, told
from tests.domain.replay import Said, portfolio_of
from tests.domain.test_checkpoints import busy, fund
from tests.domain.test_checkpoints import told as settled
from tests.domain.test_short_sales import closed, held, opened

SMALL = 1000


class Steps:
    """A ladder over a book that never changes: what counts here is how many entries come."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.ladder = Ladder()
        self.folded = 0

    def fold(self, count: int) -> list[int]:
        """Folds `count` more entries; after how many entries rungs stand now."""
        self.ladder.fold(self.book, cast("list[Entry]", [None] * count), self._counted)
        assert self.ladder.count == self.folded
        return [rung.count for rung in self.ladder.rungs]

    def _counted(self, book: Book, entries: Iterable[Entry]) -> None:
        assert book is self.book
        self.folded += len(list(entries))


def book_of(said: list[Said]) -> Book:
    found = settled(said).books["X"]
    assert isinstance(found, Book)
    return found


@pytest.fixture
def steps() -> Steps:
    return Steps(book_of(busy(3)))


def below(count: int, *distances: int) -> list[int]:
    return [count - distance for distance in distances]


def test_up_to_a_thousand_entries_no_rung_is_set(steps: Steps) -> None:
    assert steps.fold(SMALL) == []
    assert steps.fold(1) == below(SMALL + 1, 0)


@pytest.mark.parametrize("total", [1024, 1025, 2000])
def test_rungs_of_a_batch_stand_at_doubling_distances_from_its_end(
    total: int, steps: Steps
) -> None:
    distances = [8 << at for at in range(8) if 8 << at < total]
    assert steps.fold(total) == below(total, *reversed(distances))


def test_entries_one_by_one_set_a_rung_every_eight(steps: Steps) -> None:
    steps.fold(2000)
    newest = {steps.fold(1)[-1] for _ in range(40)}
    assert newest == {2001, 2009, 2017, 2025, 2033}


def test_rungs_grow_sparse_as_entries_come_one_by_one(steps: Steps) -> None:
    """A rung stays only as the last one at about its distance; the newest two always stay."""
    steps.fold(2000)
    for _ in range(80):
        counts = steps.fold(1)
    assert counts == below(2080, 592, 112, 15, 7)


@pytest.mark.parametrize(
    ("count", "distances"),
    [(8, [0]), (15, [0, 8]), (16, [8]), (17, [8, 16]), (24, [8, 16]), (33, [8, 16, 32])],
)
def test_a_small_batch_has_a_rung_at_its_end_a_larger_one_before_it(
    count: int, distances: list[int], steps: Steps
) -> None:
    before = steps.fold(2000)
    end = 2000 + count
    fresh = [at for at in steps.fold(count) if at not in before]
    assert fresh == below(end, *reversed(distances))


def test_the_first_rung_comes_after_eight_entries(
    steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "SMALL", 0)
    assert [steps.fold(1) for _ in range(8)] == [[]] * 7 + [[8]]


def bought(count: int) -> list[Said]:
    return [
        (
            f"b{at}",
            Buy(effective_at="2024-01-02", seq=at, account="A", asset="X", quantity="1",
                amount="9"),
        )
        for at in range(count)
    ]  # fmt: skip


def test_the_more_lots_are_open_the_farther_apart_rungs_stand() -> None:
    """A rung keeps every open lot: of 1056 lots, one every 16 entries (a 64th, rounded down)."""
    steps = Steps(book_of(bought(1056)))
    assert steps.fold(2000) == below(2000, 1024, 512, 256, 128, 64, 32, 16)


def test_lots_that_are_gone_do_not_count() -> None:
    """Lots sold by name stay in the heap, empty, until they come up there."""
    names = tuple(LotPick(f"b{at}", "1") for at in range(1056))
    everything = Sell(
        effective_at="2024-01-03", account="A", asset="X", quantity="1056", amount="9999",
        lots=names,
    )  # fmt: skip
    book = book_of([*bought(1056), ("s", everything)])
    assert book.open_lots() == []
    assert Steps(book).fold(2000)[-1] == 1992


@pytest.fixture
def _early_rungs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "SMALL", 0)
    monkeypatch.setattr(checkpoints, "_STEP", 1)


def ladder_of(portfolio: Portfolio, name: str) -> Ladder:
    ladder = portfolio._ladders[name]
    assert isinstance(ladder, Ladder)
    return ladder


def rewound(portfolio: Portfolio, name: str, entries: int) -> Any:
    """Goes back to the last rung before the last `entries` of a book."""
    return ladder_of(portfolio, name).rewind(portfolio.entries[name][-entries].key)


def places(book: Book) -> dict[int, tuple[Any, ...]]:
    """What someone who keeps the open lots has of each, by serial."""
    return {lot.serial: (lot.quantity, lot.basis, lot.account.id) for lot in book.open_lots()}


@pytest.mark.usefixtures("_early_rungs")
@pytest.mark.parametrize("entries", [1, 5, 40])
def test_back_at_a_rung_every_lot_is_as_it_was_then(entries: int) -> None:
    said = busy(300)
    portfolio = settled(said)
    rewound(portfolio, "X", entries)
    book = portfolio.books["X"]
    assert isinstance(book, Book)
    then = book_of(said[: ladder_of(portfolio, "X").count])
    assert all_told(book.open_lots()) == all_told(then.open_lots())
    (now_latest,) = [pool.latest for pool in book.all_pools()]
    (then_latest,) = [pool.latest for pool in then.all_pools()]
    assert now_latest is not None
    assert then_latest is not None
    assert told(now_latest) == told(then_latest)


@pytest.mark.usefixtures("_early_rungs")
@pytest.mark.parametrize("entries", [1, 5, 40])
def test_lots_that_a_rewind_changed_or_took_back_are_told_of(entries: int) -> None:
    """Whoever keeps the open lots up to date by what is touched ends with those of the rung."""
    portfolio = settled(busy(300))
    book = portfolio.books["X"]
    assert isinstance(book, Book)
    kept = places(book)
    book.touched.clear()
    back = rewound(portfolio, "X", entries)
    assert back.serial == book.next_serial
    for lot in book.touched:
        if lot.quantity:
            kept[lot.serial] = (lot.quantity, lot.basis, lot.account.id)
        else:
            assert lot.basis == 0
            kept.pop(lot.serial, None)
    assert kept == places(book)


@pytest.mark.usefixtures("_early_rungs")
@pytest.mark.parametrize("entries", [1, 5, 40])
def test_rows_after_the_rung_are_taken_back_and_those_before_are_as_they_were(entries: int) -> None:
    """A loss whose replacement came after the rung waits for one again."""
    said = busy(300)
    portfolio = settled(said)
    book = portfolio.books["X"]
    rows = list(book.disposals)
    back = rewound(portfolio, "X", entries)
    assert back.kept_rows == len(book.disposals)
    assert back.rows == tuple(rows[back.kept_rows :])
    assert book.disposals == rows[: back.kept_rows]
    then = book_of(said[: ladder_of(portfolio, "X").count])
    assert all_told(book.disposals) == all_told(then.disposals)
    assert {row.serial for row in back.changed} <= {row.serial for row in book.disposals}


SQUEEZED = [
    held(),
    opened("o", "2025-03-03", "10", "1000"),
    buy("b", "2025-03-10", "10", "1200"),
    closed("c", "2025-03-10", "10", "o", "b"),
]


@pytest.mark.usefixtures("_early_rungs")
@pytest.mark.parametrize(
    ("before", "last", "changed"),
    [
        (
            [buy("b", "2024-01-02", "10", "1000"), sell("s", "2025-03-03", "10", "500")],
            buy("r", "2025-03-04", "10", "600"),
            ["s"],
        ),
        (SQUEEZED, sell("s", "2025-03-11", "10", "900", account="B"), ["c"]),
        (SQUEEZED[:3], SQUEEZED[3], []),
    ],
    ids=["a purchase washed it", "a sale washed it", "a short was closed"],
)
def test_a_loss_waits_again_and_a_short_is_open_again(
    before: list[Json], last: Json, changed: list[str]
) -> None:
    portfolio = portfolio_of(scenario(*before, last))
    book, then = portfolio.books["X"], folded(*before)
    back = rewound(portfolio, "X", 1)
    assert isinstance(book, Book)
    assert [row.ref for row in back.changed] == changed
    assert all_told(book.disposals) == all_told(then.disposals)
    assert [told(each) for each in shorts_of(book)] == [told(each) for each in shorts_of(then)]


def shorts_of(book: Book) -> list[ShortSale]:
    return [] if book.shorts is None else list(book.shorts.by_ref.values())


@pytest.mark.usefixtures("_early_rungs")
def test_matches_of_a_group_that_came_later_are_taken_back_whole() -> None:
    """A conversion joins two groups in one book; at the rung only one of them was in it."""
    portfolio = fund()
    declared = AssetDeclared(effective_at="0001-01-01", asset="Y", asset_class="fund", group="Y")
    portfolio.add("asset/Y", declared)
    said = busy(40)
    common: dict[str, Any] = {"account": "A", "asset": "Y", "quantity": "10"}
    said += [
        ("y1", Buy(effective_at="2024-03-01", amount="100", **common)),
        ("y2", Sell(effective_at="2024-03-04", amount="80", **common)),
        ("y3", Buy(effective_at="2024-03-05", amount="90", **common)),
        ("y4", Convert(effective_at="2024-03-06", account="A", out=Leg("Y", "1"),
                       into=Leg("X", "1"))),
    ]  # fmt: skip
    for ref, fact in said:
        portfolio.add(ref, fact)
    portfolio.settle()
    (name,) = portfolio.books
    book = portfolio.books[name]
    assert isinstance(book, Book)
    matches = {group: list(wash.matches) for group, wash in book.washes.items()}
    assert [match.replacement for match in matches["Y"]] == ["y3"]
    back = rewound(portfolio, name, 4)
    kept = {group: back.kept_matches.get(group, 0) for group in matches}
    assert kept["Y"] == 0
    assert back.matches == {group: tuple(all_[kept[group] :]) for group, all_ in matches.items()}

"""Which of an asset's marks values it: the table of ranks, and the same answer from every side."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import permutations
from random import Random

import pytest

from domain.tokens import Token
from services.mark_choice import Candidates, chosen
from services.mark_policy import DERIVED, KINDS, RANKS
from services.marks import MarkBoard, Quote, latest, store, store_after
from services.statement import Mark
from tests.services.house import STOCK, House, buy

NOON = datetime(2025, 3, 10, 12)
ASSETS = ("S", "T", "U", "N")
# T is a tenth of S; U a third of N: both may have marks of their own.
TOKENS = {"T": Token("T", "S", 1, 10), "U": Token("U", "N", 1, 3)}


def instant(**ago: float) -> str:
    """So long before noon, as UTC text."""
    return f"{(NOON - timedelta(**ago)).isoformat(timespec='microseconds')}Z"


def best(*told: tuple[str, int, float]) -> str:
    """The kind that values, of marks (kind, price, hours ago) in the order of storing."""
    candidates: Candidates = {
        kind: (id, Mark("N", price, instant(hours=hours), "feed", kind))
        for id, (kind, price, hours) in enumerate(told, start=1)
    }
    return chosen(candidates).kind


@pytest.mark.parametrize("kind", [kind for kind in (*KINDS, DERIVED) if kind != "manual"])
def test_manual_beats_everything_for_four_days(kind: str) -> None:
    assert best(("manual", 5, 96), (kind, 90, 0)) == "manual"
    assert best(("manual", 5, 96.001), (kind, 90, 0)) == kind


def test_the_best_bid_comes_before_the_floor_and_the_last_sale() -> None:
    assert best(("bid", 5, 72), ("floor", 3, 0), ("trade", 4, 1)) == "bid"
    assert best(("bid", 5, 72), ("floor", 3, 0)) == "bid"
    assert best(("bid", 5, 72.001), ("floor", 3, 0)) == "floor"


def test_without_a_floor_the_newest_of_bid_and_trade_counts() -> None:
    assert best(("bid", 5, 1), ("trade", 4, 0)) == "trade"
    assert best(("trade", 4, 1), ("bid", 5, 0)) == "bid"
    assert best(("bid", 5, 1), ("trade", 4, 0), ("floor", 9, 73)) == "trade"  # a floor long ago


@pytest.mark.parametrize(("trade", "floor", "kind"), [(70, 80, "trade"), (80, 70, "floor")])
def test_of_a_floor_and_the_last_sale_the_lower_counts(trade: int, floor: int, kind: str) -> None:
    for old in ("trade", "floor"):
        ages = {"trade": 0.0, "floor": 0.0, old: 72.0}
        assert best(("trade", trade, ages["trade"]), ("floor", floor, ages["floor"])) == kind
        newer = {"trade": "floor", "floor": "trade"}[old]
        ages[old] = 72.001
        assert best(("trade", trade, ages["trade"]), ("floor", floor, ages["floor"])) == newer


def test_a_floor_and_a_sale_of_the_same_price_are_told_apart_by_age() -> None:
    assert best(("trade", 70, 1), ("floor", 70, 0)) == "floor"
    assert best(("floor", 70, 1), ("trade", 70, 0)) == "trade"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "ask"])
def test_any_mark_of_a_tokens_own_beats_a_derived_one_for_four_days(kind: str) -> None:
    assert best((kind, 5, 96), (DERIVED, 90, 0)) == kind
    assert best((kind, 5, 96.001), (DERIVED, 90, 0)) == DERIVED


@pytest.mark.parametrize("kind", ["trade", "bid", "mid", "nav", "close", DERIVED])
def test_an_ask_counts_only_where_nothing_better_is_fresh(kind: str) -> None:
    assert best((kind, 5, 0.25), ("ask", 90, 0)) == kind
    assert best((kind, 5, 0.251), ("ask", 90, 0)) == "ask"


def test_an_ask_does_not_hide_what_a_better_mark_outranks() -> None:
    assert best(("bid", 5, 48), ("ask", 90, 0), (DERIVED, 70, 0)) == "bid"


def test_of_one_instant_the_one_stored_last_counts() -> None:
    assert best(("mid", 5, 0), ("trade", 6, 0)) == "trade"
    assert best(("trade", 6, 0), ("mid", 5, 0)) == "mid"


@pytest.mark.parametrize("seed", range(20))
def test_something_always_values_and_the_order_of_candidates_does_not_matter(seed: int) -> None:
    rng = Random(seed)
    for _ in range(20):
        kinds = rng.sample((*KINDS, DERIVED), rng.randint(1, 4))
        marks: Candidates = {
            kind: (id, Mark("N", rng.randint(1, 3), instant(hours=rng.choice((0, 0.2, 50, 97))),
                            "feed", kind))
            for id, kind in enumerate(kinds)
        }  # fmt: skip
        found = {chosen(dict(order)) for order in permutations(marks.items())}
        assert len(found) == 1


def test_ranks_name_kinds_that_are() -> None:
    known = {*KINDS, DERIVED}
    for rank in RANKS:
        assert {rank.kind, *(rank.over or ()), rank.beside or rank.kind} <= known


def plain(told: list[Quote], tokens: dict[str, Token]) -> dict[str, Mark]:
    """The marks that value, told from every stored quote each time, without a board."""
    candidates: dict[str, Candidates] = {}
    for id, quote in enumerate(told, start=1):
        known = candidates.setdefault(quote.asset, {}).get(quote.kind)
        if known is None or known[1].at <= quote.at:
            candidates[quote.asset][quote.kind] = (id, quote.mark())
    values = {asset: chosen(each) for asset, each in candidates.items()}
    found = dict(values)
    for token in tokens.values():
        base = values.get(token.base)
        if base is not None:
            price = base.price * token.number // token.unit
            off = (base.price + base.haircut) * token.number // token.unit - price
            kind = "ask" if base.kind == "ask" else "derived"
            source = f"{token.base} x {token.share}"
            share = Mark(token.asset, price, base.at, source, kind, off, base.haircut_share)
            of_token = {**candidates.get(token.asset, {}), "derived": (0, share)}
            found[token.asset] = chosen(of_token)
    return found


@pytest.mark.parametrize("seed", range(25))
def test_board_restart_and_question_agree_on_every_mark(seed: int, house: House) -> None:
    """Whatever comes in whichever order: what moved is named, and all say the same."""
    rng = Random(seed)
    kinds = rng.sample(KINDS, rng.randint(1, 4))
    database = house.app.projector.database
    told: list[Quote] = []
    tokens: dict[str, Token] = {}
    with database.reading() as connection:
        board = MarkBoard(connection, tokens=tokens)
    for _ in range(60):
        if rng.random() < 0.1:
            tokens = {asset: TOKENS[asset] for asset in TOKENS if rng.random() < 0.7}
            before = dict(board.marks)
            moved = board.weigh(tokens)
        else:
            quote = Quote(
                rng.choice(ASSETS), str(rng.randint(1, 99)),
                instant(hours=rng.choice((0, 0, 0.2, 1, 30, 73, 97, 200))), kind=rng.choice(kinds),
                source=str(len(told)),
            )  # fmt: skip
            with database.writing() as connection:
                store(connection, [quote], instant())
            told.append(quote)
            before = dict(board.marks)
            moved = board.take(len(told), quote)
        changed = {
            asset for asset in ASSETS if board.marks.get(asset) != before.get(asset)
        }  # fmt: skip
        assert changed == set(moved)
        expected = plain(told, tokens)
        assert board.marks == expected
    with database.reading() as connection:
        assert latest(connection, tokens=tokens.values()) == expected
        anew = MarkBoard(connection, tokens=tokens)
        assert (anew.marks, anew.last_id) == (expected, board.last_id)
        for until in (instant(), instant(hours=1), instant(days=3)):
            past = [quote for quote in told if quote.at <= until]
            assert latest(connection, until, tokens=tokens.values()) == plain(past, tokens)
        assert latest(connection, known_at=instant(hours=1), tokens=tokens.values()) == {}
        some = MarkBoard(connection, until_id=len(told) // 2, tokens=tokens)
        assert some.marks == plain(told[: len(told) // 2], tokens)
    for asset in ASSETS:
        own = [
            (quote.at, id, quote.mark()) for id, quote in enumerate(told) if quote.asset == asset
        ]
        newest = max(own, key=lambda each: each[:2])[2] if own else None
        assert board.newest(asset) == anew.newest(asset) == newest


def test_many_assets_with_several_kinds_are_read_at_a_start(house: House) -> None:
    quotes = [
        Quote(f"N{number}", "10", instant(), kind=kind)
        for number in range(1100)
        for kind in ("floor", "bid")
    ]
    with house.app.projector.database.writing() as connection:
        store(connection, quotes, instant())
        board = MarkBoard(connection)
    assert {mark.kind for mark in board.marks.values()} == {"bid"}
    assert len(board.marks) == 1100


def corrections(*prices: str, source: str = "feed") -> list[Quote]:
    """A source's words on one instant, in their order."""
    return [Quote("S", price, instant(), source=source) for price in prices]


@pytest.mark.parametrize("at_once", [True, False])
def test_a_corrected_mark_can_be_corrected_back(house: House, *, at_once: bool) -> None:
    """The last word of a feed counts, on the board, after a restart and in every question."""
    database = house.app.projector.database
    told = corrections("189", "150", "189")
    with database.reading() as connection:
        board = MarkBoard(connection)
    for some in [told] if at_once else [[each] for each in told]:
        with database.writing_marks() as connection:
            for id, quote in store_after(connection, some, instant(), board.last_id):
                board.take(id, quote)
    with database.reading() as connection:
        anew = MarkBoard(connection)
        assert {
            board.marks["S"], anew.marks["S"], latest(connection)["S"],
            latest(connection, instant())["S"], latest(connection, known_at=instant())["S"],
        } == {told[0].mark()}  # fmt: skip
        assert board.last_id == anew.last_id == 3
        assert MarkBoard(connection, 2).marks["S"] == told[1].mark()


def test_what_is_told_again_is_known_by_the_price_in_force(house: House) -> None:
    """A series that comes again is told again, and ends as it ended."""

    def new(*quotes: Quote) -> int:
        with house.app.projector.database.writing_marks() as connection:
            count = store(connection, quotes, instant())
            assert MarkBoard(connection).marks["S"].price == told[-1].mark().price
            assert latest(connection) == MarkBoard(connection).marks
        return count

    told = corrections("189", "150")
    assert new(*told, *told) == 4
    assert [new(told[1]), new(told[1], told[1]), new(*told)] == [0, 0, 2]
    other = corrections("150", source="other")
    assert new(*other, *other, *told[1:]) == 1  # each source has a word of its own


def test_a_rule_follows_a_mark_that_is_corrected_back(house: House) -> None:
    house.say(STOCK, buy("b1", "100", "20000"))
    house.watch("loss", "4000")
    at = house.clock.text

    def said(price: str) -> list[str]:
        took = house.app.market.take([Quote("S", price, at, source="feed")], confirmed=True)
        return [type(each).__name__ for each in took]

    assert [said(price) for price in ("189", "150", "189", "189")] == [
        [], ["AlertFired"], ["AlertRearmed"], [],
    ]  # fmt: skip
    assert [row["price"] for row in house.ask()["opportunities"]] == ["189"]
    house = house.reopened()
    assert [row["price"] for row in house.ask()["opportunities"]] == ["189"]

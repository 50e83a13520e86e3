"""The quality of marks: kinds, ages and haircuts, and what a valuation makes of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.assets import ASSET_CLASSES
from domain.exact import ONE_UNIT, quantity
from infra.sources.mark_feed import json_quote
from services.mark_policy import KINDS, POLICIES, haircut, inside, is_stale
from services.marks import Quote
from services.quarantine import BadRow
from tests.services.house import COIN, STOCK, House, buy, sell

NOW = "2025-03-10T12:00:00.000000Z"
PICTURE = {"id": "N", "type": "asset", "asset": "N", "class": "nft", "collectible": False}


def test_every_asset_class_has_a_row() -> None:
    assert set(POLICIES) == set(ASSET_CLASSES)


def test_no_two_classes_cut_the_same_kind_differently() -> None:
    """A mark is valued before it is known whose asset it is."""
    cuts = {(kind, cut) for row in POLICIES.values() for kind, cut in row.haircuts.items()}
    assert len(cuts) == len({kind for kind, _ in cuts})
    assert {kind for kind, _ in cuts} <= set(KINDS)
    assert all(0 < cut < 100 for _, cut in cuts)


@pytest.mark.parametrize(
    ("asset_class", "last_fresh", "first_stale"),
    [
        ("stock", "2025-03-06T12:00:00.000000Z", "2025-03-06T11:59:59.999999Z"),
        ("fund", "2025-03-06T12:00:00.000000Z", "2025-03-06T11:59:59.999999Z"),
        ("tokenized_security", "2025-03-06T12:00:00.000000Z", "2025-03-06T11:59:59.999999Z"),
        ("option", "2025-03-09T12:00:00.000000Z", "2025-03-09T11:59:59.999999Z"),
        ("crypto", "2025-03-10T11:45:00.000000Z", "2025-03-10T11:44:59.999999Z"),
        ("nft", "2025-03-07T12:00:00.000000Z", "2025-03-07T11:59:59.999999Z"),
    ],
)
def test_a_mark_is_too_old_after_the_time_of_its_class(
    asset_class: str, last_fresh: str, first_stale: str
) -> None:
    assert not is_stale(last_fresh, asset_class, NOW)
    assert is_stale(first_stale, asset_class, NOW)
    assert not is_stale("2025-03-10T23:59:59.000000Z", asset_class, NOW)  # today's close


def test_a_close_of_friday_still_counts_on_the_tuesday_after_a_holiday() -> None:
    assert not is_stale("2025-02-14T21:00:00.000000Z", "stock", "2025-02-18T20:59:00.000000Z")


@pytest.mark.parametrize("kind", KINDS)
def test_only_a_floor_is_cut(kind: str) -> None:
    assert haircut(kind) == (ONE_UNIT // 5 if kind == "floor" else 0)
    mark = Quote("N", "10.000000000000000001", NOW, kind=kind).mark()
    assert mark.quoted == quantity("10.000000000000000001")
    assert mark.price == (quantity("8.000000000000000001") if kind == "floor" else mark.quoted)


@pytest.mark.parametrize(
    ("band", "known", "price", "is_inside"),
    [
        (50, 100, 50, True), (50, 100, 49, False), (50, 100, 200, True), (50, 100, 201, False),
        (80, 100, 20, True), (80, 100, 19, False), (80, 100, 500, True), (80, 100, 501, False),
        (50, 100, 0, False), (50, 0, 100, True), (50, 0, 0, True),
    ],
)  # fmt: skip
def test_a_band_is_as_wide_up_as_down(band: int, known: int, price: int, is_inside: bool) -> None:
    assert inside(band, known, price) is is_inside


def test_a_kind_that_is_none_is_refused_with_the_kinds_that_are() -> None:
    row = '{"asset": "X", "price": "1", "time": "2025-03-01", "kind": "last"}'
    bad = json_quote(row, 7, "feed.jsonl")
    assert isinstance(bad, BadRow)
    assert (bad.row, bad.field, bad.remedy) == (7, "kind", "use one of the values named")
    assert all(f"'{kind}'" in bad.reason for kind in KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_taken(kind: str) -> None:
    row = f'{{"asset": "X", "price": "1", "time": "2025-03-01", "kind": "{kind}"}}'
    quote = json_quote(row, 1, "feed.jsonl")
    assert isinstance(quote, Quote)
    assert quote.kind == kind


def test_a_floor_is_harvested_at_its_haircut_and_the_alert_agrees(house: House) -> None:
    house.say(PICTURE, buy("n1", "1", "1000", asset="N"))
    house.watch("loss", "300")
    floor = Quote("N", "900", house.clock.text, source="market", kind="floor")
    house.app.market.take([floor])
    house.app.market.refresh()
    answer = house.ask()
    (found,) = answer["opportunities"]
    assert (found["quoted"], found["haircut"], found["price"]) == ("900", "0.2", "720")
    assert (found["loss"], found["mark_kind"]) == ("280", "floor")
    assert answer["alerts"] == []
    house.clock.advance(minutes=1)
    house.app.market.take([Quote("N", "875", house.clock.text, source="market", kind="floor")])
    (alert,) = house.ask()["alerts"]
    assert alert["value"] == "300"
    (mark,) = alert["evidence"]["marks"]
    assert mark == {"asset": "N", "price": "700", "at": house.clock.text, "source": "market",
                    "kind": "floor"}  # fmt: skip
    house.app.market.refresh()
    assert house.unequal() == []
    assert house.reopened().ask() == house.ask()


def test_a_bid_is_worth_what_is_bid(house: House) -> None:
    house.say(PICTURE, buy("n1", "1", "1000", asset="N"))
    house.app.market.take([Quote("N", "900", house.clock.text, kind="bid")])
    (found,) = house.ask()["opportunities"]
    assert (found["quoted"], found["haircut"], found["price"]) == ("900", "0", "900")


def test_marks_grow_old_by_class_while_nothing_happens(house: House) -> None:
    house.say(STOCK, COIN, buy("b1", "1", "100"), buy("b2", "1", "100", asset="C"))
    house.ticks(("S", "90"), ("C", "90"))

    def stale() -> list[str]:
        rows = house.ask()["opportunities"]
        return sorted(row["asset"] for row in rows if row["mark_stale"])

    seen = []
    for wait in (timedelta(minutes=15), timedelta(minutes=1), timedelta(days=4)):
        house.clock.now += wait
        seen.append(stale())
    assert seen == [[], ["C"], ["C", "S"]]
    assert house.app.queries.harvest(house.app.queries.view("main"))[1] == ["C", "S"]
    past = house.ask(as_of="2025-03-01", known_at="2025-03-01T12:10:00Z")["opportunities"]
    assert [row["mark_stale"] for row in past] == [False, False]
    ended = house.ask(as_of="2025-03-01", known_at="2025-03-01")["opportunities"]
    assert {row["asset"]: row["mark_stale"] for row in ended} == {"C": True, "S": False}


def test_old_marks_count_where_there_is_no_loss_yet_and_only_of_what_could_be_sold(
    house: House,
) -> None:
    house.say({"id": "I", "type": "account", "account": "I", "kind": "ira"}, STOCK, COIN, PICTURE)
    house.say(buy("b1", "1", "100"), buy("b2", "1", "100", asset="C"))
    house.say(buy("b3", "1", "100", asset="N", account="I"), sell("s1", "1", "100"))
    house.ticks(("S", "120"), ("C", "120"), ("N", "120"), ("X", "120"))
    house.clock.advance(days=5)
    assert house.app.queries.harvest(house.app.queries.view("main")) == ([], ["C"])

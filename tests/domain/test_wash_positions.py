"""Wash sales under positions that keep more units in play, and units that change their asset."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from domain.exact import ONE_UNIT
from domain.lots import Pool
from domain.portfolio import Portfolio
from infra.sources.scenario_file import parse_scenario
from tests.domain.make import Json, buy, cells, result, scenario, sell

ROW = ("event", "lot", "qty", "basis", "wash")
LOT = ("lot", "asset", "qty", "basis", "acquired")
KEPT = {"sold_replacements": "count"}


def split(date: str, num: str, den: str, asset: str = "X") -> Json:
    return {"id": "split", "type": "split", "date": date, "asset": asset, "num": num, "den": den}


def gone_before(*between: Json, sold: str = "10", **policy: str) -> Json:
    """Ten units for 1000; ten more are bought and sold again before the first lose 200."""
    return result(
        buy("old", "2024-01-02", "10", "1000"),
        buy("new", "2025-02-03", "10", "900"),
        sell("out", "2025-02-10", "10", "950", lots=[{"lot": "new", "qty": "10"}]),
        *between,
        sell("loss", "2025-02-20", sold, "800"),
        policy=KEPT | policy,
    )


def test_units_gone_before_the_loss_take_it_on_their_row_by_a_position() -> None:
    answer = gone_before()
    assert cells(answer["disposals"], *ROW) == [
        ("out", "new", "10", "1100", "0"),
        ("loss", "old", "10", "1000", "200"),
    ]
    assert answer["totals"]["gain"] == "-350"


def test_they_are_not_found_by_default() -> None:
    answer = gone_before(sold_replacements="ignore")
    assert cells(answer["disposals"], *ROW)[1] == ("loss", "old", "10", "1000", "0")


def test_they_are_counted_in_new_units_after_a_split() -> None:
    """Twenty new units make the loss that ten did; twenty gone ones take it all."""
    answer = gone_before(split("2025-02-12", "2", "1"), sold="20")
    assert cells(answer["disposals"], *ROW) == [
        ("out", "new", "10", "1100", "0"),
        ("loss", "old", "20", "1000", "200"),
    ]


def test_a_split_of_another_asset_of_the_group_leaves_them_as_they_are() -> None:
    answer = result(
        buy("old", "2024-01-02", "10", "1000"),
        buy("t", "2025-02-03", "10", "900", asset="T"),
        sell("out", "2025-02-10", "10", "950", asset="T"),
        split("2025-02-12", "2", "1"),
        sell("loss", "2025-02-20", "20", "800"),
        assets=[
            {"id": "X", "class": "stock", "group": "X"},
            {"id": "T", "class": "tokenized_security", "group": "X"},
        ],
        policy=KEPT,
    )
    assert cells(answer["disposals"], *ROW) == [
        ("out", "t", "10", "1100", "0"),
        ("loss", "old", "20", "1000", "200"),
    ]


def test_units_held_and_units_gone_take_a_loss_in_the_order_of_their_places() -> None:
    """Four of the ten bought are sold first: they lie before the six still held."""
    answer = result(
        buy("old", "2024-01-02", "8", "800"),
        buy("new", "2025-02-03", "10", "900"),
        sell("out", "2025-02-10", "4", "380", lots=[{"lot": "new", "qty": "4"}]),
        sell("loss", "2025-02-20", "8", "640"),
        policy=KEPT,
    )
    assert cells(answer["disposals"], *ROW) == [
        ("out", "new", "4", "440", "0"),
        ("loss", "old", "8", "800", "160"),
    ]
    assert cells(answer["open_lots"], "qty", "basis") == [("4", "440"), ("2", "180")]


def test_of_units_gone_in_two_sales_a_small_loss_takes_the_first_alone() -> None:
    answer = result(
        buy("old", "2024-01-02", "4", "400"),
        buy("new", "2025-02-03", "10", "900"),
        sell("out1", "2025-02-10", "4", "400", lots=[{"lot": "new", "qty": "4"}]),
        sell("out2", "2025-02-11", "6", "600", lots=[{"lot": "new", "qty": "6"}]),
        sell("loss", "2025-02-20", "4", "320"),
        policy=KEPT,
    )
    assert cells(answer["disposals"], *ROW) == [
        ("out1", "new", "4", "440", "0"),
        ("out2", "new", "6", "540", "0"),
        ("loss", "old", "4", "400", "80"),
    ]


def test_units_gone_are_in_no_retirement_account_when_taxable_ones_come_first() -> None:
    answer = result(
        buy("old", "2024-01-02", "10", "1000"),
        buy("ira", "2025-02-01", "10", "900", account="R"),
        buy("new", "2025-02-03", "6", "540"),
        sell("out", "2025-02-10", "6", "570", lots=[{"lot": "new", "qty": "6"}]),
        sell("loss", "2025-02-20", "10", "800"),
        policy=KEPT | {"replacement_order": "taxable_first"},
    )
    assert cells(answer["disposals"], *ROW) == [
        ("out", "new", "6", "660", "0"),
        ("loss", "old", "10", "1000", "200"),
    ]


def test_units_gone_from_an_account_that_takes_no_basis_disallow_the_loss_all_the_same() -> None:
    """The spouse's units, by the position that the spouse's basis takes nothing."""
    answer = result(
        buy("old", "2024-01-02", "10", "1000"),
        buy("new", "2025-02-03", "10", "900", account="M"),
        sell("out", "2025-02-10", "10", "950", account="M"),
        sell("loss", "2025-02-20", "10", "800"),
        policy=KEPT | {"spouse_basis": "none"},
    )
    assert cells(answer["disposals"], *ROW) == [
        ("out", "new", "10", "900", "0"),
        ("loss", "old", "10", "1000", "200"),
    ]


def test_units_sold_at_a_gain_use_up_units_gone_and_move_nothing() -> None:
    """Six of the ten gone are used up by a gain; a loss of ten finds four."""
    answer = result(
        buy("cheap", "2024-01-02", "6", "60"),
        buy("old", "2024-02-01", "10", "1000"),
        buy("new", "2025-02-03", "10", "900"),
        sell("out", "2025-02-10", "10", "900", lots=[{"lot": "new", "qty": "10"}]),
        sell("gain", "2025-02-12", "6", "600", lots=[{"lot": "cheap", "qty": "6"}]),
        sell("loss", "2025-02-20", "10", "800"),
        policy=KEPT | {"gain_units": "in_order"},
    )
    assert cells(answer["disposals"], *ROW) == [
        ("out", "new", "10", "980", "0"),
        ("gain", "cheap", "6", "60", "0"),
        ("loss", "old", "10", "1000", "80"),
    ]


@pytest.mark.parametrize(
    ("classes", "wash"), [(["stock"], "0"), (["stock", "tokenized_security"], "20")]
)
def test_only_classes_under_the_rule_on_the_day_of_the_loss_replace(
    classes: list[str], wash: str
) -> None:
    """A token of the share is identical to it, but under the rule only where the law says so."""
    answer = result(
        buy("b", "2024-01-02", "1", "100"),
        sell("loss", "2025-02-03", "1", "80"),
        buy("t", "2025-02-10", "1", "85", asset="T"),
        assets=[
            {"id": "X", "class": "stock", "group": "X"},
            {"id": "T", "class": "tokenized_security", "group": "X"},
        ],
        policy={"wash_sale": [{"from": "2020-01-01", "classes": classes}]},
    )
    assert [row["wash"] for row in answer["disposals"]] == [wash]


@pytest.mark.parametrize(("asset", "blocked"), [("X", "50"), ("Y", "0")])
def test_a_harvest_is_blocked_only_for_classes_under_the_rule(asset: str, blocked: str) -> None:
    """A coin bought again three weeks ago stands in no loss's way today."""
    answer = result(
        buy("old", "2024-01-02", "1", "100", asset=asset),
        buy("new", "2025-02-03", "1", "40", asset=asset),
        marks={asset: "50"},
        as_of="2025-02-24",
    )
    (found,) = [each for each in answer["harvest"] if each["lot"] == "old"]
    assert (found["loss"], found["blocked"]) == ("50", blocked)


@pytest.mark.parametrize(("position", "joined"), [("time", "900"), ("taxable_first", "1100")])
def test_what_comes_first_decides_where_the_loss_goes(position: str, joined: str) -> None:
    answer = result(
        buy("old", "2024-01-02", "10", "1000"),
        buy("ira", "2025-02-01", "10", "900", account="R"),
        buy("new", "2025-02-03", "10", "900", account="B"),
        sell("loss", "2025-02-20", "10", "800"),
        policy={"replacement_order": position},
    )
    lots = dict(cells(answer["open_lots"], "lot", "basis"))
    assert lots == {"ira": "900", "new": joined}


@pytest.mark.parametrize(("position", "taken"), [("skip", "120"), ("in_order", "100")])
def test_units_sold_at_a_gain_use_replacements_up_by_a_position(position: str, taken: str) -> None:
    """Both are sold on one day: the gain first, which moves nothing but bars its replacement."""
    answer = result(
        buy("cheap", "2024-01-02", "1", "50"),
        buy("dear", "2024-02-01", "1", "120"),
        sell("gain", "2025-02-03", "1", "100"),
        sell("loss", "2025-02-03", "1", "100", seq=1),
        buy("r", "2025-02-10", "1", "100"),
        policy={"gain_units": position},
    )
    assert dict(cells(answer["open_lots"], "lot", "basis")) == {"r": taken}


def test_pieces_of_one_purchase_that_are_converted_apart_stay_one_purchase() -> None:
    """A loss of the other group finds them by the day of the purchase, share for share."""
    legs = {"out": {"asset": "X", "qty": "4"}, "in": {"asset": "Y", "qty": "4"}}
    convert = {"type": "convert", "account": "A"} | legs
    answer = result(
        buy("y", "2024-01-02", "10", "1000", asset="Y"),
        buy("x", "2025-02-03", "10", "900"),
        convert | {"id": "w1", "date": "2025-02-04"},
        convert | {"id": "w2", "date": "2025-02-05"},
        sell("loss", "2025-02-20", "10", "800", asset="Y", lots=[{"lot": "y", "qty": "10"}]),
        policy={"wash_sale": "conservative"},
    )
    assert cells(answer["disposals"], *ROW) == [("loss", "y", "10", "1000", "160")]
    found = sorted(cells(answer["open_lots"], "lot", "asset", "qty", "basis"))
    assert found == [("x", "X", "2", "180"), ("x", "Y", "8", "880")]


def test_pro_rata_gives_what_is_too_little_to_share_from_the_last_part() -> None:
    """One unit of 10**-18 of a lot whose parts are three and seven tenths."""
    answer = result(
        buy("old", "2024-01-02", "3", "300"),
        sell("loss", "2025-02-03", "3", "240"),
        buy("r", "2025-02-10", "10", "800"),
        sell("s", "2025-06-02", "0.000000000000000001", "1"),
        policy={"sub_lots": "pro_rata"},
    )
    assert sorted(cells(answer["open_lots"], "qty", "basis")) == [
        ("3", "300"),
        ("6.999999999999999999", "559.99999999999999992"),
    ]


def churned(rounds: int, **policy: Any) -> Portfolio:
    """Two units sold at a loss and bought back, again and again; each purchase takes the loss."""
    events = [buy("b0", "2020-01-01", "2", "200")]
    for number in range(1, rounds + 1):
        day = date(2020, 1, 1) + timedelta(days=2 * number)
        seen = day.isoformat()
        events += [
            sell(f"s{number}a", seen, "1", "90", seq=1),
            sell(f"s{number}b", seen, "1", "90", seq=2),
            buy(f"b{number}", seen, "2", "190", seq=3),
        ]
    parsed = parse_scenario(scenario(*events, policy=policy))
    portfolio = Portfolio()
    for ref, fact in [*parsed.declarations, *[event[:2] for event in parsed.events]]:
        portfolio.add(ref, fact)
    portfolio.settle()
    return portfolio


def test_pooled_pieces_remember_only_what_is_held() -> None:
    """Or a day trader's book would grow with every purchase that was ever sold."""
    portfolio = churned(60, pool_pieces=True)
    (pool,) = portfolio.books["X"].pools.values()
    assert isinstance(pool, Pool)
    (lot,) = pool.lots()
    assert (lot.quantity, len(pool.absorbers) <= 8) == (2 * ONE_UNIT, True)
    exact = sum(each.basis for each in churned(60).books["X"].open_lots())
    assert lot.basis == exact


@pytest.mark.parametrize(("position", "acquired"), [("add", "2023-12-16"), ("once", "2024-01-02")])
def test_an_overlap_of_the_holding_periods_counts_twice_or_once(
    position: str, acquired: str
) -> None:
    """Bought 17 days before the loss of units held since 2 January 2024."""
    answer = result(
        buy("old", "2024-01-02", "1", "100"),
        buy("new", "2025-02-03", "1", "90"),
        sell("loss", "2025-02-20", "1", "80"),
        policy={"overlap_days": position},
    )
    assert cells(answer["open_lots"], *LOT) == [("new", "X", "1", "110", acquired)]


@pytest.mark.parametrize(
    ("pooled", "first", "last"),
    [
        (False, ["2022-01-02", "2023-01-02"], ["2022-01-12", "2023-01-12"]),
        (True, ["2023-11-30"], ["2023-12-10"]),
    ],
)
def test_pooled_pieces_tack_no_more_than_makes_them_long_term(
    pooled: bool, first: list[str], last: list[str]
) -> None:
    """Two lots, each held over a year, replaced at once and once more ten days after the sale."""
    facts = [
        buy("old", "2022-01-02", "1", "100"),
        buy("later", "2023-01-02", "1", "100"),
        sell("loss", "2024-12-01", "2", "160", seq=1),
        buy("new", "2024-12-01", "2", "160", seq=2),
    ]
    again = [
        sell("again", "2024-12-01", "2", "150", seq=3),
        buy("last", "2024-12-11", "2", "150"),
    ]
    policy = {"pool_pieces": pooled}
    once, twice = result(*facts, policy=policy), result(*facts, *again, policy=policy)
    assert [lot["acquired"] for lot in once["open_lots"]] == first
    assert [lot["acquired"] for lot in twice["open_lots"]] == last
    assert {row["term"] for row in twice["disposals"]} == {"L"}

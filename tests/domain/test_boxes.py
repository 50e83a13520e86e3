"""Form 8949 boxes: A to F for securities, G to L for digital assets, by who reported what."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from domain.accounts import Account
from domain.assets import Asset, asset_class
from domain.days import day_of
from domain.disposals import Disposal, box
from domain.rules.registry import rule_set

US = rule_set("US")
BROKER, OWN = Account("A"), Account("W", custody="self")


def row(kind: str, origin: str, sold: str, **more: Any) -> Disposal:
    fields: dict[str, Any] = {
        "serial": 1, "ref": "s", "lot": "b", "account": BROKER, "quantity": 1, "proceeds": 2,
        "own_basis": 1, "acquired": day_of(origin), "order": 1, "is_long": False,
        "covered": True, "inherited": False, "chosen_by": "fifo",
    } | more  # fmt: skip
    asset = Asset("X", asset_class(kind), "X")
    return Disposal(asset=asset, origin=day_of(origin), sold=day_of(sold), **fields)


@pytest.mark.parametrize(
    ("kind", "origin", "sold", "account", "covered", "boxes"),
    [
        ("stock", "2010-12-31", "2026-03-02", BROKER, True, "BE"),
        ("stock", "2011-01-01", "2026-03-02", BROKER, True, "AD"),
        ("stock", "2020-01-01", "2026-03-02", BROKER, False, "BE"),
        ("stock", "2020-01-01", "2026-03-02", OWN, True, "CF"),
        ("fund", "2011-12-31", "2026-03-02", BROKER, True, "BE"),
        ("fund", "2012-01-01", "2026-03-02", BROKER, True, "AD"),
        ("option", "2013-12-31", "2026-03-02", BROKER, True, "BE"),
        ("option", "2014-01-01", "2026-03-02", BROKER, True, "AD"),
        ("crypto", "2020-01-01", "2024-12-31", BROKER, True, "CF"),
        ("crypto", "2020-01-01", "2025-01-01", BROKER, True, "HK"),
        ("crypto", "2025-12-31", "2026-03-02", BROKER, True, "HK"),
        ("crypto", "2026-01-01", "2026-03-02", BROKER, True, "GJ"),
        ("crypto", "2026-01-01", "2026-03-02", BROKER, False, "HK"),
        ("crypto", "2026-01-01", "2026-03-02", OWN, True, "IL"),
        ("nft", "2026-01-01", "2026-03-02", BROKER, True, "GJ"),
        ("tokenized_security", "2026-01-01", "2026-03-02", BROKER, True, "GJ"),
    ],
)
def test_a_row_goes_into_the_box_of_what_the_broker_reported(
    kind: str, origin: str, sold: str, account: Account, covered: bool, boxes: str
) -> None:
    """Instructions for Form 8949; covered from: Reg. 1.6045-1(a)(15), (d)(2)."""
    made = [
        row(kind, origin, sold, account=account, covered=covered, is_long=is_long)
        for is_long in (False, True)
    ]
    assert "".join(box(each, US) for each in made) == boxes


def test_days_that_were_tacked_make_no_unit_covered() -> None:
    """What counts is the day on which the owner really got the units."""
    tacked = row("stock", "2010-12-31", "2026-03-02", acquired=day_of("2011-06-01"))
    assert box(tacked, US) == "B"


@pytest.mark.parametrize(
    ("proceeds", "basis", "moved", "gain", "is_loss"),
    [(10, 8, 0, 2, False), (10, 10, 0, 0, False), (10, 11, 0, -1, True), (10, 8, 5, -3, False)],
)
def test_a_basis_that_moved_in_later_changes_the_gain_and_makes_no_new_loss(
    proceeds: int, basis: int, moved: int, gain: int, is_loss: bool
) -> None:
    made = row(
        "stock", "2025-01-06", "2025-02-03", proceeds=proceeds, own_basis=basis, moved_in=moved
    )
    assert (made.gain, made.basis, made.is_loss) == (gain, basis + moved, is_loss)


def test_the_window_of_a_closed_short_sale_lies_around_the_day_it_was_opened() -> None:
    """Reg. 1.1091-1(g)."""
    made = row("stock", "2025-01-06", "2025-02-03")
    assert made.loss_day == made.sold
    opened = msgspec.structs.replace(made, opened=day_of("2025-01-20"))
    assert opened.loss_day == day_of("2025-01-20")


@pytest.mark.parametrize(
    ("collectible", "is_long", "wash", "code"),
    [
        (False, False, 0, ""),
        (False, True, 5, "W"),
        (True, False, 0, ""),
        (True, False, 5, "W"),
        (True, True, 0, "C"),
        (True, True, 5, "CW"),
    ],
)
def test_a_row_has_the_codes_of_column_f_in_their_order(
    collectible: bool, is_long: bool, wash: int, code: str
) -> None:
    made = row("nft", "2025-01-06", "2026-03-02", is_long=is_long, wash=wash, own_basis=9)
    made.asset = Asset("X", asset_class("nft"), "X", collectible=collectible)
    assert (made.code, made.term) == (code, "L" if is_long else "S")
    assert (made.gain, made.taxable) == (-7, -7 + wash)


def test_column_b_says_when_units_were_acquired_or_that_they_were_inherited() -> None:
    assert row("stock", "2025-01-06", "2025-02-03").acquired_text == "2025-01-06"
    assert row("stock", "2025-01-06", "2025-02-03", inherited=True).acquired_text == "INHERITED"


def test_a_law_without_the_form_has_no_boxes() -> None:
    elsewhere = replace(US, has_form_8949=False)
    assert box(row("stock", "2020-01-01", "2026-03-02"), elsewhere) == ""

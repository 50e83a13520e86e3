"""Elections: each changes one position, keeps the rest, and unknown answers are refused."""

from __future__ import annotations

from dataclasses import fields
from zoneinfo import ZoneInfo

import pytest

from domain.days import day_of
from domain.decisions import PolicyElected, WashSaleVersion
from domain.elections import default_policy, elect
from domain.errors import UnsupportedLaw
from domain.exact import money
from domain.policy import Policy
from domain.rules.positions import POSITIONS, Position

START = "0001-01-01"


def elected(**answers: object) -> Policy:
    return elect(default_policy(), PolicyElected(effective_at=START, **answers))  # type: ignore[arg-type]


def changed(policy: Policy) -> dict[str, object]:
    before = default_policy()
    return {
        each.name: getattr(policy, each.name)
        for each in fields(Policy)
        if getattr(policy, each.name) != getattr(before, each.name)
    }


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"lot_method": "HIFO"}, {"lot_method": "HIFO"}),
        ({"currency": "CHF"}, {"currency": "CHF"}),
        ({"time_zone": "Asia/Tokyo"}, {"time_zone": "Asia/Tokyo"}),
        ({"rate_short": "0.37"}, {"rate_short": money("0.37")}),
        ({"rate_long": "0.2"}, {"rate_long": money("0.2")}),
        ({"rate_short": "0", "rate_long": "1"}, {"rate_short": 0, "rate_long": money("1")}),
        ({"income_is_acquisition": False}, {"income_is_acquisition": False}),
        ({"pool_pieces": True}, {"pool_pieces": True}),
        ({"earlier_lots": "ignore"}, {"earlier_lots": "ignore"}),
        ({"spouse_basis": "none"}, {"spouse_basis": "none"}),
        ({"entity_basis": "shift"}, {"entity_basis": "shift"}),
        ({"pool": "universal_before_2025"}, {"pool": "universal_before_2025"}),
        ({"sold_replacements": "count"}, {"sold_replacements": "count"}),
        ({"full_exit": "allow"}, {"full_exit": "allow"}),
        ({"gain_units": "in_order"}, {"gain_units": "in_order"}),
        ({"replacement_order": "taxable_first"}, {"replacement_order": "taxable_first"}),
        ({"overlap_days": "once"}, {"overlap_days": "once"}),
        ({"sub_lots": "pro_rata"}, {"sub_lots": "pro_rata"}),
        ({"self_custody_pool": "one"}, {"self_custody_pool": "one"}),
        ({"wrap": "swap"}, {"wrap": "swap"}),
        ({"transfer_fee": "add_to_basis"}, {"transfer_fee": "add_to_basis"}),
        ({"abandonment": "ordinary"}, {"abandonment": "ordinary"}),
        ({"abandonment": "capital"}, {"abandonment": "capital"}),
        ({"digital_art": "collectible"}, {"digital_art": "collectible"}),
        ({"digital_art": "not_collectible"}, {"digital_art": "not_collectible"}),
        ({}, {}),
    ],
    ids=str,
)
def test_an_election_changes_what_it_says_and_nothing_else(
    said: dict[str, object], kept: dict[str, object]
) -> None:
    assert changed(elected(**said)) == kept


def test_a_later_election_keeps_what_it_leaves_out() -> None:
    first = elected(lot_method="LIFO", wrap="swap", rate_long="0.2", pool_pieces=True)
    second = elect(first, PolicyElected(effective_at=START, wrap="no_event", pool_pieces=False))
    assert changed(second) == {"lot_method": "LIFO", "rate_long": money("0.2")}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"lot_method": "DARTS"}, "lot method 'DARTS' is none of FIFO, LIFO, HIFO"),
        ({"time_zone": "Mars/Olympus"}, "time zone 'Mars/Olympus' is not in the IANA data base"),
        ({"time_zone": "/etc/hosts"}, "time zone '/etc/hosts' is not in the IANA data base"),
        ({"rate_short": "-0.01"}, "policy rate_short = -0.01 is no share between 0 and 1"),
        ({"rate_long": "1.01"}, "policy rate_long = 1.01 is no share between 0 and 1"),
        ({"wrap": "gift"}, "policy wrap = 'gift' is none of no_event, swap"),
        (
            {"abandonment": "theft"},
            "policy abandonment = 'theft' is none of nothing, ordinary, capital",
        ),
    ],
)
def test_an_unknown_answer_is_refused_with_those_on_offer(
    said: dict[str, object], told: str
) -> None:
    with pytest.raises(UnsupportedLaw) as refused:
        elected(**said)
    assert str(refused.value).startswith(told)


def test_an_unknown_class_in_a_wash_sale_version_is_refused() -> None:
    with pytest.raises(UnsupportedLaw, match="asset class 'tulip'"):
        elected(wash_sale=(WashSaleVersion("2026-01-01", ("stock", "tulip")),))


def test_the_wash_sale_version_of_the_day_of_the_loss_governs() -> None:
    later, sooner = WashSaleVersion("2026-01-01", ("crypto",)), WashSaleVersion("2020-01-01", ())
    policy = elected(wash_sale=(later, sooner))
    assert policy.wash_classes(day_of("2019-12-31")) == frozenset()
    assert policy.wash_classes(day_of("2020-01-01")) == frozenset()
    assert policy.wash_classes(day_of("2025-12-31")) == frozenset()
    assert policy.wash_classes(day_of("2026-01-01")) == {"crypto"}
    assert "stock" in default_policy().wash_classes(1)
    assert "crypto" not in default_policy().wash_classes(day_of("2026-01-01"))


def test_of_two_versions_of_one_day_the_later_said_governs() -> None:
    wider, narrower = (
        WashSaleVersion("2026-01-01", ("stock", "crypto")),
        WashSaleVersion("2026-01-01", ("stock",)),
    )
    day = day_of("2026-01-01")
    assert elected(wash_sale=(wider, narrower)).wash_classes(day) == {"stock"}
    assert elected(wash_sale=(narrower, wider)).wash_classes(day) == {"stock", "crypto"}


def test_utc_needs_no_conversion_and_any_other_zone_does() -> None:
    assert default_policy().zone is None
    assert elected(time_zone="Asia/Tokyo").zone == ZoneInfo("Asia/Tokyo")


@pytest.mark.parametrize(
    ("said", "owners"),
    [
        ({}, {"self", "spouse"}),
        ({"spouse_basis": "none"}, {"self"}),
        ({"entity_basis": "shift"}, {"self", "spouse", "entity"}),
        ({"spouse_basis": "none", "entity_basis": "shift"}, {"self", "entity"}),
    ],
    ids=["default", "spouse apart", "entity too", "entity, spouse apart"],
)
def test_basis_shifts_to_those_owners_that_the_positions_name(
    said: dict[str, str], owners: set[str]
) -> None:
    assert elected(**said).shifting_owners == owners


FREE = {"jurisdiction", "currency", "lot_method", "tz", "time_zone", "rates", "wash_sale"}
SWITCHES = [position for name, position in POSITIONS.items() if name not in FREE]


@pytest.mark.parametrize("position", SWITCHES, ids=lambda position: position.name)
def test_the_catalogue_of_positions_has_the_defaults_and_answers_of_the_engine(
    position: Position,
) -> None:
    truths = {"true": True, "false": False}
    default = truths.get(position.default, position.default)
    assert getattr(default_policy(), position.name) == default
    assert elected(**{position.name: default}) == default_policy()
    for other in position.others:
        answer = truths.get(other, other)
        assert changed(elected(**{position.name: answer})) == {position.name: answer}

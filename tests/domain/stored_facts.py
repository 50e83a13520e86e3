"""One fact of every kind in each golden file, every field of its day set to no default."""

from __future__ import annotations

from typing import Any

from domain import decisions as d
from domain import facts as f
from domain.fact_codec import Correction, Evidence, Recorded, name_of
from domain.facts import Fact

AT: dict[str, Any] = {"effective_at": "2025-03-03T15:00:00.000001Z", "seq": 7}
HOLDING: dict[str, Any] = {"account": "A", "asset": "X", "quantity": "1.000000000000000001"}
PAID: dict[str, Any] = {"amount": "12.5", "fee": "0.25"}
NAMED: dict[str, Any] = {
    "lots": (f.LotPick("b1", "0.5"), f.LotPick("b2", "0.500000000000000001")),
    "identified_at": "2025-03-03T14:59:59Z",
    "identified_to": "broker",
}

TRADES: tuple[Fact, ...] = (
    f.Buy(**AT, **HOLDING, **PAID, reinvested=True),
    f.Sell(**AT, **HOLDING, **PAID, **NAMED, withheld_from="w1"),
    f.Spend(**AT, **HOLDING, **PAID, **NAMED, withheld_from="w1"),
    f.Swap(**AT, account="A", out=f.Leg("X", "2"), into=f.Leg("Y", "3"), **PAID, **NAMED),
    f.Income(**AT, **HOLDING, amount="12.5", kind="staking"),
    f.Transfer(
        **AT, from_account="A", to_account="B", asset="X", quantity="2", fee_quantity="0.1",
        fee_amount="3", fee="0.5", **NAMED,
    ),
    f.GiftIn(**AT, **HOLDING, amount="12.5", donor_basis="20", donor_acquired="2019-02-28"),
    f.Inherit(**AT, **HOLDING, amount="12.5"),
    f.GiftOut(**AT, **HOLDING, lots=NAMED["lots"]),
    f.Split(**AT, asset="X", numerator="3", denominator="2"),
    f.ReturnOfCapital(**AT, account="A", asset="X", amount="4"),
    f.Convert(**AT, account="A", out=f.Leg("X", "2"), into=f.Leg("Y", "20")),
    f.Abandon(**AT, **HOLDING, how="burned"),
    f.Worthless(**AT, account="A", asset="X"),
    f.OptionExercise(
        **AT, **HOLDING, **PAID, underlying="U", underlying_quantity="100",
    ),
    f.OptionExpire(**AT, **HOLDING),
    f.ShortOpen(**AT, **HOLDING, **PAID),
    f.ShortClose(**AT, **HOLDING, opens="o1", lots=NAMED["lots"]),
    f.BasisAllocation(
        **AT, asset="X", method="specific", allocations=(f.AllocatedLot("A", "b1", "2"),)
    ),
)  # fmt: skip

DECISIONS: tuple[Fact, ...] = (
    d.StandingOrder(**AT, account="A", method="HIFO", recorded_in="books"),
    d.PolicyElected(
        **AT, jurisdiction="US", currency="USD", time_zone="Asia/Tokyo", lot_method="LIFO",
        rate_short="0.37", rate_long="0.2",
        wash_sale=(d.WashSaleVersion("2026-01-01", ("stock", "crypto")),),
        earlier_lots="ignore", income_is_acquisition=False, spouse_basis="none",
        entity_basis="shift", pool="account",
    ),
    d.ProfileStated(
        **AT, filing_status="mfs", carry_year=2024, carry_short="1.25", carry_long="2.5",
        taxable_income={"2025": "-40.5", "2024": "1"}, report_years=(2025, 2027),
    ),
    d.AccountDeclared(**AT, account="A", kind="ira", owner="spouse", custody="self"),
    d.AssetDeclared(
        **AT, asset="X", asset_class="nft", group="G", ratio="0.01", collectible=True,
        title="Gem no. 1",
    ),
    d.GroupDeclared(**AT, group="G", assets=("X", "Y"), reason="same issuer"),
    d.Bust(**AT, reason="reported twice"),
    Correction(**AT, fact=TRADES[0], reason="wrong price"),  # type: ignore[arg-type]
    d.AlertRuleSet(
        **AT, name="big", scope="asset:X", metric="tax_saved", threshold="500",
        rearm_ratio="0.5", channels=("file:/tmp/alerts", "webhook:https://example.org/x"),
    ),
    d.AlertRuleRemoved(**AT, name="big"),
    d.AlertFired(
        **AT, rule="big", crossing=2, scope="all", metric="harvestable_loss", threshold="500",
        value="512.25", position=99, channels=("terminal",),
        marks=(d.AlertMark("X", "80.5", "2025-03-03T14:00:00Z", "feed", "last"),),
        lots=(d.AlertLot("b1", "A", "X", "10", "512.25"),), lot_count=3, tax_saved="179.2875",
    ),
    d.AlertRearmed(**AT, rule="big", crossing=2, value="12"),
)  # fmt: skip

# Kinds that gained fields with defaults; what was stored before has none of these.
GAINED: tuple[Fact, ...] = (
    f.Convert(**AT, account="A", out=f.Leg("X", "2"), into=f.Leg("Y", "20"), amount="12.5"),
    d.PolicyElected(
        **AT, jurisdiction="US", currency="USD", time_zone="Asia/Tokyo", lot_method="LIFO",
        rate_short="0.37", rate_long="0.2",
        wash_sale=(d.WashSaleVersion("2026-01-01", ("stock", "crypto")),),
        earlier_lots="ignore", income_is_acquisition=False, spouse_basis="none",
        entity_basis="shift", pool="universal_before_2025", sold_replacements="count",
        full_exit="allow", gain_units="in_order", replacement_order="taxable_first",
        overlap_days="once", sub_lots="pro_rata", self_custody_pool="one", wrap="swap",
        transfer_fee="add_to_basis", abandonment="ordinary", digital_art="not_collectible",
        pool_pieces=True,
    ),
    d.ProfileStated(
        **AT, filing_status="hoh", carry_year=2024, carry_short="1.25", carry_long="2.5",
        taxable_income={"2025": "-40.5", "2024": "1"}, report_years=(2025, 2027),
        tax={"2025": d.TaxFigures("-90000.5", "1000", "-0.25", "12"),
             "2024": d.TaxFigures("1")},
    ),
    d.AccountDeclared(
        **AT, account="A", kind="ira", owner="spouse", custody="self", marked_to_market=True
    ),
    d.AssetDeclared(
        **AT, asset="X", asset_class="nft", group="G", ratio="0.01", collectible=True,
        title="Gem no. 1", collectible_reason="it is the right to a gem",
    ),
    f.ShortClose(**AT, **HOLDING, opens="o1", lots=NAMED["lots"], fee="0.25"),
)  # fmt: skip

GAINED_AGAIN: tuple[Fact, ...] = (
    d.ProfileStated(
        **AT, filing_status="hoh", carry_year=2024, carry_short="1.25", carry_long="2.5",
        taxable_income={"2025": "-40.5", "2024": "1"}, report_years=(2025, 2027),
        tax={"2025": d.TaxFigures("-90000.5", "1000", "-0.25", "12"),
             "2024": d.TaxFigures("1")},
        accounts_complete="2025-03-02",
    ),
)  # fmt: skip

ALERT_LIFE: tuple[Fact, ...] = (
    d.AlertRuleSet(
        **AT, name="loss", scope="group:G", metric="tax_saved", threshold="10", rearm_ratio="0.9",
        channels=("file:a.jsonl",), severity="urgent", cooldown_seconds=3600, quiet="22:00-07:00",
    ),
    d.AlertFired(
        **AT, rule="loss", crossing=2, scope="all", metric="harvestable_loss", threshold="5000",
        value="5000.000000000000000000000000000000000001", position=42,
        channels=("file:alerts.jsonl",),
        marks=(d.AlertMark("X", "99.5", "2025-03-03T14:59:00Z", "feed", "bid"),),
        lots=(d.AlertLot("csv:b", "A", "X", "100", "5000"),), lot_count=3, tax_saved="1200.5",
        severity="urgent", stale_marks=("X",),
    ),
    d.AlertAcknowledged(**AT, rule="loss", crossing=2, note="sold on Monday"),
    d.AlertSnoozed(**AT, rule="loss", until="2025-03-05T08:00:00.000000Z"),
)  # fmt: skip

SIMILAR: tuple[Fact, ...] = (
    d.SimilarDeclared(**AT, asset="X", candidates=("Y", "Z"), reason="another issuer"),
)

DWELL_AND_DIGEST: tuple[Fact, ...] = (
    d.AlertRuleSet(
        **AT, name="loss", scope="group:G", metric="tax_saved", threshold="10", rearm_ratio="0.9",
        channels=("file:a.jsonl",), severity="urgent", cooldown_seconds=3600, quiet="22:00-07:00",
        dwell_seconds=60, digest="daily 08:00", amount="100.5",
    ),
    d.AlertFired(
        **AT, rule="loss", crossing=2, scope="all", metric="harvestable_loss", threshold="5000",
        value="5000.000000000000000000000000000000000001", position=42,
        channels=("file:alerts.jsonl",),
        marks=(d.AlertMark("X", "99.5", "2025-03-03T14:59:00Z", "feed", "bid"),),
        lots=(d.AlertLot("csv:b", "A", "X", "100", "5000"),), lot_count=3, tax_saved="1200.5",
        severity="urgent", stale_marks=("X",), pending_since="2025-03-03T14:58:00.000000Z",
        dates=(d.AlertDate("safe_to_buy", "2025-03-11"),),
    ),
    d.AlertPending(
        **AT, rule="loss", number=3, crossing=2, scope="all", metric="harvestable_loss",
        threshold="5000", value="5000.5", dwell_seconds=60, position=41,
        marks=(d.AlertMark("X", "99.5", "2025-03-03T14:59:00Z", "feed", "bid"),),
    ),
    d.AlertLapsed(**AT, rule="loss", number=3, value="4999.5"),
)  # fmt: skip

DATE_ALERTS: tuple[Fact, ...] = (
    d.AlertRuleSet(
        **AT, name="year-end", scope="group:G", metric="year_end", threshold="5", rearm_ratio="0.9",
        channels=("file:a.jsonl",), severity="urgent", cooldown_seconds=3600, quiet="22:00-07:00",
        amount="100.5",
    ),
    d.AlertFired(
        **AT, rule="long-term", crossing=2, scope="all", metric="long_term", threshold="7",
        value="-1", position=42, channels=("file:alerts.jsonl",),
        marks=(d.AlertMark("X", "99.5", "2025-03-03T14:59:00Z", "feed", "bid"),),
        lots=(d.AlertLot("csv:b", "A", "X", "100", "5000"),), lot_count=3, tax_saved="1200.5",
        severity="urgent", stale_marks=("X",),
        dates=(
            d.AlertDate("long_term", "2025-03-10", "G", ("A",), "X", "csv:b", "-2.5", ("csv:b",)),
            d.AlertDate("safe_to_buy", "2025-03-11"),
        ),
    ),
)  # fmt: skip

# By golden file: the fact of each name as that file holds it.
STORED: dict[str, dict[str, Fact]] = {
    "facts-v1": {name_of(fact): fact for fact in (*TRADES, *DECISIONS)},
    "facts-v2": {name_of(fact): fact for fact in GAINED},
    "facts-v3": {name_of(fact): fact for fact in GAINED_AGAIN},
    "facts-v4": {name_of(fact): fact for fact in ALERT_LIFE},
    "facts-v5": {name_of(fact): fact for fact in DATE_ALERTS},
    "facts-v6": {name_of(fact): fact for fact in DWELL_AND_DIGEST},
    "facts-v7": {name_of(fact): fact for fact in SIMILAR},
}
FACTS: dict[str, Fact] = {name: fact for facts in STORED.values() for name, fact in facts.items()}


def recorded(fact: Fact) -> Recorded:
    """The fact as the ledger keeps it, with full evidence."""
    evidence = Evidence(payload_sha256="a" * 64, locator="trades.csv:12", tx_hash="0xfeed")
    return Recorded(
        recorded_at="2025-03-04T08:00:00.000001Z",
        evidence=evidence,
        fact=fact,  # type: ignore[arg-type]
    )

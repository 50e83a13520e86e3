"""Facts that the owner decided or declared: elections, accounts, assets, amendments, alerts."""

from __future__ import annotations

import msgspec

from domain.facts import Fact


class StandingOrder(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="standing_order"):
    """From now on the account sells by `method` (Reg. 1.1012-1(c)(8), (j)(4))."""

    account: str
    method: str
    recorded_in: str | None = None


class WashSaleVersion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The asset classes under IRC 1091 for loss sales on or after `since`."""

    since: str
    classes: tuple[str, ...]


class PolicyElected(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="policy"):
    """The positions the taxpayer takes; a field left out keeps its value (domain/policy.py)."""

    jurisdiction: str | None = None
    currency: str | None = None
    time_zone: str | None = None
    lot_method: str | None = None
    rate_short: str | None = None
    rate_long: str | None = None
    wash_sale: tuple[WashSaleVersion, ...] | None = None
    earlier_lots: str | None = None
    income_is_acquisition: bool | None = None
    spouse_basis: str | None = None
    entity_basis: str | None = None
    pool: str | None = None
    sold_replacements: str | None = None
    full_exit: str | None = None
    gain_units: str | None = None
    replacement_order: str | None = None
    overlap_days: str | None = None
    sub_lots: str | None = None
    self_custody_pool: str | None = None
    wrap: str | None = None
    transfer_fee: str | None = None
    abandonment: str | None = None
    digital_art: str | None = None
    pool_pieces: bool | None = None


class TaxFigures(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One year's figures of the return without capital gains, for tax by brackets.

    `ordinary_taxable`: taxable income other than gains and qualified dividends, after
    deductions; `magi_without_gains` and `other_nii`: for IRC 1411. Plain decimal text.
    """

    ordinary_taxable: str
    qualified_dividends: str = "0"
    magi_without_gains: str = "0"
    other_nii: str = "0"


class ProfileStated(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="profile"):
    """Figures of the return that the ledger cannot know.

    `carry_short` and `carry_long` are the (positive) losses carried into `carry_year`;
    `taxable_income` maps a year to Form 1040 line 15, which may be negative; `tax` maps a year
    to the figures that its tax is computed from. `accounts_complete`: the day up to which every
    account whose purchases count (own, retirement, the spouse's, controlled companies') is told.
    """

    filing_status: str | None = None
    carry_year: int | None = None
    carry_short: str = "0"
    carry_long: str = "0"
    taxable_income: dict[str, str] = msgspec.field(default_factory=dict)
    report_years: tuple[int, ...] = ()
    tax: dict[str, TaxFigures] = msgspec.field(default_factory=dict)
    accounts_complete: str | None = None


class AccountDeclared(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="account"):
    """Whose an account or wallet is, of which kind, and in whose custody.

    `marked_to_market`: a trader's account under an election of IRC 475(f).
    """

    account: str
    kind: str = "taxable"
    owner: str = "self"
    custody: str = "broker"
    marked_to_market: bool = False


class AssetDeclared(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="asset"):
    """What an asset is in law; `ratio` = units of its identical group in one unit of it.

    `collectible_reason`: why a token is, or is not, a collectible (Notice 2023-27).
    """

    asset: str
    asset_class: str
    group: str
    ratio: str = "1"
    collectible: bool = False
    title: str = ""
    collectible_reason: str = ""


class GroupDeclared(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="group"):
    """The owner treats these assets as substantially identical, for a stated reason."""

    group: str
    assets: tuple[str, ...]
    reason: str = ""


class SimilarDeclared(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="similar"):
    """The owner would hold one of `candidates` instead of `asset`: they are alike, for a stated
    reason, but not substantially identical. Replaces what was said of the asset before; no
    candidates: it is taken back. Like a group it holds for every day.
    """

    asset: str
    candidates: tuple[str, ...] = ()
    reason: str = ""


class Bust(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="bust"):
    """The source took the earlier fact of this stream back."""

    reason: str = ""


class AlertRuleSet(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="alert_rule"):
    """Fire when `metric` of `scope` reaches `threshold`; re-arm below threshold x rearm_ratio.

    scope: `all`, `class:NAME`, `group:ID`, `asset:ID`, `account:ID`, `position:ACCOUNT/ASSET` or
    `lot:LOT`; metric: `harvestable_loss`, `tax_saved` (both in
    the taxpayer's currency) or `loss_percent` (of basis); channels: `terminal`, `file:PATH`,
    `webhook:URL`. severity: `notice` or `urgent`; after a crossing it does not fire again for
    `cooldown_seconds`; quiet: hours of the taxpayer's clock (`22:00-07:00`) in which notices
    wait, empty for none; `dwell_seconds`: how long the metric must stay at or above the threshold
    before it fires; digest: when notices go out together, by the taxpayer's clock (`hourly`,
    `daily 08:00`), empty for each at once. A metric may also be a day to come
    (`services/alert_rules.py`): `threshold` is then the days before it, `amount` the harvestable
    loss that `year_end` asks for.
    """

    name: str
    scope: str
    metric: str
    threshold: str
    rearm_ratio: str = "0.85"
    channels: tuple[str, ...] = ("terminal",)
    severity: str = "notice"
    cooldown_seconds: int = 0
    quiet: str = ""
    dwell_seconds: int = 0
    digest: str = ""
    amount: str = "0"


class AlertRuleRemoved(
    Fact, frozen=True, kw_only=True, omit_defaults=True, tag="alert_rule_removed"
):
    """The rule of this stream watches no longer."""

    name: str


class AlertLot(msgspec.Struct, frozen=True):
    """Evidence: one lot behind an alert."""

    lot: str
    account: str
    asset: str
    quantity: str
    harvestable: str


class AlertMark(msgspec.Struct, frozen=True):
    """Evidence: one mark behind an alert."""

    asset: str
    price: str
    at: str
    source: str
    kind: str


class AlertDate(msgspec.Struct, frozen=True, omit_defaults=True):
    """Evidence: one day (ISO, of the taxpayer's zone) that an alert is about.

    kind: `do_not_buy` and `do_not_sell` (the last day of a window), `safe_to_buy`, `long_term`,
    `year_end`. It is of a group (`asset` and `lot` empty) over `accounts`, or of one lot in one
    account. amount: the booked loss that a purchase would wash; of a lot its gain at the mark,
    below zero for a loss; of the year the harvestable loss left. because: the facts behind it.
    """

    kind: str
    day: str
    group: str = ""
    accounts: tuple[str, ...] = ()
    asset: str = ""
    lot: str = ""
    amount: str = ""
    because: tuple[str, ...] = ()


class AlertFired(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="alert_fired"):
    """A rule's metric reached its threshold: crossing number `crossing` of `rule`.

    `position` is the log position whose state was valued; `lots` holds the largest of the
    `lot_count` lots behind the value. severity: the rule's, but never urgent where one of the
    marks was too old or only an ask; `stale_marks` are the assets of those. `pending_since`: the
    instant (UTC) since which the metric stayed at or above the threshold; empty without dwell.
    dates: of a metric that is a day, every day that fell due; `value` is then the days left to
    the first of them.
    """

    rule: str
    crossing: int
    scope: str
    metric: str
    threshold: str
    value: str
    position: int
    channels: tuple[str, ...] = ()
    marks: tuple[AlertMark, ...] = ()
    lots: tuple[AlertLot, ...] = ()
    lot_count: int = 0
    tax_saved: str = "0"
    severity: str = "notice"
    stale_marks: tuple[str, ...] = ()
    pending_since: str = ""
    dates: tuple[AlertDate, ...] = ()


class AlertPending(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="alert_pending"):
    """A rule's metric reached its threshold and has to stay there: crossing number `crossing`
    fires if it does for `dwell_seconds`.

    `number` counts how often the rule was pending so far; `position` is the log position whose
    state was valued.
    """

    rule: str
    number: int
    crossing: int
    scope: str
    metric: str
    threshold: str
    value: str
    dwell_seconds: int
    position: int
    marks: tuple[AlertMark, ...] = ()


class AlertLapsed(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="alert_lapsed"):
    """The metric fell below the threshold before the dwell of pending `number` was over."""

    rule: str
    number: int
    value: str


class AlertRearmed(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="alert_rearmed"):
    """The metric fell below the re-arm level; the rule can fire again."""

    rule: str
    crossing: int
    value: str


class AlertAcknowledged(
    Fact, frozen=True, kw_only=True, omit_defaults=True, tag="alert_acknowledged"
):
    """The owner has seen crossing number `crossing` of `rule`: what is not sent yet, stays so."""

    rule: str
    crossing: int
    note: str = ""


class AlertSnoozed(Fact, frozen=True, kw_only=True, omit_defaults=True, tag="alert_snoozed"):
    """Nothing of `rule` is sent before the instant `until` (UTC; empty: wakes it). It still fires
    and re-arms."""

    rule: str
    until: str = ""

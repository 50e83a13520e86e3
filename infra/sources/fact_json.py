"""Facts as JSON objects (JSON lines, scenario files): declarations, amendments, and parsing."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from domain import decisions as d
from domain import facts as f
from domain.fact_codec import Correction, Trade
from domain.policy import CONSERVATIVE, CURRENT_LAW
from infra.sources.action_models import TradeModel
from infra.sources.similar_json import SimilarModel
from infra.sources.trade_models import EventModel
from infra.sources.wire import (
    Amount,
    Day,
    Decimal18,
    Name,
    Quantity,
    Refusal,
    Text,
    Wire,
    refusal,
)


class DeclaringModel(EventModel):
    """A declaration holds from the start of time unless it is dated."""

    date: Day | None = None

    def common(self) -> dict[str, Any]:
        undated = self.date is None and self.ts is None and self.effective_at is None
        moment = "0001-01-01" if undated else self.moment()
        return {"effective_at": moment, "seq": self.seq}


class StandingOrderModel(EventModel):
    type: Literal["standing_order"]
    account: Name
    method: Name
    recorded_in: Literal["broker", "books"] | None = None

    def fact(self) -> f.Fact:
        return d.StandingOrder(
            **self.common(),
            account=self.account,
            method=self.method,
            recorded_in=self.recorded_in,
        )


class Rates(Wire):
    st: Decimal18
    lt: Decimal18


class WashVersion(Wire):
    since: Day = Field(alias="from")
    classes: tuple[Name, ...]


_POSITIONS = {
    "earlier_lots", "income_is_acquisition", "spouse_basis", "entity_basis", "pool",
    "sold_replacements", "full_exit", "gain_units", "replacement_order", "overlap_days",
    "sub_lots", "self_custody_pool", "wrap", "transfer_fee", "abandonment", "digital_art",
    "pool_pieces",
}  # fmt: skip
_NAMED_LAW = {"current": CURRENT_LAW, "conservative": CONSERVATIVE}


class PolicyFields(Wire):
    """Positions as a scenario file and a `policy` fact spell them."""

    jurisdiction: Name | None = None
    currency: Name | None = None
    tz: Name | None = None
    lot_method: Name | None = None
    rates: Rates | None = None
    wash_sale: tuple[WashVersion, ...] | Literal["current", "conservative"] | None = None
    earlier_lots: Name | None = None
    income_is_acquisition: bool | None = None
    spouse_basis: Name | None = None
    entity_basis: Name | None = None
    pool: Name | None = None
    sold_replacements: Name | None = None
    full_exit: Name | None = None
    gain_units: Name | None = None
    replacement_order: Name | None = None
    overlap_days: Name | None = None
    sub_lots: Name | None = None
    self_custody_pool: Name | None = None
    wrap: Name | None = None
    transfer_fee: Name | None = None
    abandonment: Name | None = None
    digital_art: Name | None = None
    pool_pieces: bool | None = None

    def elected(self, effective_at: str = "0001-01-01", seq: int = 0) -> d.PolicyElected:
        """The election as a fact."""
        versions = self.wash_sale
        if isinstance(versions, str):
            listed: tuple[d.WashSaleVersion, ...] = (
                d.WashSaleVersion("0001-01-01", _NAMED_LAW[versions]),
            )
        elif versions is not None:
            listed = tuple(d.WashSaleVersion(each.since, each.classes) for each in versions)
        return d.PolicyElected(
            effective_at=effective_at,
            seq=seq,
            jurisdiction=self.jurisdiction,
            currency=self.currency,
            time_zone=self.tz,
            lot_method=self.lot_method,
            rate_short=self.rates.st if self.rates else None,
            rate_long=self.rates.lt if self.rates else None,
            wash_sale=listed if versions is not None else None,
            **self.model_dump(include=_POSITIONS),
        )


class PolicyModel(DeclaringModel, PolicyFields):
    type: Literal["policy"]

    def fact(self) -> f.Fact:
        common = self.common()
        return self.elected(common["effective_at"], common["seq"])


class CarryIn(Wire):
    year: Annotated[str, Field(pattern=r"^[0-9]{4}$")]
    st: Amount = "0"
    lt: Amount = "0"


class YearFigures(Wire):
    """Figures of one year's return without capital gains, for tax by brackets."""

    year: Annotated[str, Field(pattern=r"^[0-9]{4}$")]
    ordinary_taxable: Decimal18
    qualified_dividends: Amount = "0"
    magi_without_gains: Decimal18 = "0"
    other_nii: Decimal18 = "0"

    def figures(self) -> d.TaxFigures:
        """The figures as they are stored under their year."""
        return d.TaxFigures(**self.model_dump(exclude={"year"}))


def _listed(stated: object) -> object:
    """One year needs no list; a union of both shapes would name no field in its refusal."""
    return stated if isinstance(stated, list | tuple) else (stated,)


class ProfileFields(Wire):
    filing_status: Literal["single", "mfj", "mfs", "hoh"] | None = None
    carry_in: CarryIn | None = None
    taxable_income: dict[Annotated[str, Field(pattern=r"^[0-9]{4}$")], Decimal18] = Field(
        default_factory=dict
    )
    report_years: tuple[Annotated[str, Field(pattern=r"^[0-9]{4}$")], ...] = ()
    tax: Annotated[tuple[YearFigures, ...], BeforeValidator(_listed)] = ()
    accounts_complete: Day | None = None

    def stated(self, effective_at: str = "0001-01-01", seq: int = 0) -> d.ProfileStated:
        """The profile as a fact."""
        carry = self.carry_in
        return d.ProfileStated(
            effective_at=effective_at,
            seq=seq,
            filing_status=self.filing_status,
            carry_year=int(carry.year) if carry else None,
            carry_short=carry.st if carry else "0",
            carry_long=carry.lt if carry else "0",
            taxable_income=dict(self.taxable_income),
            report_years=tuple(int(year) for year in self.report_years),
            tax={each.year: each.figures() for each in self.tax},
            accounts_complete=self.accounts_complete,
        )


class ProfileModel(DeclaringModel, ProfileFields):
    type: Literal["profile"]

    def fact(self) -> f.Fact:
        common = self.common()
        return self.stated(common["effective_at"], common["seq"])


class AccountModel(DeclaringModel):
    type: Literal["account"]
    account: Name
    kind: Name = "taxable"
    owner: Name = "self"
    custody: Name = "broker"
    marked_to_market: bool = False

    def fact(self) -> f.Fact:
        return d.AccountDeclared(
            **self.common(),
            account=self.account,
            kind=self.kind,
            owner=self.owner,
            custody=self.custody,
            marked_to_market=self.marked_to_market,
        )


class AssetModel(DeclaringModel):
    type: Literal["asset"]
    asset: Name
    asset_class: Name = Field(alias="class")
    group: Name | None = None
    ratio: Quantity = "1"
    collectible: bool = False
    title: Text = ""
    collectible_reason: Text = ""

    def fact(self) -> f.Fact:
        return d.AssetDeclared(
            **self.common(),
            asset=self.asset,
            asset_class=self.asset_class,
            group=self.group or self.asset,
            ratio=self.ratio,
            collectible=self.collectible,
            title=self.title,
            collectible_reason=self.collectible_reason,
        )


class GroupModel(DeclaringModel):
    type: Literal["group"]
    group: Name
    assets: tuple[Name, ...]
    reason: Text = ""

    def fact(self) -> f.Fact:
        return d.GroupDeclared(
            **self.common(), group=self.group, assets=self.assets, reason=self.reason
        )


class BustModel(DeclaringModel):
    type: Literal["bust"]
    reason: Text = ""

    def fact(self) -> f.Fact:
        return d.Bust(**self.common(), reason=self.reason)


class CorrectionModel(EventModel):
    """`id` is that of the fact corrected; `fact` is the whole corrected event."""

    type: Literal["correction"]
    reason: Text = ""
    corrected: dict[str, Any] = Field(alias="fact")

    def fact(self) -> f.Fact:
        _, trade = parse_event({"id": self.id} | self.corrected)
        if not isinstance(trade, Trade):
            raise Refusal("fact.type", "only trades are corrected", "declare it anew instead")
        return Correction(
            effective_at=trade.effective_at, seq=trade.seq, fact=trade, reason=self.reason
        )


_Plain = (
    TradeModel | StandingOrderModel | PolicyModel | ProfileModel | AccountModel | AssetModel
    | GroupModel | SimilarModel | BustModel
)  # fmt: skip
# A correction holds an event that is looked at only after it, so it is not checked in one pass.
PlainEvent = Annotated[_Plain, Field(discriminator="type")]
EVENTS: TypeAdapter[Any] = TypeAdapter(
    Annotated[_Plain | CorrectionModel, Field(discriminator="type")]
)


def parse_event(raw: object) -> tuple[EventModel, f.Fact]:
    """A JSON object, or what was made of it, as (the validated event, its fact).

    Any event may say that it had no fee, even one that has no use for a fee. Raises Refusal naming
    the field.
    """
    try:
        model = raw if isinstance(raw, EventModel) else EVENTS.validate_python(raw)
    except ValidationError as error:
        if isinstance(raw, dict) and raw.get("fee") == "0":
            return parse_event({name: value for name, value in raw.items() if name != "fee"})
        raise _without_type(refusal(error)) from None
    return model, model.fact()


def _without_type(refused: Refusal) -> Refusal:
    """Drops the union's own step from the field path: `buy.qty` is `qty`."""
    head, _, field = refused.field.partition(".")
    return Refusal(field or head, refused.reason, refused.remedy)

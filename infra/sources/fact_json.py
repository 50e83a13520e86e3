"""Facts as JSON objects (JSON lines, scenario files): declarations, amendments, and parsing."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from domain import decisions as d
from domain import facts as f
from domain.fact_codec import Correction, Trade
from domain.policy import CONSERVATIVE, CURRENT_LAW
from infra.sources.action_models import TradeModel
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
            earlier_lots=self.earlier_lots,
            income_is_acquisition=self.income_is_acquisition,
            spouse_basis=self.spouse_basis,
            entity_basis=self.entity_basis,
            pool=self.pool,
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


class ProfileFields(Wire):
    filing_status: Literal["single", "mfj", "mfs", "hoh"] | None = None
    carry_in: CarryIn | None = None
    taxable_income: dict[Annotated[str, Field(pattern=r"^[0-9]{4}$")], Decimal18] = Field(
        default_factory=dict
    )
    report_years: tuple[Annotated[str, Field(pattern=r"^[0-9]{4}$")], ...] = ()
    tax: dict[str, str] | None = None  # inputs of the what-if by brackets, not used here

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

    def fact(self) -> f.Fact:
        return d.AccountDeclared(
            **self.common(),
            account=self.account,
            kind=self.kind,
            owner=self.owner,
            custody=self.custody,
        )


class AssetModel(DeclaringModel):
    type: Literal["asset"]
    asset: Name
    asset_class: Name = Field(alias="class")
    group: Name | None = None
    ratio: Quantity = "1"
    collectible: bool = False
    title: Text = ""

    def fact(self) -> f.Fact:
        return d.AssetDeclared(
            **self.common(),
            asset=self.asset,
            asset_class=self.asset_class,
            group=self.group or self.asset,
            ratio=self.ratio,
            collectible=self.collectible,
            title=self.title,
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


_EVENTS: TypeAdapter[Any] = TypeAdapter(
    Annotated[
        TradeModel
        | StandingOrderModel
        | PolicyModel
        | ProfileModel
        | AccountModel
        | AssetModel
        | GroupModel
        | BustModel
        | CorrectionModel,
        Field(discriminator="type"),
    ]
)


def parse_event(raw: object) -> tuple[EventModel, f.Fact]:
    """A JSON object as (the validated event, its fact). Raises Refusal naming the field."""
    try:
        model: EventModel = _EVENTS.validate_python(raw)
    except ValidationError as error:
        raise _without_type(refusal(error)) from None
    return model, model.fact()


def _without_type(refused: Refusal) -> Refusal:
    """Drops the union's own step from the field path: `buy.qty` is `qty`."""
    head, _, field = refused.field.partition(".")
    return Refusal(field or head or "type", refused.reason, refused.remedy)

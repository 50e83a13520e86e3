"""Scenario files (`tlh-golden/1`): a self-contained history with its questions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, ValidationError

from domain.decisions import AccountDeclared, AssetDeclared
from domain.facts import Fact
from infra.sources.fact_json import PolicyFields, ProfileFields, parse_event
from infra.sources.wire import Day, Decimal18, Name, Quantity, Refusal, Wire, refusal
from services.scenario import Question, Scenario
from services.whatif_scenario import ScenarioSale, WhatIf

SCHEMA = "tlh-golden/1"
_REMEDY = "write one scenario as a JSON object, as in tests/law/cases"


class ScenarioAccount(Wire):
    id: Name
    owner: Name = "self"
    kind: Name = Field(default="taxable", alias="type")
    custody: Name = "broker"


class ScenarioAsset(Wire):
    id: Name
    asset_class: Name = Field(alias="class")
    group: Name
    ratio: Quantity = "1"
    collectible: bool = False


class ScenarioQuestion(Wire):
    model_config = ConfigDict(extra="ignore")

    as_of: Day
    known_at: Day | None = None
    marks: dict[Name, Decimal18] | None = None


class ScenarioSaleModel(Wire):
    lot: Name | None = None
    account: Name
    asset: Name
    qty: Quantity


class WhatIfModel(Wire):
    id: Name
    sell: tuple[ScenarioSaleModel, ...] = Field(min_length=1)


class ScenarioModel(Wire):
    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    schema_name: Literal["tlh-golden/1"] = Field(alias="schema")
    id: Name
    policy: PolicyFields = PolicyFields()
    accounts: tuple[ScenarioAccount, ...] = ()
    assets: tuple[ScenarioAsset, ...] = ()
    events: tuple[dict[str, Any], ...] = ()
    as_of: Day
    marks: dict[Name, Decimal18] | None = None
    profile: ProfileFields = ProfileFields()
    what_if: tuple[WhatIfModel, ...] = ()
    snapshots: tuple[ScenarioQuestion, ...] = ()


def read_scenario(path: Path) -> tuple[Scenario, dict[str, Any]]:
    """The scenario of a file, and the raw document (for its `expected`).

    Raises Refusal with the field that is wrong; OSError passes through.
    """
    document = _json(path.read_bytes())
    if not isinstance(document, dict):
        raise Refusal("", "no JSON object", _REMEDY)
    return parse_scenario(document), document


def parse_scenario(document: dict[str, Any]) -> Scenario:
    """A scenario document as facts and questions. `expected` is never looked at."""
    visible = {
        key: value for key, value in document.items() if key not in ("expected", "source", "why")
    }
    try:
        model = ScenarioModel.model_validate(visible)
    except ValidationError as error:
        raise refusal(error) from None
    return Scenario(
        id=model.id,
        declarations=tuple(_declarations(model)),
        events=tuple(_events(model)),
        questions=(
            Question(model.as_of, None),
            *(Question(each.as_of, each.known_at, each.marks) for each in model.snapshots),
        ),
        marks=model.marks,
        what_if=tuple(_what_if(model)),
    )


def _declarations(model: ScenarioModel) -> list[tuple[str, Fact]]:
    start = "0001-01-01"
    declared: list[tuple[str, Fact]] = [
        ("policy", model.policy.elected()),
        ("profile", model.profile.stated()),
    ]
    for account in model.accounts:
        fact: Fact = AccountDeclared(
            effective_at=start,
            account=account.id,
            kind=account.kind,
            owner=account.owner,
            custody=account.custody,
        )
        declared.append((f"account/{account.id}", fact))
    for asset in model.assets:
        fact = AssetDeclared(
            effective_at=start,
            asset=asset.id,
            asset_class=asset.asset_class,
            group=asset.group,
            ratio=asset.ratio,
            collectible=asset.collectible,
        )
        declared.append((f"asset/{asset.id}", fact))
    return declared


def _events(model: ScenarioModel) -> list[tuple[str, Fact, str | None]]:
    """(id, fact, day recorded); the place in the list is the order within an instant."""
    events: list[tuple[str, Fact, str | None]] = []
    for place, raw in enumerate(model.events):
        try:
            event, fact = parse_event({"seq": place + 1} | raw)
        except Refusal as refused:
            where = f"events[{place}].{refused.field}"
            raise Refusal(where, refused.reason, refused.remedy) from None
        events.append((event.id, fact, event.recorded))
    return events


def _what_if(model: ScenarioModel) -> Iterator[WhatIf]:
    """Hypothetical sales; each needs a mark and a declared asset."""
    known = {asset.id for asset in model.assets}
    for place, asked in enumerate(model.what_if):
        for number, sale in enumerate(asked.sell):
            where = f"what_if[{place}].sell[{number}].asset"
            if sale.asset not in known:
                raise Refusal(where, f"{sale.asset} is not declared", "list it in assets")
            if sale.asset not in (model.marks or {}):
                raise Refusal(where, f"{sale.asset} has no mark", f"give marks.{sale.asset}")
        sales = (ScenarioSale(each.account, each.asset, each.qty, each.lot) for each in asked.sell)
        yield WhatIf(asked.id, tuple(sales))


def _json(content: bytes) -> object:
    if not content.strip():
        raise Refusal("", "the file is empty", _REMEDY)
    try:
        return json.loads(content.decode(), parse_float=_refuse_float)
    except json.JSONDecodeError as error:
        where = f"{error.msg} in line {error.lineno}, column {error.colno}"
        raise Refusal("", f"no JSON object: {where}", _REMEDY) from None
    except UnicodeDecodeError:
        raise Refusal("", "the file is not valid UTF-8", "save the file as UTF-8") from None
    except RecursionError:
        raise Refusal("", "no scenario: it is nested too deep", _REMEDY) from None


def _refuse_float(text: str) -> float:
    raise Refusal("json", f"number {text} would lose digits", "write decimals as text in quotes")

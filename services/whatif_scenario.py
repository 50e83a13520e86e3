"""The hypothetical sales of a scenario: what each realises and saves, sold at the marks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from domain.exact import format_money, times
from domain.facts import LotPick, Sell
from domain.portfolio import Portfolio
from services.whatif_effect import added, effect, rows_of

_REF = "whatif:"


@dataclass(frozen=True, slots=True)
class ScenarioSale:
    """Units sold at the mark; without `lot` the account's method chooses."""

    account: str
    asset: str
    quantity: str
    lot: str | None = None


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Sales that are made together on the scenario's day."""

    id: str
    sales: tuple[ScenarioSale, ...]


def answers(
    asked: Iterable[WhatIf], marks: Mapping[str, str], as_of: str, fold: Callable[[], Portfolio]
) -> list[dict[str, Any]]:
    """One answer an item; `fold` makes the history's portfolio anew."""
    before = fold()
    return [_answer(each, marks, as_of, before, fold()) for each in asked]


def _answer(
    asked: WhatIf, marks: Mapping[str, str], as_of: str, before: Portfolio, fresh: Portfolio
) -> dict[str, Any]:
    after = added(fresh, _facts(asked, marks, as_of))
    issues = [each for each in after.all_issues() if each.ref.startswith(_REF) and each.blocking]
    if issues:
        return {"id": asked.id, "error": issues[0].code}
    rows = rows_of(after, _REF)
    found = effect(before, after, as_of, rows)
    return {
        "id": asked.id,
        "gain": format_money(sum(row.gain for row in rows)),
        "disallowed": format_money(sum(row.wash for row in rows)),
        "tax_before": found["tax_before"],
        "tax_after": found["tax_after"],
        "saved": found["tax_saved_now"],
        "carryover_created": found["carryover_created"],
        "deferred": found["deferral"]["basis_lower_by"],
        "basis_of_tax": found["basis_of_tax"],
        "table": found["table"],
        "notes": [each.says for each in after.all_issues() if each.ref.startswith(_REF)],
    }


def _facts(asked: WhatIf, marks: Mapping[str, str], as_of: str) -> Iterable[tuple[str, Sell]]:
    for number, sale in enumerate(asked.sales, start=1):
        fact = Sell(
            effective_at=f"{as_of}T23:59:59",
            seq=number,
            account=sale.account,
            asset=sale.asset,
            quantity=sale.quantity,
            amount=times(marks[sale.asset], sale.quantity),
            lots=() if sale.lot is None else (LotPick(sale.lot, sale.quantity),),
        )
        yield f"{_REF}{number}", fact

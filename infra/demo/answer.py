"""The answer: what a person wants to know on the last day, as one plain structure of text."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from domain.days import day_of as day
from domain.days import year_of
from domain.exact import format_money, money
from domain.policy import Policy
from infra.composition import App
from infra.demo.names import Names, ref
from infra.demo.place import TAXPAYER, on
from projections.schema import Piece
from projections.wash_windows import DO_NOT_BUY
from services.harvest_all import harvest_all
from services.queries import View

DATA = {
    "real": "closes of AAPL, GOOG, IBM and MSFT: Quandl WIKI Prices, public domain "
    "(infra/demo/PROVENANCE.md)",
    "synthetic": "COIN and NFT #412 never existed; their prices are generated",
    "derived": "tAAPL never existed; its mark is the AAPL close x 1",
    "made_up": "the person, the accounts and every trade",
}
NOT_ADVICE = "What the rules and the positions taken give; not tax advice."


def answer(app: App, path: Path) -> dict[str, Any]:
    """Everything on the last screen; amounts are exact text."""
    queries = app.queries
    view = queries.view(TAXPAYER)
    alone, together = queries.opportunities(view), harvest_all(queries, view)
    windows = queries.windows(view)
    declared = queries.portfolio(view).declared
    names, policy = Names(declared), declared.policy
    limit = policy.rules.loss_limit[declared.profile.filing_status or "single"]
    coverage = queries.coverage(view)
    return {
        "as_of": view.as_of,
        "taxpayer": TAXPAYER,
        "database": str(path),
        "harvestable": _harvestable(alone, together, policy),
        "assets": _assets(app, view, names, alone, together["assets"]),
        "blocked_by": [_blocked(each, windows, names) for each in together["blocked_by"]],
        "windows": [_named(each, names) for each in windows],
        "do_not_buy_after_harvest": together["do_not_buy"],
        "year": _year(app, view, together, limit),
        "alerts": [
            {name: alert[name] for name in _ALERT} for alert in queries.alerts(view)
        ],
        "coverage": {
            "accounts_seen": [names.account(each) for each in coverage["accounts_seen"]],
            "not_seen": coverage["not_seen"],
            "positions": coverage["positions"],
            "facts": app.ledger.head(),
        },
        "data": DATA,
        "note": NOT_ADVICE,
        "next": _next(app, view, alone, path),
    }  # fmt: skip


_TOTALS = ("lots", "value", "loss", "harvestable", "short", "long", "blocked")
_ALERT = ("rule", "crossing", "threshold", "value", "tax_saved", "fired_at", "rearmed_at")


def _harvestable(alone: list[Piece], together: dict[str, Any], policy: Policy) -> dict[str, Any]:
    """The totals both ways, and what all sold together would save now and leave for later."""
    return {
        "together": {name: together[name] for name in _TOTALS},
        "each_alone": _sums(alone),
        "tax_saved": together["tax_saved_now"],
        "carryover_created": together["carryover_created"],
        "rates": {
            "short": format_money(policy.rate_short), "long": format_money(policy.rate_long),
        },
    }  # fmt: skip


def _sums(found: Iterable[Piece]) -> dict[str, str]:
    """Totals of lots that are each taken as if sold alone."""
    kept = list(found)
    total = {name: sum(money(each[name]) for each in kept) for name in ("harvestable", "blocked")}
    for name, term in (("short", "S"), ("long", "L")):
        total[name] = sum(money(each["harvestable"]) for each in kept if each["term"] == term)
    return {name: format_money(value) for name, value in total.items()}


def _assets(
    app: App, view: View, names: Names, alone: list[Piece], together: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Asset by asset: the totals together, alone, and the mark that they stand on."""
    marks = app.queries.marks(view)
    lines = []
    for each in together:
        asset = each["asset"]
        own = [one for one in alone if one["asset"] == asset]
        lines.append(
            {
                "asset": asset,
                "name": names.asset(asset),
                "class": names.kind(asset),
                **{name: each[name] for name in _TOTALS},
                "each_alone": _sums(own),
                "mark": own[0]["price"],
                "mark_source": marks[asset].source,
                "mark_at": marks[asset].at,
            }
        )
    return lines


def _blocked(each: dict[str, Any], windows: list[Piece], names: Names) -> dict[str, Any]:
    """A purchase in the way until when; `kept`: sold now, the loss would join its basis."""
    window = next(one for one in windows if one["event"] == each["purchase"])
    return {
        "loss": each["disallowed"],
        "of": names.asset(each["sold"]),
        "lot": ref(each["lot"]),
        "by": ref(each["purchase"]),
        "qty": each["qty"],
        "asset": names.asset(each["asset"]),
        "account": names.account(each["account"]),
        "bought": window["on"],
        "until": window["last_day"],
        "safe_from": window["safe_from"],
        "kept": each["kept"],
    }


def _named(window: Piece, names: Names) -> dict[str, Any]:
    return {
        "kind": window["kind"],
        "group": names.asset(window["group"]),
        "until": window["last_day"],
        "by": ref(window["event"]),
        "on": window["on"],
        "qty": window["qty"],
        "asset": names.asset(window["asset"]),
        "account": names.account(window["account"]),
        **({"loss": window["loss"]} if window["kind"] == DO_NOT_BUY else {}),
    }


def _year(app: App, view: View, together: dict[str, Any], limit: str) -> dict[str, Any]:
    """The running year: realized, with what was carried in, and after harvesting all."""
    year = year_of(day(view.as_of))
    rows = {each["year"]: each for each in app.queries.years(view)}
    carried = rows.get(str(year - 1), {"carry_st": "0", "carry_lt": "0"})
    now = together["year_before"]
    short = money(now["st"]) + money(carried["carry_st"])
    long = money(now["lt"]) + money(carried["carry_lt"])
    gains = app.queries.gains(view)
    return {
        "year": str(year),
        "realized": {
            "st": format_money(short), "lt": format_money(long), "net": format_money(short + long),
        },
        "carried_in": {"st": carried["carry_st"], "lt": carried["carry_lt"]},
        "so_far": now,
        "after_harvest": together["year_after"],
        "limit": limit,
        "disallowed_so_far": format_money(sum(money(each["wash"]) for each in gains)),
        "years": list(rows.values()),
    }  # fmt: skip


def _next(app: App, view: View, alone: list[Piece], path: Path) -> list[dict[str, str]]:
    """Commands to try, about the largest wash sale and the largest loss of this ledger."""
    washed = max(app.queries.gains(view), key=lambda each: money(each["wash"]))
    largest = alone[0]
    sale = (
        f"whatif sell {largest['asset']} {largest['qty']} --account {largest['account']} "
        f"--as-of {view.as_of}"
    )
    listed = (
        (f"explain {ref(washed['event'])}", "a wash sale with its facts, rules and arithmetic"),
        (sale, "the largest loss, sold on that day"),
        ("verify --rebuild", "every figure rebuilt from fact one, and compared"),
        (f"lots --as-of {view.as_of}", "any read command; without --as-of it answers for today"),
    )
    return [
        {"command": f"{on(path)} thresher {words}", "arguments": words, "shows": shows}
        for words, shows in listed
    ]

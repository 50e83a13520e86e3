"""Re-entry calendar: of each identical group, over all accounts, from when buying and selling
older lots is safe; and lots that turn long-term soon.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from domain.days import day_of, iso
from domain.decisions import WashSaleVersion
from domain.exact import format_money, money
from domain.policy import CONSERVATIVE
from projections.schema import Piece
from projections.wash_windows import DO_NOT_BUY, DO_NOT_SELL, present, window_pieces
from services.coverage import gaps
from services.queries import Queries, View
from services.refold import elects, refolded
from services.whatif import check_day

BUY = "safe to buy"
SELL = "safe to sell older lots"
LONG = "turns long-term"


@dataclass(frozen=True, slots=True)
class Event:
    """A day to note. `because` are facts' ids; `amount` is money as exact text, or empty."""

    kind: str
    group: str
    day: str
    because: tuple[str, ...]
    amount: str
    lot: str = ""
    account: str = ""


def reentry(queries: Queries, view: View, *, hidden: bool = False) -> list[dict[str, Any]]:
    """One line a group with an open window on the view's day (IRC 1091(a)), soonest first.

    `safe_to_buy_from`: all its booked losses are out of reach; `safe_to_sell_older_from`: no
    purchase still held and unused stands against a loss on other units of it. Empty: safe today.
    `causes` are the windows with the facts that opened them. `hidden`: also those of coins and NFTs
    under the position `conservative`, where no rule concerns them today (rulebook c.18).
    """
    check_day(view)
    lines = _lines(queries, view, queries.windows(view), hidden=False)
    if hidden:
        lines += _lines(queries, view, _hidden_windows(queries, view), hidden=True)
    open_lines = [each for each in lines if each["causes"]]
    return sorted(open_lines, key=lambda each: (_last(each), each["group"]))


def events(queries: Queries, view: View, long_within_days: int = 0) -> list[Event]:
    """The same as days to note, with the lots that turn long-term within so many days."""
    found = []
    for line in reentry(queries, view):
        for kind, field, window in (
            (BUY, "safe_to_buy_from", DO_NOT_BUY),
            (SELL, "safe_to_sell_older_from", DO_NOT_SELL),
        ):
            if line[field]:
                because = (each["event"] for each in line["causes"] if each["kind"] == window)
                amount = line["loss_at_risk"] if kind == BUY else ""
                refs = tuple(dict.fromkeys(because))
                found.append(Event(kind, line["group"], line[field], refs, amount))
    found += _turning_long(queries, view, long_within_days)
    return sorted(found, key=lambda each: (each.day, each.kind, each.group, each.lot))


def unseen(queries: Queries, view: View) -> list[dict[str, str]]:
    """What the calendar could not see: a group that is not on it is safe as far as was seen."""
    portfolio = queries.portfolio(view)
    groups = {asset.group for asset in portfolio.declared.assets.values()}
    return [each.shown() for each in gaps(queries, view, portfolio, groups)]


def _lines(
    queries: Queries, view: View, windows: list[Piece], *, hidden: bool
) -> list[dict[str, Any]]:
    groups: dict[str, list[Piece]] = {}
    for window in windows:
        groups.setdefault(window["group"], []).append(window)
    held = _lots_held(queries, view)
    return [
        group_line(group, found, held.get(group, set())) | {"hidden": hidden}
        for group, found in groups.items()
    ]


def _hidden_windows(queries: Queries, view: View) -> list[Piece]:
    """Windows that the books outside the rule would have under `conservative`."""
    portfolio = queries.portfolio(view)
    election = elects(wash_sale=(WashSaleVersion("0001-01-01", CONSERVATIVE),))
    listed = portfolio.declared.policy.wash_classes(day_of(view.as_of))
    found: list[Piece] = []
    for name in sorted(portfolio.books):
        classes = {entry.asset.asset_class.name for entry in portfolio.entries[name]}
        if not classes & listed:
            found += window_pieces(refolded(portfolio, name, election=election))
    return present(found, view.as_of)


def group_line(group: str, windows: list[Piece], held: set[str]) -> dict[str, Any]:
    """One group, of these windows.

    `held`: facts that opened the group's lots; a purchase alone has no older lots to block."""
    causes = [each for each in windows if each["kind"] == DO_NOT_BUY or held - {each["event"]}]
    buying = [each for each in causes if each["kind"] == DO_NOT_BUY]
    selling = [each for each in causes if each["kind"] == DO_NOT_SELL]
    return {
        "group": group,
        "safe_to_buy_from": max((each["safe_from"] for each in buying), default=""),
        "loss_at_risk": format_money(sum(money(each["loss"]) for each in buying)),
        "safe_to_sell_older_from": max((each["safe_from"] for each in selling), default=""),
        "accounts": sorted({each["account"] for each in causes}),
        "causes": causes,
    }


def _last(line: dict[str, Any]) -> str:
    return max(str(line["safe_to_buy_from"]), str(line["safe_to_sell_older_from"]))


def _lots_held(queries: Queries, view: View) -> dict[str, set[str]]:
    """The facts that opened the lots still held, by group."""
    assets = queries.portfolio(view).declared.assets
    held: dict[str, set[str]] = {}
    for lot in queries.lots(view):
        held.setdefault(assets[lot["asset"]].group, set()).add(lot["lot"])
    return held


def _turning_long(queries: Queries, view: View, within_days: int) -> Iterable[Event]:
    declared = queries.portfolio(view).declared
    last = iso(day_of(view.as_of) + within_days)
    for lot in queries.lots(view):
        reports = declared.account(lot["account"]).reports
        if reports and view.as_of < lot["long_from"] <= last:
            group = declared.assets[lot["asset"]].group
            yield Event(
                LONG, group, lot["long_from"], (lot["lot"],), lot["basis"], lot["lot"],
                lot["account"],
            )  # fmt: skip

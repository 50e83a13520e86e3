"""Explain: from a lot, disposal, window or alert to its facts, rules, arithmetic and positions."""

from __future__ import annotations

from typing import Any

import msgspec

from domain.book import Book
from domain.days import first_long_day, iso
from domain.disposals import Disposal, WashMatch
from domain.errors import ThresherError
from domain.exact import cents, format_quantity
from domain.fact_codec import name_of
from domain.lots import Lot
from domain.portfolio import Portfolio
from domain.rules.rule_set import RuleSet
from projections.alerts import crossing_key
from services.ledger import Ledger
from services.queries import Queries, View

_OPENING_RULES = {
    "buy": "cost", "swap": "swap", "income": "income", "gift_in": "gift", "inherit": "inherited",
}  # fmt: skip


class NothingToExplain(ThresherError):
    """No lot, disposal, window or alert has that id."""


def explain(queries: Queries, view: View, id: str) -> dict[str, Any]:
    """Everything behind one figure. `id` is a fact's id (of a lot, sale or purchase) or an
    alert's key; the source may be left out when the rest is unique. Raises NothingToExplain.
    """
    alert = _alert(queries, view, id)
    if alert is not None:
        return alert
    portfolio = queries.portfolio(view)
    ref = _ref(portfolio, id, queries.ledger, view.taxpayer)
    answer = _Answer(portfolio.declared.policy.rules)
    for book in portfolio.books.values():
        _explain_lot(answer, book, ref)
        _explain_sales(answer, book, ref)
        _explain_window(answer, book, ref, view)
    issues = [each for each in portfolio.all_issues() if each.ref == ref]
    return {
        "id": ref,
        "what": answer.what,
        "arithmetic": answer.lines,
        "rules": answer.cited(),
        "facts": _facts(queries.ledger, view, [ref, *answer.facts]),
        "data_issues": [f"{each.says}; {each.remedy}" for each in issues],
        **queries.coverage(view),
        **view.frame,
    }


class _Answer:
    """Lines of arithmetic, with the rules and facts they stand on, in order of first use."""

    def __init__(self, rules: RuleSet) -> None:
        self._rules = rules
        self.what: list[str] = []
        self.lines: list[str] = []
        self.facts: list[str] = []
        self._cited: list[str] = []

    def say(self, line: str, *rules: str) -> None:
        self.lines.append(line)
        self._cited += [rule for rule in rules if rule not in self._cited]

    def stands_on(self, ref: str) -> None:
        if ref not in self.facts:
            self.facts.append(ref)

    def cited(self) -> list[dict[str, str]]:
        found = [self._rules.cite(rule) for rule in self._cited]
        return [{"rule": c.rule, "says": c.says, "source": c.source} for c in found]


def _explain_lot(answer: _Answer, book: Book, ref: str) -> None:
    """The lot that a fact opened: pieces still open, washes that moved into it, sales of it."""
    pieces = [lot for lot in book.open_lots() if lot.ref == ref]
    washes = [match for match in book.matches() if match.replacement == ref]
    sales = [row for row in book.disposals if row.lot == ref and row.ref != ref]
    if not (pieces or washes or sales):
        return
    answer.what.append("lot")
    answer.say(f"lot {ref} was opened by this fact", "cost", "per_wallet")
    for match in washes:
        _wash_line(answer, match, match.loss.ref)
    for row in sales:
        answer.say(
            f"{format_quantity(row.quantity)} {row.asset.id} left in {row.ref} on "
            f"{iso(row.sold)} with basis {cents(row.basis)}"
        )
        answer.stands_on(row.ref)
    for lot in pieces:
        answer.say(_open_line(lot), "term")


def _open_line(lot: Lot) -> str:
    if lot.inherited:
        held = "inherited: long-term"
    else:
        tacked = lot.origin - lot.acquired
        days = f", {tacked} days tacked" if tacked > 0 and lot.used else ""
        held = f"held since {iso(lot.acquired)}{days}, long-term from "
        held += iso(first_long_day(lot.acquired))
    return (
        f"open: {format_quantity(lot.quantity)} {lot.asset.id} in {lot.account.id}, basis "
        f"{cents(lot.basis)}, {held}"
    )


def _explain_sales(answer: _Answer, book: Book, ref: str) -> None:
    rows = [row for row in book.disposals if row.ref == ref]
    if rows:
        answer.what.append("disposal")
    for row in rows:
        answer.say(_sale_line(row), row.chosen_by, "cost", "term")
        answer.stands_on(row.lot)
        for match in (each for each in book.matches() if each.loss is row):
            _wash_line(answer, match, match.replacement)
        if row.gain < 0 and not row.wash_classes:
            name = row.asset.asset_class.name
            answer.say(f"{name} is not under the wash-sale rule on that day", "wash_classes")
        if row.wash:
            answer.say(
                f"taxable: gain {cents(row.gain)} + disallowed {cents(row.wash)} = "
                f"{cents(row.taxable)}"
            )
    departures = [each for each in book.departures if each.ref == ref]
    for gone in departures:
        rule = {"abandoned": "abandon", "gift": "gift"}.get(gone.kind, "return_of_capital")
        answer.say(
            f"{gone.kind.replace('_', ' ')}: {format_quantity(gone.quantity)} {gone.asset.id} of "
            f"lot {gone.lot} took basis {cents(gone.basis)} along",
            *((rule,) if gone.kind != "not_reported" else ()),
        )


def _sale_line(row: Disposal) -> str:
    term = "long-term" if row.is_long else "short-term"
    since = row.acquired_text
    edge = "" if row.inherited else f" (long-term from {iso(first_long_day(row.acquired))})"
    return (
        f"{format_quantity(row.quantity)} {row.asset.id} of lot {row.lot} sold {iso(row.sold)}: "
        f"proceeds {cents(row.proceeds)} - basis {cents(row.basis)} = {cents(row.gain)}, {term}, "
        f"held since {since}{edge}"
    )


def _wash_line(answer: _Answer, match: WashMatch, other: str) -> None:
    rules = ["wash_sale", "wash_once", "wash_classes"]
    if match.shifted:
        effect = f"added to its basis, {match.tacked_days} days tacked"
        rules.append("wash_basis")
    else:
        effect = "lost for good: no basis takes it"
        rules.append("wash_ira" if match.account.kind != "taxable" else "wash_related")
    gap = match.bought - match.loss.sold
    when = f"{abs(gap)} days {'after' if gap >= 0 else 'before'} the sale"
    answer.say(
        f"wash sale: loss of {cents(match.disallowed)} on {format_quantity(match.loss_quantity)} "
        f"{match.loss.asset.id} ({match.loss.ref}) meets {format_quantity(match.quantity)} "
        f"{match.asset.id} bought {iso(match.bought)} in {match.account.id} "
        f"({match.replacement}), {when}: disallowed, {effect}",
        *rules,
    )
    answer.stands_on(other)


def _explain_window(answer: _Answer, book: Book, ref: str, view: View) -> None:
    days = book.policy.rules.window_days
    for group, state in book.washes.items():
        for loss in state.open_losses:
            if loss.ref == ref and loss.open_quantity and iso(loss.sold + days) >= view.as_of:
                answer.what.append("window")
                answer.say(
                    f"window: {format_quantity(loss.open_quantity)} units of this loss "
                    f"({cents(loss.open_loss)}) are unmatched; a purchase of group {group} up to "
                    f"{iso(loss.sold)} + {days} days = {iso(loss.sold + days)} disallows them; "
                    f"safe from {iso(loss.sold + days + 1)}",
                    "wash_sale",
                )
        for purchase in state.recent:
            held = sum(piece.quantity for piece in purchase.pieces)
            if purchase.ref == ref and held and iso(purchase.day + days) >= view.as_of:
                answer.what.append("window")
                answer.say(
                    f"window: this purchase ({format_quantity(held)} units held, unused) blocks "
                    f"losses on other units of group {group} until {iso(purchase.day + days)}",
                    "wash_sale",
                )


def _ref(portfolio: Portfolio, id: str, ledger: Ledger, taxpayer: str) -> str:
    known = {*portfolio.trades, *portfolio.decisions}
    if id in known or ledger.stream(taxpayer, id):  # a busted fact is in the ledger alone
        return id
    found = sorted(ref for ref in known if ref.partition(":")[2] == id)
    if len(found) == 1:
        return found[0]
    if found:
        raise NothingToExplain(f"{id!r} is ambiguous: {', '.join(found)}")
    raise NothingToExplain(f"no lot, disposal, window or alert has the id {id!r}")


def _alert(queries: Queries, view: View, id: str) -> dict[str, Any] | None:
    for alert in queries.alerts(view):
        key = crossing_key(view.taxpayer, alert["rule"], alert["crossing"])
        if id in (key, key.partition("/")[2]):
            lots = alert["evidence"]["lots"]
            return {
                "id": key,
                "what": ["alert"],
                "arithmetic": [
                    f"{alert['metric']} of {alert['scope']} was {alert['value']} at "
                    f"{alert['fired_at']}, threshold {alert['threshold']}",
                    *(f"{lot['lot']} in {lot['account']}: {lot['quantity']} {lot['asset']}, "
                      f"harvestable {lot['harvestable']}" for lot in lots),
                ],
                "alert": alert,
                "facts": _facts(queries.ledger, view, [f"thresher:alert/{key.partition('/')[2]}"]),
                **queries.coverage(view),
                **view.frame,
            }  # fmt: skip
    return None


def _facts(ledger: Ledger, view: View, refs: list[str]) -> list[dict[str, Any]]:
    shown = []
    for ref in refs:
        for version, recorded in enumerate(ledger.stream(view.taxpayer, ref), start=1):
            if view.known_at is None or recorded.recorded_at <= view.known_at:
                shown.append(
                    {
                        "ref": ref,
                        "version": version,
                        "kind": name_of(recorded.fact),
                        "recorded_at": recorded.recorded_at,
                        "evidence": msgspec.to_builtins(recorded.evidence),
                        "fact": msgspec.to_builtins(recorded.fact),
                    }
                )
    return shown

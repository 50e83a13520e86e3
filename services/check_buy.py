"""Check before buying: which losses a purchase would wash, how much, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from domain.days import day_of, iso
from domain.decisions import PolicyElected, WashSaleVersion
from domain.disposals import WashMatch
from domain.exact import format_money, format_quantity, grouped, quantity, times
from domain.facts import Buy, Fact
from domain.kept_book import KeptBook
from domain.policy import CONSERVATIVE
from domain.portfolio import Portfolio
from services.check_open import OpenLosses, open_losses
from services.coverage import Gap, gaps
from services.queries import Queries, View
from services.refold import book_name, elects, refolded
from services.whatif import Unanswerable, check_day

HYPOTHETICAL = "whatif:buy"
ANY_ACCOUNT = "a taxable account of your own"
_WHO = {"self": "you buy", "spouse": "your spouse buys", "entity": "your company buys"}


class State(StrEnum):
    """What a purchase would do, from the best to the worst."""

    CLEAR = "clear"
    INCOMPLETE = "coverage incomplete"
    WOULD_WASH = "would wash"
    IRA_RISK = "IRA risk: lost for good"


@dataclass(frozen=True, slots=True)
class HypotheticalBuy:
    """What would be bought on the view's day; `is_all`: no other persons or accounts exist."""

    asset: str
    quantity: str
    account: str | None = None
    is_all: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason, with the state that it alone would give."""

    state: State
    says: str

    def shown(self) -> dict[str, str]:
        """The finding as text."""
        return {"state": self.state.value, "says": self.says}


def check_buy(queries: Queries, view: View, buy: HypotheticalBuy) -> dict[str, Any]:
    """State, findings, booked losses it disallows (with the day from which it would not), open
    losses at the marks that it blocks, the window hidden under today's law, and coverage.

    IRC 1091; nothing is recorded. Raises Unanswerable.
    """
    check_day(view)
    if quantity(buy.quantity) <= 0:
        raise Unanswerable(f"{buy.quantity} units are no purchase")
    portfolio = queries.portfolio(View(view.taxpayer, view.as_of, view.known_at, is_live=False))
    if portfolio.declared.policy.rules.jurisdiction != "US":
        raise Unanswerable("the check applies IRC 1091; the policy's jurisdiction is another")
    asset = portfolio.declared.assets.get(buy.asset)
    if asset is None:
        return _of_unknown_asset(queries, view, portfolio, buy)
    question = _Question(queries, view, portfolio, buy)
    booked, still_open = question.washed(), question.opened()
    unseen = gaps(queries, view, portfolio, [asset.group], buys_in=buy.account, is_all=buy.is_all)
    hidden = question.hidden()
    findings = [
        *_booked_findings(booked),
        *_open_findings(still_open),
        # What no rule concerns cannot be washed unseen either.
        *(Finding(State.INCOMPLETE, each.says) for each in unseen if hidden is None),
    ]
    return {
        "purchase": question.shown(asset.group),
        **_verdict(findings),
        "disallowed": format_money(sum(match.disallowed for match in booked)),
        "safe_from": question.safe_from(booked),
        "booked": [question.booked(match) for match in booked],
        "open": still_open.shown() if still_open else None,
        "hidden": hidden,
        "coverage": [each.shown() for each in unseen],
        "rules": _cited(portfolio, booked, still_open, hidden),
        **view.frame,
    }


class _Question:
    """One purchase put to one book, under the positions taken or under others."""

    def __init__(
        self, queries: Queries, view: View, portfolio: Portfolio, buy: HypotheticalBuy
    ) -> None:
        self._portfolio = portfolio
        self._asset = portfolio.declared.assets[buy.asset]
        self._name = book_name(portfolio, self._asset.group)
        self._day = day_of(view.as_of)
        known = queries.marks(view, portfolio)
        self._marks = {asset: mark.price for asset, mark in known.items()}
        self._account = buy.account or _only_account(portfolio, self._name, buy.asset)
        price = self._marks.get(buy.asset, 0)
        self._fact = Buy(
            effective_at=f"{view.as_of}T23:59:58",
            seq=1 << 30,
            account=self._account or HYPOTHETICAL,
            asset=buy.asset,
            quantity=buy.quantity,
            amount=times(format_quantity(price), buy.quantity),
        )

    def shown(self, group: str) -> dict[str, str]:
        """What was asked."""
        return {
            "asset": self._asset.id,
            "asset_class": self._asset.asset_class.name,
            "group": group,
            "qty": self._fact.quantity,
            "account": self._account or ANY_ACCOUNT,
            "on": iso(self._day),
        }

    def book(self, *facts: tuple[str, Fact], election: PolicyElected | None = None) -> KeptBook:
        """The book with hypothetical facts."""
        return refolded(self._portfolio, self._name, facts, election)

    def washed(self, election: PolicyElected | None = None) -> list[WashMatch]:
        """Booked losses that the purchase would disallow."""
        book = self.book((HYPOTHETICAL, self._fact), election=election)
        return [match for match in book.matches() if match.replacement == HYPOTHETICAL]

    def opened(self, election: PolicyElected | None = None) -> OpenLosses | None:
        """Losses at the marks that the purchase would block, if it blocks any."""
        if self._name is None:
            return None
        return open_losses(
            lambda facts: self.book(*facts, election=election),
            (HYPOTHETICAL, self._fact),
            self._marks,
            self._day,
        )

    def hidden(self) -> dict[str, Any] | None:
        """What it would wash if coins and NFTs were under the rule, where they are not."""
        classes = self._portfolio.declared.policy.wash_classes(self._day)
        name = self._asset.asset_class.name
        if name in classes:
            return None
        election = elects(wash_sale=(WashSaleVersion("0001-01-01", CONSERVATIVE),))
        booked, still_open = self.washed(election), self.opened(election)
        disallowed = sum(match.disallowed for match in booked)
        blocked = still_open.blocked if still_open else 0
        return {
            "says": f"no rule for {name} today; under `conservative` it would disallow "
            f"{grouped(disallowed)} of booked losses and block {grouped(blocked)} of open ones",
            "disallowed": format_money(disallowed),
            "safe_from": self.safe_from(booked),
            "booked": [self.booked(match) for match in booked],
            "open": still_open.shown() if still_open else None,
        }

    def safe_from(self, matches: list[WashMatch]) -> str:
        """The first day on which the purchase would wash none of them; empty without any."""
        return iso(max(self._last_day(match) for match in matches) + 1) if matches else ""

    def booked(self, match: WashMatch) -> dict[str, str]:
        """A booked loss with what becomes of it."""
        row = match.loss
        return {
            "event": row.ref,
            "lot": row.lot,
            "account": row.account.id,
            "asset": row.asset.id,
            "sold": iso(row.sold),
            "qty": format_quantity(match.loss_quantity),
            "by_qty": format_quantity(match.quantity),
            "disallowed": format_money(match.disallowed),
            "effect": _effect(match),
            "safe_from": iso(self._last_day(match) + 1),
        }

    def _last_day(self, match: WashMatch) -> int:
        return match.loss.loss_day + self._portfolio.declared.policy.rules.window_days


def _only_account(portfolio: Portfolio, name: str | None, asset: str) -> str | None:
    """The one account that holds the asset."""
    if name is None:
        return None
    pools = portfolio.books[name].pools
    held = [account for (account, each), pool in pools.items() if each == asset and pool.quantity]
    return held[0] if len(held) == 1 else None


def _effect(match: WashMatch) -> str:
    if match.account.is_retirement:
        return "lost for good: bought in a retirement account"
    if match.shifted:
        return f"deferred: joins the basis of the units that {_WHO[match.account.owner]}"
    return f"disallowed: no basis takes it, since {_WHO[match.account.owner]} the units"


def _booked_findings(matches: list[WashMatch]) -> list[Finding]:
    return [
        Finding(
            State.IRA_RISK if match.account.is_retirement else State.WOULD_WASH,
            f"{grouped(match.disallowed)} of the loss booked in {match.loss.ref} on "
            f"{iso(match.loss.sold)}: {_effect(match)}",
        )
        for match in matches
    ]


def _open_findings(found: OpenLosses | None) -> list[Finding]:
    if found is None:
        return []
    findings = [
        Finding(State.INCOMPLETE, f"no mark of {asset}: its open loss was not valued")
        for asset in found.unmarked
    ]
    if found.blocked:
        state = State.IRA_RISK if found.is_lost else State.WOULD_WASH
        says = (
            f"{grouped(found.blocked)} of the losses open at the marks, if the other lots are "
            f"sold by {iso(found.last_day)}"
        )
        findings.append(Finding(state, says + (": lost for good" if found.is_lost else "")))
    return findings


def _verdict(findings: list[Finding]) -> dict[str, Any]:
    """The worst state of all findings, and the findings, worst first."""
    order = list(State)
    ranked = sorted(findings, key=lambda each: -order.index(each.state))
    state = ranked[0].state if ranked else State.CLEAR
    return {"state": state.value, "findings": [each.shown() for each in ranked]}


def _cited(
    portfolio: Portfolio,
    booked: list[WashMatch],
    still_open: OpenLosses | None,
    hidden: dict[str, Any] | None,
) -> list[dict[str, str]]:
    names = ["wash_sale", "wash_once", "matching_order"]
    if any(match.shifted for match in booked):
        names.append("wash_basis")
    if any(match.account.is_retirement for match in booked) or (still_open and still_open.is_lost):
        names.append("wash_ira")
    if any(match.account.owner != match.loss.account.owner for match in booked):
        names.append("wash_related")
    if hidden is not None:
        names.append("wash_classes")
    rules = portfolio.declared.policy.rules
    cited = [rules.cite(name) for name in names]
    return [{"rule": each.rule, "says": each.says, "source": each.source} for each in cited]


def _of_unknown_asset(
    queries: Queries, view: View, portfolio: Portfolio, buy: HypotheticalBuy
) -> dict[str, Any]:
    """Without its class and group nothing can be said of it."""
    unseen = [
        Gap(
            "unknown_asset",
            f"asset {buy.asset} was never declared: neither its class nor its group is known",
            "import an assets.csv row or an `asset` fact for it",
        ),
        *gaps(queries, view, portfolio, [], is_all=buy.is_all),
    ]
    return {
        "purchase": {
            "asset": buy.asset, "asset_class": "", "group": "", "qty": buy.quantity,
            "account": buy.account or ANY_ACCOUNT, "on": view.as_of,
        },
        **_verdict([Finding(State.INCOMPLETE, each.says) for each in unseen]),
        "disallowed": "0", "safe_from": "", "booked": [], "open": None, "hidden": None,
        "coverage": [each.shown() for each in unseen], "rules": [], **view.frame,
    }  # fmt: skip

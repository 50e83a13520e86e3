"""Coverage: what a figure could not see, each gap with what would close it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from domain.facts import Fact
from domain.portfolio import Portfolio
from services.queries import Queries, View

_UNMARRIED = frozenset({"single"})


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that was not seen: `says` what, `remedy` what closes it."""

    code: str
    says: str
    remedy: str

    def shown(self) -> dict[str, str]:
        """The gap as text."""
        return asdict(self)


def gaps(
    queries: Queries,
    view: View,
    portfolio: Portfolio,
    groups: Iterable[str],
    *,
    buys_in: str | None = None,
    is_all: bool = False,
) -> list[Gap]:
    """What may hide purchases or losses of `groups`. The wash-sale rule looks at every account of
    the taxpayer and the spouse, IRAs too (Pub. 550, Wash Sales; Rev. Rul. 2008-5).

    `buys_in`: the account of a hypothetical purchase. `is_all`: the asker says that there are no
    other persons and accounts than those seen; `accounts_complete` of the profile says so up to a
    day.
    """
    found = []
    if not (is_all or portfolio.declared.has_all_accounts(view.as_of)):
        found = [*_persons(portfolio), *_retirement(portfolio)]
    return [
        *_undeclared(portfolio, buys_in),
        *found,
        *_issues(portfolio, frozenset(groups)),
        *_quarantined(queries, view),
    ]


def _undeclared(portfolio: Portfolio, buys_in: str | None) -> list[Gap]:
    declared = portfolio.declared
    named = {*declared.accounts, buys_in or ""} - {""}
    return [
        Gap(
            "undeclared_account",
            f"account {each} was never declared: taken as your own taxable broker account",
            "declare its kind and owner (accounts.csv or an `account` fact)",
        )
        for each in sorted(named - declared.declared_accounts)
    ]


def _persons(portfolio: Portfolio) -> list[Gap]:
    declared = portfolio.declared
    owners = {account.owner for account in declared.accounts.values()}
    if "spouse" in owners or declared.profile.filing_status in _UNMARRIED:
        return []
    return [
        Gap(
            "spouse_not_seen",
            f"no account of a spouse was seen, and {_unsaid(portfolio)}",
            "declare the spouse's accounts, or state filing_status single or accounts_complete in "
            "the profile",
        )
    ]


def _retirement(portfolio: Portfolio) -> list[Gap]:
    if any(account.is_retirement for account in portfolio.declared.accounts.values()):
        return []
    return [
        Gap(
            "retirement_not_seen",
            f"no IRA, 401(k) or HSA was seen, and {_unsaid(portfolio)}",
            "declare it and import its purchases, state accounts_complete in the profile, or ask "
            "with --all-seen",
        )
    ]


def _unsaid(portfolio: Portfolio) -> str:
    complete = portfolio.declared.profile.accounts_complete
    if complete is None:
        return "nobody said that there is none"
    return f"that none is missing was said up to {complete} only"


def _issues(portfolio: Portfolio, groups: frozenset[str]) -> list[Gap]:
    """Facts held out of totals: of these groups, or of an asset whose group nobody knows."""
    found = []
    for issue in portfolio.all_issues():
        assets = _assets(portfolio.trades.get(issue.ref))
        known = [portfolio.declared.assets.get(asset) for asset in assets]
        concerns = any(asset is None or asset.group in groups for asset in known)
        if issue.blocking and (concerns or not assets):
            found.append(Gap("data_issue", f"{issue.ref}: {issue.says}", issue.remedy))
    return found


def _assets(fact: Fact | None) -> list[str]:
    """The assets that a fact names."""
    legs = (getattr(fact, name, None) for name in ("out", "into"))
    named = [getattr(fact, name, None) for name in ("asset", "underlying")]
    named += [leg.asset for leg in legs if leg is not None]
    return [asset for asset in named if asset is not None]


def _quarantined(queries: Queries, view: View) -> list[Gap]:
    rows = [each for each in queries.issues(view) if each["code"] == "quarantined"]
    if not rows:
        return []
    says = f"{len(rows)} row(s) in quarantine, of any asset; the first: {rows[0]['fact']}"
    return [Gap("quarantine", says, "mend them (thresher issues) and import again")]

"""What to hold while a wash-sale window runs: the owner's similar assets, ranked by correlation.

Nothing of an identical group is ever among them. Recorded nowhere; the table itself is facts.
"""

from __future__ import annotations

from dataclasses import dataclass

from domain.days import day_of, moment_key
from domain.exact import format_money, format_quantity
from domain.facts import Split
from domain.harvest import opportunities
from domain.portfolio import Portfolio
from domain.similar import candidates
from projections.schema import Piece
from projections.wash_windows import DO_NOT_BUY
from services import statement
from services.correlation import Correlation, DailyPrices, correlated
from services.mark_policy import is_weak


@dataclass(frozen=True, slots=True)
class Similar:
    """A candidate. `why_not`: it is not offered, and why; `safe_from`: buying it before that ISO
    day would wash a loss booked in its own group (empty: none)."""

    asset: str
    asset_class: str
    reason: str
    why_not: str
    correlation: Correlation
    safe_from: str

    @property
    def is_free(self) -> bool:
        """It can be bought without washing anything that is booked."""
        return not self.why_not and not self.safe_from


class SimilarAssets:
    """The similar assets of a portfolio on a day (`as_of`, ISO); each asset's are computed once."""

    def __init__(self, portfolio: Portfolio, as_of: str, prices: DailyPrices) -> None:
        self._portfolio = portfolio
        self._prices = prices
        self._day = day_of(as_of)
        self._found: dict[str, list[Similar]] = {}
        self._waits: dict[str, str] = {}
        self._splits: dict[str, list[int]] = {}
        if portfolio.declared.similar:
            self._waits = _windows(portfolio, as_of)
            self._splits = _splits(portfolio)

    def of(self, asset: str) -> list[Similar]:
        """Candidates that are offered by falling correlation, unknown ones after them; then those
        that are not."""
        if asset not in self._found:
            found = [
                self._judged(asset, each.asset, each.why_not)
                for each in candidates(self._portfolio.declared, asset)
            ]
            self._found[asset] = sorted(found, key=_rank)
        return self._found[asset]

    def best(self, asset: str) -> str:
        """The first candidate whose purchase washes nothing booked; empty without any."""
        return next((each.asset for each in self.of(asset) if each.is_free), "")

    def shown(self, asset: str, marks: statement.Marks, now: str) -> list[Piece]:
        """The same as text, each with its last mark, whether that is too old at the instant `now`,
        and the loss open in its own group, which buying it would block."""
        return [
            _shown(each, marks, now) | {"open_loss": format_money(self._open_loss(each, marks))}
            for each in self.of(asset)
        ]

    def beside(self, asset: str, marks: statement.Marks, now: str) -> Piece:
        """What stands beside a loss of the asset: the best candidate's id, and all of them."""
        return {"swap_into": self.best(asset), "similar": self.shown(asset, marks, now)}

    def _open_loss(self, found: Similar, marks: statement.Marks) -> int:
        """Harvestable at the marks in its own group, where purchases can block it (10**-36)."""
        known = self._portfolio.declared.assets.get(found.asset)
        if found.why_not or known is None:
            return 0
        prices = {asset: mark.price for asset, mark in marks.items()}
        return sum(
            one.harvestable
            for book in self._portfolio.books.values()
            if known.group in book.washes and found.asset_class in book.wash_classes(self._day)
            for one in opportunities(book, prices, self._day)
            if one.lot.asset.group == known.group
        )

    def _judged(self, asset: str, candidate: str, why_not: str) -> Similar:
        declared = self._portfolio.declared
        reason = declared.similar[asset][1].reason
        if why_not:
            return Similar(candidate, "", reason, why_not, Correlation(None, 0), "")
        splits = self._splits.get(asset, []) + self._splits.get(candidate, [])
        alike = correlated(self._prices.of(asset), self._prices.of(candidate), splits)
        known = declared.assets[candidate]
        safe_from = self._waits.get(known.group, "")
        return Similar(candidate, known.asset_class.name, reason, "", alike, safe_from)


def _shown(found: Similar, marks: statement.Marks, now: str) -> Piece:
    mark = None if found.why_not else marks.get(found.asset)
    return {
        "asset": found.asset,
        "correlation": found.correlation.shown,
        "days": found.correlation.days,
        "price": "" if mark is None else format_quantity(mark.price),
        "mark_at": "" if mark is None else mark.at,
        "mark_stale": mark is not None and is_weak(mark.kind, mark.at, found.asset_class, now),
        "safe_from": found.safe_from,
        "why_not": found.why_not,
        "reason": found.reason,
    }


def _rank(found: Similar) -> tuple[bool, int, str]:
    known = found.correlation.hundredths
    return bool(found.why_not), 101 if known is None else -known, found.asset


def _windows(portfolio: Portfolio, as_of: str) -> dict[str, str]:
    """By identical group: the first day on which buying washes none of its booked losses."""
    waits: dict[str, str] = {}
    for each in statement.windows(portfolio, as_of):
        if each["kind"] == DO_NOT_BUY:
            waits[each["group"]] = max(each["safe_from"], waits.get(each["group"], ""))
    return waits


def _splits(portfolio: Portfolio) -> dict[str, list[int]]:
    """By asset: the tax days on which one unit became several, or several one."""
    zone = portfolio.declared.zone
    found: dict[str, list[int]] = {}
    for fact in portfolio.trades.values():
        if isinstance(fact, Split):
            found.setdefault(fact.asset, []).append(moment_key(fact.effective_at, zone)[0])
    return found

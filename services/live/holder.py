"""A holder: one watched taxpayer, valued by curves to know when to ask, and exactly when asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from domain.book import Book
from domain.exact import ONE_DOLLAR
from domain.harvest import Opportunity, opportunities
from domain.kept_book import KeptBook
from domain.loss_curves import Curve, curves_of
from domain.rules.rule_set import RuleSet
from domain.years import Outlook
from services.alert_rules import in_scope, lot_of
from services.live.guards import Metric
from services.statement import Mark, Marks, outlook, saved_by
from services.written import Taxpayer

Found = list[Opportunity]


@dataclass(slots=True)
class _Valued:
    """A book's opportunities at these marks."""

    marks: tuple[Mark | None, ...]
    found: Found


class Holder:
    """What the rules of a taxpayer need of its books on one tax day.

    `until` is the first day on which lots turn long-term, windows open or close, the law or the
    tax year changes: then a new holder has to be made.
    """

    def __init__(self, taxpayer: Taxpayer, day: int) -> None:
        self.day = day
        self._taxpayer = taxpayer
        self._outlook: Outlook | None = None
        self._valued: dict[str, _Valued] = {}
        self._metrics: dict[tuple[str, str], Metric] = {}
        self.curves: list[Curve] = []
        self.opaque: list[KeptBook] = []
        rules = taxpayer.portfolio.declared.policy.rules
        self.until = _next_tax_year(rules, day)
        for book in taxpayer.portfolio.books.values():
            if isinstance(book, Book):
                known = curves_of(book, day)
                self.curves += known.curves
                self.until = min(self.until, known.until)
            else:
                self.opaque.append(book)
                self.until = day + 1

    def metric(self, name: str, scope: str) -> Metric:
        """What a rule of this metric and scope watches."""
        known = self._metrics.get((name, scope))
        if known is None:
            known = self._metrics[name, scope] = self._metric(name, scope)
        return known

    def _metric(self, name: str, scope: str) -> Metric:
        opaque = {asset for book in self.opaque for asset in book.weights}
        return Metric(name, self._curves(scope), frozenset(opaque), self.outlook)

    def _curves(self, scope: str) -> list[Curve]:
        """The curves of the lots in scope: of whole holdings, or of one lot alone."""
        ref = lot_of(scope)
        if not ref:
            return [each for each in self.curves if in_scope(scope, each.asset, each.account, "")]
        return [
            curve
            for book in self._taxpayer.portfolio.books.values()
            if isinstance(book, Book)
            for curve in curves_of(book, self.day, lambda lot: lot.ref == ref).curves
        ]

    def outlook(self) -> Outlook:
        """The tax year of the day, as the portfolio stands."""
        if self._outlook is None:
            portfolio = self._taxpayer.portfolio
            year = portfolio.declared.policy.rules.tax_year_of(self.day)
            self._outlook = outlook(portfolio, year, self._taxpayer.sums())
        return self._outlook

    def value(self, metric: str, scope: str, marks: Marks) -> tuple[int, Found]:
        """The exact value at the marks (10**-36; percent: of a percent), and the lots behind it."""
        found = [
            one
            for name, book in self._taxpayer.portfolio.books.items()
            for one in self._opportunities(name, book, marks)
            if in_scope(scope, one.lot.asset, one.lot.account, one.lot.ref)
        ]
        if metric == "tax_saved":
            return self.saved(found), found
        loss = sum(one.harvestable for one in found)
        if metric == "harvestable_loss":
            return loss, found
        cost = self._cost(scope, marks)
        return (100 * loss * ONE_DOLLAR // cost if cost else 0), found

    def saved(self, found: Found) -> int:
        """The tax that selling these would save this year, in 10**-36."""
        return saved_by(self.outlook(), found)

    def _opportunities(self, name: str, book: KeptBook, marks: Marks) -> Found:
        now = tuple(marks.get(asset) for asset in book.weights)
        known = self._valued.get(name)
        if known is None or known.marks != now:
            prices = {mark.asset: mark.price for mark in now if mark is not None}
            known = self._valued[name] = _Valued(now, opportunities(book, prices, self.day))
        return known.found

    def _cost(self, scope: str, marks: Mapping[str, Mark]) -> int:
        """Basis of all lots in scope that have a mark."""
        held = sum(curve.cost for curve in self._curves(scope) if curve.asset.id in marks)
        return held + sum(
            lot.basis
            for book in self.opaque
            for lot in book.open_lots()
            if lot.account.reports
            and lot.asset.id in marks
            and in_scope(scope, lot.asset, lot.account, lot.ref)
        )


def _next_tax_year(rules: RuleSet, day: int) -> int:
    year, low, high = rules.tax_year_of(day), day, day + 367
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if rules.tax_year_of(middle) == year else (low, middle)
    return high

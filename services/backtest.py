"""Backtest: a recorded history told three times, harvested at alerts, at year ends and not at all.

Every figure is the difference of whole computations: the same history folded with and without the
hand's trades, each tax year taxed whole (`services/statement.py`, `domain/years.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from domain.decisions import AlertFired
from domain.exact import format_money
from domain.portfolio import Portfolio
from domain.rules.rule_set import RuleSet
from domain.years import Key, TaxYear, basis_of_tax, tax_of_year
from projections.schema import Piece
from services.backtest_hand import SALES, Hand, Tally
from services.history import History, Step
from services.replay import Crossings, NewStore, Replay, Store, Watched
from services.statement import outlook
from services.whatif_effect import rows_of

AT_ALERT, AT_YEAR_END, NONE = "at_alert", "at_year_end", "none"
POLICIES = (AT_ALERT, AT_YEAR_END, NONE)


@dataclass(frozen=True, slots=True)
class Question:
    """Rules, from which day they watch, until which day is told, and whether is bought back."""

    watched: Watched
    last: int | None = None
    rebuys: bool = True


@dataclass(frozen=True, slots=True)
class _Told:
    """A history as it ended under one policy."""

    policy: str
    alerts: int
    tally: Tally
    portfolio: Portfolio
    sums: dict[Key, int]

    def year(self, year: int) -> TaxYear:
        return outlook(self.portfolio, year, self.sums).before


def backtest(
    new_store: NewStore, history: History, rules: RuleSet, question: Question
) -> list[Piece]:
    """A line per policy: alerts, sales, losses, tax saved against `none`, wash sales avoided."""
    ends = year_ends(history.steps, rules, question.last)
    told = history.until(question.last)
    outcomes = []
    for policy in POLICIES:
        with new_store() as store:
            outcomes.append(_tell(policy, store, told, question, ends))
    none = outcomes[-1]
    years = _years(outcomes, [rules.tax_year_of(step.day) for step in told.steps[-1:]])
    return [_line(each, none, years) for each in outcomes]


def year_ends(steps: Iterable[Step], rules: RuleSet, last: int | None) -> frozenset[str]:
    """The instants of the last marks of tax years; of the last year only if it is over.

    It is over when its last day, or a later one, was reached by the marks or by the day `last`.
    """
    ends: dict[int, Step] = {}
    for step in steps:
        if step.quotes:
            ends[rules.tax_year_of(step.day)] = step
    if ends:
        newest = max(ends)
        if rules.tax_year_of(max(ends[newest].day, last or 0) + 1) == newest:
            del ends[newest]
    return frozenset(step.at for step in ends.values())


def _tell(
    policy: str, store: Store, history: History, question: Question, ends: Collection[str]
) -> _Told:
    watched = question.watched
    replay = Replay(store, history, watched if policy == AT_ALERT else Watched())
    hand = Hand(replay, rebuys=question.rebuys)
    all_scopes = {rule.scope for rule in watched.rules}
    alerts, waiting = 0, set[str]()
    for step in history.steps:
        fired = _scopes(hand.tell(step))
        if policy == AT_YEAR_END and step.at in ends and step.day >= (watched.first or 0):
            hand.harvest(step, all_scopes)
        alerts += len(fired)
        waiting |= set(fired)
        # A fact may cross between two marks: the owner sells at the next one.
        while waiting and step.quotes:
            fired = _scopes(hand.harvest(step, waiting))
            alerts, waiting = alerts + len(fired), set(fired)
    hand.settle()
    return _Told(policy, alerts, hand.tally, replay.portfolio, replay.sums)


def _scopes(crossings: Crossings) -> list[str]:
    """Scopes in which there is a loss to harvest: an alert of a day alone is none."""
    return [each.scope for each in crossings if isinstance(each, AlertFired) and each.lots]


def _years(outcomes: Iterable[_Told], last: Iterable[int]) -> list[int]:
    """From the first year with a sale to the last that was told, which counts as it stands."""
    found = {key[0] for each in outcomes for key in each.sums}
    if found:
        found.update(last)
    return list(range(min(found), max(found) + 1)) if found else []


def _line(told: _Told, none: _Told, years: list[int]) -> Piece:
    tally, rows = told.tally, rows_of(told.portfolio, SALES)
    matches = [match for book in told.portfolio.books.values() for match in book.matches()]
    by_year = [_year_line(year, told, none) for year in years]
    last = told.year(years[-1]) if years else None
    return {
        "policy": told.policy,
        "alerts": told.alerts,
        "sales": tally.sales,
        "bought_back": tally.buys,
        "harvested": format_money(-sum(row.gain for row in rows)),
        "disallowed": format_money(sum(row.wash for row in rows)),
        "disallowed_in_all": format_money(sum(match.disallowed for match in matches)),
        "tax_saved": format_money(sum(saved for saved, _ in by_year)),
        "tax_saved_by_year": [line for _, line in by_year],
        "carried_forward": format_money(last.carry_short + last.carry_long if last else 0),
        "wash_sales_avoided": len(tally.held_back),
        "loss_not_washed": format_money(sum(tally.held_back.values())),
        "timing": format_money(tally.timing),
        "refitted": tally.refitted + _issues(told) - _issues(none),
    }


def _issues(told: _Told) -> int:
    return len(told.portfolio.all_issues())


def _year_line(year: int, told: _Told, none: _Told) -> tuple[int, dict[str, str]]:
    policy = told.portfolio.declared.policy
    was, becomes = none.year(year), told.year(year)
    saved = tax_of_year(was, policy) - tax_of_year(becomes, policy)
    return saved, {
        "year": policy.rules.year_label(year),
        "tax_saved": format_money(saved),
        "basis_of_tax": basis_of_tax(was, policy),
    }

"""Asking: finds what an id stands for and puts the explanation of each of its figures together."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from domain.days import day_of
from domain.fact_codec import name_of
from domain.portfolio import Portfolio
from services.coverage import gaps
from services.explain import figures
from services.explain.alerts import explain_alert, find_alert
from services.explain.answer import Answer, Ground, NothingToExplain
from services.explain.departures import explain_departure, explain_income
from services.explain.disposals import explain_disposal
from services.explain.lots import explain_lot
from services.explain.moves import explain_move
from services.explain.opportunities import explain_opportunity
from services.explain.positions import Figure, touched
from services.explain.washes import explain_wash
from services.explain.windows import explain_window
from services.explain.years import explain_year
from services.ledger import Ledger
from services.queries import Queries, View

Kind = Callable[[Answer, Ground, str], None]
# What a fact's id may stand for; `KIND:ID` asks for one of them alone.
KINDS: dict[str, tuple[Kind, ...]] = {
    "lot": (explain_lot,),
    "opportunity": (explain_opportunity,),
    "sale": (explain_disposal,),
    "wash": (explain_wash,),
    "move": (explain_move,),
    "left": (explain_departure,),
    "income": (explain_income,),
    "window": (explain_window,),
}
_ALL = tuple(kind for name in KINDS if name != "wash" for kind in KINDS[name])
YEAR = "year:"


def explain(queries: Queries, view: View, id: str) -> dict[str, Any]:
    """Everything behind one figure. `id` is a fact's id (of a lot, sale, purchase, income), with a
    name of KINDS and a colon before it for that figure alone; `year:2025`; or an alert's key. The
    source may be left out when the rest is unique. Raises NothingToExplain.
    """
    ground = Ground(queries, view, queries.portfolio(view))
    answer = Answer(ground.portfolio.declared.policy.rules)
    alert = find_alert(queries, view, id)
    if alert is not None:
        key, fired = alert
        explain_alert(answer, key, fired)
        return _written(answer, ground, key, lambda books: {}) | {"alert": fired}
    if id.startswith(YEAR) and id[len(YEAR) :].isdecimal():
        year = int(id[len(YEAR) :])
        explain_year(answer, ground, year)
        of_year = partial(figures.of_year, ground=ground, year=year)
        return _written(answer, ground, id, of_year)
    return _of_fact(answer, ground, id)


def _of_fact(answer: Answer, ground: Ground, id: str) -> dict[str, Any]:
    kinds, ref = _asked(ground, id)
    answer.stands_on(ref)
    for kind in kinds:
        kind(answer, ground, ref)
    if kinds != _ALL and not answer.lines:
        raise NothingToExplain(f"{ref} is no {id.partition(':')[0]} on {ground.view.as_of}")
    prices = {asset: mark.price for asset, mark in ground.marks.items()}
    day = day_of(ground.view.as_of)
    of_fact = partial(figures.of_fact, ref=ref, prices=prices, day=day)
    return _written(answer, ground, ref, of_fact)


def _written(answer: Answer, ground: Ground, id: str, figure: Figure) -> dict[str, Any]:
    """The answer with its facts, rules, positions, data issues and gaps."""
    portfolio, view, queries = ground.portfolio, ground.view, ground.queries
    issues = [each for each in portfolio.all_issues() if each.ref == id]
    names = [name for name, book in portfolio.books.items() if answer.groups & set(book.washes)]
    coverage = queries.coverage(view)
    unseen = gaps(queries, view, portfolio, answer.groups)
    return {
        "id": id,
        "what": answer.what,
        "arithmetic": answer.lines,
        "rules": answer.cited(),
        "facts": _facts(queries.ledger, view, answer.facts),
        "data_issues": [f"{each.says}; {each.remedy}" for each in issues],
        **coverage,
        "law": portfolio.declared.policy.rules.version,
        "positions": touched(answer, ground, names, figure),
        "coverage": [each.shown() for each in unseen],
        **view.frame,
    }


def _asked(ground: Ground, id: str) -> tuple[tuple[Kind, ...], str]:
    """The kinds of figure that are asked for, and the fact's full id."""
    portfolio, taxpayer = ground.portfolio, ground.view.taxpayer
    found = _refs(portfolio, id, ground.queries.ledger, taxpayer)
    kinds = _ALL
    name, _, rest = id.partition(":")
    if not found and name in KINDS:
        found, kinds = _refs(portfolio, rest, ground.queries.ledger, taxpayer), KINDS[name]
    if len(found) > 1:
        raise NothingToExplain(f"{id!r} is ambiguous: {', '.join(found)}")
    if not found:
        raise NothingToExplain(f"no lot, disposal, window or alert has the id {id!r}")
    return kinds, found[0]


def _refs(portfolio: Portfolio, id: str, ledger: Ledger, taxpayer: str) -> list[str]:
    known = {*portfolio.trades, *portfolio.decisions}
    if id in known or ledger.stream(taxpayer, id):  # a busted fact is in the ledger alone
        return [id]
    return sorted(ref for ref in known if ref.partition(":")[2] == id)


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

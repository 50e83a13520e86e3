"""One book folded again with hypothetical facts or another position, recorded nowhere."""

from __future__ import annotations

from collections.abc import Iterable

from domain.compile import entries_of
from domain.decisions import PolicyElected
from domain.declarations import Declarations
from domain.entries import Entry
from domain.facts import Convert, Fact, Swap
from domain.kept_book import KeptBook
from domain.portfolio import Portfolio

POSITION = "whatif:position"
_LAST = "9999-12-31"


def book_name(portfolio: Portfolio, group: str) -> str | None:
    """The book that holds an identical group, or None if nothing of the group ever happened."""
    return next((name for name, book in portfolio.books.items() if group in book.washes), None)


def refolded(
    portfolio: Portfolio,
    name: str | None,
    facts: Iterable[tuple[str, Fact]] = (),
    election: PolicyElected | None = None,
) -> KeptBook:
    """The book `name` (None: an empty one) with `facts` (ref, fact) and an `election` added.

    The portfolio stays as it is. A hypothetical fact of an asset that was never declared raises
    KeyError(asset id).
    """
    declared = _declared(portfolio, election)
    entries = _entries(portfolio, name, declared)
    for ref, fact in facts:
        entries += entries_of(fact, ref, declared)
    entries.sort(key=lambda entry: entry.key)
    kind = declared.policy.rules.books
    book: KeptBook = kind.new(declared.policy, declared.orders, portfolio.until_day, entries)
    kind.fold(book, entries)
    kind.finish(book, portfolio.until_day)
    return book


def _declared(portfolio: Portfolio, election: PolicyElected | None) -> Declarations:
    """What was declared, as a directory of its own: looking up an account may add it."""
    sound: list[tuple[str, Fact]] = [
        (ref, fact) for ref, fact in portfolio.decisions.items() if ref not in portfolio.issues
    ]
    if election is not None:
        sound.append((POSITION, election))
    return Declarations(sound)


def _entries(portfolio: Portfolio, name: str | None, declared: Declarations) -> list[Entry]:
    """Entries of the book, compiled anew: a position may read a fact in another way."""
    if name is None:
        return []
    known = portfolio.entries.get(name, [])
    refs = dict.fromkeys(entry.ref for entry in known)
    groups = {entry.asset.group for entry in known}
    refused = _refused_swaps(portfolio)
    return [
        entry
        for ref in refs
        for entry in entries_of(portfolio.trades[ref], ref, declared)
        if entry.asset.group in groups and (entry.kind != "swap_in" or ref not in refused)
    ]


def _refused_swaps(portfolio: Portfolio) -> set[str]:
    """Swaps whose units given were not there, so that nothing was received either."""
    return {
        issue.ref
        for issue in portfolio.all_issues()
        if issue.code == "insufficient_units"
        and isinstance(portfolio.trades.get(issue.ref), Swap | Convert)
    }


def elects(**fields: object) -> PolicyElected:
    """An election of some positions that comes after all others."""
    return PolicyElected(effective_at=_LAST, **fields)  # type: ignore[arg-type]

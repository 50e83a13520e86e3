"""A portfolio as the product shows it: lots, gains, windows, opportunities, years, issues.

The same functions serve as-of answers, scenario files and the writing of read models.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from domain.days import iso
from domain.exact import format_money, format_quantity
from domain.harvest import Opportunity, opportunities
from domain.kept_book import KeptBook
from domain.policy import Policy
from domain.portfolio import Portfolio
from domain.years import Key, Outlook, TaxYear, YearSums, basis_of_tax, merged, tax_years
from projections.data_issues import present as present_issues
from projections.disposals import disposal_piece
from projections.disposals import present as present_disposals
from projections.open_lots import lot_piece
from projections.open_lots import present as present_lots
from projections.opportunities import opportunity_piece
from projections.opportunities import present as present_opportunities
from projections.schema import Piece
from projections.tax_years import present as present_years
from projections.wash_windows import present as present_windows
from projections.wash_windows import window_pieces
from services.mark_policy import is_weak


class Mark(NamedTuple):
    """A price used to value one unit: `price` is an integer of 10**-18, `at` an instant.

    `haircut` (same unit) was taken off what was quoted; `haircut_share` says which part that is.
    """

    asset: str
    price: int
    at: str
    source: str
    kind: str
    haircut: int = 0
    haircut_share: str = "0"

    @property
    def quoted(self) -> int:
        """The price before the haircut."""
        return self.price + self.haircut

    @property
    def shown(self) -> Piece:
        """What an opportunity tells of its mark, as text."""
        return {
            "mark_at": self.at, "mark_source": self.source, "mark_kind": self.kind,
            "quoted": format_quantity(self.quoted), "haircut": self.haircut_share,
        }  # fmt: skip


Marks = Mapping[str, Mark]


def lots(portfolio: Portfolio) -> list[Piece]:
    """Open lots of all accounts."""
    return present_lots(lot_piece(lot) for book in _books(portfolio) for lot in book.open_lots())


def disposals(portfolio: Portfolio) -> list[Piece]:
    """Rows of the return."""
    rules = portfolio.declared.policy.rules
    return present_disposals(
        disposal_piece(row, rules) for book in _books(portfolio) for row in book.disposals
    )


def windows(portfolio: Portfolio, as_of: str) -> list[Piece]:
    """Wash-sale windows open on `as_of` (ISO date), both ways."""
    return present_windows((p for book in _books(portfolio) for p in window_pieces(book)), as_of)


def harvest(portfolio: Portfolio, marks: Marks, day: int) -> list[Piece]:
    """Opportunities on `day`, each with the tax it would save if sold alone."""
    sums = year_sums(portfolio)
    return present_opportunities(
        piece
        for book in _books(portfolio)
        for piece in opportunity_pieces(portfolio, book, marks, day, sums)
    )


def too_old(portfolio: Portfolio, marks: Marks, now: str) -> list[str]:
    """Assets that could be harvested and whose mark is too old, or an ask, at `now`."""
    assets = portfolio.declared.assets
    old = {
        asset
        for asset, mark in marks.items()
        if asset in assets and is_weak(mark.kind, mark.at, assets[asset].asset_class.name, now)
    }
    held = {
        asset
        for book in _books(portfolio)
        for (_, asset), pool in book.pools.items()
        if asset in old and any(lot.quantity and lot.account.reports for lot in pool.lots())
    }
    return sorted(held)


def opportunity_pieces(
    portfolio: Portfolio, book: KeptBook, marks: Marks, day: int, sums: Mapping[Key, int]
) -> list[Piece]:
    """One book's opportunities as pieces with exact integers."""
    prices = {asset: mark.price for asset, mark in marks.items()}
    found = opportunities(book, prices, day)
    if not found:
        return []
    year = outlook(portfolio, portfolio.declared.policy.rules.tax_year_of(day), sums)
    basis = basis_of_tax(year.before, portfolio.declared.policy)
    running: dict[tuple[str, str, str, int], tuple[int, int]] = {}
    pieces = []
    for one in found:
        mark, lot = marks[one.lot.asset.id], one.lot
        sublot = (lot.ref, lot.account.id, lot.asset.id, one.acquired)
        realised, known = running.get(sublot, (0, 0))
        realised += one.harvestable
        # A sub-lot is sold as one: its pieces share one limit.
        saved = year.saved({(year.year, one.is_long, lot.asset.collectible): -realised})
        running[sublot] = (realised, saved)
        pieces.append(opportunity_piece(one, (saved - known, basis), mark.shown))
    return pieces


def saved_by(year: Outlook, sold: Iterable[Opportunity]) -> int:
    """Tax of a year saved by realising the harvestable parts (money, 10**-36)."""
    change: dict[Key, int] = {}
    for one in sold:
        key = (year.year, one.is_long, one.lot.asset.collectible)
        change[key] = change.get(key, 0) - one.harvestable
    return year.saved(change)


def outlook(portfolio: Portfolio, year: int, sums: Mapping[Key, int]) -> Outlook:
    """A year of the portfolio as it stands, to ask what a change would save."""
    declared = portfolio.declared
    return Outlook(year, sums, declared.profile, declared.policy)


def year_sums(portfolio: Portfolio) -> dict[Key, int]:
    """Column (h) by year, term and collectible, over all books."""
    parts = []
    for book in _books(portfolio):
        part = YearSums()
        part.add(book.disposals, book.matches(), book.policy.rules)
        parts.append(part)
    return merged(parts)


def years(portfolio: Portfolio) -> list[TaxYear]:
    """Tax years with netting and carryovers."""
    declared = portfolio.declared
    return tax_years(year_sums(portfolio), declared.profile, declared.policy.rules)


def year_rows(portfolio: Portfolio) -> list[Piece]:
    """Tax years with amounts as text."""
    return present_years(years(portfolio), portfolio.declared.policy)


def issues(portfolio: Portfolio) -> list[Piece]:
    """Data issues."""
    return present_issues(portfolio.all_issues())


def incomes(portfolio: Portfolio) -> list[tuple[str, int]]:
    """(fact, ordinary income) of units received as income."""
    return [(entry.ref, entry.amount) for book in _books(portfolio) for entry in book.incomes]


def last_day(portfolio: Portfolio) -> str:
    """The tax day of the latest fact, ISO; empty without facts."""
    days = [book.last_key[0] for book in _books(portfolio)]
    return iso(max(days)) if days else ""


def _books(portfolio: Portfolio) -> list[KeptBook]:
    return [portfolio.books[name] for name in sorted(portfolio.books)]


def positions(policy: Policy) -> dict[str, str]:
    """The positions taken, as they are shown beside figures; of a law of pools what it asks."""
    asked = policy.rules.books.asks
    if asked is not None:
        return {
            "law": policy.rules.version,
            **{name: str(getattr(policy, name)) for name in asked},
            "time_zone": policy.time_zone,
            "rates": f"of gains {format_money(policy.rate_short)}",
        }
    versions = [
        f"{', '.join(sorted(classes))}" + (f" (losses from {iso(since)})" if since > 1 else "")
        for since, classes in policy.wash_versions
    ]
    return {
        "law": policy.rules.version,
        "lot_method": policy.lot_method,
        "wash_sale_classes": "; ".join(versions),
        "earlier_lots": policy.earlier_lots,
        "spouse_basis": policy.spouse_basis,
        "entity_basis": policy.entity_basis,
        "income_is_acquisition": str(policy.income_is_acquisition).lower(),
        "time_zone": policy.time_zone,
        "rates": f"short {format_money(policy.rate_short)}, long {format_money(policy.rate_long)}",
    }

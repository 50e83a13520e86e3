"""Queries: every read as of a day, as it was known at an instant, for one taxpayer.

Without `as_of` and `known_at` the answer is the live read model; with them the facts known
then are folded again, by the same engine and the same presentation.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from domain.days import check_moment, day_of, sortable_instant
from domain.errors import ThresherError
from domain.portfolio import Portfolio
from domain.similar import similar_issues
from domain.split_factors import split_factors
from domain.tokens import tokens_of
from projections import (
    alerts,
    data_issues,
    disposals,
    open_lots,
    opportunities,
    pending,
    tax_years,
    wash_windows,
)
from projections.schema import CHECKPOINTS, Piece
from services import marks, quarantine, statement
from services.correlation import DailyPrices
from services.database import Clock
from services.ledger import Ledger
from services.mark_policy import is_weak
from services.pending import as_alert
from services.projector import Projector
from services.similar import SimilarAssets

_DATE_LENGTH = len("2025-01-31")
_END_OF_DAY = "T23:59:59.999999Z"


class NoSuchTaxpayer(ThresherError):
    """The ledger has no facts of that taxpayer."""


@dataclass(frozen=True, slots=True)
class View:
    """A question's frame: taxpayer, day, and the instant of knowledge (None: all we know)."""

    taxpayer: str
    as_of: str
    known_at: str | None
    is_live: bool

    @property
    def frame(self) -> dict[str, str]:
        """The frame as shown beside an answer."""
        return {
            "taxpayer": self.taxpayer, "as_of": self.as_of, "known_at": self.known_at or "now",
        }  # fmt: skip


class Queries:
    """Answers for the command line (and later the HTTP API)."""

    def __init__(self, projector: Projector, ledger: Ledger, clock: Clock) -> None:
        self.projector = projector
        self.ledger = ledger
        self._clock = clock

    def view(self, taxpayer: str, as_of: str | None = None, known_at: str | None = None) -> View:
        """The frame of a question; `as_of` is an ISO date, `known_at` a date or an instant."""
        day = as_of or self.today(taxpayer)
        return View(taxpayer, day, _known(known_at), as_of is None and known_at is None)

    def today(self, taxpayer: str) -> str:
        """Today in the taxpayer's zone, as an ISO date."""
        zone = self.projector.taxpayer(taxpayer).portfolio.declared.zone
        now = self._clock()
        return (now.astimezone(zone) if zone else now).date().isoformat()

    def portfolio(self, view: View) -> Portfolio:
        """The portfolio of a view, folded from the facts then known."""
        if view.is_live:
            return self.projector.taxpayer(view.taxpayer).portfolio
        portfolio = Portfolio(until_day=day_of(view.as_of))
        for logged in self.ledger.facts_of(view.taxpayer, self.projector.position):
            if view.known_at is None or logged.recorded.recorded_at <= view.known_at:
                portfolio.add(logged.ref, logged.recorded.fact)
        portfolio.settle()
        return portfolio

    def lots(self, view: View) -> list[Piece]:
        """Open lots."""
        if view.is_live:
            with self.projector.database.reading() as connection:
                return open_lots.read(connection, view.taxpayer)
        return statement.lots(self.portfolio(view))

    def gains(self, view: View) -> list[Piece]:
        """Disposals."""
        if view.is_live:
            with self.projector.database.reading() as connection:
                return disposals.read(connection, view.taxpayer)
        return statement.disposals(self.portfolio(view))

    def windows(self, view: View) -> list[Piece]:
        """Wash-sale windows open that day."""
        if view.is_live:
            with self.projector.database.reading() as connection:
                return wash_windows.read(connection, view.taxpayer, view.as_of)
        return statement.windows(self.portfolio(view), view.as_of)

    def opportunities(self, view: View) -> list[Piece]:
        """Lots with a loss at that day's marks; `mark_stale`: too old then, or only an ask."""
        return self.harvest(view)[0]

    def harvest(self, view: View) -> tuple[list[Piece], list[str]]:
        """The opportunities, and the assets held whose mark is too old, with a loss or without."""
        now, portfolio = self._now(view), self.portfolio(view)
        found = self.marks(view, portfolio)
        if view.is_live and self._opportunities_are_of(view):
            with self.projector.database.reading() as connection:
                rows = opportunities.read(connection, view.taxpayer)
        else:
            rows = statement.harvest(portfolio, found, day_of(view.as_of))
        alike = self.similar(view, portfolio)
        beside = {name: alike.beside(name, found, now) for name in {row["asset"] for row in rows}}
        rows = [
            row
            | {"mark_stale": is_weak(row["mark_kind"], row["mark_at"], row["asset_class"], now)}
            | beside[row["asset"]]
            for row in rows
        ]
        return rows, statement.too_old(portfolio, found, now)

    def similar(self, view: View, portfolio: Portfolio) -> SimilarAssets:
        """What could be held instead of an asset on the view's day, in that portfolio."""
        prices = DailyPrices(self.projector.database, self._now(view)[:10], view.known_at)
        return SimilarAssets(portfolio, view.as_of, prices)

    def similar_rows(self, view: View) -> list[Piece]:
        """The owner's table of similar assets: each candidate with what is known of it that day."""
        portfolio, found, now = self.portfolio(view), self.marks(view), self._now(view)
        alike = self.similar(view, portfolio)
        return [
            {"instead_of": asset} | row
            for asset in sorted(portfolio.declared.similar)
            for row in alike.shown(asset, found, now)
        ]

    def similar_beside(self, view: View, asset: str, portfolio: Portfolio) -> Piece:
        """What an answer on selling an asset says of similar ones, in its own portfolio."""
        alike = self.similar(view, portfolio)
        return alike.beside(asset, self.marks(view), self._now(view))

    def years(self, view: View) -> list[Piece]:
        """Tax years."""
        if view.is_live:
            with self.projector.database.reading() as connection:
                return tax_years.read(connection, view.taxpayer)
        return statement.year_rows(self.portfolio(view))

    def alerts(self, view: View) -> list[Piece]:
        """Alerts that had fired by then."""
        with self.projector.database.reading() as connection:
            if view.is_live:
                return alerts.read(connection, view.taxpayer)
            return alerts.read(connection, view.taxpayer, view.as_of, view.known_at or "~")

    def pending(self, view: View) -> list[Piece]:
        """What would fire if it stayed: rows as of alerts, of rules that were waiting by then."""
        with self.projector.database.reading() as connection:
            if view.is_live:
                found = pending.read(connection, view.taxpayer)
            else:
                known_at = view.known_at or "~"
                found = pending.read(connection, view.taxpayer, view.as_of, known_at)
        return [as_alert(each, view.taxpayer) for each in found]

    def issues(self, view: View) -> list[Piece]:
        """Data issues of facts, then quarantined rows."""
        portfolio = self.portfolio(view)
        with self.projector.database.reading() as connection:
            held = quarantine.read(connection, view.taxpayer)
            live = data_issues.read(connection, view.taxpayer) if view.is_live else []
        if not view.is_live:
            live = statement.issues(portfolio)
        live += data_issues.present(similar_issues(portfolio.declared))
        return live + [
            {
                "fact": f"{each['origin']} row {each['row']}",
                "code": "quarantined",
                "says": f"{each['field']}: {each['reason']}" if each["field"] else each["reason"],
                "remedy": each["remedy"],
                "held_out": True,
            }
            for each in held
            if view.known_at is None or each["recorded_at"] <= view.known_at
        ]

    def marks(self, view: View, portfolio: Portfolio | None = None) -> statement.Marks:
        """The marks that value on that day, as then known.

        `portfolio`: the one of the view, if it is folded already; it says what tokens were worth,
        and what was split.
        """
        if view.is_live:
            return self.projector.board.marks
        then = portfolio or self.portfolio(view)
        tokens, splits = tokens_of(then), split_factors(then)
        with self.projector.database.reading() as connection:
            return marks.latest(connection, f"{view.as_of}T~", view.known_at, tokens, splits)

    def coverage(self, view: View) -> Piece:
        """What was seen: accounts by kind and owner, and what was not."""
        declared = self.portfolio(view).declared
        seen = sorted(declared.accounts.values(), key=lambda account: account.id)
        owners = {account.owner for account in seen}
        missing = [owner for owner in ("spouse", "entity") if owner not in owners]
        return {
            "accounts_seen": [account.id for account in seen if account.id],
            "declared": sorted(declared.declared_accounts),
            "not_seen": [] if declared.has_all_accounts(view.as_of) else missing,
            "positions": statement.positions(declared.policy),
        }

    def _now(self, view: View) -> str:
        """The instant to which ages count: the end of the view's day, or what was known by then."""
        known = (view.known_at or "~").replace("T~", _END_OF_DAY)
        return min(view.as_of + _END_OF_DAY, known, sortable_instant(self._clock()))

    def _opportunities_are_of(self, view: View) -> bool:
        """Whether the live table was written on the view's day and from the marks held now."""
        query = select(CHECKPOINTS.c.as_of, CHECKPOINTS.c.position).where(
            CHECKPOINTS.c.projection == f"opportunities:{view.taxpayer}"
        )
        with self.projector.database.reading() as connection:
            written = connection.execute(query).one_or_none()
            return written is not None and tuple(written) == (
                view.as_of,
                marks.last_id(connection),
            )


def _known(text: str | None) -> str | None:
    """A date means its end (UTC); an instant is put in the fixed width of `recorded_at`."""
    if text is None:
        return None
    checked = check_moment(text, "known_at")
    if len(checked) == _DATE_LENGTH:
        return f"{checked}T~"
    moment = checked if checked.endswith("Z") else f"{checked}Z"
    return sortable_instant(datetime.fromisoformat(moment))

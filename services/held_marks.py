"""Held quotes: a live quote that jumps waits for a person, or for its source to say it again;
one that is dated ahead of the clock waits for a person.

A slip of a feed (a lost point, another asset's price) must not fire an alert. A crash must not
be muted: the second quote in a row that says the same lets both in (decision 0017).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, insert, select, text, update

from domain.days import seconds_after
from domain.errors import ThresherError
from domain.exact import format_quantity, quantity
from projections.schema import Piece, rows
from services.asset_facts import AssetFacts
from services.mark_policy import NARROWEST_BAND, POLICIES, MarkPolicy, apart, inside
from services.marks import MarkBoard, Quote, quote_of, stored_after
from services.tables import HELD_MARKS, MARKS

DAYS_AHEAD = 1  # of the clock, at most: of every zone it is the day before or after
_SECONDS_A_DAY = 86400
_H = HELD_MARKS.c
# Nearly always there is none: one statement, written out, where two cost a tenth of a tick.
_NEWS = text("""SELECT EXISTS (SELECT 1 FROM held_marks WHERE state = 'held' AND followed = 0)
OR EXISTS (SELECT 1 FROM marks WHERE id > :last_id)""")
_QUOTE = ("asset", "price", "at", "currency", "source", "kind")


class NoSuchHeldMark(ThresherError, LookupError):
    """No quote is held under that number."""


class Latest(NamedTuple):
    """What a quote is measured by: a price as it was quoted (10**-18), and its instant."""

    quoted: int
    at: str


class Screen:
    """Tells quotes that can be marks from those that are held."""

    def __init__(self, assets: AssetFacts, days_ahead: int) -> None:
        self._assets = assets
        self._ahead = days_ahead * _SECONDS_A_DAY

    def usable(
        self, connection: Connection, board: MarkBoard, quotes: Iterable[Quote], recorded_at: str
    ) -> tuple[list[Quote], int]:
        """The quotes to store, in their order, and how many were held; the caller owns the
        transaction. Each is measured by the latest mark: on the board, or come after. A held quote
        that its source's next one agrees with comes just before it.
        """
        quotes, held = self._of_now(connection, quotes, recorded_at)
        waiting: dict[tuple[str, str], Row[Any]] = {}
        latest: dict[str, Latest] = {}
        if rows(connection, _NEWS, last_id=board.last_id)[0][0]:
            waiting = {(row.asset, row.source): row for row in _undecided(connection)}
            for _, other in stored_after(connection, board.last_id):
                known, price = _latest(board, latest, other.asset), quantity(other.price)
                _note(latest, known, other, price)  # what another process stored meanwhile
        found: list[Quote] = []
        for quote in quotes:
            known, price = _latest(board, latest, quote.asset), quantity(quote.price)
            key = quote.asset, quote.source
            before = waiting.get(key) if waiting else None
            if before is not None and known is not None and self._agrees(before, known, quote):
                _decide(connection, before.id, "agreed", recorded_at)
                found.append(quote_of(waiting.pop(key)))
            elif known is not None and self._is_jump(connection, known, quote, price):
                row = _hold(connection, quote, known, recorded_at)
                if row is not None:
                    held += 1
                    waiting[key] = row
                    _follow(connection, before)
                continue
            elif before is not None and quote.at > before.at:
                _follow(connection, waiting.pop(key))
            found.append(quote)
            _note(latest, known, quote, price)
        return found, held

    def _of_now(
        self, connection: Connection, quotes: Iterable[Quote], recorded_at: str
    ) -> tuple[Iterable[Quote], int]:
        """The quotes without those dated ahead of the clock, and how many of these were held.

        One of them would make all that come after it the older ones, for good.
        """
        latest = seconds_after(recorded_at, self._ahead)
        now: list[Quote] = []
        held = 0
        for quote in quotes:
            if quote.at <= latest or _is_stored(connection, MARKS, quote):
                now.append(quote)
            elif _hold(connection, quote, None, recorded_at) is not None:
                held += 1
        return now, held

    def _is_jump(self, connection: Connection, known: Latest, quote: Quote, price: int) -> bool:
        """Whether the quote, of that price, is out of its class's band round the latest mark,
        unexplained."""
        if inside(NARROWEST_BAND, known.quoted, price):
            return False  # nearly every quote: no need to know its class
        policy = self._policy(quote.asset)
        if policy is None or policy.band is None:
            return False
        return not (
            abs(apart(known.at, quote.at)) > policy.band_within
            or inside(policy.band, known.quoted, price)
            or inside(policy.band, self._after_splits(known, quote), price)
            or _is_stored(connection, MARKS, quote)
        )

    def _agrees(self, before: Row[Any], known: Latest, quote: Quote) -> bool:
        """Whether a later quote says what the held one said, and not what the latest mark says."""
        policy = self._policy(quote.asset)
        if policy is None or policy.band is None or quote.at <= before.at:
            return False
        price = quantity(quote.price)
        return inside(policy.band, quantity(before.price), price) and not inside(
            policy.band, known.quoted, price
        )

    def _after_splits(self, known: Latest, quote: Quote) -> int:
        """What the latest mark is worth in the units of the quote's day: splits between them."""
        self._assets.learn()
        price = known.quoted
        for split in self._assets.splits_of(quote.asset):
            if known.at[:10] < split.effective_at[:10] <= quote.at[:10]:
                price = price * quantity(split.denominator) // quantity(split.numerator)
        return price

    def _policy(self, asset: str) -> MarkPolicy | None:
        """The row of an asset's class as the first taxpayer declares it; None: nobody does."""
        self._assets.learn()
        return POLICIES.get(self._assets.class_of(asset))


def _latest(board: MarkBoard, latest: Mapping[str, Latest], asset: str) -> Latest | None:
    """The asset's latest mark: of those just taken in, or of the board."""
    taken = latest.get(asset)
    if taken is not None:
        return taken
    mark = board.newest(asset)
    return None if mark is None else Latest(mark.quoted, mark.at)


def _note(latest: dict[str, Latest], known: Latest | None, quote: Quote, price: int) -> None:
    """The quote is taken in; `known` was the asset's latest before it."""
    if known is None or known.at <= quote.at:
        latest[quote.asset] = Latest(price, quote.at)


def held(connection: Connection) -> list[Piece]:
    """The quotes that wait for a decision, oldest first."""
    names = ("id", *_QUOTE, "last_price", "last_at", "recorded_at")
    query = select(*(_H[name] for name in names)).where(_H.state == "held").order_by(_H.id)
    found = [dict(row._mapping) for row in connection.execute(query)]
    return [row | {"reason": _reason(row)} for row in found]


def _reason(row: Piece) -> str:
    """Without a mark before, it was held for its date."""
    if row["last_at"]:
        return "jumps from the mark before"
    return f"dated {row['at'][:10]}, ahead of the clock; confirm it if it is meant"


def count_held(connection: Connection) -> int:
    """How many quotes wait for a decision."""
    query = select(func.count()).select_from(HELD_MARKS).where(_H.state == "held")
    return int(connection.execute(query).scalar_one())


def held_quote(connection: Connection, id: int) -> Quote:
    """The quote that waits under a number; raises NoSuchHeldMark."""
    query = select(HELD_MARKS).where(_H.id == id, _H.state == "held")
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NoSuchHeldMark(f"no quote is held under {id}; thresher marks held lists them")
    return quote_of(row)


def decide(connection: Connection, id: int, state: str, at: str) -> Quote:
    """Closes a held quote as `confirmed` or `rejected`; raises NoSuchHeldMark."""
    quote = held_quote(connection, id)
    _decide(connection, id, state, at)
    return quote


def _undecided(connection: Connection) -> Sequence[Row[Any]]:
    query = select(HELD_MARKS).where(_H.state == "held", _H.followed == 0)
    return connection.execute(query).all()


def _hold(connection: Connection, quote: Quote, known: Latest | None, at: str) -> Row[Any] | None:
    """Keeps a quote; None if it was held before, whatever was decided.

    Without a mark that it is measured by (`known`) no other quote agrees with it.
    """
    if _is_stored(connection, HELD_MARKS, quote):
        return None
    values = {name: getattr(quote, name) for name in _QUOTE}
    row = connection.execute(
        insert(HELD_MARKS)
        .values(
            **values, recorded_at=at, last_price=format_quantity(known.quoted) if known else "",
            last_at=known.at if known else "", state="held", decided_at="",
            followed=int(known is None),
        )
        .returning(HELD_MARKS)
    )  # fmt: skip
    return row.one()


def _is_stored(connection: Connection, table: Any, quote: Quote) -> bool:
    query = select(table.c.id).where(
        table.c.asset == quote.asset, table.c.at == quote.at, table.c.source == quote.source,
        table.c.kind == quote.kind, table.c.price == quote.price,
    )  # fmt: skip
    return connection.execute(query).first() is not None


def _follow(connection: Connection, row: Row[Any] | None) -> None:
    """Its source has quoted the asset again, and did not repeat it."""
    if row is None:
        return
    connection.execute(update(HELD_MARKS).where(_H.id == row.id).values(followed=1))


def _decide(connection: Connection, id: int, state: str, at: str) -> None:
    values = {"state": state, "decided_at": at}
    connection.execute(update(HELD_MARKS).where(_H.id == id).values(**values))

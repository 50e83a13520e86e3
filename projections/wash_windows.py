"""Read model: wash-sale windows, both ways.

`do_not_buy`: a loss sale with units that no purchase has replaced yet; buying before
`safe_from` disallows its loss. `do_not_sell`: a purchase still held and unused; selling other
units of its group at a loss before `safe_from` disallows that loss.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from sqlalchemy import Column, Connection, Text, select

from domain.days import day_of, iso
from domain.disposals import Disposal
from domain.exact import format_money, format_quantity, money, quantity
from domain.kept_book import KeptBook
from domain.lots import Lot
from domain.rules.rule_set import RuleSet
from projections.schema import (
    Formats,
    Piece,
    Projection,
    Row,
    book_table,
    pieces,
    shown,
    text,
)

DO_NOT_BUY = "do_not_buy"
DO_NOT_SELL = "do_not_sell"
_COLUMNS = ("group", "qty", "loss", "on", "last_day", "safe_from")

WASH_WINDOWS = Projection(
    "wash_windows",
    1,
    book_table(
        "wash_windows_v1",
        [
            Column("kind", Text, primary_key=True),
            Column("event", Text, primary_key=True),
            Column("account", Text, primary_key=True),
            Column("asset", Text, primary_key=True),
        ],
        text(*_COLUMNS),
    ),
)


class Of(NamedTuple):
    """What a window is of: no two of a book are of the same."""

    kind: str
    event: str
    account: str
    asset: str


class Window(NamedTuple):
    """Quantity in 10**-18 units, loss in 10**-36 of the currency, the event's day as an ordinal."""

    group: str
    quantity: int
    loss: int
    day: int


def windows(book: KeptBook) -> dict[Of, Window]:
    """The windows that the last 30 days of a book's history opened."""
    found: dict[Of, Window] = {}

    def add(kind: str, event: str, lot: Lot | Disposal, quantity: int, loss: int, day: int) -> None:
        of = Of(kind, event, lot.account.id, lot.asset.id)
        known = found.get(of)
        if known is not None:
            quantity, loss, day = known.quantity + quantity, known.loss + loss, known.day
        found[of] = Window(lot.asset.group, quantity, loss, day)

    classes = book.wash_classes(book.last_key[0])
    for state in book.washes.values():
        for row in state.open_losses:
            if row.open_quantity:
                add(DO_NOT_BUY, row.ref, row, row.open_quantity, row.open_loss, row.loss_day)
        asset, is_washed = None, False  # hundreds of purchases, as a rule of one asset
        for purchase in state.recent:
            for lot in purchase.pieces:
                if lot.asset is not asset:
                    asset, is_washed = lot.asset, lot.asset.asset_class.name in classes
                if is_washed and lot.quantity:
                    add(DO_NOT_SELL, purchase.ref, lot, lot.quantity, 0, purchase.day)
    return found


def row(taxpayer: str, book: str, of: Of, window: Window, rules: RuleSet) -> Row:
    """A window as a row of the table."""
    quantity, loss = format_quantity(window.quantity), format_money(window.loss)
    return taxpayer, book, *of, window.group, quantity, loss, *_days(window, rules)


def window_pieces(book: KeptBook) -> list[Piece]:
    """Windows as dicts with exact integers."""
    pieces = []
    for of, window in windows(book).items():
        on, last_day, safe_from = _days(window, book.policy.rules)
        pieces.append(
            of._asdict()
            | {
                "group": window.group,
                "qty": window.quantity,
                "loss": window.loss,
                "on": on,
                "last_day": last_day,
                "safe_from": safe_from,
            }
        )
    return pieces


def _days(window: Window, rules: RuleSet) -> tuple[str, str, str]:
    """The day itself, the last of its window and the first after it."""
    last = window.day + rules.window_days
    return iso(window.day), iso(last), iso(last + 1)


def present(windows: Iterable[Piece], as_of: str) -> list[Piece]:
    """The windows that are open at the end of the day `as_of`, soonest to close first."""
    formats: Formats = {
        "kind": str,
        "event": str,
        "account": str,
        "asset": str,
        "group": str,
        "qty": format_quantity,
        "loss": format_money,
        "on": str,
        "last_day": str,
        "safe_from": str,
    }
    open_now = [each for each in windows if each["on"] <= as_of <= each["last_day"]]
    open_now.sort(key=lambda each: (each["safe_from"], each["kind"], each["event"]))
    return [
        shown(each, formats) | {"days_left": day_of(each["safe_from"]) - day_of(as_of)}
        for each in open_now
    ]


def rows_of(connection: Connection, taxpayers: Collection[str]) -> Iterator[tuple[str, Piece]]:
    """(taxpayer, window) of these taxpayers: as they are shown, without the days left.

    Windows that closed since the last fact are among them.
    """
    table = WASH_WINDOWS.table
    names = ("kind", "event", "account", "asset", *_COLUMNS)
    query = select(table.c.taxpayer, *(table.c[name] for name in names))
    query = query.where(table.c.taxpayer.in_(taxpayers))
    for taxpayer, *values in connection.execute(query.order_by(*table.primary_key.columns)):
        yield taxpayer, dict(zip(names, values, strict=True))


def read(connection: Connection, taxpayer: str, as_of: str) -> list[Piece]:
    """The windows of a taxpayer open on `as_of`, from the live table."""
    found = pieces(connection, WASH_WINDOWS.table, taxpayer)
    for each in found:
        each["qty"], each["loss"] = quantity(each["qty"]), money(each["loss"])
    return present(found, as_of)

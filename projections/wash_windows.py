"""Read model: wash-sale windows, both ways.

`do_not_buy`: a loss sale with units that no purchase has replaced yet; buying before
`safe_from` disallows its loss. `do_not_sell`: a purchase still held and unused; selling other
units of its group at a loss before `safe_from` disallows that loss.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from sqlalchemy import Column, Connection, Text, select

from domain.accounts import Account
from domain.assets import Asset
from domain.days import day_of, iso
from domain.exact import format_money, format_quantity, money, quantity
from domain.kept_book import KeptBook
from projections.schema import (
    Formats,
    Piece,
    Projection,
    Row,
    book_table,
    merge,
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


def rows(taxpayer: str, name: str, book: KeptBook) -> list[Row]:
    """The windows of a book that the last 30 days of its history opened."""
    return [
        (
            taxpayer,
            name,
            each["kind"],
            each["event"],
            each["account"],
            each["asset"],
            each["group"],
            format_quantity(each["qty"]),
            format_money(each["loss"]),
            each["on"],
            each["last_day"],
            each["safe_from"],
        )
        for each in window_pieces(book)
    ]


def window_pieces(book: KeptBook) -> list[Piece]:
    """Windows as dicts with exact integers, one per event, account and asset."""
    found: list[Piece] = []
    classes = book.wash_classes(book.last_key[0])
    for state in book.washes.values():
        for loss in state.open_losses:
            if loss.open_quantity:
                found.append(
                    {"kind": DO_NOT_BUY, "event": loss.ref}
                    | _held(loss.account, loss.asset, loss.open_quantity, loss.open_loss)
                    | _open_from(loss.loss_day, book)
                )
        for purchase in state.recent:
            for lot in purchase.pieces:
                if lot.quantity and lot.asset.asset_class.name in classes:
                    found.append(
                        {"kind": DO_NOT_SELL, "event": purchase.ref}
                        | _held(lot.account, lot.asset, lot.quantity, 0)
                        | _open_from(purchase.day, book)
                    )
    return merge(
        found,
        lambda each: (each["kind"], each["event"], each["account"], each["asset"]),
        ("qty", "loss"),
    )


def _held(account: Account, asset: Asset, quantity: int, loss: int) -> Piece:
    return {
        "account": account.id, "asset": asset.id, "group": asset.group, "qty": quantity,
        "loss": loss,
    }  # fmt: skip


def _open_from(day: int, book: KeptBook) -> Piece:
    last = day + book.policy.rules.window_days
    return {"on": iso(day), "last_day": iso(last), "safe_from": iso(last + 1)}


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

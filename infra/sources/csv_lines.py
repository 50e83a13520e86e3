"""CSV files told apart by their header, and read line by line with row numbers."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from services.quarantine import BadRow

TRADES_REQUIRED = frozenset(("event_id", "ts", "type", "account", "asset", "qty"))
TRADES = TRADES_REQUIRED | {
    *("seq", "to_account", "asset_class", "group", "unit_price", "fee", "currency")
}
ACCOUNTS = frozenset(["account", "kind", "owner", "custody"])
ASSETS = frozenset(["asset", "asset_class", "group", "ratio", "collectible", "name"])
PRICES = frozenset(["date", "asset", "price", "currency", "source"])

MARKS = frozenset(["asset", "price", "currency", "time", "source", "kind"])
_KNOWN = TRADES | ACCOUNTS | ASSETS | PRICES | MARKS
_MARKS_REQUIRED = frozenset(["asset", "price", "time"])
_SHOWN = 300  # characters of a strange header


class Line(NamedTuple):
    """A data row: its number in the file, its cells, and the filled ones by column."""

    number: int
    cells: list[str]
    values: dict[str, str]

    @property
    def raw(self) -> str:
        """The row's text, for the quarantine."""
        return ",".join(self.cells)

    def bad(self, origin: str, field: str, reason: str, remedy: str) -> BadRow:
        """This row as one that cannot be used."""
        return BadRow(origin, self.number, field, reason, remedy, self.raw)


class HeaderError(Exception):
    """A header that is none of the neutral files'; the message names the columns."""


def header_of(line: str) -> list[str]:
    """The cells of a header line; raises HeaderError."""
    try:
        return next(csv.reader([line.removeprefix("\ufeff")]), [])
    except csv.Error as error:
        raise HeaderError(f"no CSV header: {error}") from None


def kind_of(header: list[str]) -> str:
    """Trades, accounts, assets, prices or marks, by the header. Raises HeaderError."""
    columns = _columns(header)
    if "event_id" in columns or {"ts", "qty"} <= columns:
        return _fitting("trades", columns, TRADES, TRADES_REQUIRED)
    if {"time", "price"} <= columns:
        return _fitting("marks", columns, MARKS, _MARKS_REQUIRED)
    if {"date", "price"} <= columns:
        return _fitting("prices", columns, PRICES, frozenset({"date", "asset", "price"}))
    if "asset_class" in columns or ("asset" in columns and "group" in columns):
        return _fitting("assets", columns, ASSETS, frozenset({"asset", "asset_class"}))
    if "account" in columns:
        return _fitting("accounts", columns, ACCOUNTS, frozenset({"account"}))
    raise HeaderError(
        f"unknown columns {_listed(columns)}; expected the header of trades "
        "(event_id,ts,type,account,asset,qty,...), accounts, assets or prices"
    )


def marks_header(line: str) -> list[str]:
    """The cells of a header line of marks; raises HeaderError, which names what marks need."""
    header = header_of(line)
    columns = _columns(header)
    if not {"time", "price"} <= columns:
        raise HeaderError(
            "marks need JSON lines, or a header with the columns asset, price, time; the first "
            f"line is {_listed(columns)}"
        )
    _fitting("marks", columns, MARKS, _MARKS_REQUIRED)
    return header


def _columns(header: list[str]) -> set[str]:
    named = [name.strip().removeprefix("\ufeff") for name in header]
    columns = set(named)
    if not any(columns):
        raise HeaderError("no header in the first line")
    twice = {name for name in columns if named.count(name) > 1}
    if twice:
        raise HeaderError(f"column {_listed(twice)} is given twice")
    capital = {name for name in columns - _KNOWN if name.lower() in _KNOWN}
    if capital:
        raise HeaderError(f"column {_listed(capital)}: write names of columns in small letters")
    return columns


def _fitting(kind: str, columns: set[str], known: frozenset[str], required: frozenset[str]) -> str:
    unknown, missing = columns - known, required - columns
    if unknown:
        raise HeaderError(
            f"{kind} file: unknown column {_listed(unknown)}; known are {', '.join(sorted(known))}"
        )
    if missing:
        raise HeaderError(f"{kind} file: missing column {', '.join(sorted(missing))}")
    return kind


def _listed(names: set[str]) -> str:
    """Column names as a terminal can show them, whatever the file is."""
    shown = ", ".join(name if name.isprintable() else ascii(name) for name in sorted(names))
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."


def lines(text: Iterable[str], header: list[str], origin: str) -> Iterator[Line | BadRow]:
    """Each data row after the header, or why it is none."""
    names = [name.strip().removeprefix("\ufeff") for name in header]
    width = len(names)
    reader = csv.reader(text, strict=True)
    number = 1
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadRow(origin, number, "", str(error), "mend the quoting of this row", "")
            continue
        if not cells:
            continue
        if len(cells) != width:
            yield BadRow(
                origin, number, "", f"{len(cells)} cells under {width} columns",
                "give every column a cell, empty ones too", ",".join(cells),
            )  # fmt: skip
            continue
        yield Line(number, cells, {n: c for n, c in zip(names, cells, strict=True) if c})

"""The demo's data: who and what, the trades day by day, and each day's marks as one instant."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from domain.assets import Asset
from domain.errors import ThresherError
from domain.exact import ONE_UNIT, format_quantity, quantity
from infra.cli.streams import open_text
from infra.sources.csv_lines import Line, lines
from infra.sources.neutral_csv import price_quote
from services.marks import Quote
from services.quarantine import BadRow

FOLDER = Path(__file__).parent
DECLARED = (FOLDER / "accounts.csv", FOLDER / "assets.csv")
TRADES = FOLDER / "trades.csv"
REAL = FOLDER / "prices.csv.gz"
MADE_UP = FOLDER / "synthetic.csv"
REAL_SOURCE = "Quandl WIKI"
SYNTHETIC = "synthetic"
DERIVED = "derived"
CLOSE = "T21:00:00.000000Z"  # no session of these years ended later


class BrokenDemo(ThresherError):
    """A file of the demo's data cannot be read as it was shipped."""


@dataclass(slots=True)
class Day:
    """One trading day: its trades as lines of their file, and its closes."""

    day: str
    trades: list[Line] = field(default_factory=list)
    quotes: list[Quote] = field(default_factory=list)


def days() -> list[Day]:
    """Every day that has closes, oldest first, with the trades made since the day before."""
    found: dict[str, Day] = {}
    for path, source in ((REAL, REAL_SOURCE), (MADE_UP, SYNTHETIC)):
        for quote in _quotes(path):
            day = quote.at[:10]
            close = replace(quote, at=day + CLOSE, source=source)
            found.setdefault(day, Day(day)).quotes.append(close)
    ordered = sorted(found.values(), key=lambda each: each.day)
    _deal(_read(TRADES), ordered)
    return ordered


def derived(quotes: Iterable[Quote], assets: Mapping[str, Asset]) -> list[Quote]:
    """Marks of tokenized shares: the share's close x units of the share in one token."""
    closes = {quote.asset: quote for quote in quotes}
    found = []
    for asset in assets.values():
        share = closes.get(asset.group)
        if share is not None and asset.id not in closes:
            price = format_quantity(quantity(share.price) * asset.ratio // ONE_UNIT)
            found.append(replace(share, asset=asset.id, price=price, source=DERIVED))
    return found


@cache
def trade_ids() -> frozenset[str]:
    """The ids of the demo's trades."""
    return frozenset(cells["event_id"] for _, _, cells in _read(TRADES))


def _deal(trades: Iterator[Line], ordered: list[Day]) -> None:
    waiting = iter(ordered)
    day = next(waiting)
    for trade in trades:
        while day.day < trade[2]["ts"][:10]:
            day = next(waiting)
        day.trades.append(trade)


def _quotes(path: Path) -> Iterator[Quote]:
    read: Callable[[Line, str], Quote | BadRow] = price_quote
    for line in _read(path):
        quote = read(line, path.name)
        if isinstance(quote, BadRow):
            raise BrokenDemo(f"{path.name} row {quote.row}: {quote.reason}")
        yield quote


def _read(path: Path) -> Iterator[Line]:
    with open_text(path) as text:
        header = next(csv.reader(text))
        for line in lines(text, header, path.name):
            if isinstance(line, BadRow):
                raise BrokenDemo(f"{path.name} row {line.row}: {line.reason}")
            yield line

"""Transactions of a lot history, for every plain-text book: dated, balanced, with their lots."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from services.reports.lot_history import LotHistory, LotPiece, account_names, commodity_names
from services.reports.sales import Sale

ACQUIRED = "Equity:Acquisitions"
DEFERRED = "Equity:Wash-Sales"
_GAINS = {"S": "Income:Capital-Gains:Short-Term", "L": "Income:Capital-Gains:Long-Term"}


@dataclass(frozen=True, slots=True)
class Posting:
    """An account and money (10**-36); or, of a lot, `units` (10**-18) that weigh `money`."""

    account: str
    money: int
    units: int = 0
    commodity: str = ""
    lot: LotPiece | None = None


@dataclass(frozen=True, slots=True)
class Transaction:
    """A dated entry whose postings sum to zero exactly; `tags` are words about it."""

    day: str
    payee: str
    about: str
    postings: tuple[Posting, ...]
    tags: tuple[tuple[str, str], ...] = ()


class Chart:
    """The accounts and commodities of a history, by ids."""

    def __init__(self, history: LotHistory) -> None:
        self.commodities = commodity_names(history.assets, history.currency)
        self._accounts = account_names(history.accounts)

    def holding(self, piece: LotPiece) -> str:
        """The account of an asset's units."""
        return f"Assets:{self._accounts[piece.account]}:{self.commodities[piece.asset]}"

    def cash(self, account: str) -> str:
        """The account of its proceeds."""
        return f"Assets:{self._accounts[account]}:Cash"


def transactions(history: LotHistory, chart: Chart) -> list[Transaction]:
    """Every acquisition and sale by day; on one day acquisitions come first."""
    found = [_acquired(piece, chart) for piece in history.pieces]
    found += [_sold(piece, piece.sale, chart) for piece in history.pieces if piece.sale is not None]
    found += [_returned(sale, chart) for sale in history.without_units]
    return sorted(found, key=lambda each: each.day)


def accounts_opened(entries: list[Transaction]) -> Iterator[tuple[str, str]]:
    """(account, first day) for each account, in the order of their names."""
    first: dict[str, str] = {}
    for entry in entries:
        for posting in entry.postings:
            first.setdefault(posting.account, entry.day)
    yield from sorted(first.items())


def _acquired(piece: LotPiece, chart: Chart) -> Transaction:
    commodity = chart.commodities[piece.asset]
    return Transaction(
        piece.opened,
        "Acquired",
        piece.label,
        (
            Posting(chart.holding(piece), piece.cost, piece.quantity, commodity, piece),
            Posting(ACQUIRED, -piece.cost),
        ),
    )


def _sold(piece: LotPiece, sale: Sale, chart: Chart) -> Transaction:
    commodity = chart.commodities[piece.asset]
    return Transaction(
        sale.sold,
        "Sold",
        f"{sale.event} of {piece.label}",
        (
            Posting(chart.holding(piece), -piece.cost, -piece.quantity, commodity, piece),
            *_gain(sale, chart),
        ),
        _tags(sale),
    )


def _returned(sale: Sale, chart: Chart) -> Transaction:
    about = f"{sale.event} of {sale.lot}"
    return Transaction(
        sale.sold, "Return of capital", about, tuple(_gain(sale, chart)), _tags(sale)
    )


def _gain(sale: Sale, chart: Chart) -> Iterator[Posting]:
    """Cash in; column (h) as income (negative: a gain); a disallowed loss waits in equity."""
    yield Posting(chart.cash(sale.account), sale.proceeds)
    if sale.wash:
        yield Posting(DEFERRED, sale.wash)
    yield Posting(_GAINS[sale.term], -sale.taxable)


def _tags(sale: Sale) -> tuple[tuple[str, str], ...]:
    return (("box", sale.box), *((("codes", sale.codes),) if sale.codes else ()))

"""Beancount: lots, sales and gains as a ledger file, every lot with cost, date and label."""

from __future__ import annotations

from collections.abc import Iterator

from domain.exact import format_quantity
from services.reports.amounts import exact_text
from services.reports.lot_history import LotHistory
from services.reports.postings import Chart, Posting, Transaction, accounts_opened, transactions


def beancount(history: LotHistory) -> str:
    """The ledger file. A lot is opened with its total cost; a sale names it by date and label.

    Costs are exact; Beancount's own arithmetic has 28 digits, hence the tolerance.
    """
    chart = Chart(history)
    entries = transactions(history, chart)
    lines = [*_head(history), ""]
    first = entries[0].day if entries else "1970-01-01"
    for asset, commodity in chart.commodities.items():
        lines += [f"{first} commodity {commodity}", f"  name: {_quoted(asset)}"]
    lines += [f"{day} open {account}" for account, day in accounts_opened(entries)]
    for entry in entries:
        lines += ["", *_transaction(entry, history.currency)]
    return "\n".join(lines) + "\n"


def _head(history: LotHistory) -> Iterator[str]:
    frame = history.frame
    yield f"; Lots of {frame['taxpayer']}, as of {frame['as_of']}, known at {frame['known_at']}"
    yield "; Each lot has its basis after wash sales; its date is the one it is held since."
    yield 'option "title" "Tax lots"'
    yield f'option "operating_currency" "{history.currency}"'
    yield f'option "inferred_tolerance_default" "{history.currency}:0.005"'


def _transaction(entry: Transaction, currency: str) -> Iterator[str]:
    yield f"{entry.day} * {_quoted(entry.payee)} {_quoted(entry.about)}"
    for name, value in entry.tags:
        yield f"  {name}: {_quoted(value)}"
    for posting in entry.postings:
        yield f"  {posting.account}  {_amount(posting, currency)}"


def _amount(posting: Posting, currency: str) -> str:
    lot = posting.lot
    if lot is None:
        return f"{exact_text(posting.money)} {currency}"
    units = f"{format_quantity(posting.units)} {posting.commodity}"
    if posting.units < 0:
        return f"{units} {{{lot.held_since}, {_quoted(lot.label)}}}"
    cost = f"{exact_text(posting.money)} {currency}"
    return f"{units} {{{{{cost}, {lot.held_since}, {_quoted(lot.label)}}}}}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

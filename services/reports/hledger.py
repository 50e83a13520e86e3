"""hledger: lots, sales and gains as a journal; units at total cost, lots named by tags."""

from __future__ import annotations

from collections.abc import Iterator

from domain.exact import format_quantity
from services.reports.amounts import exact_text
from services.reports.lot_history import LotHistory
from services.reports.postings import Chart, Posting, Transaction, accounts_opened, transactions


def hledger(history: LotHistory) -> str:
    """The journal. Units come and go at their exact total cost (`@@`).

    A lot is named by tags (`lot`, `held-since`), which every release of hledger reads alike.
    """
    chart = Chart(history)
    entries = transactions(history, chart)
    frame = history.frame
    lines = [
        f"; Lots of {_comment(frame['taxpayer'])}, as of {frame['as_of']}, "
        f"known at {frame['known_at']}",
        "; Each lot has its basis after wash sales.",
        "decimal-mark .",
        f"commodity 1000.00 {_symbol(history.currency)}",
    ]
    lines += [
        f"commodity 1000. {_symbol(commodity)}  ; name:{_comment(asset)}"
        for asset, commodity in chart.commodities.items()
    ]
    lines += [f"account {account}" for account, _ in accounts_opened(entries)]
    for entry in entries:
        lines += ["", *_transaction(entry, history.currency)]
    return "\n".join(lines) + "\n"


def _transaction(entry: Transaction, currency: str) -> Iterator[str]:
    tags = ", ".join(f"{name}:{_comment(value)}" for name, value in entry.tags)
    about = _comment(entry.about).replace("|", "/")
    yield f"{entry.day} * {entry.payee} | {about}" + (f"  ; {tags}" if tags else "")
    for posting in entry.postings:
        yield f"    {posting.account}  {_amount(posting, currency)}"


def _amount(posting: Posting, currency: str) -> str:
    money = (
        f"{exact_text(abs(posting.money) if posting.lot else posting.money)} {_symbol(currency)}"
    )
    if posting.lot is None:
        return money
    units = f"{format_quantity(posting.units)} {_symbol(posting.commodity)}"
    tags = f"lot:{_comment(posting.lot.label)}, held-since:{posting.lot.held_since}"
    return f"{units} @@ {money}  ; {tags}"


def _symbol(name: str) -> str:
    return f'"{name}"'


def _comment(text: str) -> str:
    """Text for a description or a tag: a semicolon would begin a comment, a comma end a tag."""
    return text.replace(";", " ").replace(",", " ")

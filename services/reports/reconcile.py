"""Reconciliation: our sales against a broker's Forms 1099-B and 1099-DA, each difference named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from domain.exact import cents, format_money, format_quantity
from services.reports.adjustments import line_of
from services.reports.pairing import BrokerRow, Pair, pairs
from services.reports.sales import Sale, TaxReturn
from services.reports.tables import csv_text

Json = dict[str, Any]
SAYS = {
    "same": "both sides agree to the cent",
    "other_lots": "the broker took other lots; the units you identified are the units sold "
    "(Reg. 1.1012-1(c), (j); Notice 2026-20 sec. 4.05)",
    "wash_in_another_account": "the replacement was bought in another account, which the broker "
    "does not see (Reg. 1.6045-1(d)(6)(iii)); you must report it",
    "wash_differs": "another disallowed loss than the broker's",
    "missing_basis": "the broker reports no basis; ours is used",
    "basis_differs": "another basis of the same lot",
    "proceeds_differ": "other proceeds; costs not on the statement are code E",
    "term_differs": "another holding period",
    "missing_here": "on the statement, not in the ledger: record the sale, or dispute the row",
    "missing_there": "in the ledger, on no row of the statement",
}
COLUMNS = (
    *("differences", "says", "account", "asset", "sold", "qty", "sale", "lot", "row", "form"),
    *("our_acquired", "their_acquired", "our_proceeds", "their_proceeds", "our_basis"),
    *("their_basis", "our_wash", "their_wash", "our_term", "their_term"),
    *("box", *"abcdefgh"),
)


def reconcile(stated: TaxReturn, theirs: Iterable[BrokerRow]) -> Json:
    """Ours against theirs; sales from own wallets are on no statement and only counted.

    Amounts of both sides are exact; columns (a) to (h) are the line of Form 8949 in cents.
    """
    declared = stated.portfolio.declared
    at_brokers = [
        sale for sale in stated.sales if declared.account(sale.account).custody == "broker"
    ]
    elsewhere = _replaced_elsewhere(stated)
    rows = [_row(pair, elsewhere) for pair in pairs(at_brokers, theirs)]
    found = Counter(name for row in rows for name in row["differences"].split())
    own = len(stated.sales) - len(at_brokers)
    notes = [f"{own} sales from own wallets are on no statement"] if own else []
    return {
        "report": "reconciliation",
        **stated.frame,
        "differences": {name: found[name] for name in SAYS if found[name]},
        "rows": rows,
        "notes": [*stated.notes, *notes],
    }


def reconcile_csv(report: Json) -> str:
    """The reconciliation as a table."""
    return csv_text(report["rows"], COLUMNS)


def _replaced_elsewhere(stated: TaxReturn) -> set[tuple[str, str, str]]:
    """(sale, lot, account) of losses with a replacement in another account."""
    return {
        (match.loss.ref, match.loss.lot, match.loss.account.id)
        for book in stated.portfolio.books.values()
        for match in book.matches()
        if match.account.id != match.loss.account.id
    }


def _row(pair: Pair, elsewhere: set[tuple[str, str, str]]) -> Json:
    names = list(_differences(pair, elsewhere)) or ["same"]
    both = pair.ours or pair.theirs
    assert both is not None
    row: Json = {
        "differences": " ".join(names),
        "says": "; ".join(SAYS[name] for name in names),
        "account": both.account,
        "asset": both.asset,
        "sold": both.sold,
        "qty": format_quantity(both.quantity),
    }
    if pair.ours is not None:
        row |= _our_side(pair.ours) | line_of(pair.ours, pair.theirs)
    if pair.theirs is not None:
        row |= _their_side(pair.theirs)
    return {name: row.get(name, "") for name in COLUMNS}


def _differences(pair: Pair, elsewhere: set[tuple[str, str, str]]) -> Iterator[str]:
    ours, theirs = pair.ours, pair.theirs
    if ours is None or theirs is None:
        yield "missing_here" if ours is None else "missing_there"
        return
    other_lots = not theirs.is_of_many_lots and theirs.acquired not in (
        *(lot.acquired for lot in pair.lots),
        *(lot.bought for lot in pair.lots),
    )
    if other_lots:
        yield "other_lots"
    if cents(ours.wash) != cents(theirs.wash):
        away = any((lot.event, lot.lot, lot.account) in elsewhere for lot in pair.lots)
        yield "wash_in_another_account" if away and ours.wash > theirs.wash else "wash_differs"
    if theirs.basis is None:
        yield "missing_basis"
    elif cents(ours.basis) != cents(theirs.basis) and not other_lots:
        yield "basis_differs"
    if cents(ours.proceeds) != cents(theirs.proceeds):
        yield "proceeds_differ"
    if theirs.term and theirs.term != ours.term:
        yield "term_differs"


def _our_side(sale: Sale) -> Json:
    return {
        "sale": sale.event,
        "lot": sale.lot,
        "our_acquired": sale.acquired,
        "our_proceeds": format_money(sale.proceeds),
        "our_basis": format_money(sale.basis),
        "our_wash": format_money(sale.wash),
        "our_term": sale.term,
    }


def _their_side(row: BrokerRow) -> Json:
    return {
        "row": str(row.row),
        "form": row.form,
        "their_acquired": row.acquired,
        "their_proceeds": format_money(row.proceeds),
        "their_basis": "" if row.basis is None else format_money(row.basis),
        "their_wash": format_money(row.wash),
        "their_term": row.term,
    }

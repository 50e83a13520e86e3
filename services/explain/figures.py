"""The figures behind an id, book by book: what is compared between one position and another."""

from __future__ import annotations

from collections.abc import Mapping

from domain.exact import cents, format_quantity
from domain.harvest import opportunities
from domain.kept_book import KeptBook
from domain.years import YearSums, merged, tax_years
from services.explain.answer import Ground


def of_fact(books: list[KeptBook], ref: str, prices: Mapping[str, int], day: int) -> dict[str, str]:
    """Rows, washes, open units and harvestable loss of a lot or disposal, to the cent."""
    figures: dict[str, str] = {}
    for book in books:
        figures |= _rows(book, ref) | _open(book, ref) | _washed(book, ref)
        figures |= _left(book, ref)
        found = [one for one in opportunities(book, prices, day) if one.lot.ref == ref]
        if found:
            figures["blocked"] = cents(sum(one.blocked for one in found))
            figures["harvestable"] = cents(sum(one.harvestable for one in found))
        issues = [issue.code for issue in book.issues if issue.ref == ref]
        if issues:
            figures["data issues"] = ", ".join(issues)
    return figures


def of_year(books: list[KeptBook], ground: Ground, year: int) -> dict[str, str]:
    """Net, deduction and carryovers of a year of the return."""
    sums = []
    for book in books:
        part = YearSums()
        part.add(book.disposals, book.matches(), book.policy.rules)
        sums.append(part)
    declared = ground.portfolio.declared
    chain = tax_years(merged(sums), declared.profile, declared.policy.rules)
    found = next((each for each in chain if each.year == year), None)
    if found is None:
        return {}
    return {
        "short-term": cents(found.short),
        "long-term": cents(found.long),
        "28 % gain": cents(found.rate28),
        "deduction": cents(found.deduction),
        "carry short": cents(found.carry_short),
        "carry long": cents(found.carry_long),
    }


def _rows(book: KeptBook, ref: str) -> dict[str, str]:
    rows = [row for row in book.disposals if row.ref == ref]
    if not rows:
        return {}
    terms = {
        name: cents(sum(row.taxable for row in rows if row.is_long is is_long))
        for is_long, name in ((False, "taxable short-term"), (True, "taxable long-term"))
    }
    return {
        "gain": cents(sum(row.gain for row in rows)),
        "disallowed": cents(sum(row.wash for row in rows)),
        **terms,
        "lots sold": ", ".join(sorted({row.lot for row in rows})),
        "unmatched loss": cents(sum(row.open_loss for row in rows)),
    }


def _open(book: KeptBook, ref: str) -> dict[str, str]:
    lots = [lot for lot in book.open_lots() if lot.ref == ref]
    if not lots:
        return {}
    return {
        "open units": format_quantity(sum(lot.quantity for lot in lots)),
        "open basis": cents(sum(lot.basis for lot in lots)),
        "held since": ", ".join(sorted({lot.acquired_text for lot in lots})),
        "long-term from": ", ".join(sorted({lot.long_from_text for lot in lots})),
    }


def _washed(book: KeptBook, ref: str) -> dict[str, str]:
    matches = [match for match in book.matches() if match.replacement == ref]
    if not matches:
        return {}
    return {"loss it replaced": cents(sum(match.disallowed for match in matches))}


def _left(book: KeptBook, ref: str) -> dict[str, str]:
    figures = {}
    for kind in dict.fromkeys(each.kind for each in book.departures if each.ref == ref):
        gone = [each for each in book.departures if each.ref == ref and each.kind == kind]
        figures[f"basis gone ({kind})"] = cents(sum(each.basis for each in gone))
    income = sum(entry.amount for entry in book.incomes if entry.ref == ref)
    return figures | ({"income": cents(income)} if income else {})

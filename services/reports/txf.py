"""TXF version 042: the sales of a year as tax programs import them."""

from __future__ import annotations

from domain.exact import cents
from services.reports.sales import Sale, TaxReturn
from services.reports.tables import form_date

# Reference numbers of Form 1099-B (TXF 042): with basis, without basis, no 1099.
_NUMBERS = {"A": 321, "B": 711, "C": 712, "D": 323, "E": 713, "F": 714}
# TXF ended before there were boxes for digital assets: they go where no 1099-B was received.
_NO_NUMBER = {"G": "C", "H": "C", "I": "C", "J": "F", "K": "F", "L": "F"}
_WITHOUT_WASH, _WITH_WASH = 4, 5


def txf(stated: TaxReturn, program: str, today: str) -> tuple[str, list[str]]:
    """The file's text (lines end in CRLF) and notes on what TXF cannot say.

    Record format 4: cost, then proceeds; format 5 has the disallowed loss after them. `today` is
    the ISO day of the export.
    """
    lines = ["V042", f"A{program}", f"D{form_date(today)}", "^"]
    for sale in stated.sales:
        lines += _record(sale)
    return "".join(f"{line}\r\n" for line in lines), [*stated.notes, *_notes(stated)]


def _record(sale: Sale) -> list[str]:
    box = _NO_NUMBER.get(sale.box, sale.box)
    note = f" (Form 8949 box {sale.box})" if box != sale.box else ""
    amounts = [sale.basis, sale.proceeds] + ([sale.wash] if sale.wash else [])
    return [
        "TD",
        f"N{_NUMBERS[box]}",
        "C1",
        "L1",
        f"P{_one_line(sale.description)}{note}",
        f"D{form_date(sale.acquired)}",
        f"D{form_date(sale.sold)}",
        *(f"${cents(amount)}" for amount in amounts),
        "^",
    ]


def _notes(stated: TaxReturn) -> list[str]:
    notes = []
    digital = sum(sale.box in _NO_NUMBER for sale in stated.sales)
    if digital:
        notes.append(
            f"{digital} sales of digital assets belong in boxes G to L, for which TXF has no "
            "numbers: they are written as box C or F, with the right box in the description"
        )
    collectible = sum("C" in sale.code for sale in stated.sales)
    if collectible:
        notes.append(f"{collectible} sales of collectibles need code C, which TXF cannot carry")
    return notes


def _one_line(text: str) -> str:
    return " ".join(text.split())

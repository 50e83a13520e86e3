"""Form 8949: the sales of a year by part and box, with columns (a) to (h) and totals."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from services.reports.amounts import Rounding
from services.reports.sales import Sale, TaxReturn
from services.reports.tables import csv_text, form_date

BOXES = {
    "A": "1099-B, basis reported",
    "B": "1099-B, basis not reported",
    "C": "no 1099-B",
    "G": "digital asset, 1099-DA with basis",
    "H": "digital asset, 1099-DA without basis",
    "I": "digital asset, no 1099-DA",
    "D": "1099-B, basis reported",
    "E": "1099-B, basis not reported",
    "F": "no 1099-B",
    "J": "digital asset, 1099-DA with basis",
    "K": "digital asset, 1099-DA without basis",
    "L": "digital asset, no 1099-DA",
}
COLUMNS = ("row", "part", "box", *"abcdefgh", "account", "sale", "lot")
Json = dict[str, Any]


def form_8949(stated: TaxReturn, rounding: Rounding) -> Json:
    """The form as an object, Part I before Part II.

    Every amount is rounded by itself, except column (h) of a row, which is d - e + g of what the
    row shows; totals are rounded from exact sums and so agree with `thresher gains` and `years`.
    """
    boxes = []
    for box, says in BOXES.items():
        sales = [sale for sale in stated.sales if sale.box == box]
        if sales:
            boxes.append(
                {"part": _part(sales[0].is_long), "box": box, "says": says}
                | {
                    "rows": [_row(sale, rounding) for sale in sales],
                    "total": total(sales, rounding),
                }
            )
    return {
        "form": "8949",
        **stated.frame,
        "rounding": rounding.name,
        "boxes": boxes,
        "short": total((sale for sale in stated.sales if not sale.is_long), rounding),
        "long": total((sale for sale in stated.sales if sale.is_long), rounding),
        "notes": list(stated.notes),
    }


def form_8949_csv(form: Json) -> str:
    """The form as a table: rows of kind `sale`, after each box one of kind `total`.

    Dates as on the form, month/day/year.
    """
    lines: list[Json] = []
    for box in form["boxes"]:
        place = {"part": box["part"], "box": box["box"]}
        for row in box["rows"]:
            dates = {name: form_date(row[name]) for name in "bc"}
            lines.append({"row": "sale"} | place | row | dates)
        lines.append({"row": "total", "a": f"Total, box {box['box']}"} | place | box["total"])
    return csv_text(lines, COLUMNS)


def total(sales: Iterable[Sale], rounding: Rounding) -> dict[str, str]:
    """Columns (d), (e), (g), (h) over sales, each rounded from its exact sum."""
    rows = list(sales)
    return {
        "d": rounding.shown(sum(row.proceeds for row in rows)),
        "e": rounding.shown(sum(row.basis for row in rows)),
        "g": rounding.shown(sum(row.wash for row in rows)),
        "h": rounding.shown(sum(row.taxable for row in rows)),
    }


def _row(sale: Sale, rounding: Rounding) -> Json:
    shown = [rounding.shown(each) for each in (sale.proceeds, sale.basis, sale.wash)]
    return {
        "a": sale.description,
        "b": sale.acquired,
        "c": sale.sold,
        "d": shown[0],
        "e": shown[1],
        "f": sale.codes,
        "g": shown[2] if sale.codes else "",
        "h": difference(*shown),
        "account": sale.account,
        "sale": sale.event,
        "lot": sale.lot,
    }


def difference(d: str, e: str, g: str) -> str:
    """Column (h) of a row: d - e + g of rounded amounts (Form 8949, column (h))."""
    units = [int(text.replace(".", "")) for text in (d, e, g)]
    found = units[0] - units[1] + units[2]
    if "." not in d:
        return str(found)
    whole, fraction = divmod(abs(found), 100)
    return f"{'-' if found < 0 else ''}{whole}.{fraction:02d}"


def _part(is_long: bool) -> str:
    return "II" if is_long else "I"

"""Tables as CSV (RFC 4180) that a spreadsheet cannot take for formulas."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence

# A cell that begins so is a formula to some spreadsheet; the wide forms are to some as well.
_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII)


def safe_cell(text: str) -> str:
    """The text, after an apostrophe if a spreadsheet could take it for a formula."""
    if text.lstrip(" ").startswith(_FORMULA) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def csv_text(rows: Iterable[Mapping[str, object]], columns: Sequence[str]) -> str:
    """A header and the rows, CRLF at each end; a column that a row lacks is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([safe_cell(str(row.get(name, ""))) for name in columns])
    return out.getvalue()


def form_date(text: str) -> str:
    """An ISO day as forms write it (month, day, year); INHERITED and the like stay."""
    parts = text.split("-")
    return f"{parts[1]}/{parts[2]}/{parts[0]}" if len(parts) == 3 else text

"""The neutral CSV of Form 1099-B and 1099-DA rows, read and checked row by row."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from domain.exact import money, quantity
from infra.sources.csv_lines import HeaderError, Line, header_of, lines
from infra.sources.wire import Amount, Day, Name, Quantity, Wire, refusal
from services.quarantine import BadRow
from services.reports.pairing import VARIOUS, BrokerRow

REQUIRED = ("account", "asset", "qty", "sold", "proceeds")
COLUMNS = (*REQUIRED, "acquired", "basis", "wash", "term", "form")


class _Row(Wire):
    account: Name
    asset: Name
    qty: Quantity
    acquired: Literal["VARIOUS", "INHERITED"] | Day = VARIOUS
    sold: Day
    proceeds: Amount
    basis: Amount | None = None
    wash: Amount = "0"
    term: Literal["S", "L", ""] = ""
    form: Literal["1099-B", "1099-DA", ""] = ""


def read_broker_rows(path: Path, year: int) -> tuple[list[BrokerRow], list[BadRow]]:
    """The rows of a file, and those that cannot be used. Raises HeaderError."""
    try:
        text = io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")
    except UnicodeDecodeError:
        raise HeaderError(f"{path.name} is no UTF-8 text: save it as UTF-8") from None
    header = header_of(next(text, ""))
    _check(header)
    good: list[BrokerRow] = []
    bad: list[BadRow] = []
    for found in _rows(lines(text, header, path.name), path.name, year):
        if isinstance(found, BadRow):
            bad.append(found)
        else:
            good.append(found)
    return good, bad


def _check(header: list[str]) -> None:
    names = [name.strip() for name in header]
    unknown = sorted(set(names) - set(COLUMNS))
    missing = [name for name in REQUIRED if name not in names]
    if unknown or missing or len(set(names)) < len(names):
        problem = f"unknown column {', '.join(map(ascii, unknown))}" if unknown else ""
        problem = problem or (f"missing column {', '.join(missing)}" if missing else "")
        raise HeaderError(
            f"broker file: {problem or 'a column is given twice'}; the columns are "
            f"{', '.join(COLUMNS)}"
        )


def _rows(found: Iterator[Line | BadRow], origin: str, year: int) -> Iterator[BrokerRow | BadRow]:
    for line in found:
        yield line if isinstance(line, BadRow) else _row(line, origin, year)


def _row(line: Line, origin: str, year: int) -> BrokerRow | BadRow:
    try:
        row = _Row.model_validate(line.values)
    except ValidationError as error:
        refused = refusal(error)
        return line.bad(origin, refused.field, refused.reason, refused.remedy)
    if row.sold[:4] != f"{year:04}":
        return line.bad(origin, "sold", f"{row.sold} is not in {year}", "give --year of the form")
    return BrokerRow(
        row=line.number,
        account=row.account,
        asset=row.asset,
        quantity=quantity(row.qty),
        acquired=row.acquired,
        sold=row.sold,
        proceeds=money(row.proceeds),
        basis=None if row.basis is None else money(row.basis),
        wash=money(row.wash),
        term=row.term,
        form=row.form,
    )

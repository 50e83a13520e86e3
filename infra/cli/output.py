"""How answers look: tables on a terminal, JSON with `-o json`, JSON lines in a pipe."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from domain.exact import grouped, money
from domain.years import DEFAULT_RATES

MONEY = frozenset(
    (
        *("basis", "proceeds", "gain", "wash", "taxable", "value", "loss", "blocked"),
        *("harvestable", "tax_saved", "st", "lt", "net", "rate28", "deduction", "carry_st"),
        *("carry_lt", "open_loss", "disallowed", "threshold", "tax", "cost", "alone", "short"),
        *("long", "tax_now", "carryover_created", "deferral", "rearms_below"),
    )
)
NUMBERS = MONEY | {"qty", "price", "crossing", "days_to_long", "days_left"}
DATES = frozenset(
    ("acquired", "long_from", "sold", "safe_from", "on", "blocked_until", "last_day", "year")
)
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d{6}Z")
WIDE = 160


class Format(StrEnum):
    """Output formats. `auto`: a table on a terminal, JSON lines in a pipe."""

    AUTO = "auto"
    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"


def stdout() -> Console:
    """The console for answers; where no terminal sets the width, tables get room."""
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDE
    return Console(highlight=False, width=width)


def stderr() -> Console:
    """The console for notes and progress."""
    return Console(stderr=True, highlight=False)


def wants_table(chosen: Format) -> bool:
    """Whether a person reads along."""
    return chosen is Format.TABLE or (chosen is Format.AUTO and sys.stdout.isatty())


def show(
    rows: Sequence[Mapping[str, Any]],
    chosen: Format,
    columns: Mapping[str, str],
    title: str,
    empty: str,
) -> None:
    """Rows of one kind; `columns` maps a field to its heading and fixes the table's order."""
    if not wants_table(chosen):
        emit(rows, chosen)
        return
    if not rows:
        stdout().print(empty)
        return
    table = Table(
        title=escape(title),
        title_justify="left",
        header_style="bold",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    for name, heading in columns.items():
        table.add_column(
            heading,
            justify="right" if name in NUMBERS else "left",
            no_wrap=name in NUMBERS or name in DATES,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(cell(name, row.get(name, "")) for name in columns))
    stdout().print(table)


def emit(rows: Sequence[Mapping[str, Any]], chosen: Format) -> None:
    """Rows as one JSON array, or as JSON lines."""
    if chosen is Format.JSON:
        print(json.dumps([dict(row) for row in rows], indent=2, ensure_ascii=False))
    else:
        for row in rows:
            print(json.dumps(dict(row), ensure_ascii=False))


def emit_one(value: Mapping[str, Any], chosen: Format) -> None:
    """One object: indented with `-o json`, on one line in a pipe."""
    indent = 2 if chosen is Format.JSON else None
    print(json.dumps(dict(value), indent=indent, ensure_ascii=False))


def cell(name: str, value: Any) -> str:
    """A cell for reading: money in cents with separators, instants to the second, chain ids short;
    everything else as it is.
    """
    if value is None or value == "":
        return ""
    if name in MONEY:
        return dollars(str(value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    instant = _INSTANT.fullmatch(str(value))
    return f"{instant[1]}Z" if instant else escape(short(str(value)))


def say_rates(basis: str) -> None:
    """Beside figures whose tax stands on rates that nobody chose: how to say one's own."""
    if basis == DEFAULT_RATES:
        stdout().print(
            "default rates: 0.35 short, 0.15 long; to say yours, import a policy fact with `rates` "
            "(docs/FORMATS.md)",
            style="dim", markup=False,
        )  # fmt: skip


def dollars(text: str) -> str:
    """Exact money text in cents, half up, with thousands separators."""
    return grouped(money(text))


def short(text: str) -> str:
    """Long chain ids with their middle left out, so that a table fits a screen."""
    head, slash, tail = text.partition("/")
    parts = [_short_part(part) for part in (head, tail)] if slash else [_short_part(text)]
    return slash.join(parts)


def _short_part(part: str) -> str:
    words = part.split(":")
    return ":".join(f"{w[:6]}..{w[-4:]}" if w.startswith("0x") and len(w) > 14 else w
                    for w in words)  # fmt: skip


def progress_bar() -> Progress:
    """A progress bar on standard error; shows nothing where nobody watches."""
    console = stderr()
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )

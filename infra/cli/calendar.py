"""The calendar command: when to buy back and when to sell, as a table, JSON or a calendar file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.calendar_file import ical
from infra.cli.options import AsOf, KnownAt, Output, TaxpayerOption, application, view
from infra.cli.output import Format, emit_one, show, stderr, stdout, wants_table
from infra.in_place import write
from services.calendar import events, reentry, unseen

CALENDAR = {
    "group": "group", "safe_to_buy_from": "safe to buy from",
    "safe_to_sell_older_from": "safe to sell older lots from", "because": "because of",
    "seen_in": "accounts",
}  # fmt: skip


def calendar_command(
    ics: Annotated[
        Path | None, typer.Option("--ics", help="Write an iCalendar file (-: standard output).")
    ] = None,
    amounts: Annotated[
        bool, typer.Option("--amounts", help="Put money into the calendar file too.")
    ] = False,
    long_term: Annotated[
        int,
        typer.Option(
            "--long-term", min=0, max=366, metavar="DAYS",
            help="In the file: lots that turn long-term within so many days too.",
        ),
    ] = 0,
    hidden: Annotated[
        bool,
        typer.Option("--hidden", help="In the answer: coins and NFTs as if under the rule too."),
    ] = False,
    taxpayer: TaxpayerOption = None, as_of: AsOf = None, known_at: KnownAt = None,
    output: Output = Format.AUTO,
) -> None:  # fmt: skip
    """From when it is safe to buy back, and to sell older lots, group by group over all accounts.

    A group that is not listed is safe today, as far as was seen.
    """
    app = application()
    frame = view(app, taxpayer, as_of, known_at)
    if ics is not None:
        found = events(app.queries, frame, long_term)
        _save(ics, ical(frame.taxpayer, frame.as_of, found, amounts=amounts), len(found))
        return
    rows, gaps = reentry(app.queries, frame, hidden=hidden), unseen(app.queries, frame)
    if wants_table(output):
        _print_calendar(rows, gaps, frame.as_of)
    else:
        emit_one({"groups": rows, "coverage": gaps, **frame.frame}, output)


def _print_calendar(rows: list[dict[str, Any]], gaps: list[dict[str, str]], as_of: str) -> None:
    shown = [
        row
        | {
            "because": ", ".join(dict.fromkeys(each["event"] for each in row["causes"])),
            "seen_in": ", ".join(row["accounts"]),
            "group": f"{row['group']} (no rule today)" if row["hidden"] else row["group"],
        }
        for row in rows
    ]
    title = f"Re-entry calendar, {as_of}"
    show(shown, Format.TABLE, CALENDAR, title, "Every group is safe today.")
    for gap in gaps:
        stdout().print(f"not seen: {gap['says']}", soft_wrap=True, markup=False)


def _save(ics: Path, content: bytes, count: int) -> None:
    if str(ics) == "-":
        sys.stdout.write(content.decode())
        return
    write(ics, content)
    stderr().print(f"{count} event(s) written to {ics}", markup=False, soft_wrap=True)

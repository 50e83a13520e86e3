"""Commands that bring data in: import (facts and prices) and marks (ticks, followed live)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, TaskID

from infra.cli.options import TaxpayerOption, application
from infra.cli.output import progress_bar, stderr
from infra.cli.streams import follow_stdin, open_text
from infra.importing import Importer, first_line, recognise
from infra.sources.csv_lines import header_of, kind_of, lines
from infra.sources.mark_feed import csv_quote, json_quote
from services.ingest import Counts
from services.ledger import check_id
from services.market import Market
from services.marks import Quote
from services.quarantine import BadRow

PIPE = Path("-")
QUOTES_A_BATCH = 1_000


def import_command(
    files: Annotated[list[Path], typer.Argument(help="CSV or JSON lines files, or - for a pipe.")],
    taxpayer: TaxpayerOption = None,
    source: Annotated[
        str, typer.Option(help="Whose event ids these are (venue or file kind).")
    ] = "csv",
    alone: Annotated[
        bool, typer.Option(help="Leave accounts/assets/prices.csv beside out.")
    ] = False,
) -> None:
    """Take facts in: trades as neutral CSV or JSON lines, accounts, assets, prices."""
    app = application()
    importer = Importer(app, app.taxpayer(taxpayer), check_id(source, "source"))
    if PIPE in files:
        _import_pipe(importer)
    else:
        for each in recognise(files, siblings=not alone):
            with progress_bar() as bar:
                task = bar.add_task(f"{each.path.name} ({each.kind})", total=None)
                importer.file(each, partial(_advance, bar, task))
        importer.facts_arrived()
    _report(importer.counts, importer.marks)


def marks_command(
    file: Annotated[Path, typer.Argument(help="CSV or JSON lines of marks, or - for a pipe.")],
) -> None:
    """Take marks in and fire alerts as they come; a pipe is followed live."""
    app = application()
    market, bad = app.market, list[BadRow]()
    pending: list[Quote] = []

    def settle() -> None:
        market.take(pending)
        pending.clear()
        market.deliver()
        market.refresh()

    text: Iterator[str]
    if file == PIPE:
        text = follow_stdin(settle)
        _take_marks(market, _quotes(text, "pipe"), pending, bad)
    else:
        with open_text(file) as opened:
            _take_marks(market, _quotes(opened, file.name), pending, bad)
    settle()
    counts = market.counts
    stderr().print(
        f"{counts.quotes} marks ({counts.new} new), {counts.fired} alerts fired, "
        f"{counts.rearmed} re-armed, {len(bad)} refused"
    )
    for row in bad[:5]:
        stderr().print(f"  row {row.row} {row.field}: {row.reason}; {row.remedy}", markup=False)
    if bad:
        raise typer.Exit(1)


def deliver_command() -> None:
    """Send alerts that wait in the outbox and are due."""
    counts = application().market.deliver()
    stderr().print(", ".join(f"{count} {name}" for name, count in counts.items()))


def _take_marks(
    market: Market, quotes: Iterable[Quote | BadRow], pending: list[Quote], bad: list[BadRow]
) -> None:
    for quote in quotes:
        if isinstance(quote, BadRow):
            bad.append(quote)
            continue
        pending.append(quote)
        if len(pending) >= QUOTES_A_BATCH:
            market.take(pending)
            pending.clear()


def _quotes(text: Iterable[str], origin: str) -> Iterator[Quote | BadRow]:
    kept = iter(text)
    first = next(kept, "").removeprefix("\ufeff")
    if first.lstrip().startswith("{"):
        yield json_quote(first, 1, origin)
        for number, line in enumerate(kept, start=2):
            if line.strip():
                yield json_quote(line, number, origin)
        return
    header = header_of(first)
    if kind_of(header) != "marks":
        raise typer.BadParameter("marks need the columns asset, price, time")
    for found in lines(kept, header, origin):
        yield found if isinstance(found, BadRow) else csv_quote(found, origin)


def _import_pipe(importer: Importer) -> None:
    """A pipe is projected whenever it pauses, and at its end."""

    def pause() -> None:
        importer.ingest.flush()
        importer.facts_arrived()

    kind, header, text = first_line(follow_stdin(pause))
    if kind == "facts":
        importer.facts(text, "pipe", lambda rows: None)
    else:
        importer.csv(kind, header, text, "pipe", lambda rows: None)
    importer.facts_arrived()


def _advance(bar: Progress, task: TaskID, rows: int) -> None:
    bar.update(task, completed=rows)


def _report(counts: Counts, marks: int) -> None:
    note = stderr()
    for bad in counts.first_bad:
        field = f" {bad.field}:" if bad.field else ""
        note.print(
            f"  {bad.origin} row {bad.row}{field} {bad.reason}; {bad.remedy}",
            soft_wrap=True,
            markup=False,
        )
    prices = f", {marks} new marks" if marks else ""
    note.print(
        f"{counts.new} new, {counts.known} already known, {counts.quarantined} quarantined"
        f"{prices}" + (" (listed by: thresher issues)" if counts.quarantined else ""),
        soft_wrap=True,
    )

"""The `import` command: facts and prices in."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, TaskID

from domain.errors import ThresherError
from infra.cli.options import TaxpayerOption, application
from infra.cli.output import progress_bar, stderr
from infra.cli.streams import follow_stdin
from infra.composition import App
from infra.importing import Importer, first_line, recognise
from services.ingest import Counts
from services.ledger import check_id
from services.statement import last_day

PIPE = Path("-")


class NothingUsable(ThresherError):
    """Rows came in, and every one is in quarantine."""


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
    """Take facts in: trades as neutral CSV or JSON lines, accounts, assets, prices.

    Rows that cannot be used are kept in quarantine (thresher issues); exit 1 if all are such.
    """
    app = application(begins=True)
    importer = Importer(app, app.taxpayer(taxpayer), check_id(source, "source"))
    if PIPE in files:
        _import_pipe(importer)
    else:
        for each in recognise(files, siblings=not alone):
            with progress_bar() as bar:
                task = bar.add_task(f"{each.path.name} ({each.kind})", total=None)
                importer.file(each, partial(_advance, bar, task))
        importer.facts_arrived()
    _say_if_to_come(app, importer.taxpayer)
    _report(importer.counts, importer.marks)
    if importer.has_none:
        raise NothingUsable("no row could be used (docs/FORMATS.md: what a row needs)")


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


def _say_if_to_come(app: App, taxpayer: str) -> None:
    """A year that was mistyped is seen at once; live answers hold all facts, whatever their day."""
    last = last_day(app.projector.taxpayer(taxpayer).portfolio)
    if last > app.queries.today(taxpayer):
        stderr().print(
            f"the latest fact is of {last}: it counts already, except in answers --as-of a day "
            "before",
            style="yellow", soft_wrap=True,
        )  # fmt: skip


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

"""Commands of `thresher report`: forms, worksheets and files for other programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.cli.options import AsOf, KnownAt, TaxpayerOption, application, view
from infra.cli.output import stderr
from infra.composition import App
from infra.in_place import write
from infra.sources.broker_rows import read_broker_rows
from services.quarantine import BadRow
from services.queries import View
from services.reports.amounts import Rounding
from services.reports.beancount import beancount
from services.reports.form_8949 import form_8949, form_8949_csv
from services.reports.hledger import hledger
from services.reports.lot_history import lot_history
from services.reports.reconcile import reconcile, reconcile_csv
from services.reports.sales import TaxReturn, tax_return
from services.reports.schedule_d import schedule_d, schedule_d_csv
from services.reports.txf import txf
from services.reports.wash_sales import wash_sales, wash_sales_csv


class ReportFormat(StrEnum):
    """How a report is written."""

    CSV = "csv"
    JSON = "json"


Year = Annotated[
    int, typer.Option("--year", min=1913, max=9996, help="The tax year, in four digits.")
]
As = Annotated[ReportFormat, typer.Option("--format", help="csv or json.")]
Out = Annotated[
    Path | None, typer.Option("--out", dir_okay=False, help="Write here (default: the output).")
]
WholeDollars = Annotated[
    bool, typer.Option("--whole-dollars", help="Round every amount to dollars, half up.")
]
commands = typer.Typer(
    no_args_is_help=True,
    help="Form 8949, Schedule D, wash sales, 1099 reconciliation, TXF, plain-text books.",
)


@commands.command("8949")
def report_8949(
    year: Year, written: As = ReportFormat.CSV, out: Out = None,
    whole_dollars: WholeDollars = False,
    taxpayer: TaxpayerOption = None, as_of: AsOf = None, known_at: KnownAt = None,
) -> None:  # fmt: skip
    """Form 8949: every sale by part and box, columns (a) to (h), with totals."""
    form = form_8949(_stated(year, taxpayer, as_of, known_at), Rounding(whole_dollars))
    _write(form, form_8949_csv(form), written, out)


@commands.command("schedule-d")
def report_schedule_d(
    year: Year, written: As = ReportFormat.CSV, out: Out = None,
    whole_dollars: WholeDollars = False,
    taxpayer: TaxpayerOption = None, as_of: AsOf = None, known_at: KnownAt = None,
) -> None:  # fmt: skip
    """Schedule D: lines 1b to 10 from Form 8949, netting, deduction, carryovers in and out."""
    schedule = schedule_d(_stated(year, taxpayer, as_of, known_at), Rounding(whole_dollars))
    _write(schedule, schedule_d_csv(schedule), written, out)


@commands.command("wash-sales")
def report_wash_sales(
    year: Year, written: As = ReportFormat.CSV, out: Out = None,
    taxpayer: TaxpayerOption = None, as_of: AsOf = None, known_at: KnownAt = None,
) -> None:  # fmt: skip
    """Worksheet: each loss, what replaced it, what is disallowed and where it went."""
    worksheet = wash_sales(_stated(year, taxpayer, as_of, known_at))
    _write(worksheet, wash_sales_csv(worksheet), written, out)


@commands.command("reconcile")
def report_reconcile(
    file: Annotated[Path, typer.Argument(help="Rows of Forms 1099-B and 1099-DA (CSV).")],
    year: Year, written: As = ReportFormat.CSV, out: Out = None,
    taxpayer: TaxpayerOption = None, as_of: AsOf = None, known_at: KnownAt = None,
) -> None:  # fmt: skip
    """Ours against the broker's, each difference named, with the line of Form 8949."""
    rows, bad = read_broker_rows(file, year)
    report = reconcile(_stated(year, taxpayer, as_of, known_at), rows)
    report["bad_rows"] = [
        {"row": each.row, "field": each.field, "reason": each.reason, "remedy": each.remedy}
        for each in bad
    ]
    _write(report, reconcile_csv(report), written, out)
    _say(_complaint(each) for each in bad)
    if bad:
        raise typer.Exit(1)


@commands.command("txf")
def report_txf(
    year: Year, out: Out = None,
    taxpayer: TaxpayerOption = None, as_of: AsOf = None, known_at: KnownAt = None,
) -> None:  # fmt: skip
    """TXF 042, for tax programs that import it."""
    app, frame = _view(taxpayer, as_of, known_at)
    program = f"Thresher {version('thresher')}"
    today = app.queries.today(frame.taxpayer)
    text, notes = txf(_of(app, frame, year), program, today)
    _put(text, out)
    _say(notes)


@commands.command("beancount")
def report_beancount(
    out: Out = None,
    taxpayer: TaxpayerOption = None, as_of: AsOf = None, known_at: KnownAt = None,
) -> None:  # fmt: skip
    """Lots, sales and gains as a Beancount file."""
    app, frame = _view(taxpayer, as_of, known_at)
    _put(beancount(lot_history(app.queries, frame)), out)


@commands.command("hledger")
def report_hledger(
    out: Out = None,
    taxpayer: TaxpayerOption = None, as_of: AsOf = None, known_at: KnownAt = None,
) -> None:  # fmt: skip
    """Lots, sales and gains as an hledger journal."""
    app, frame = _view(taxpayer, as_of, known_at)
    _put(hledger(lot_history(app.queries, frame)), out)


def _view(taxpayer: str | None, as_of: str | None, known_at: str | None) -> tuple[App, View]:
    app = application()
    return app, view(app, taxpayer, as_of, known_at)


def _stated(year: int, taxpayer: str | None, as_of: str | None, known_at: str | None) -> TaxReturn:
    return _of(*_view(taxpayer, as_of, known_at), year)


def _of(app: App, frame: View, year: int) -> TaxReturn:
    """What the reports of a year are made from. That it has no sales is said: a form shows none."""
    found = tax_return(app.queries, frame, year)
    if not found.sales:
        _say([f"no sales in {year} (thresher years: which years have any)"])
    return found


def _write(report: dict[str, Any], table: str, chosen: ReportFormat, out: Path | None) -> None:
    if chosen is ReportFormat.JSON:
        _put(json.dumps(report, indent=2, ensure_ascii=False) + "\n", out)
        return
    _put(table, out)
    _say(report["notes"])


def _put(text: str, out: Path | None) -> None:
    """Line ends stay as the format wants them."""
    if out is None:
        sys.stdout.write(text)
    else:
        write(out, text.encode())


def _complaint(bad: BadRow) -> str:
    field = f", {bad.field}" if bad.field else ""
    return f"row {bad.row}{field}: {bad.reason}; {bad.remedy}"


def _say(notes: Iterable[str]) -> None:
    """Beside the report, where it spoils no file."""
    for note in notes:
        stderr().print(note, style="yellow", markup=False, soft_wrap=True)

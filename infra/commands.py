"""The `thresher` command: every command in one table, and errors as one clear line."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer
from eventsourcing.persistence import PersistenceError
from sqlalchemy.exc import DBAPIError

from domain.errors import ThresherError
from infra.cli import (
    alerts,
    backtest,
    calendar,
    check,
    checking,
    delivering,
    demo,
    describing,
    explaining,
    importing,
    marks,
    migrating,
    publishing,
    reading,
    reports,
    rules,
    serving,
    similar,
    simulating,
    streaming,
    watching,
    whatif,
    working,
)
from infra.cli.options import at_end
from infra.cli.output import stderr
from infra.sources.csv_lines import HeaderError
from infra.sources.wire import Refusal

app = typer.Typer(
    name="thresher",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    help="Lots, wash-sale windows and harvest alerts from one log of facts. Not tax advice.",
)


def _say_version(asked: bool) -> None:
    if asked:
        print(f"thresher {version('thresher')}")
        raise typer.Exit


app.command("demo")(demo.demo_command)
app.command("import")(importing.import_command)
app.command("lots")(reading.lots)
app.command("gains")(reading.gains)
app.command("windows")(reading.windows)
app.command("opportunities")(reading.opportunities)
app.command("years")(reading.years)
app.command("issues")(reading.issues)
app.command("calendar")(calendar.calendar_command)
app.command("explain")(explaining.explain_command)
app.command("backtest")(backtest.backtest_command)
app.command("deliver")(delivering.deliver_command)
app.command("asyncapi")(describing.asyncapi_command)
app.command("publish")(publishing.publish_command)
app.command("watch")(watching.watch_command)
app.command("serve")(serving.serve_command)
app.command("topics")(streaming.topics_command)
app.command("worker")(working.worker_command)
app.command("run")(working.run_command)
app.command("migrate")(migrating.migrate_command)
app.command("verify")(checking.verify_command)
app.command("scenario")(checking.scenario_command)
app.add_typer(alerts.commands, name="alerts")
app.add_typer(simulating.commands, name="simulate")
app.add_typer(streaming.letters, name="deadletters")
app.add_typer(check.commands, name="check")
app.add_typer(marks.commands, name="marks")
app.add_typer(reports.commands, name="report")
app.add_typer(rules.commands, name="rules")
app.add_typer(similar.commands, name="similar")
app.add_typer(whatif.commands, name="whatif")


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_say_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


def run() -> None:
    """Runs a command; an error of ours or of the file system is one line and exit code 1."""
    try:
        with at_end:
            app()
    except (PersistenceError, DBAPIError) as error:
        reason = str(error).strip().partition("\n")[0]
        stderr().print(f"thresher: the database: {reason}", style="red", markup=False)
        sys.exit(1)
    except (OverflowError, UnicodeEncodeError) as error:
        stderr().print(f"thresher: a value cannot be used: {error}", style="red", markup=False)
        sys.exit(1)
    except (ThresherError, HeaderError, Refusal, OSError) as error:
        stderr().print(f"thresher: {_told(error)}", style="red", markup=False, soft_wrap=True)
        sys.exit(1)


def _told(error: Exception) -> str:
    """What is wrong, in words: of a file its name and the reason, without the system's number."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)

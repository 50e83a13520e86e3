"""The `alerts` commands: what fired; acknowledge a crossing, snooze a rule."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

import typer

from domain.days import sortable_instant
from domain.decisions import AlertAcknowledged, AlertSnoozed
from domain.fact_codec import AlertFact
from infra.cli.numbers import TakesNumber
from infra.cli.options import AsOf, KnownAt, Output, TaxpayerOption, application, view
from infra.cli.output import Format, show, stderr
from infra.composition import App
from projections.alerts import rules as rules_in_force
from services.alerting import SOURCE
from services.ledger import Offer

ALERTS = {
    "fired_at": "fired", "rule": "rule", "crossing": "no.", "metric": "metric", "scope": "scope",
    "value": "value", "threshold": "threshold", "tax_saved": "tax saved", "state": "state",
    "rearmed_at": "re-armed",
}  # fmt: skip
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
commands = typer.Typer(help="Alerts that fired (alone: lists them); ack, snooze, wake.")


@commands.callback(invoke_without_command=True)
def alerts(
    context: typer.Context, taxpayer: TaxpayerOption = None, as_of: AsOf = None,
    known_at: KnownAt = None, output: Output = Format.AUTO,
) -> None:  # fmt: skip
    """Alerts that fired, and when they re-armed; then what fires soon if it stays (pending)."""
    if context.invoked_subcommand is None:
        app = application()
        frame = view(app, taxpayer, as_of, known_at)
        pending = app.queries.pending(frame)
        columns = ALERTS | ({"fires_at": "fires at"} if pending else {})
        rows = app.queries.alerts(frame) + pending
        show(rows, output, columns, "Alerts", "No alert has fired.")


@commands.command("ack", cls=TakesNumber)
def acknowledge(
    rule: Annotated[str, typer.Argument(help="The rule that fired.")],
    crossing: Annotated[int | None, typer.Argument(help="Its number (default: the last).")] = None,
    note: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    taxpayer: TaxpayerOption = None,
) -> None:
    """You have seen it: what of it is not sent yet stays unsent."""
    app = application()
    chosen = app.taxpayer(taxpayer)
    known = [each["crossing"] for each in app.queries.alerts(view(app, taxpayer, None, None))
             if each["rule"] == rule]  # fmt: skip
    number = crossing if crossing is not None else max(known, default=0)
    if number not in known:
        if not known:
            _check_known(app, chosen, rule)
            raise typer.BadParameter(f"rule {rule!r} has not fired")
        raise typer.BadParameter(f"rule {rule!r} has no crossing number {number}")
    at = sortable_instant(app.clock())
    fact = AlertAcknowledged(effective_at=at, rule=rule, crossing=number, note=note)
    _record(app, chosen, f"ack/{rule}/{number}", fact)
    stderr().print(f"acknowledged {rule} no. {number}", markup=False)


@commands.command("snooze")
def snooze(
    rule: Annotated[str, typer.Argument(help="The rule to keep quiet.")],
    duration: Annotated[str, typer.Option("--for", help="30m, 2h or 3d.")] = "1d",
    taxpayer: TaxpayerOption = None,
) -> None:
    """Send nothing of a rule for a while; it still fires and re-arms, for the record."""
    app = application()
    now = app.clock()
    until = sortable_instant(now + _span(duration))
    _snooze(app, app.taxpayer(taxpayer), rule, until)
    stderr().print(f"{rule} sends nothing before {until}", markup=False)


@commands.command("wake")
def wake(rule: str, taxpayer: TaxpayerOption = None) -> None:
    """End a snooze: what waited is due now; in quiet hours, notices at their end."""
    app = application()
    _snooze(app, app.taxpayer(taxpayer), rule, "")
    app.market.deliver()
    stderr().print(f"{rule} is awake", markup=False)


def _check_known(app: App, taxpayer: str, rule: str) -> None:
    with app.projector.database.reading() as connection:
        if rule not in {each["name"] for each in rules_in_force(connection, taxpayer)}:
            raise typer.BadParameter(f"no rule is called {rule!r}")


def _snooze(app: App, taxpayer: str, rule: str, until: str) -> None:
    _check_known(app, taxpayer, rule)
    at = sortable_instant(app.clock())
    _record(
        app, taxpayer, f"snooze/{rule}/{at}", AlertSnoozed(effective_at=at, rule=rule, until=until)
    )


def _span(text: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,4})([mhd])", text)
    if found is None or int(found[1]) == 0:
        raise typer.BadParameter(f"--for {text!r}: write 30m, 2h or 3d, from 1 to 9999 of them")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _record(app: App, taxpayer: str, id: str, fact: AlertFact) -> None:
    app.record(Offer(taxpayer, SOURCE, id, fact))

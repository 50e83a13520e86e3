"""Commands on alert rules: add, defaults, list, remove, test."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

import typer

from domain.days import sortable_instant
from domain.decisions import AlertRuleRemoved, AlertRuleSet
from domain.exact import check
from domain.fact_codec import AlertFact
from domain.rules.rule_set import RuleSet
from infra.cli.alerts import ALERTS
from infra.cli.backtest import From, To, days, known_rules, told, tried
from infra.cli.numbers import TakesNumber
from infra.cli.options import Output, TaxpayerOption, application, view
from infra.cli.output import Format, show, stderr, wants_table
from infra.cli.rule_notes import clock_of, columns, listed, tabled, why_silent
from infra.composition import App
from infra.replay_store import new_store
from projections.alerts import rules as rules_in_force
from services.alert_rules import (
    DATE_METRICS,
    METRICS,
    SCOPE_HELP,
    YEAR_END,
    check_topics,
    checked_for,
    relative,
)
from services.alerting import SOURCE
from services.default_rules import missing
from services.history import as_happened, as_recorded
from services.ledger import Offer, check_id
from services.replay import Watched, replayed_alerts

TRIED = {name: title for name, title in ALERTS.items() if name != "state"}
DWELL_HELP = "Seconds for which it must stay at the threshold or above before it fires."
DIGEST_HELP = "Notices go out together: hourly, or 'daily 08:00' (your clock)."
METRIC_HELP = f"One of {', '.join(METRICS + DATE_METRICS)} (default: the first)."
AMOUNT_HELP = f"For {YEAR_END} alone: with at least that much left to harvest."
CHANNEL_HELP = "terminal, kafka, file:PATH, webhook:URL; repeatable."
SEVERITY_HELP = "notice, or urgent: sent in quiet hours too."
Threshold = Annotated[
    str, typer.Argument(help="Amount or percentage (12%) at which it fires, or days before.")
]
commands = typer.Typer(no_args_is_help=True, help="Alert rules: add, defaults, list, remove, test.")


@commands.command("add", cls=TakesNumber)
def add(
    name: Annotated[str, typer.Argument(help="A name; adding it again replaces the rule.")],
    threshold: Threshold,
    scope: Annotated[str, typer.Option(help=SCOPE_HELP)] = "all",
    metric: Annotated[str | None, typer.Option(help=METRIC_HELP)] = None,
    rearm: Annotated[str, typer.Option(help="Re-arms below threshold times this.")] = "0.85",
    channel: Annotated[list[str] | None, typer.Option(help=CHANNEL_HELP)] = None,
    severity: Annotated[str, typer.Option(help=SEVERITY_HELP)] = "notice",
    cooldown: Annotated[int, typer.Option(help="Seconds before it may fire again.")] = 0,
    quiet: Annotated[str, typer.Option(help="Hours in which notices wait: 22:00-07:00.")] = "",
    dwell: Annotated[int, typer.Option(help=DWELL_HELP)] = 0,
    digest: Annotated[str, typer.Option(help=DIGEST_HELP)] = "",
    amount: Annotated[str, typer.Option(help=AMOUNT_HELP)] = "0",
    taxpayer: TaxpayerOption = None,
) -> None:
    """Watch a loss, or a day to come: fire when the metric of the scope reaches the threshold."""
    app = application(begins=True)
    metric, threshold = relative(metric, threshold)
    chosen = app.taxpayer(taxpayer)
    rule = AlertRuleSet(
        effective_at=sortable_instant(app.clock()), name=check_id(name, "rule"), scope=scope,
        metric=metric, threshold=check(threshold, "threshold"),
        rearm_ratio=check(rearm, "--rearm"), channels=tuple(channel or ("terminal",)),
        severity=severity, cooldown_seconds=cooldown, quiet=quiet, dwell_seconds=dwell,
        digest=digest, amount=check(amount, "--amount"),
    )  # fmt: skip
    if any(each.startswith("kafka:") for each in rule.channels):
        check_topics(rule.channels, _own_topics(app))
    portfolio = app.projector.taxpayer(chosen).portfolio
    _record(app, chosen, name, checked_for(rule, portfolio.declared.policy.rules))
    stderr().print(f"rule {name}: {metric} of {scope} at {rule.threshold}", markup=False)
    if quiet or digest:
        clock = f"quiet hours and digests are of the clock of {clock_of(portfolio)}"
        stderr().print(clock, markup=False, soft_wrap=True)
    for note in why_silent(rule, chosen, portfolio, app.settings):
        stderr().print(note, style="yellow", markup=False, soft_wrap=True)
    app.market.facts_changed()


@commands.command("defaults")
def defaults(taxpayer: TaxpayerOption = None) -> None:
    """Add a first set of rules; a rule of yours with one of their names stays as it is."""
    app = application(begins=True)
    chosen = app.taxpayer(taxpayer)
    with app.projector.database.reading() as connection:
        known = {rule["name"] for rule in rules_in_force(connection, chosen)}
    added = missing(known, _law(app, chosen), sortable_instant(app.clock()))
    for rule in added:
        _record(app, chosen, rule.name, rule)
        stderr().print(f"rule {rule.name}: {rule.metric} at {rule.threshold}", markup=False)
    stderr().print(f"{len(added)} default rules added (change one: thresher rules add)")
    app.market.facts_changed()


@commands.command("list")
def list_rules(taxpayer: TaxpayerOption = None, output: Output = Format.AUTO) -> None:
    """The rules in force."""
    app = application()
    chosen = app.taxpayer(taxpayer)
    portfolio = app.projector.taxpayer(chosen).portfolio
    zone = portfolio.declared.policy.time_zone
    with app.projector.database.reading() as connection:
        rows = [listed(rule, zone) for rule in rules_in_force(connection, chosen)]
    waiting = {each["rule"]: each for each in app.queries.pending(app.queries.view(chosen))}
    for row in rows:
        row["pending_since"] = waiting.get(row["name"], {}).get("pending_since", "")
    title = "Alert rules"
    if any(row["quiet"] or row["digest"] for row in rows):
        title += f", quiet hours and digests by the clock of {clock_of(portfolio)}"
    if wants_table(output):
        rows = [tabled(row) for row in rows]
    empty = "No rules: thresher rules add NAME THRESHOLD"
    show(rows, output, columns(rows), title, empty)


@commands.command("remove")
def remove(name: str, taxpayer: TaxpayerOption = None) -> None:
    """Stop watching."""
    app = application()
    chosen = app.taxpayer(taxpayer)
    with app.projector.database.reading() as connection:
        known = {rule["name"] for rule in rules_in_force(connection, chosen)}
    if name not in known:
        raise typer.BadParameter(f"no rule is called {name!r}")
    _record(
        app, chosen, name, AlertRuleRemoved(effective_at=sortable_instant(app.clock()), name=name)
    )
    stderr().print(f"rule {name} removed")


@commands.command("test", cls=TakesNumber)
def try_rules(
    name: Annotated[
        str | None, typer.Argument(help="A rule in force or a new one (default: all in force).")
    ] = None,
    threshold: Annotated[str | None, typer.Argument(help="Try this threshold.")] = None,
    scope: Annotated[str | None, typer.Option(help=SCOPE_HELP)] = None,
    metric: Annotated[str | None, typer.Option(help=METRIC_HELP)] = None,
    rearm: Annotated[str | None, typer.Option(help="Re-arms below threshold times this.")] = None,
    cooldown: Annotated[int | None, typer.Option(help="Seconds before it may fire again.")] = None,
    dwell: Annotated[int | None, typer.Option(help=DWELL_HELP)] = None,
    amount: Annotated[str | None, typer.Option(help=AMOUNT_HELP)] = None,
    start: From = None,
    end: To = None,
    recorded: Annotated[
        bool, typer.Option("--as-recorded", help="Late facts come late, as they were recorded.")
    ] = False,
    taxpayer: TaxpayerOption = None,
    output: Output = Format.AUTO,
) -> None:
    """What rules would have said to the past, from the marks and facts held.

    Facts count from when they happened, all trades between two marks together; a rule starts armed
    on the day --from. Told to a copy that is thrown away: nothing is sent, nothing is recorded.
    """
    app = application()
    frame = view(app, taxpayer, None, None)
    first, last = days(start, end)
    changes = {"threshold": threshold, "scope": scope, "metric": metric, "rearm_ratio": rearm,
               "cooldown_seconds": cooldown, "dwell_seconds": dwell,
               "amount": amount}  # fmt: skip
    rules = known_rules(app, frame.taxpayer)
    if not rules and name is None:
        raise typer.BadParameter("no rule is in force: try NAME THRESHOLD")
    tested = tuple(tried(rules, each, changes) for each in ([name] if name else rules))
    history = (as_recorded if recorded else as_happened)(app.queries, frame).until(last)
    rows = replayed_alerts(new_store, history, Watched(tested, first))
    title = f"Alerts as they would have been, {told(history, first)}"
    show(rows, output, TRIED, title, "No rule would have fired.")


def say_if_without(app: App, taxpayers: Collection[str]) -> None:
    """One line for each that has no alert rule, so that nobody waits for an alert in vain."""
    with app.projector.database.reading() as connection:
        watched = {rule["taxpayer"] for rule in rules_in_force(connection)}
    for name in taxpayers:
        if name not in watched:
            stderr().print(
                f"{name} has no alert rules: thresher rules defaults", markup=False, soft_wrap=True
            )


def _own_topics(app: App) -> Collection[str]:
    from infra.kafka.topics import own_topics, topics  # noqa: PLC0415  for streams alone

    return own_topics(topics(app.settings.kafka_prefix))


def _law(app: App, taxpayer: str) -> RuleSet:
    return app.projector.taxpayer(taxpayer).portfolio.declared.policy.rules


def _record(app: App, taxpayer: str, name: str, fact: AlertFact) -> None:
    app.record(Offer(taxpayer, SOURCE, f"rule/{name}", fact))

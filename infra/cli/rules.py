"""Commands on alert rules: add, list, remove."""

from __future__ import annotations

from typing import Annotated

import typer

from domain.days import sortable_instant
from domain.decisions import AlertRuleRemoved, AlertRuleSet
from domain.exact import check
from domain.fact_codec import AlertFact
from infra.cli.options import Output, TaxpayerOption, application
from infra.cli.output import Format, show, stderr
from infra.composition import App
from projections.alerts import rules as rules_in_force
from services.alerting import METRICS, SOURCE, checked_rule
from services.ledger import Offer, check_id

RULES = {
    "name": "rule", "scope": "scope", "metric": "metric", "threshold": "threshold",
    "rearm_ratio": "re-arm ratio", "channels": "channels", "since": "since",
}  # fmt: skip
commands = typer.Typer(no_args_is_help=True, help="Alert rules: add, list, remove.")


@commands.command("add")
def add(
    name: Annotated[str, typer.Argument(help="A name; adding it again replaces the rule.")],
    threshold: Annotated[str, typer.Argument(help="Amount (or percent) at which it fires.")],
    scope: Annotated[str, typer.Option(help="all, class:NAME or asset:ID.")] = "all",
    metric: Annotated[str, typer.Option(help=f"One of {', '.join(METRICS)}.")] = METRICS[0],
    rearm: Annotated[str, typer.Option(help="Re-arms below threshold times this.")] = "0.85",
    channel: Annotated[
        list[str] | None, typer.Option(help="terminal, file:PATH, webhook:URL; repeatable.")
    ] = None,
    taxpayer: TaxpayerOption = None,
) -> None:
    """Watch a loss: fire when the metric of the scope reaches the threshold."""
    app = application()
    rule = checked_rule(
        AlertRuleSet(
            effective_at=sortable_instant(app.clock()),
            name=check_id(name, "rule"),
            scope=scope,
            metric=metric,
            threshold=check(threshold, "threshold"),
            rearm_ratio=check(rearm, "--rearm"),
            channels=tuple(channel or ("terminal",)),
        )
    )
    _record(app, app.taxpayer(taxpayer), name, rule)
    stderr().print(f"rule {name}: {metric} of {scope} at {rule.threshold}", markup=False)
    app.market.facts_changed()


@commands.command("list")
def list_rules(taxpayer: TaxpayerOption = None, output: Output = Format.AUTO) -> None:
    """The rules in force."""
    app = application()
    chosen = app.taxpayer(taxpayer)
    with app.projector.database.reading() as connection:
        rows = rules_in_force(connection, chosen)
    show(rows, output, RULES, "Alert rules", "No rules: thresher rules add NAME THRESHOLD")


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


def _record(app: App, taxpayer: str, name: str, fact: AlertFact) -> None:
    app.projector  # noqa: B018  the tables exist before the first fact is projected
    offer = Offer(taxpayer, SOURCE, f"rule/{name}", fact)
    app.ledger.append([offer], sortable_instant(app.clock()))
    app.projector.catch_up(app.queries.today(taxpayer))

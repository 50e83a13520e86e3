"""The backtest command, and what it shares with `rules test`: days, rules, a history in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import typer

from domain.days import check_moment, day_of, iso
from domain.decisions import AlertRuleSet
from domain.exact import check
from infra.cli.options import Output, TaxpayerOption, application, view
from infra.cli.output import Format, show, stdout, wants_table
from infra.composition import App
from infra.replay_store import new_store
from projections.alerts import rules as rules_in_force
from projections.schema import Piece
from services.alert_rules import METRICS, checked_rule, relative
from services.backtest import AT_ALERT, AT_YEAR_END, NONE, Question, backtest
from services.history import History, as_happened
from services.ledger import check_id
from services.replay import Watched

From = Annotated[
    str | None, typer.Option("--from", help="Rules watch from this day (default: from the start).")
]
To = Annotated[str | None, typer.Option("--to", help="The last day told (default: all).")]
COLUMNS = {
    "policy": "policy", "alerts": "alerts", "sales": "sales", "loss": "harvested",
    "disallowed": "disallowed", "tax_saved": "tax saved", "carryover_created": "carried on",
    "avoided": "wash sales avoided", "blocked": "their loss", "value": "timing",
    "refitted": "facts cut",
}  # fmt: skip
NAMES = {AT_ALERT: "at each alert", AT_YEAR_END: "at year end", NONE: "none"}
NOTE = (
    "tax saved: whole tax of all years without less with the sales. A loss harvested lowers the "
    "basis of what is bought back: tax is deferred, not forgiven. timing: what being out of the "
    "market gained; it is no tax."
)


def backtest_command(
    rule: Annotated[
        list[str] | None,
        typer.Option(help="NAME of a rule, or NAME=THRESHOLD; repeatable (default: all in force)."),
    ] = None,
    start: From = None,
    end: To = None,
    no_rebuy: Annotated[bool, typer.Option("--no-rebuy", help="What is sold stays sold.")] = False,
    taxpayer: TaxpayerOption = None,
    output: Output = Format.AUTO,
) -> None:
    """Harvest the recorded past at each alert, at each year end, and not at all: what differs.

    The facts and marks recorded are told again to a copy that is thrown away; nothing is recorded
    or sent. At each alert every lot in the rule's scope with a harvestable loss is sold whole at
    the latest marks, without fee; a lot that a purchase blocks, even in part, is not sold (a wash
    sale avoided). The money is held until the window is over, on the 31st day, or for what no
    wash-sale rule covers the next day. Then the same quantity is bought back at the first mark at
    which no loss is washed by it. At year end, the last mark of each tax year that is over, the
    same is done with all that the rules' scopes hold. The record's own trades stay as they are;
    a sale of units that are out is cut to what is there.
    """
    app = application()
    frame = view(app, taxpayer, None, None)
    first, last = days(start, end)
    history = as_happened(app.queries, frame)
    question = Question(Watched(_chosen(app, frame.taxpayer, rule), first), last, not no_rebuy)
    law = app.projector.taxpayer(frame.taxpayer).portfolio.declared.policy.rules
    rows = backtest(new_store, history, law, question)
    title = f"Harvesting the past, {told(history.until(last), first)}"
    if not wants_table(output):
        show(rows, output, COLUMNS, title, "")
        return
    show([_shown(row) for row in rows], output, COLUMNS, title, "")
    stdout().print(NOTE, style="dim", soft_wrap=True)


def days(start: str | None, end: str | None) -> tuple[int | None, int | None]:
    """The first and the last day asked for. Raises InvalidText, BadParameter."""
    first, last = (
        None if text is None else day_of(check_moment(text, name)[:10])
        for text, name in ((start, "--from"), (end, "--to"))
    )
    if first is not None and last is not None and first > last:
        raise typer.BadParameter(f"--from {start} comes after --to {end}")
    return first, last


def known_rules(app: App, taxpayer: str) -> dict[str, AlertRuleSet]:
    """The rules in force by name."""
    with app.projector.database.reading() as connection:
        return {row["name"]: _rule(row) for row in rules_in_force(connection, taxpayer)}


def tried(rules: dict[str, AlertRuleSet], name: str, changes: dict[str, Any]) -> AlertRuleSet:
    """A rule in force, or a new one, with `changes` (None: as it is).

    Raises InvalidRule, InvalidText, BadParameter.
    """
    given = {field: value for field, value in changes.items() if value is not None}
    if given.get("threshold", "").endswith("%"):
        given["metric"], given["threshold"] = relative(given.get("metric"), given["threshold"])
    known = rules.get(name)
    if known is None:
        if "threshold" not in given:
            raise typer.BadParameter(f"no rule is called {name!r}: give a threshold to try it")
        known = AlertRuleSet(
            effective_at="", name=check_id(name, "rule"), scope="all", metric=METRICS[0],
            threshold="0",
        )  # fmt: skip
    for field, called in (
        ("threshold", "threshold"), ("rearm_ratio", "--rearm"), ("amount", "--amount"),
    ):  # fmt: skip
        if field in given:
            given[field] = check(given[field], called)
    return checked_rule(msgspec.structs.replace(known, **given))


def told(history: History, first: int | None) -> str:
    """What a history holds, for a title."""
    steps = [step for step in history.steps if step.day >= (first or 0)]
    if not steps:
        return "nothing recorded"
    facts = sum(len(step.facts) for step in steps)
    marks = sum(len(step.quotes) for step in steps)
    return f"{iso(steps[0].day)} to {iso(steps[-1].day)} (facts: {facts}, marks: {marks})"


def _chosen(app: App, taxpayer: str, given: Sequence[str] | None) -> tuple[AlertRuleSet, ...]:
    rules = known_rules(app, taxpayer)
    if not given:
        if not rules:
            raise typer.BadParameter("no rule is in force: try one with --rule NAME=THRESHOLD")
        return tuple(rules.values())
    found = {}
    for text in given:
        name, has_threshold, threshold = text.partition("=")
        found[name] = tried(rules, name, {"threshold": threshold} if has_threshold else {})
    return tuple(found.values())


def _rule(row: Piece) -> AlertRuleSet:
    return AlertRuleSet(
        effective_at=row["since"], name=row["name"], scope=row["scope"], metric=row["metric"],
        threshold=row["threshold"], rearm_ratio=row["rearm_ratio"], channels=(),
        cooldown_seconds=row["cooldown_seconds"], dwell_seconds=row["dwell_seconds"],
        amount=row["amount"],
    )  # fmt: skip


def _shown(row: Piece) -> dict[str, Any]:
    """A line of the table, under names whose figures are shown as money."""
    return {
        "policy": NAMES[row["policy"]], "alerts": row["alerts"], "sales": row["sales"],
        "loss": row["harvested"], "disallowed": row["disallowed"], "tax_saved": row["tax_saved"],
        "carryover_created": row["carried_forward"], "avoided": row["wash_sales_avoided"],
        "blocked": row["loss_not_washed"], "value": row["timing"], "refitted": row["refitted"],
    }  # fmt: skip

"""Reading commands: lots, gains, windows, opportunities, years, alerts, issues, explain."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape

from infra.cli.options import AsOf, KnownAt, Output, TaxpayerOption, application, view
from infra.cli.output import Format, emit_one, show, stdout, wants_table
from services.explain import explain

LOTS = {
    "lot": "lot", "account": "account", "asset": "asset", "qty": "quantity", "basis": "basis",
    "acquired": "held since", "long_from": "long-term from",
}  # fmt: skip
GAINS = {
    "event": "sale", "lot": "lot", "account": "account", "asset": "asset", "qty": "quantity",
    "acquired": "held since", "sold": "sold", "proceeds": "proceeds", "basis": "basis",
    "gain": "gain", "wash": "disallowed", "taxable": "taxable", "term": "term", "code": "code",
    "box": "box",
}  # fmt: skip
WINDOWS = {
    "kind": "rule", "group": "group", "safe_from": "safe from", "days_left": "days",
    "qty": "quantity", "loss": "loss at risk", "asset": "asset", "account": "account",
    "event": "because of", "on": "on",
}  # fmt: skip
OPPORTUNITIES = {
    "asset": "asset", "account": "account", "lot": "lot", "qty": "quantity", "price": "mark",
    "loss": "loss", "blocked": "blocked", "harvestable": "harvestable", "term": "term",
    "days_to_long": "days to long", "tax_saved": "tax saved", "blocked_until": "blocked until",
    "blocked_by": "by",
}  # fmt: skip
YEARS = {
    "year": "year", "st": "short-term", "lt": "long-term", "net": "net", "rate28": "28 % gain",
    "deduction": "deduction", "carry_st": "carry short", "carry_lt": "carry long",
}  # fmt: skip
ALERTS = {
    "fired_at": "fired", "rule": "rule", "crossing": "no.", "metric": "metric", "scope": "scope",
    "value": "value", "threshold": "threshold", "tax_saved": "tax saved", "rearmed_at": "re-armed",
}  # fmt: skip
ISSUES = {"fact": "fact", "code": "code", "says": "what is wrong", "remedy": "remedy"}


def lots(
    taxpayer: TaxpayerOption = None, as_of: AsOf = None, known_at: KnownAt = None,
    output: Output = Format.AUTO,
) -> None:  # fmt: skip
    """Open lots with adjusted basis and the day they turn long-term."""
    app = application()
    frame = view(app, taxpayer, as_of, known_at)
    show(app.queries.lots(frame), output, LOTS, f"Open lots, {frame.as_of}", "No open lots.")


def gains(
    taxpayer: TaxpayerOption = None, as_of: AsOf = None, known_at: KnownAt = None,
    output: Output = Format.AUTO,
) -> None:  # fmt: skip
    """Disposals as Form 8949 has them, with disallowed losses."""
    app = application()
    frame = view(app, taxpayer, as_of, known_at)
    show(app.queries.gains(frame), output, GAINS, f"Gains to {frame.as_of}", "No disposals.")


def windows(
    taxpayer: TaxpayerOption = None, as_of: AsOf = None, known_at: KnownAt = None,
    output: Output = Format.AUTO,
) -> None:  # fmt: skip
    """Open wash-sale windows: what not to buy or sell, until when, because of which fact."""
    app = application()
    frame = view(app, taxpayer, as_of, known_at)
    rows = app.queries.windows(frame)
    show(rows, output, WINDOWS, f"Wash-sale windows, {frame.as_of}", "No open windows.")


def opportunities(
    taxpayer: TaxpayerOption = None, as_of: AsOf = None, known_at: KnownAt = None,
    output: Output = Format.AUTO,
) -> None:  # fmt: skip
    """Lots with a loss at the latest marks: harvestable, blocked, term and tax saved."""
    app = application()
    frame = view(app, taxpayer, as_of, known_at)
    rows = app.queries.opportunities(frame)
    title = f"Harvest opportunities, {frame.as_of} (each lot as if sold alone)"
    show(rows, output, OPPORTUNITIES, title, "No lot has a loss at the marks held.")


def years(
    taxpayer: TaxpayerOption = None, as_of: AsOf = None, known_at: KnownAt = None,
    output: Output = Format.AUTO,
) -> None:  # fmt: skip
    """Tax years: netting, the yearly limit, what is carried forward."""
    app = application()
    frame = view(app, taxpayer, as_of, known_at)
    show(app.queries.years(frame), output, YEARS, f"Tax years to {frame.as_of}", "No disposals.")


def alerts(
    taxpayer: TaxpayerOption = None, as_of: AsOf = None, known_at: KnownAt = None,
    output: Output = Format.AUTO,
) -> None:  # fmt: skip
    """Alerts that fired, and when they re-armed."""
    app = application()
    frame = view(app, taxpayer, as_of, known_at)
    show(app.queries.alerts(frame), output, ALERTS, "Alerts", "No alert has fired.")


def issues(
    taxpayer: TaxpayerOption = None, as_of: AsOf = None, known_at: KnownAt = None,
    output: Output = Format.AUTO,
) -> None:  # fmt: skip
    """Facts that do not fit and rows in quarantine, with what mends them."""
    app = application()
    frame = view(app, taxpayer, as_of, known_at)
    show(app.queries.issues(frame), output, ISSUES, "Data issues", "No data issues.")


def explain_command(
    id: Annotated[str, typer.Argument(help="A lot, sale, purchase or alert.")],
    taxpayer: TaxpayerOption = None, as_of: AsOf = None, known_at: KnownAt = None,
    output: Output = Format.AUTO,
) -> None:  # fmt: skip
    """The facts, rules, arithmetic and positions behind a figure."""
    app = application()
    answer = explain(app.queries, view(app, taxpayer, as_of, known_at), id)
    if wants_table(output):
        _print_explanation(answer)
    else:
        emit_one(answer, output)


def _print_explanation(answer: dict[str, Any]) -> None:
    out = stdout()
    what = ", ".join(answer["what"]) or "fact"
    out.print(f"[bold]{escape(answer['id'])}[/]  ({what}, as of {answer['as_of']})")
    out.print("\n[bold]Arithmetic[/]")
    for line in answer["arithmetic"]:
        out.print(f"  {line}", soft_wrap=True, markup=False)
    for issue in answer.get("data_issues", []):
        out.print(f"  [yellow]data issue[/] {escape(issue)}", soft_wrap=True)
    if answer.get("rules"):
        out.print("\n[bold]Rules[/]")
        for rule in answer["rules"]:
            out.print(f"  {rule['says']} [dim]({rule['source']})[/]", soft_wrap=True)
    out.print("\n[bold]Facts[/]")
    for fact in answer["facts"]:
        where = fact["evidence"].get("locator") or "the ledger itself"
        digest = fact["evidence"]["payload_sha256"][:12]
        out.print(
            f"  {fact['ref']} v{fact['version']} {fact['kind']}, from {where}, recorded "
            f"{fact['recorded_at'][:19]}, sha256 {digest}", soft_wrap=True, markup=False,
        )  # fmt: skip
    out.print("\n[bold]Positions taken[/]")
    for name, value in answer["positions"].items():
        out.print(f"  {name}: {value}", soft_wrap=True, markup=False)
    out.print(
        f"\n[dim]Accounts seen: {len(answer['accounts_seen'])}; not seen: "
        f"{', '.join(answer['not_seen']) or 'none'}. This is not tax advice.[/]"
    )

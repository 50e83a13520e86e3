"""The explain command: a figure opened to facts, rules, arithmetic, positions, and gaps."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from infra.cli.options import AsOf, KnownAt, Output, TaxpayerOption, application, view
from infra.cli.output import Format, emit_one, stdout, wants_table
from services.explain import KINDS, explain

_IDS = (
    "The id of a lot, sale, purchase, income or other fact (for one figure of it alone "
    f"KIND:ID, KIND being {', '.join(KINDS)}), year:2025, or an alert's key."
)


def explain_command(
    id: Annotated[str, typer.Argument(help=_IDS)],
    taxpayer: TaxpayerOption = None, as_of: AsOf = None, known_at: KnownAt = None,
    output: Output = Format.AUTO,
) -> None:  # fmt: skip
    """The facts, rules, arithmetic and positions behind a figure, and what was not seen."""
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
    for issue in answer["data_issues"]:
        out.print(f"  [yellow]data issue[/] {escape(issue)}", soft_wrap=True)
    if answer["rules"]:
        out.print(f"\n[bold]Rules[/] ({escape(answer['law'])})")
        for rule in answer["rules"]:
            out.print(f"  {rule['says']} [dim]({rule['source']})[/]", soft_wrap=True)
    out.print("\n[bold]Facts[/]")
    for fact in answer["facts"]:
        _print_fact(out, fact)
    out.print("\n[bold]Positions that matter here[/]")
    for position in answer["positions"]:
        _print_position(out, position)
    out.print("\n[bold]Not seen[/]")
    for gap in answer["coverage"]:
        out.print(f"  {gap['says']}; {gap['remedy']}", soft_wrap=True, markup=False)
    if not answer["coverage"]:
        out.print("  nothing that was found missing")
    out.print(
        f"\n[dim]Accounts seen: {len(answer['accounts_seen'])}; not seen: "
        f"{', '.join(answer['not_seen']) or 'none'}. This is not tax advice.[/]"
    )


def _print_fact(out: Console, fact: dict[str, Any]) -> None:
    where = fact["evidence"].get("locator") or "the ledger itself"
    digest = fact["evidence"]["payload_sha256"][:12]
    out.print(
        f"  {fact['ref']} v{fact['version']} {fact['kind']}, from {where}, recorded "
        f"{fact['recorded_at'][:19]}, sha256 {digest}", soft_wrap=True, markup=False,
    )  # fmt: skip


def _print_position(out: Console, position: dict[str, Any]) -> None:
    settled = "unsettled" if position["unsettled"] else "a choice"
    is_default = " (the default)" if position["taken"] == position["default"] else ""
    out.print(
        f"  {position['position']} = {position['taken']}{is_default}, {settled}: "
        f"{position['question']} {position['means']} ({position['source']})",
        soft_wrap=True,
        markup=False,
    )
    for other, figures in position["would_be"].items():
        there = ", ".join(f"{name} {value}" for name, value in figures.items())
        out.print(f"      with {other}: {there}", soft_wrap=True, markup=False)

"""Checks before a trade: what a purchase would wash, as a state with an exit code of its own."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape

from infra.cli.numbers import TakesNumber, above_zero
from infra.cli.options import AsOf, KnownAt, Output, TaxpayerOption, application, view
from infra.cli.output import Format, dollars, emit_one, show, stdout, wants_table
from services.check_buy import HypotheticalBuy, State, check_buy

EXIT_CODES = {
    State.CLEAR: 0,
    State.WOULD_WASH: 3,
    State.IRA_RISK: 5,
    State.INCOMPLETE: 6,
}
BOOKED = {
    "event": "booked loss", "lot": "lot", "account": "account", "asset": "asset", "sold": "sold",
    "qty": "quantity", "disallowed": "disallowed", "effect": "effect", "safe_from": "safe from",
}  # fmt: skip
OPEN = {
    "lot": "open lot", "account": "account", "asset": "asset", "qty": "quantity", "loss": "loss",
    "blocked": "blocked (if sold alone)",
}  # fmt: skip
_COLOURS = {
    State.CLEAR: "green", State.INCOMPLETE: "yellow", State.WOULD_WASH: "red",
    State.IRA_RISK: "bold red",
}  # fmt: skip
commands = typer.Typer(no_args_is_help=True, help="Checks before a trade, recorded nowhere.")


@commands.callback()
def _group() -> None:
    """Checks before a trade, recorded nowhere."""


@commands.command("buy", cls=TakesNumber)
def check_buy_command(
    asset: str,
    qty: str,
    account: Annotated[
        str | None, typer.Option(help="Account that buys (default: the one that holds the asset).")
    ] = None,
    all_seen: Annotated[
        bool,
        typer.Option("--all-seen", help="Say: there is no spouse and no account but those seen."),
    ] = False,
    taxpayer: TaxpayerOption = None, as_of: AsOf = None, known_at: KnownAt = None,
    output: Output = Format.AUTO,
) -> None:  # fmt: skip
    """Whether buying today would wash a loss. Exit 0: clear, 3: would wash, 5: IRA risk, lost
    for good, 6: coverage incomplete.
    """
    app = application()
    frame = view(app, taxpayer, as_of, known_at)
    units = above_zero(qty, "QTY", "give a quantity above zero")
    bought = HypotheticalBuy(asset, units, account, all_seen)
    answer = check_buy(app.queries, frame, bought)
    if wants_table(output):
        _print_check(answer)
    else:
        emit_one(answer, output)
    code = EXIT_CODES[State(answer["state"])]
    if code:
        raise typer.Exit(code)


def _print_check(answer: dict[str, Any]) -> None:
    out = stdout()
    bought = answer["purchase"]
    state = State(answer["state"])
    out.print(
        f"[bold]Buying {escape(bought['qty'])} {escape(bought['asset'])}[/] in "
        f"{escape(bought['account'])} on {bought['on']}: "
        f"[{_COLOURS[state]}]{state.value}[/]",
        soft_wrap=True,
    )
    for finding in answer["findings"]:
        out.print(f"  {finding['state']}: {finding['says']}", soft_wrap=True, markup=False)
    if answer["hidden"]:
        out.print(f"  hidden window: {answer['hidden']['says']}", soft_wrap=True, markup=False)
    if answer["booked"]:
        title = f"Booked losses: {dollars(answer['disallowed'])} disallowed"
        show(answer["booked"], Format.TABLE, BOOKED, title, "")
        out.print(f"safe to buy from {answer['safe_from']}")
    still_open = answer["open"]
    if still_open and still_open["lots"]:
        title = f"Open losses at the marks: {dollars(still_open['blocked'])} blocked together"
        show(still_open["lots"], Format.TABLE, OPEN, title, "")
        out.print(f"safe to sell them from {still_open['safe_to_sell_from']}")
    for gap in answer["coverage"]:
        out.print(f"  not seen: {gap['says']}; {gap['remedy']}", soft_wrap=True, markup=False)
    for rule in answer["rules"]:
        out.print(f"  [dim]{escape(rule['says'])} ({escape(rule['source'])})[/]", soft_wrap=True)
    out.print("[dim]Other purchases of that day were not asked for. This is not tax advice.[/]")

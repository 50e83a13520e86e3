"""The `marks` commands: take marks in, followed live, and decide on those that are held."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from infra.cli.numbers import TakesNumber
from infra.cli.options import Output, application
from infra.cli.output import Format, show, stderr
from infra.cli.quotes import follow
from infra.cli.refused import Refused
from infra.cli.rules import say_if_without
from services import deciding, held_marks
from services.market import Market
from services.marks import Quote

QUOTES_A_BATCH = 1_000  # and the rest of their last instant
HELD = {
    "id": "no.", "asset": "asset", "price": "quote", "at": "of", "source": "source",
    "kind": "kind", "last_price": "mark before", "last_at": "of", "reason": "why",
}  # fmt: skip


class _FileOrCommand(TyperGroup):
    """`marks FILE` is short for `marks take FILE`."""

    default = "take"

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and not args[0].startswith("--"):
            args = [self.default, *args]
        return super().parse_args(ctx, args)


commands = typer.Typer(
    cls=_FileOrCommand,
    no_args_is_help=True,
    help="Take marks in (marks FILE, or marks - for a pipe); list and decide on those held.",
)


MaxBehind = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=366 * 86400,
        help="Seconds that marks may wait until only the latest of an asset is valued; 0: any.",
    ),
]


@commands.command("take")
def take(
    file: Annotated[Path, typer.Argument(help="CSV or JSON lines of marks, or - for a pipe.")],
    max_behind: MaxBehind = None,
) -> None:
    """Take marks in and fire alerts as they come; a pipe is followed live.

    Every mark is valued, unless --max-behind says that a market too fast for that is conflated.
    """
    app = application(begins=True)
    say_if_without(app, app.taxpayers())
    market, refused = app.market, Refused()
    market.max_behind = most_behind(max_behind, 0)

    def settle(quotes: Sequence[Quote], *, waits: bool) -> None:
        market.take(quotes)
        if waits:
            market.time_passed()
        market.deliver()
        refused.time_passed()

    def is_due(count: int, *, drained: bool) -> bool:
        return drained or count >= QUOTES_A_BATCH

    follow(file, settle, is_due, refused.add)
    market.refresh()
    close(market, refused)


@commands.command("held")
def held(output: Output = Format.AUTO) -> None:
    """Quotes that are no marks until you say so, or of one that jumped its source's next quote."""
    with application().projector.database.reading() as connection:
        rows = held_marks.held(connection)
    show(rows, output, HELD, "Held quotes", "No quote is held.")


Number = Annotated[
    int, typer.Argument(max=2**63 - 1, min=-(2**63), help="Its number in: thresher marks held.")
]


@commands.command("confirm", cls=TakesNumber)
def confirm(number: Number) -> None:
    """Say that a held quote is right: it becomes a mark, and rules are evaluated."""
    app = application()
    market = app.market
    quote = deciding.confirm(market, app.database, app.clock, number)
    market.refresh()
    stderr().print(
        f"{quote.asset} at {quote.price} is a mark, {market.counts.fired} alerts fired, "
        f"{market.counts.rearmed} re-armed",
        markup=False,
    )


@commands.command("reject", cls=TakesNumber)
def reject(number: Number) -> None:
    """Say that a held quote is wrong: it never becomes a mark."""
    app = application()
    app.projector  # noqa: B018  makes the tables
    quote = deciding.reject(app.database, app.clock, number)
    stderr().print(f"{quote.asset} at {quote.price} is rejected", markup=False)


def close(market: Market, refused: Refused) -> None:
    """What was taken in, and how many rows were refused; with any, the command fails."""
    refused.tell_rest()
    counts = market.counts
    held = f"{counts.held} held (listed by: thresher marks held), " if counts.held else ""
    conflated = f"{counts.conflated} conflated, " if counts.conflated else ""
    missed = f"{counts.missed} of them by the self-audit (a bug), " if counts.missed else ""
    stderr().print(
        f"{counts.quotes} marks ({counts.new} new), {held}{conflated}{counts.fired} alerts fired, "
        f"{counts.rearmed} re-armed, {missed}{refused.count} refused",
        soft_wrap=True,
    )
    if refused.count:
        raise typer.Exit(1)


def most_behind(asked: float | None, usual: float) -> timedelta | None:
    """How long marks may wait: as asked, else as is usual here, in seconds; None: for ever."""
    seconds = usual if asked is None else asked
    return timedelta(seconds=seconds) if seconds else None

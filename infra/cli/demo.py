"""The demo command: the crash of 2008 from nothing to the answer, through the product itself."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from shutil import which
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from infra.cli.options import Output, settings
from infra.cli.output import Format, emit_one, progress_bar, stdout
from infra.demo import place
from infra.demo.answer import answer
from infra.demo.player import Evening, Player
from infra.demo.screen import commands, console, screen
from infra.demo.story import Line, Narrator

PAUSE_SECONDS = 0.05
_STYLES = {
    "wash sale": "yellow", "lost": "bold red", "allowed": "green", "blocked": "yellow",
    "re-armed": "blue", "year end": "bold", "long-term": "cyan", "moved": "dim",
}  # fmt: skip
_OPENING = (
    "One person, two brokers, an IRA and a wallet, October 2007 to May 2009. Closes of AAPL, GOOG, "
    "IBM and MSFT are real (Quandl WIKI Prices); COIN, NFT and tokenized AAPL are synthetic; every "
    "trade is made up. Not tax advice."
)


def demo_command(
    database: Annotated[
        Path | None, typer.Option(help="Keep the demo's ledger in this file.")
    ] = None,
    fast: Annotated[bool, typer.Option("--fast", help="No progress bar and no pauses.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Only the answer, no story.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Play the crash of 2008, day by day, into a ledger of its own; end with the answer."""
    path = place.place(settings(), database)
    as_json = output in (Format.JSON, Format.JSONL)
    player, narrator = play(path, hidden=quiet or as_json, fast=fast)
    found = answer(player.app, path)
    player.app.close()
    if as_json:
        emit_one(found, output)
        return
    out = console(stdout())
    out.print(screen(found, narrator.closes, out.width))
    out.print()
    for each in commands(found, _program()):
        out.print(each, soft_wrap=True)


def _program() -> str:
    """How this program is called from here: its name if that finds it, else its path."""
    called = sys.argv[0]
    return called if Path(called).name == "thresher" and not which("thresher") else "thresher"


def play(path: Path, *, hidden: bool, fast: bool) -> tuple[Player, Narrator]:
    """Plays every day; the story and the alerts go to standard error, above the bar."""
    bar = progress_bar()
    bar.disable = bar.disable or fast
    notes = Console(quiet=True) if hidden else bar.console
    pause = 0 if bar.disable or hidden else PAUSE_SECONDS
    notes.print(_OPENING, style="dim")
    player, narrator = Player(path, notes), Narrator()
    with bar:
        task = bar.add_task("", total=len(player.days))
        for each in player.play():
            if isinstance(each, Evening):
                board = player.app.projector.board
                told = narrator.close(player.portfolio, board, each.day, each.crossings)
                bar.update(task, advance=1, description=each.day)
            else:
                told = narrator.trades(player.portfolio, each.day)
            for line in told:
                notes.print(_shown(line))
                time.sleep(pause)
    return player, narrator


def _shown(line: Line) -> Table:
    """The line with its text indented, so that it stays readable where it wraps."""
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, width=9)
    table.add_column(overflow="fold")
    style = _STYLES.get(line.tag, "")
    table.add_row(Text(line.day, style="dim"), Text(line.tag, style=style), Text(line.says))
    return table

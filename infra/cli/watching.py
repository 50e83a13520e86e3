"""The `watch` command: a live table of opportunities, and alerts, over a file or pipe of marks."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from domain.days import sortable_instant
from domain.exact import grouped, money
from infra.channels.terminal import message_lines
from infra.cli.marks import MaxBehind, close, most_behind
from infra.cli.options import Output, TaxpayerOption, application
from infra.cli.output import NUMBERS, Format, cell, wants_table
from infra.cli.quotes import PIPE, follow
from infra.cli.refused import Refused, note
from infra.cli.rules import say_if_without
from infra.cli.similar import with_swaps
from services.delivery import Message
from services.live.changes import Opportunities
from services.market import Market
from services.marks import Quote

COLUMNS = {
    "asset": "asset", "account": "account", "qty": "quantity", "price": "mark", "loss": "loss",
    "blocked": "blocked", "harvestable": "harvestable", "term": "term", "tax_saved": "tax saved",
    "blocked_until": "blocked until", "swap_into": "swap into",
}  # fmt: skip
BATCH, LATE_BATCH = 1_000, 10_000  # quotes that are taken together, and the rest of an instant
LAST_ALERTS = 8
SECONDS_BEHIND = 0.25


class Screen:
    """The table and the last alerts; or, in a pipe, each change as one line of JSON."""

    def __init__(self, live: Live | None, rows: Opportunities, top: int) -> None:
        self.rows = rows
        self.alerts: list[Text] = []
        self._live = live
        self._top = top
        self._console = Console(stderr=True)

    def alert(self, _target: str, message: Message) -> None:
        """A channel: alerts of rules that send to the terminal."""
        lines = message_lines(json.loads(message.body))
        if self._live is None:
            for line in lines:
                self._console.print(line, soft_wrap=True)
        self.alerts = [*self.alerts, *lines][-LAST_ALERTS:]

    def note(self, text: str) -> None:
        """A line on standard error; where that is the terminal of the live table, above it."""
        if self._live and self._live.console.is_terminal and sys.stderr.isatty():
            self._live.console.print(text, markup=False, highlight=False)
        else:
            note(text)

    def show(self, at: str, conflated: int = 0) -> None:
        """Brings what is seen up to an instant; so many marks no rule saw by then."""
        changes = self.rows.changes(at)
        if self._live is None:
            for change in changes:
                said = {"at": at, "change": "gone" if change.gone else "set"} | change.row
                print(json.dumps(said, ensure_ascii=False), flush=True)
        elif changes or self.alerts:
            self._live.update(Group(self._table(at, conflated), *self.alerts))

    def _table(self, at: str, conflated: int) -> Table:
        skipped = f", {conflated} marks conflated" if conflated else ""
        ranked = self.rows.ranked()
        harvestable = grouped(sum(money(row["harvestable"]) for row in ranked))
        table = Table(
            title=f"Harvestable {harvestable} at {at[:19]} in {len(ranked)} lots{skipped}",
            title_justify="left", header_style="bold", box=SIMPLE_HEAD, pad_edge=False,
        )  # fmt: skip
        columns = with_swaps(COLUMNS, ranked)
        for name, heading in columns.items():
            table.add_column(heading, justify="right" if name in NUMBERS else "left")
        for row in ranked[: self._top]:
            table.add_row(*(cell(name, row[name]) for name in columns))
        return table


def watch_command(
    file: Annotated[Path, typer.Argument(help="CSV or JSON lines of marks, or - for a pipe.")],
    top: Annotated[int, typer.Option(min=1, help="Rows of the table.")] = 15,
    every: Annotated[float, typer.Option(min=0, help="Seconds between two pictures.")] = 0.25,
    max_behind: MaxBehind = None,
    taxpayer: TaxpayerOption = None,
    output: Output = Format.AUTO,
) -> None:
    """Watch losses and alerts live while marks come in; a pipe gets each change as JSON.

    A pipe that is a quarter of a second late is conflated, unless --max-behind says else.
    """
    app = application(begins=True)
    chosen = app.taxpayer(taxpayer)
    say_if_without(app, [chosen])
    rows = Opportunities(app.projector, chosen)
    if wants_table(output):
        with Live(auto_refresh=True, refresh_per_second=4, screen=False) as live:
            screen = Screen(live, rows, top)
            app.channels = {**app.channels, "terminal": screen.alert}
            screen.show(sortable_instant(app.clock()))
            app.market.max_behind = most_behind(max_behind, SECONDS_BEHIND if file == PIPE else 0)
            refused = _follow(app.market, file, screen, every)
    else:
        screen = Screen(None, rows, top)
        app.channels = {**app.channels, "terminal": screen.alert}
        app.market.max_behind = most_behind(max_behind, SECONDS_BEHIND if file == PIPE else 0)
        refused = _follow(app.market, file, screen, 0.0)
    close(app.market, refused)


def _follow(market: Market, file: Path, screen: Screen, every: float) -> Refused:
    """Takes quotes as they come; between two pictures, or when late, they are taken together."""
    refused = Refused(screen.note)
    shown = time.monotonic()

    def settle(quotes: Sequence[Quote], *, waits: bool = False) -> None:
        nonlocal shown
        market.take(quotes)
        if waits:
            market.time_passed()
        market.deliver()
        if market.now:
            screen.show(market.now, market.counts.conflated)
        shown = time.monotonic()
        refused.time_passed()

    def is_due(count: int, *, drained: bool) -> bool:
        is_time = time.monotonic() - shown >= every
        if market.is_late:
            return count >= LATE_BATCH or (drained and is_time)
        return count >= BATCH or is_time

    settle(())
    follow(file, settle, is_due, refused.add)
    market.refresh()
    return refused

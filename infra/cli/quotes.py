"""Quotes of a file or a live pipe, handed over in batches that do not end inside an instant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from infra.cli.streams import follow_stdin, open_text
from infra.sources.csv_lines import lines, marks_header
from infra.sources.mark_feed import csv_quote, json_quote
from services.marks import Quote
from services.quarantine import BadRow

PIPE = Path("-")
MOST_TOGETHER = 1_000_000  # far more than any instant has: a bound for memory


class Take(Protocol):
    """Takes a batch, which may be empty; `waits`: the pipe has been silent for a while."""

    def __call__(self, quotes: Sequence[Quote], *, waits: bool) -> None:
        """Called in the order of the feed."""


class IsDue(Protocol):
    """Whether so many quotes are to be taken now; `drained`: all that waited in the pipe."""

    def __call__(self, count: int, *, drained: bool) -> bool:
        """Asked between two instants, and where a pipe pauses."""


def follow(file: Path, take: Take, is_due: IsDue, refuse: Callable[[BadRow], None]) -> None:
    """Hands the quotes of a file or pipe to `take`, and rows that are no quotes to `refuse`.

    Marks of one instant are one state of the market, so a batch ends where the next line is of
    another instant. A pipe may also pause inside one: an alert must not wait for the next line.
    """
    pending: list[Quote] = []

    def hand_over(*, waits: bool = False) -> None:
        take(pending, waits=waits)
        pending.clear()

    def drained() -> None:
        if pending and is_due(len(pending), drained=True):
            hand_over()

    for quote in _quotes_from(file, drained, partial(hand_over, waits=True)):
        if isinstance(quote, BadRow):
            refuse(quote)
            continue
        if pending:
            is_another = quote.at != pending[-1].at and is_due(len(pending), drained=False)
            if is_another or len(pending) >= MOST_TOGETHER:
                hand_over()
        pending.append(quote)
    hand_over()


def _quotes_from(
    file: Path, on_drained: Callable[[], None], on_idle: Callable[[], None]
) -> Iterator[Quote | BadRow]:
    if file == PIPE:
        yield from _quotes(follow_stdin(on_idle, on_drained), "pipe")
        return
    with open_text(file) as opened:
        yield from _quotes(opened, file.name)


def _quotes(text: Iterable[str], origin: str) -> Iterator[Quote | BadRow]:
    kept = iter(text)
    first = next(kept, "").removeprefix("\ufeff")
    if first.lstrip().startswith("{"):
        yield json_quote(first, 1, origin)
        for number, line in enumerate(kept, start=2):
            if line.strip():
                yield json_quote(line, number, origin)
        return
    for found in lines(kept, marks_header(first), origin):
        yield found if isinstance(found, BadRow) else csv_quote(found, origin)

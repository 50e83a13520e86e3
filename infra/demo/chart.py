"""A chart in text: what was harvestable day by day, the rules' lines, and where they fired."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from rich.text import Text

from domain.exact import ONE_DOLLAR
from infra.demo.story import Close

_BLOCKS = " ▁▂▃▄▅▆▇█"
_STEPS = 8
ROWS = 8
LABEL = 9


def chart(
    closes: Sequence[Close], lines: Collection[int], fired: Mapping[str, str], width: int
) -> Text:
    """At most `width` columns; `lines` are thresholds (money), `fired` is ISO day -> rule."""
    columns = min(width - LABEL - 2, len(closes))
    parts = [
        closes[len(closes) * at // columns : len(closes) * (at + 1) // columns]
        for at in range(columns)
    ]
    tops = [max(close.harvestable for close in part) for part in parts]
    step = -(-max(tops) // (ROWS * 5000 * ONE_DOLLAR)) * 5000 * ONE_DOLLAR
    text = Text(no_wrap=True)
    for row in reversed(range(ROWS)):
        low = row * step
        line = next((at for at in lines if low <= at < low + step), None)
        label = (line if line is not None else low + step) // ONE_DOLLAR
        text.append(f"{label:>{LABEL},} ", style="dim" if line is None else "yellow")
        for top in tops:
            filled = max(0, min(_STEPS, (top - low) * _STEPS // step))
            if filled or line is None:
                text.append(_BLOCKS[filled], style="green")
            else:
                text.append("╌", style="yellow")
        text.append("\n")
    _marks(text, parts, fired)
    _axis(text, parts)
    return text


def _marks(text: Text, parts: list[Sequence[Close]], fired: Mapping[str, str]) -> None:
    """A triangle under each part of the curve in which a rule fired."""
    text.append(" " * (LABEL + 1))
    for part in parts:
        rules = {fired[close.day] for close in part if close.day in fired}
        style = "bold red" if "urgent" in rules else "bold yellow"
        text.append("▲" if rules else " ", style=style)
    text.append("\n")


def _axis(text: Text, parts: list[Sequence[Close]]) -> None:
    """The months, where they begin and there is room for their names."""
    line = ""
    for at, part in enumerate(parts):
        month = part[0].day[:7]
        before = parts[at - 1][0].day[:7] if at else ""
        starts = month != before and month[5:] in ("01", "04", "07", "10")
        if starts and len(line) <= at and at + len(month) <= len(parts):
            line = line.ljust(at) + month + " "
    text.append(" " * (LABEL + 1) + line.rstrip(), style="dim")

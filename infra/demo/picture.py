"""Writes docs/demo.svg, the demo's last screen as Rich draws it: `python -m infra.demo.picture`."""

from __future__ import annotations

import io
import re
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI

from infra.cli.demo import play
from infra.demo.answer import answer
from infra.demo.place import NAME
from infra.demo.screen import WIDEST, commands, screen

PICTURE = Path(__file__).parents[2] / "docs" / "demo.svg"
_WEB_FONT = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)


def draw(path: Path) -> str:
    """The screen after a run into the ledger `path`, as SVG that loads nothing from elsewhere."""
    player, narrator = play(path, hidden=True, fast=True)
    found = answer(player.app, path)
    player.app.close()
    console = Console(
        record=True, width=WIDEST, file=io.StringIO(), force_terminal=True, highlight=False,
        color_system="truecolor", legacy_windows=False,
    )  # fmt: skip
    console.print(screen(found, narrator.closes, WIDEST))
    console.print()
    for each in commands(found):
        console.print(each, soft_wrap=True)
    drawn = console.export_svg(title="thresher demo", theme=MONOKAI)
    return "\n".join(line.rstrip() for line in _WEB_FONT.sub("", drawn).splitlines()) + "\n"


def main() -> None:
    """Draws into the file given, or docs/demo.svg."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE
    target.parent.mkdir(exist_ok=True)
    target.write_text(draw(Path(tempfile.gettempdir()) / NAME), encoding="utf-8")


if __name__ == "__main__":
    main()

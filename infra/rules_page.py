"""Writes docs/RULES.md from its template and the engine's data: `python -m infra.rules_page`."""

from __future__ import annotations

import re
from pathlib import Path

from infra.rules_tables import TABLES

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "RULES.md"
TEMPLATE = DOCS / "RULES.in.md"
_PLACE = re.compile(r"^<!-- table: (.+) -->$", re.MULTILINE)
_COMMENT = re.compile(r"\A<!--.*?-->\n+", re.DOTALL)
_MADE = "<!-- Made by `make rules-doc` from RULES.in.md and the engine's data: edit those. -->\n\n"


def page() -> str:
    """The page as it ought to be. A place without a table is a KeyError."""
    text = _COMMENT.sub("", TEMPLATE.read_text(encoding="utf-8"))
    return _MADE + _PLACE.sub(lambda found: TABLES[found[1]](), text)


def places() -> list[str]:
    """The tables that the template asks for."""
    return _PLACE.findall(TEMPLATE.read_text(encoding="utf-8"))


def main() -> None:
    """Writes the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()

"""Reads `mutmut results --all true` and prints, file by file, what the tests noticed and missed."""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable

NOT_RUN = "not checked"
NOTICED = ("killed", "timeout", "caught by type check")
LINE = re.compile(r"\s*(?P<module>\S+)\.(?P<mutant>\w+__mutmut_\d+): (?P<status>.+)")


def report(lines: Iterable[str]) -> tuple[list[str], list[str]]:
    """A table of the modules that were run, and the mutants that nothing noticed."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    missed = []
    for line in lines:
        found = LINE.fullmatch(line.rstrip())
        if found and found["status"] != NOT_RUN:
            noticed = found["status"] in NOTICED
            counts[found["module"]]["killed" if noticed else "survived"] += 1
            if not noticed:
                missed.append(f"{found['module']}.{found['mutant']}: {found['status']}")
    rows = [row(module, each) for module, each in sorted(counts.items())]
    return [*rows, row("total", sum(counts.values(), Counter()))], missed


def row(name: str, count: Counter[str]) -> str:
    share = 100 * count["killed"] / (count.total() or 1)
    return f"{name:24} {count['killed']:5} killed {count['survived']:5} survived {share:6.1f} %"


if __name__ == "__main__":
    table, survivors = report(sys.stdin)
    print(*survivors, *table, sep="\n")

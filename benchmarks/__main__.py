"""`python -m benchmarks`: every benchmark, or one group, as JSON lines on stdout."""

from __future__ import annotations

import argparse

from benchmarks import (
    fold,
    fragments,
    imports,
    late,
    latency,
    memory,
    replay,
    start,
    stream,
    ticks,
)

GROUPS = {
    "fold": fold.results,
    "late": late.results,
    "fragments": fragments.results,
    "import": imports.results,
    "replay": replay.results,
    "memory": memory.results,
    "ticks": ticks.results,
    "latency": latency.results,
    "start": start.results,
    "stream": stream.results,
}


def main(arguments: list[str] | None = None) -> None:
    """Runs the groups asked for and prints a line as soon as a benchmark is done."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", choices=GROUPS, help="one group instead of all")
    parser.add_argument("--scale", choices=("full", "tiny"), default="full")
    chosen = parser.parse_args(arguments)
    for name, results in GROUPS.items():
        if chosen.only in (None, name):
            for result in results(chosen.scale == "tiny"):
                print(result.line(), flush=True)


if __name__ == "__main__":
    main()

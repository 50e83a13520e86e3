"""Where `thresher` starts: it loads the commands and runs one."""

from __future__ import annotations

import sys

INTERRUPTED = 130  # as shells have it: 128, and the number of the signal of Ctrl-C


def main() -> None:
    """Runs a command. Loading them takes a second: Ctrl-C during it ends as quietly as later."""
    try:
        from infra.commands import run  # noqa: PLC0415

        run()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()

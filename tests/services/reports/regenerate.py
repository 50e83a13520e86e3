"""Writes the golden files of the reports anew: python -m tests.services.reports.regenerate."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.services.house import House
from tests.services.reports.histories import GOLDEN, reports, told


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        house = told(House(Path(folder) / "thresher.db"))
        for name, text in reports(house).items():
            (GOLDEN / name).write_text(text, encoding="utf-8", newline="")
        house.close()


if __name__ == "__main__":
    main()

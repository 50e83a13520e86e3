"""The history of `histories.py` in a ledger, once for all tests of a file that only read it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.services.house import House
from tests.services.reports.histories import told


@pytest.fixture(scope="module")
def told_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = told(House(tmp_path_factory.mktemp("reports") / "thresher.db"))
    yield house
    house.close()

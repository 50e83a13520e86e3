"""Every report of one history, to the byte.

After a wanted change write them anew with `python -m tests.services.reports.regenerate`.
"""

from __future__ import annotations

import pytest

from tests.services.house import House
from tests.services.reports.histories import GOLDEN, STATEMENT, reports

NAMES = sorted(path.name for path in GOLDEN.iterdir() if path != STATEMENT)


@pytest.fixture(scope="module")
def written(told_house: House) -> dict[str, str]:
    return reports(told_house)


@pytest.mark.parametrize("name", NAMES)
def test_a_report_is_what_it_was(name: str, written: dict[str, str]) -> None:
    assert written[name].encode() == (GOLDEN / name).read_bytes()


def test_every_report_has_its_file(written: dict[str, str]) -> None:
    assert sorted(written) == NAMES


def test_live_answers_and_answers_as_of_a_day_make_the_same_forms(told_house: House) -> None:
    told_house.clock.advance(days=400)
    live, as_of = reports(told_house), reports(told_house, as_of=None)
    frame = ("as_of", "as of")
    for name in NAMES:
        assert [line for line in live[name].splitlines() if not any(w in line for w in frame)] == [
            line for line in as_of[name].splitlines() if not any(w in line for w in frame)
        ]

"""Feeds of the chaos tests quote decades ahead of every clock; all their processes take that in."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _marks_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THRESHER_MARKS_AHEAD", "40000")

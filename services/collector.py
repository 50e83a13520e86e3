"""The cyclic collector, kept from walking over a million lots while the market moves.

Books and rules live as long as the process. What is there after a start, and what is loaded later,
is set aside (frozen); what comes and goes is collected in small pieces as ever.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

THRESHOLDS = (2_000, 3, 10)  # young collections take half a millisecond, middle ones two or three
MANY = 8_000  # tracked objects; a full walk over so many takes some three milliseconds

_settled = False


def settle() -> None:
    """After a start: nothing that is in memory now is walked over again."""
    global _settled  # noqa: PLW0603  the collector is the process's own, too
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    if not _settled:
        _settled = True
        gc.callbacks.append(_after_collection)


def settle_again() -> None:
    """After much that was set aside was let go: its cycles would be kept for good. It walks over
    all that there is, so it is for what happens seldom.
    """
    gc.unfreeze()
    settle()


@contextmanager
def paused() -> Iterator[None]:
    """Long folds run without the collector: they make no cycles, and it doubles them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if _settled and gc.get_count()[0] > MANY:
            gc.freeze()
        if was_on:
            gc.enable()


def _after_collection(phase: str, info: Mapping[str, Any]) -> None:
    """What has grown old and is much stays, as a rule: it is set aside before it is walked."""
    if phase == "stop" and info["generation"] == 1 and len(gc.get_objects(2)) > MANY:
        gc.freeze()

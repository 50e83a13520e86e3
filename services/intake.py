"""Intake: how far a stream was read, kept in the transaction that keeps what was read.

The position moves by compare-and-set: of two workers that believe they own a partition, the
second to commit is refused with all that it wanted to append (fencing).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from domain.errors import ThresherError
from services.ledger import Outcome


class Step(NamedTuple):
    """A move through one partition: from the first offset not yet read to the next such."""

    topic: str
    partition: int
    expected: int
    next: int


class DeadLetter(NamedTuple):
    """A message that cannot be used, as it came, and why: field, reason, remedy."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    reason: str


class Intake(NamedTuple):
    """What is stored beside the facts of a batch, in their transaction."""

    step: Step
    dead: Sequence[DeadLetter]
    recorded_at: str


IntakeOf = Callable[[Sequence[Outcome]], Intake]


class PositionMoved(ThresherError):
    """Another worker read on from there: this one's state is stale and it must let go."""

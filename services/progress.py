"""Progress: how far a log is projected, as checkpoints that move by compare-and-set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from domain.errors import ThresherError
from projections.schema import CHECKPOINTS, change, rows

READ_MODELS = "read_models"
DELIVERY = "delivery"
TOKENS = "tokens"  # counts how often somebody's tokens changed: they are tokens to all shards
# Built once: a statement that is built anew takes longer than it runs.
_POSITION = select(CHECKPOINTS.c.position).where(CHECKPOINTS.c.projection == bindparam("name"))
_POSITIONS = select(CHECKPOINTS.c.projection, CHECKPOINTS.c.position, CHECKPOINTS.c.version).where(
    (CHECKPOINTS.c.projection == bindparam("name")) | (CHECKPOINTS.c.projection == TOKENS)
)
_COUNT_TOKENS = (
    update(CHECKPOINTS)
    .where(CHECKPOINTS.c.projection == TOKENS)
    .values(position=CHECKPOINTS.c.position + 1)
)
_MOVE = (
    update(CHECKPOINTS)
    .where(
        CHECKPOINTS.c.projection == bindparam("name"),
        CHECKPOINTS.c.position == bindparam("old"),
        CHECKPOINTS.c.version == bindparam("of_version"),
    )
    .values(position=bindparam("new"))
)


class Fenced(ThresherError):
    """Another process moved the read models: this one's state is stale and it must stop."""


class OtherVersion(ThresherError):
    """The read models are now those of another version of Thresher: this process must end."""

    def __init__(self) -> None:
        super().__init__(
            "another version of thresher has taken the read models over: "
            "start this command again, with that version"
        )


def checkpoint_name(what: str, shard: int) -> str:
    """What the checkpoint of a shard is called; of the first, and of a file, as it always was."""
    return f"{what}/{shard}" if shard else what


def row_of(connection: Connection, name: str) -> Row[Any] | None:
    """A checkpoint with all that is kept of it; None if there is none."""
    query = select(CHECKPOINTS).where(CHECKPOINTS.c.projection == name)
    return connection.execute(query).one_or_none()


def position_of(connection: Connection, name: str) -> int:
    """Where a checkpoint stands; it must be there."""
    ((position,),) = rows(connection, _POSITION, name=name)
    return int(position)


def with_tokens(connection: Connection, name: str, version: int) -> tuple[int, int]:
    """The same, and how often somebody's tokens changed; raises OtherVersion."""
    found = {each: stands for each, *stands in rows(connection, _POSITIONS, name=name)}
    position, its_version = found[name]
    if its_version != version:
        raise OtherVersion
    return position, found[TOKENS][0]


def move(connection: Connection, old: Mapping[str, tuple[int, int]], new: int) -> None:
    """Moves checkpoints from the version and position at which they stood.

    Raises Fenced if one stands elsewhere.
    """
    moves = [
        {"name": name, "of_version": version, "old": position, "new": new}
        for name, (version, position) in old.items()
    ]
    if change(connection, _MOVE, *moves) != len(moves):
        stood = ", ".join(f"{name} at position {position}" for name, (_, position) in old.items())
        raise Fenced(f"no longer {stood}: another process moved them")


def count_tokens(connection: Connection) -> None:
    """Somebody's tokens changed: every shard is to look."""
    connection.execute(_COUNT_TOKENS)

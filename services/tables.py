"""Permanent tables beside the ledger: marks, held quotes, quarantine, outbox, what was told.

A rebuild never drops them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    DDL,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    event,
    text,
)

PERMANENT = MetaData()


def _quote_columns() -> list[Column[Any]]:
    """A quote and when it was recorded: of a mark, and of a quote that is held."""
    quoted = ("asset", "at", "price", "currency", "source", "kind", "recorded_at")
    return [
        Column("id", Integer, primary_key=True),
        *(Column(name, Text, nullable=False) for name in quoted),
    ]


MARKS = Table(
    "marks",
    PERMANENT,
    *_quote_columns(),
    # SQLite writes whole pages: by time a commit writes the last one, by asset one for each asset.
    # On PostgreSQL it is by asset, as migrations make it. See decision 0028. Not unique: a price
    # that was corrected may come back (services/marks.py tells what is known).
    Index("marks_by_time", "at", "asset", "source", "kind"),
)
# In which ten seconds an asset has marks of a kind: what is missing to find them by asset. A span
# is how their instants begin, `2025-06-02T14:00:0`.
_SPANS = (
    """CREATE TABLE mark_spans (asset TEXT NOT NULL, kind TEXT NOT NULL, span TEXT NOT NULL,
PRIMARY KEY (asset, kind, span)) WITHOUT ROWID""",
    """CREATE TRIGGER marks_have_spans AFTER INSERT ON marks BEGIN
INSERT OR IGNORE INTO mark_spans VALUES (new.asset, new.kind, substr(new.at, 1, 18)); END""",
)
for _statement in _SPANS:
    _made: Any = DDL(_statement)  # type: ignore[no-untyped-call]
    event.listen(MARKS, "after_create", _made.execute_if(dialect="sqlite"))

HELD_MARKS = Table(
    "held_marks",
    PERMANENT,
    *_quote_columns(),
    Column("last_price", Text, nullable=False),
    Column("last_at", Text, nullable=False),
    Column("state", Text, nullable=False),  # held, then confirmed, agreed or rejected
    Column("decided_at", Text, nullable=False),
    Column("followed", Integer, nullable=False),  # 1: its source has quoted the asset since
    UniqueConstraint("asset", "at", "source", "kind", "price"),
    Index("held_marks_state", "state"),
)

QUARANTINE = Table(
    "quarantine",
    PERMANENT,
    Column("key", Text, primary_key=True),
    Column("taxpayer", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("row", Integer, nullable=False),
    Column("field", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Column("raw", Text, nullable=False),
    Column("recorded_at", Text, nullable=False),
)

# To be sent as it is. In words, not as a value: so every plan can take the index of these rows.
IS_UNSENT = text("sent_at = ''")
OUTBOX = Table(
    "outbox",
    PERMANENT,
    # Given by the store as rows enter: of one log that is the order of its facts, and it is the
    # order in which they leave. On PostgreSQL, where migrations make it, the other two are the key.
    Column("number", Integer, primary_key=True),
    Column("key", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("taxpayer", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("due_at", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("sent_at", Text, nullable=False),
    Column("last_error", Text, nullable=False),
    # The default is what a process of before this column leaves behind.
    Column("severity", Text, nullable=False, server_default="notice"),
    UniqueConstraint("key", "channel"),
    Index("outbox_due", "sent_at", "due_at"),
    Index("outbox_line", "channel", "number", sqlite_where=IS_UNSENT, postgresql_where=IS_UNSENT),
)

TOLD = Table(
    "told",
    PERMANENT,
    Column("stream", Text, primary_key=True),
    Column("taxpayer", Text, primary_key=True),
    Column("number", Integer, nullable=False),  # of the last change that was told
)

TOLD_ROWS = Table(
    "told_rows",
    PERMANENT,
    Column("stream", Text, primary_key=True),
    Column("taxpayer", Text, primary_key=True),
    Column("row", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("state", Text, nullable=False),  # open, changed or gone
    Column("body", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("due", Integer, nullable=False),  # 1: not sent yet
)
_IS_DUE = TOLD_ROWS.c.due == 1
Index(
    "told_rows_due", TOLD_ROWS.c.stream, TOLD_ROWS.c.at,
    sqlite_where=_IS_DUE, postgresql_where=_IS_DUE,
)  # fmt: skip

# Of streams that are read by many: made by migrations alone, there is no such stream on a file.
STREAMED = MetaData()

OFFSETS = Table(
    "offsets",
    STREAMED,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("next", Integer, nullable=False),  # the first offset that is not read yet
)

DEAD_LETTERS = Table(
    "dead_letters",
    STREAMED,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("offset", Integer, primary_key=True),
    Column("key", LargeBinary, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
    Column("recorded_at", Text, nullable=False),
    Column(
        "sent_at", Text, nullable=False
    ),  # to the topic of dead letters; empty: not yet; or given up
    Column("replayed_at", Text, nullable=False),
)

"""Permanent tables beside the ledger: marks, quarantine, outbox. Never dropped by a rebuild."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, MetaData, Table, Text, UniqueConstraint

PERMANENT = MetaData()

MARKS = Table(
    "marks",
    PERMANENT,
    Column("id", Integer, primary_key=True),
    Column("asset", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("price", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("recorded_at", Text, nullable=False),
    UniqueConstraint("asset", "at", "source", "kind", "price"),
    Index("marks_latest", "asset", "at"),
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

OUTBOX = Table(
    "outbox",
    PERMANENT,
    Column("key", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("taxpayer", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("due_at", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("sent_at", Text, nullable=False),
    Column("last_error", Text, nullable=False),
    Index("outbox_due", "sent_at", "due_at"),
)

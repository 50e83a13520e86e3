"""The log of facts, its append function, and the permanent tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_FACTS = """
CREATE TABLE facts (
    shard smallint NOT NULL,
    position bigint NOT NULL,
    originator_id text COLLATE "C" NOT NULL,
    originator_version bigint NOT NULL,
    topic text COLLATE "C" NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (originator_id, originator_version),
    UNIQUE (shard, position)
)
"""
_HEADS = "CREATE TABLE heads (shard smallint PRIMARY KEY, position bigint NOT NULL)"
# Whoever appends locks the shard's head until its commit, and a rollback takes the head back: so
# positions have no gaps and become visible in their order, and a tailing reader misses nothing.
_APPEND = """
CREATE FUNCTION thresher_append(
    of_shard integer, ids text[], versions bigint[], topics text[], states bytea[]
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
SET lock_timeout = '30s'
AS $$
DECLARE last bigint;
BEGIN
    UPDATE heads SET position = position + cardinality(ids) WHERE shard = of_shard
    RETURNING position - cardinality(ids) INTO STRICT last;
    INSERT INTO facts (shard, position, originator_id, originator_version, topic, state)
    SELECT of_shard, last + n, id, version, topic, state
    FROM unnest(ids, versions, topics, states) WITH ORDINALITY AS t(id, version, topic, state, n);
    RETURN last;
END
$$
"""
_NEVER = """
CREATE FUNCTION thresher_never() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'facts are appended, never changed: % refused', TG_OP;
END
$$
"""
_APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON facts
FOR EACH STATEMENT EXECUTE FUNCTION thresher_never()
"""


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C"), nullable=False)


def upgrade() -> None:
    for statement in (
        _FACTS,
        _HEADS,
        "INSERT INTO heads VALUES (0, 0)",
        _APPEND,
        _NEVER,
        _APPEND_ONLY,
        "REVOKE ALL ON FUNCTION thresher_append FROM PUBLIC",
    ):
        op.execute(statement)
    quote = ("asset", "at", "price", "currency", "source", "kind", "recorded_at")
    unique = ("asset", "at", "source", "kind", "price")
    op.create_table(
        "marks",
        sa.Column("id", sa.BigInteger, primary_key=True),
        *(_text(name) for name in quote),
        sa.UniqueConstraint(*unique),
    )
    op.create_table(
        "held_marks",
        sa.Column("id", sa.BigInteger, primary_key=True),
        *(_text(name) for name in (*quote, "last_price", "last_at", "state", "decided_at")),
        sa.Column("followed", sa.BigInteger, nullable=False),
        sa.UniqueConstraint(*unique),
    )
    op.create_index("held_marks_state", "held_marks", ["state"])
    op.create_table(
        "quarantine",
        sa.Column("key", sa.Text(collation="C"), primary_key=True),
        _text("taxpayer"),
        _text("origin"),
        sa.Column("row", sa.BigInteger, nullable=False),
        *(_text(name) for name in ("field", "reason", "remedy", "raw", "recorded_at")),
    )
    op.create_table(
        "outbox",
        sa.Column("key", sa.Text(collation="C"), primary_key=True),
        sa.Column("channel", sa.Text(collation="C"), primary_key=True),
        *(_text(name) for name in ("taxpayer", "payload", "created_at", "due_at")),
        sa.Column("attempts", sa.BigInteger, nullable=False),
        *(_text(name) for name in ("sent_at", "last_error")),
    )
    op.create_index("outbox_due", "outbox", ["sent_at", "due_at"])
    op.create_table(
        "offsets",
        sa.Column("topic", sa.Text(collation="C"), primary_key=True),
        sa.Column("partition", sa.BigInteger, primary_key=True),
        sa.Column("next", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "dead_letters",
        sa.Column("topic", sa.Text(collation="C"), primary_key=True),
        sa.Column("partition", sa.BigInteger, primary_key=True),
        sa.Column("offset", sa.BigInteger, primary_key=True),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        *(_text(name) for name in ("reason", "recorded_at", "sent_at", "replayed_at")),
    )

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


_QUOTE = ("asset", "at", "price", "currency", "source", "kind", "recorded_at")
_UNIQUE = ("asset", "at", "source", "kind", "price")


def upgrade() -> None:
    """Makes everything; there is nothing before it."""
    for statement in (
        _FACTS, _HEADS, "INSERT INTO heads VALUES (0, 0)", _APPEND, _NEVER, _APPEND_ONLY,
        "REVOKE ALL ON FUNCTION thresher_append FROM PUBLIC",
    ):  # fmt: skip
        op.execute(statement)
    _make_marks()
    _make_outbox()
    _make_intake()


def _make_marks() -> None:
    quote = [_text(name) for name in _QUOTE]
    op.create_table("marks", _id(), *quote, sa.UniqueConstraint(*_UNIQUE))
    op.create_table(
        "held_marks",
        _id(),
        *(_text(name) for name in (*_QUOTE, "last_price", "last_at", "state", "decided_at")),
        _number("followed"),
        sa.UniqueConstraint(*_UNIQUE),
    )
    op.create_index("held_marks_state", "held_marks", ["state"])


def _make_outbox() -> None:
    op.create_table(
        "quarantine",
        _text("key", is_key=True), _text("taxpayer"), _text("origin"), _number("row"),
        *(_text(name) for name in ("field", "reason", "remedy", "raw", "recorded_at")),
    )  # fmt: skip
    op.create_table(
        "outbox",
        _text("key", is_key=True), _text("channel", is_key=True),
        *(_text(name) for name in ("taxpayer", "payload", "created_at", "due_at")),
        _number("attempts"), _text("sent_at"), _text("last_error"),
    )  # fmt: skip
    op.create_index("outbox_due", "outbox", ["sent_at", "due_at"])


def _make_intake() -> None:
    """How far streams were read, and the messages of them that cannot be used."""
    place = (_text("topic", is_key=True), _number("partition", is_key=True))
    op.create_table("offsets", *place, _number("next"))
    place = (_text("topic", is_key=True), _number("partition", is_key=True))
    op.create_table(
        "dead_letters",
        *place, _number("offset", is_key=True),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        *(_text(name) for name in ("reason", "recorded_at", "sent_at", "replayed_at")),
    )  # fmt: skip


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, primary_key=True)


def _text(name: str, *, is_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C"), nullable=False, primary_key=is_key)


def _number(name: str, *, is_key: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, primary_key=is_key)

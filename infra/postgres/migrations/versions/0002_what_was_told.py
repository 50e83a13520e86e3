"""What was last told of rows that are streamed out; dead letters that were not told are found."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Makes two tables and two indexes."""
    place = (_text("stream", is_key=True), _text("taxpayer", is_key=True))
    op.create_table("told", *place, _number("number"))
    place = (_text("stream", is_key=True), _text("taxpayer", is_key=True))
    op.create_table(
        "told_rows",
        *place, _text("row", is_key=True), _number("number"),
        *(_text(name) for name in ("state", "body", "at")), _number("due"),
    )  # fmt: skip
    op.create_index(
        "told_rows_due", "told_rows", ["stream", "at"], postgresql_where=sa.text("due = 1")
    )
    op.create_index(
        "dead_letters_untold", "dead_letters", ["topic"], postgresql_where=sa.text("sent_at = ''")
    )


def _text(name: str, *, is_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C"), nullable=False, primary_key=is_key)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)

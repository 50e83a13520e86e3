"""A price of an asset, instant, source and kind may be stored again: a mark is corrected back.

A process of before that still runs stores as before, with nothing to conflict with: what comes
twice is a second row of the same price, which values the same.
"""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """An index by asset that is not unique takes the place of the one that was."""
    op.create_index("marks_by_asset", "marks", ["asset", "at", "source", "kind", "id"])
    op.drop_constraint("marks_asset_at_source_kind_price_key", "marks")

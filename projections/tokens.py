"""Read model: tokens, each with its base and how many units of it one unit is today."""

from __future__ import annotations

from sqlalchemy import Column, Connection, Table, Text, select

from domain.tokens import Token
from projections.schema import METADATA, Projection, Row, text

TOKENS = Projection(
    "tokens",
    1,
    Table(
        "tokens_v1",
        METADATA,
        Column("taxpayer", Text, primary_key=True),
        Column("token", Text, primary_key=True),
        *text("base", "number", "unit"),
        sqlite_with_rowid=False,
    ),
)
_T = TOKENS.table.c


def row(taxpayer: str, token: Token) -> Row:
    """A token as a row of the table."""
    return taxpayer, token.asset, token.base, str(token.number), str(token.unit)


def by_asset(connection: Connection) -> dict[str, Token]:
    """Every token, as the first taxpayer by name has it: marks are shared by all."""
    query = select(_T.token, _T.base, _T.number, _T.unit).order_by(_T.taxpayer, _T.token)
    found: dict[str, Token] = {}
    for each in connection.execute(query):
        token = Token(each.token, each.base, int(each.number), int(each.unit))
        found.setdefault(token.asset, token)
    return found

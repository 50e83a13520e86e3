"""Read model: tokens, each with its base and how many units of it one unit is today."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Column, ColumnElement, Connection, Table, Text, select

from domain.tokens import Token
from projections.schema import METADATA, Projection, insert, text

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


def write(connection: Connection, taxpayer: str, tokens: Sequence[Token]) -> bool:
    """Makes these the tokens of a taxpayer; returns whether they were others before."""
    mine = _T.taxpayer == taxpayer
    if _read(connection, mine) == list(tokens):
        return False
    connection.execute(TOKENS.table.delete().where(mine))
    insert(
        connection,
        TOKENS.table,
        [(taxpayer, each.asset, each.base, str(each.number), str(each.unit)) for each in tokens],
    )
    return True


def by_asset(connection: Connection) -> dict[str, Token]:
    """Every token, as the first taxpayer by name has it: marks are shared by all."""
    found: dict[str, Token] = {}
    for token in _read(connection):
        found.setdefault(token.asset, token)
    return found


def _read(connection: Connection, *where: ColumnElement[bool]) -> list[Token]:
    query = select(_T.token, _T.base, _T.number, _T.unit).where(*where)
    query = query.order_by(_T.taxpayer, _T.token)
    return [
        Token(row.token, row.base, int(row.number), int(row.unit))
        for row in connection.execute(query)
    ]

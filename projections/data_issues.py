"""Read model: data issues, the facts that do not fit and what mends them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Boolean, Column, Connection, Integer

from domain.entries import Issue
from projections.schema import Piece, Projection, Row, book_table, pieces, text

DATA_ISSUES = Projection(
    "data_issues",
    1,
    book_table(
        "data_issues_v1",
        [Column("serial", Integer, primary_key=True)],
        [*text("ref", "code", "says", "remedy"), Column("blocking", Boolean, nullable=False)],
    ),
)


def rows(taxpayer: str, book: str, issues: Sequence[Issue]) -> list[Row]:
    """The issues of a book (or of the taxpayer's facts: book '') as rows."""
    return [
        (taxpayer, book, serial, each.ref, each.code, each.says, each.remedy, each.blocking)
        for serial, each in enumerate(issues)
    ]


def present(issues: Iterable[Issue]) -> list[Piece]:
    """Issues as dicts."""
    return [
        {
            "fact": each.ref,
            "code": each.code,
            "says": each.says,
            "remedy": each.remedy,
            "held_out": each.blocking,
        }
        for each in issues
    ]


def read(connection: Connection, taxpayer: str) -> list[Piece]:
    """The live data issues of a taxpayer."""
    found = pieces(connection, DATA_ISSUES.table, taxpayer)
    return present(
        Issue(each["ref"], each["code"], each["says"], each["remedy"], bool(each["blocking"]))
        for each in found
    )

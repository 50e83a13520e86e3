"""Read model: data issues, the facts that do not fit and what mends them."""

from __future__ import annotations

from collections.abc import Iterable

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


def row(taxpayer: str, book: str, serial: int, issue: Issue) -> Row:
    """An issue of a book (or of the taxpayer's facts: book '') as a row of the table."""
    return (
        taxpayer, book, serial, issue.ref, issue.code, issue.says, issue.remedy, issue.blocking
    )  # fmt: skip


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

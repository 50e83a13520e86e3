"""Read model: splits of assets, which carry marks from before them to units of after them."""

from __future__ import annotations

from itertools import groupby

from sqlalchemy import Column, Connection, Table, Text, select

from domain.split_factors import SplitFactor
from projections.schema import METADATA, Projection, Row, text

SPLITS = Projection(
    "splits",
    1,
    Table(
        "splits_v1",
        METADATA,
        Column("taxpayer", Text, primary_key=True),
        Column("asset", Text, primary_key=True),
        Column("day", Text, primary_key=True),
        *text("new", "old"),
        sqlite_with_rowid=False,
    ),
)
_S = SPLITS.table.c
# By asset: what taxpayers tell of its splits, by their names, each different answer once.
Told = dict[str, list[list[SplitFactor]]]


def row(taxpayer: str, split: SplitFactor) -> Row:
    """A split as a row of the table."""
    return taxpayer, split.asset, split.day, str(split.new), str(split.old)


def by_asset(connection: Connection) -> Told:
    """Every split, taxpayer by taxpayer: two may tell of the same one, on days of their own.

    Most of many taxpayers say the same: a tick of an asset looks at what is different alone.
    """
    query = select(SPLITS.table).order_by(_S.taxpayer, _S.asset, _S.day)
    found: Told = {}
    rows = connection.execute(query)
    for (_, asset), mine in groupby(rows, key=lambda each: (each.taxpayer, each.asset)):
        told = [SplitFactor(asset, each.day, int(each.new), int(each.old)) for each in mine]
        others = found.setdefault(asset, [])
        if told not in others:
            others.append(told)
    return found

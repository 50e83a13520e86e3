"""Records of a book in full: every field, with accounts, assets and rows by their names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from domain.accounts import Account
from domain.assets import Asset
from domain.book import Book
from domain.disposals import Disposal
from domain.entries import Issue
from tests.domain.make import Json, scenario
from tests.domain.replay import portfolio_of


def folded(*events: Json, **more: Any) -> Book:
    """The one book that a small scenario's facts are in; `more` as in `make.scenario`."""
    (found,) = portfolio_of(scenario(*events, **more)).books.values()
    assert isinstance(found, Book)
    return found


def told(record: msgspec.Struct) -> dict[str, Any]:
    """All fields of a record. None may be a float: a part of a unit or a cent would be lost."""
    fields = {name: _named(getattr(record, name)) for name in record.__struct_fields__}
    assert not [name for name, value in fields.items() if isinstance(value, float)]
    return fields


def all_told(records: Iterable[msgspec.Struct]) -> list[dict[str, Any]]:
    return [told(record) for record in records]


def issue(ref: str, code: str, says: str, remedy: str, *, blocking: bool = True) -> dict[str, Any]:
    """An issue as `told` tells it."""
    return told(Issue(ref, code, says, remedy, blocking))


def _named(value: Any) -> Any:
    if isinstance(value, Account | Asset):
        return value.id
    return value.ref if isinstance(value, Disposal) else value

"""Books of pools and their records with every field, in units, money and days that can be read."""

from __future__ import annotations

from typing import Any

import msgspec

from domain.days import day_of, iso
from domain.disposals import Disposal
from domain.exact import format_money, format_quantity
from domain.pool_books.book import PoolBook
from domain.portfolio import Portfolio
from infra.sources.scenario_file import parse_scenario
from tests.domain.pool_books.told import Json, scenario

MONEY = {"amount", "proceeds", "own_basis", "wash", "open_loss", "moved_in", "basis",
         "disallowed", "value", "loss", "blocked", "harvestable"}  # fmt: skip
UNITS = {"quantity", "open_quantity", "loss_quantity", "price"}
DAYS = {"acquired", "sold", "origin", "bought", "day", "blocked_until"}
REST_OF_A_ROW = {
    "is_long": False, "covered": False, "inherited": False, "wash": "0", "open_quantity": "0",
    "open_loss": "0", "wash_classes": frozenset(), "moved_in": "0", "opened": 0, "short_ref": "",
}  # fmt: skip
REST_OF_A_LOT = {
    "offset": 0, "covered": False, "used": False, "picked": False, "inherited": False,
    "loss_basis": -1, "gift_day": 0,
}  # fmt: skip


def folded(law: str, events: list[Json], as_of: str = "2030-12-31", **more: Any) -> Portfolio:
    """A history as the product folds it, seen at the end of a day."""
    parsed = parse_scenario(scenario(law, events, as_of, **more))
    made = Portfolio(until_day=day_of(as_of))
    for ref, fact in [*parsed.declarations, *((ref, fact) for ref, fact, _ in parsed.events)]:
        made.add(ref, fact)
    made.settle()
    return made


def book_of(law: str, *events: Json, as_of: str = "2030-12-31", **more: Any) -> PoolBook:
    """The book of pools of the first asset."""
    book = next(iter(folded(law, list(events), as_of, **more).books.values()))
    assert isinstance(book, PoolBook)
    return book


def plain(record: Any) -> Json:
    """Every field of a record: assets, accounts and rows by name, numbers as text, days as dates.

    What is not an integer where one belongs stays as it is, so that it differs.
    """
    is_struct = isinstance(record, msgspec.Struct)
    fields = msgspec.structs.asdict(record) if is_struct else vars_of(record)
    return {name: _plain(name, value) for name, value in fields.items()}


def vars_of(record: Any) -> Json:
    """The fields of a dataclass, not followed any deeper."""
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


def _plain(name: str, value: Any) -> Any:
    if type(value) is int:
        return _number(name, value)
    if isinstance(value, Disposal):
        return value.ref
    if name == "lot" and not isinstance(value, str):
        return plain(value)
    if name in ("asset", "account"):
        return value.id
    return value


def _number(name: str, value: int) -> str | int:
    if name in DAYS:
        return iso(value) if value else ""
    if name in MONEY or name in UNITS:
        return format_money(value) if name in MONEY else format_quantity(value)
    return value

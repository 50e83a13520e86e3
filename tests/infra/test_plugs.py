"""The plugs: adding a part touches one file and one row of a table. Here is every table."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import domain.rules
import infra.channels
import infra.sources
import projections
from domain.assets import ASSET_CLASSES, AssetClass
from domain.fact_codec import FACT_TYPES
from domain.facts import Fact
from domain.lot_methods import LOT_METHODS
from domain.policy import CONSERVATIVE
from domain.rules.registry import RULE_SETS
from domain.rules.rule_set import RuleSet
from infra.composition import App
from infra.importing import SIBLINGS
from infra.settings import Settings
from infra.sources.csv_lines import kind_of
from projections.schema import METADATA, Projection
from services.alert_rules import METRICS, SCHEMES
from services.read_models import PROJECTIONS
from services.tables import PERMANENT

T = TypeVar("T")


def modules(package: ModuleType) -> list[ModuleType]:
    return [
        importlib.import_module(f"{package.__name__}.{found.name}")
        for found in pkgutil.iter_modules(package.__path__)
    ]


def members(package: ModuleType, kind: type[T]) -> list[T]:
    return [
        value
        for module in modules(package)
        for value in vars(module).values()
        if isinstance(value, kind)
    ]


def test_every_projection_of_the_room_is_a_row_of_the_table() -> None:
    found = members(projections, Projection)
    assert {each.name for each in PROJECTIONS} == {each.name for each in found}
    assert len({each.name for each in PROJECTIONS}) == len(PROJECTIONS)


def test_a_read_model_is_one_file_with_its_own_tables() -> None:
    tables = {each.table.name for each in PROJECTIONS}
    assert tables | {"checkpoints"} == set(METADATA.tables)
    for each in PROJECTIONS:
        assert each.table.name == f"{each.name}_v{each.version}"
    homes = [
        module.__name__
        for module in modules(projections)
        if any(isinstance(value, Projection) for value in vars(module).values())
    ]
    assert {name.rpartition(".")[2] for name in homes} == {
        path.stem for path in Path(projections.__path__[0]).glob("*.py")
    } - {"__init__", "schema", "rows"}


def test_what_a_rebuild_drops_and_what_it_keeps_are_different_tables() -> None:
    assert set(METADATA.tables).isdisjoint(PERMANENT.tables)
    assert set(PERMANENT.tables) == {
        "marks", "held_marks", "quarantine", "outbox", "told", "told_rows",
    }  # fmt: skip


def test_every_channel_is_a_file_and_a_row_of_the_composition_root(tmp_path: Path) -> None:
    app = App(Settings(database_url=f"sqlite:///{tmp_path / 't.db'}"))
    files = {module.__name__.rpartition(".")[2] for module in modules(infra.channels)}
    assert files == app.channels.keys() == set(SCHEMES)


def test_every_rule_set_of_the_room_is_registered_by_its_jurisdiction() -> None:
    found = {id(each): each for each in members(domain.rules, RuleSet)}.values()
    assert {each.jurisdiction: each for each in found} == RULE_SETS


def test_lot_methods_are_rows_of_sort_keys() -> None:
    assert LOT_METHODS.keys() >= {"FIFO", "LIFO", "HIFO"}
    assert all(callable(each.key) for each in LOT_METHODS.values())


def test_asset_classes_are_rows_of_properties() -> None:
    assert ASSET_CLASSES.keys() >= {"crypto", "tokenized_security", "stock", "nft", "fund"}
    for name, row in ASSET_CLASSES.items():
        assert isinstance(row, AssetClass)
        assert row.name == name
    assert set(CONSERVATIVE) <= ASSET_CLASSES.keys()


def test_no_asset_class_is_a_case_of_the_code() -> None:
    """The code asks for properties of a class, never whether it is this one."""
    root = Path(domain.rules.__path__[0]).parents[1]
    for path in sorted(root.glob("[dpsi]*/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare | ast.MatchValue):
                named = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
                assert not named & ASSET_CLASSES.keys(), f"{path}:{node.lineno}"


def subclasses(kind: type) -> set[type]:
    below: list[type] = kind.__subclasses__()
    return set(below).union(*(subclasses(each) for each in below))


def test_every_kind_of_fact_has_a_stored_name() -> None:
    stored = {kind for kind in subclasses(Fact) if kind.__module__.startswith("domain.")}
    assert stored == set(FACT_TYPES.values())


def test_every_neutral_file_is_told_apart_by_its_header() -> None:
    headers = {
        "trades": ["event_id", "ts", "type", "account", "asset", "qty"],
        "accounts": ["account", "kind", "owner"],
        "assets": ["asset", "asset_class"],
        "prices": ["date", "asset", "price"],
        "marks": ["asset", "price", "currency", "time", "source", "kind"],
    }
    assert {kind_of(header) for header in headers.values()} == headers.keys()
    assert {name.removesuffix(".csv") for name in SIBLINGS} < headers.keys()
    assert [kind_of(header) for header in headers.values()] == list(headers)


def test_the_metrics_of_alerts_are_a_table() -> None:
    assert set(METRICS) == {"harvestable_loss", "tax_saved", "loss_percent"}


def test_sources_are_files_of_their_own() -> None:
    names = {module.__name__.rpartition(".")[2] for module in modules(infra.sources)}
    assert names >= {"neutral_csv", "json_lines", "mark_feed", "scenario_file"}

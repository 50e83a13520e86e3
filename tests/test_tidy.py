"""The shape of the code, tested like its behaviour. There is no list of exceptions."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
ROOMS = ("domain", "projections", "services", "infra")
# Clock, ids and randomness are passed in; threads and sockets live in infra.
SEEDED_ROOMS = ("domain", "projections", "services")
FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 40

# Matched against whole dotted names and everything below them.
UNREPEATABLE = (
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "os.urandom",
    "random",
    "secrets",
    "time",
    "uuid.uuid1",
    "uuid.uuid4",
)
FOR_INFRA_ONLY = ("_thread", "asyncio", "concurrent", "multiprocessing", "socket", "threading")


def files_of(*rooms: str) -> list[Path]:
    return sorted(path for room in rooms for path in (ROOT / room).rglob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


every_file = pytest.mark.parametrize("path", files_of(*ROOMS), ids=named)
every_seeded_file = pytest.mark.parametrize("path", files_of(*SEEDED_ROOMS), ids=named)


@every_file
def test_a_file_is_short_enough_to_read_at_a_sitting(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= FILE_LINES_MAX, f"{named(path)} has {lines} lines"


@every_file
def test_a_file_opens_with_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(parsed(path)), f"{named(path)} does not open with a docstring"


@every_file
def test_a_function_is_short_enough_to_see_whole(path: Path) -> None:
    assert list(long_functions(parsed(path))) == []


@every_seeded_file
def test_a_run_can_be_repeated(path: Path) -> None:
    """No clock, chance, thread or socket but those that infra passes in."""
    assert list(uses(parsed(path), UNREPEATABLE + FOR_INFRA_ONLY)) == []


@every_seeded_file
def test_nothing_is_made_a_float(path: Path) -> None:
    assert list(float_calls(parsed(path))) == []


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def long_functions(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            lines = (node.end_lineno or node.lineno) - first + 1
            if lines > FUNCTION_LINES_MAX:
                yield f"{node.name} has {lines} lines"


def float_calls(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="float")):
                yield f"line {node.lineno}: float()"


def uses(tree: ast.Module, forbidden: tuple[str, ...]) -> Iterator[str]:
    """Each line that imports or names something forbidden, whatever it is called there."""
    origins = imported_names(tree)
    found = set()
    for node in ast.walk(tree):
        for name in names_in(node, origins):
            if any(name == each or name.startswith(f"{each}.") for each in forbidden):
                found.add((getattr(node, "lineno", 0), name))
    yield from (f"line {line}: {name}" for line, name in sorted(found))


def imported_names(tree: ast.Module) -> dict[str, str]:
    """What each imported name stands for: `dt` for `datetime.datetime`."""
    origins: dict[str, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                for alias in node.names:
                    top = alias.name.partition(".")[0]
                    origins[alias.asname or top] = alias.name if alias.asname else top
            case ast.ImportFrom(module=str(module), level=0):
                for alias in node.names:
                    origins[alias.asname or alias.name] = f"{module}.{alias.name}"
    return origins


def names_in(node: ast.AST, origins: dict[str, str]) -> list[str]:
    match node:
        case ast.Import():
            return [alias.name for alias in node.names]
        case ast.ImportFrom(module=str(module), level=0):
            return [f"{module}.{alias.name}" for alias in node.names]
        case ast.Attribute():
            first, _, rest = ast.unparse(node).partition(".")
            return [f"{origins[first]}.{rest}"] if first in origins else []
    return []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import datetime as d\nd.datetime.now(d.UTC)", ["line 2: datetime.datetime.now"]),
        ("from datetime import datetime as dt\nnow = dt.now", ["line 2: datetime.datetime.now"]),
        ("from time import time", ["line 1: time.time"]),
        ("from random import Random", ["line 1: random.Random"]),
        ("import uuid\nuuid.uuid4()", ["line 2: uuid.uuid4"]),
        ("from uuid import uuid5", []),
        ("import concurrent.futures", ["line 1: concurrent.futures"]),
        ("from datetime import time, datetime\nclock.now()\ndatetime.fromisoformat(x)", []),
        ("from .time import random", []),
    ],
)
def test_no_alias_hides_a_clock(source: str, found: list[str]) -> None:
    assert list(uses(ast.parse(source), UNREPEATABLE + FOR_INFRA_ONLY)) == found


@pytest.mark.parametrize("decorator", ["", "@memo\n"])
def test_a_function_is_measured_with_its_decorators(decorator: str) -> None:
    body = "    pass\n" * (FUNCTION_LINES_MAX - 1 - decorator.count("\n"))
    at_most = f"{decorator}def fold():\n{body}"
    assert list(long_functions(ast.parse(at_most))) == []
    assert list(long_functions(ast.parse(at_most + "    pass\n"))) == ["fold has 41 lines"]


def declared() -> Iterator[tuple[Requirement, str]]:
    """Every dependency in pyproject.toml with the lock that pins it; peers have their own."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = settings["project"]
    groups = dict(settings["dependency-groups"])
    yield from ((Requirement(text), "requirements-peers.lock") for text in groups.pop("peers"))
    lists = [
        settings["build-system"]["requires"],
        project["dependencies"],
        *groups.values(),
    ]
    yield from ((Requirement(text), "requirements-dev.lock") for each in lists for text in each)


@pytest.mark.parametrize(("requirement", "lock"), list(declared()), ids=str)
def test_a_dependency_is_bounded_and_locked(requirement: Requirement, lock: str) -> None:
    assert {clause.operator for clause in requirement.specifier} == {">=", "<"}
    locked = (ROOT / lock).read_text(encoding="utf-8")
    pinned = re.search(rf"^{re.escape(requirement.name)}==(\S+)", locked, re.MULTILINE)
    assert pinned, f"{requirement.name} is not in {lock}: run make lock"
    assert requirement.specifier.contains(pinned[1]), "run make lock"


def pins(lock: str) -> set[str]:
    return set(re.findall(r"^\S+==\S+", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE))


def test_users_get_the_versions_that_were_tested() -> None:
    assert pins("requirements.lock") < pins("requirements-dev.lock")


def test_what_the_product_imports_is_installed_with_it() -> None:
    """A package of the development lock alone is there in tests, and nowhere else."""
    installed = {pin.partition("==")[0] for pin in pins("requirements.lock")}
    distributions = packages_distributions()
    imported = {
        name.partition(".")[0]
        for path in files_of(*ROOMS)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and node.level == 0)
        for name in names_in(node, {}) or [str(getattr(node, "module", ""))]
    }
    foreign = imported - sys.stdlib_module_names - {*ROOMS}
    assert "sqlalchemy" in foreign
    missing = {
        name
        for name in foreign
        if not {each.lower().replace("_", "-") for each in distributions[name]} & installed
    }
    assert missing == set()


def test_the_product_is_installed_without_the_peers_that_it_is_compared_with() -> None:
    names = {pin.partition("==")[0] for pin in pins("requirements-dev.lock")}
    assert not names & {"coinbasis", "rp2"}


@pytest.mark.parametrize(
    "lock", ["requirements.lock", "requirements-dev.lock", "requirements-peers.lock"]
)
def test_a_lock_names_no_registry(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert not re.search(r"://|--(extra-)?index|--find-links", text)

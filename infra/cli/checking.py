"""Commands that prove: verify, scenario."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.errors import UnsupportedLaw
from infra.cli.options import Output, application
from infra.cli.output import Format, progress_bar, show, stderr
from infra.database import open_database
from infra.sources.scenario_file import read_scenario
from infra.sources.wire import Refusal
from services.scenario import evaluate
from services.scenario_check import compared
from services.verify import rebuild_and_compare

MISMATCH = 4


def verify_command(
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Rebuild every read model.")] = False,
    output: Output = Format.AUTO,
) -> None:
    """Rebuild every read model from fact one elsewhere and compare digests: exit 0 or 4."""
    if not rebuild:
        raise typer.BadParameter("say --rebuild")
    app = application()
    live = [each.projector for each in app.of_all_shards()]
    with tempfile.TemporaryDirectory(prefix="thresher-verify-") as folder, progress_bar() as bar:
        task = bar.add_task("rebuilding", total=None)
        scratch = open_database(Path(folder) / "rebuilt.db")
        found = rebuild_and_compare(
            live,
            scratch,
            lambda done, total: bar.update(task, completed=done, total=total),
        )
        scratch.reader.dispose()
    rows = [
        {
            "projection": each.projection, "equal": each.equal, "live": each.live,
            "rebuilt": each.rebuilt,
        }
        for each in found
    ]  # fmt: skip
    columns = {"projection": "read model", "equal": "equal", "live": "live digest (SHA-256)"}
    show(rows, output, columns, f"Rebuilt from {sum(each.position for each in live)} facts", "")
    if not all(each.equal for each in found):
        raise typer.Exit(MISMATCH)


def scenario_command(
    files: Annotated[list[Path], typer.Argument(help="Scenario files (tlh-golden/1).")],
    check: Annotated[bool, typer.Option("--check", help="Compare with `expected`.")] = False,
    output: Output = Format.JSONL,
) -> None:
    """Evaluate scenario files with the product's engine; with --check compare with `expected`."""
    failed = 0
    for path in files:
        document: dict[str, Any] = {}
        try:
            scenario, document = read_scenario(path)
            result = evaluate(scenario)
        except (Refusal, UnsupportedLaw, OSError, ValueError) as error:
            result = {"error": _plain(error)}
            if not check:
                failed += 1
                said = f"thresher: {path}: {result['error']}"
                stderr().print(said, style="red", markup=False, soft_wrap=True)
        if check:
            failed += _checked(path.stem, document, result)
        else:
            print(json.dumps({"id": document.get("id", path.stem), "result": result}))
    if check:
        print(f"{len(files) - failed} passed, {failed} failed")
    if failed:
        raise typer.Exit(1)


def _plain(error: Exception) -> str:
    """What is wrong with a file, without its name and the system's number."""
    return (error.strerror if isinstance(error, OSError) else "") or str(error)


def _checked(name: str, document: dict[str, Any], result: dict[str, Any]) -> bool:
    found = compared(document, result) if document else [f"error: {result['error']}"]
    print(f"{'FAIL' if found else 'pass'} {document.get('id', name)}")
    for line in found:
        print(f"  {line}")
    return bool(found)

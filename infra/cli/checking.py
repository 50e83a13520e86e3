"""Commands that ask and prove: whatif, verify, scenario."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from domain.errors import InvalidText, UnsupportedLaw
from domain.exact import check
from domain.facts import LotPick
from infra.cli.options import AsOf, KnownAt, Output, TaxpayerOption, application, view
from infra.cli.output import Format, dollars, emit_one, progress_bar, show, stdout, wants_table
from infra.cli.reading import GAINS
from infra.database import open_database
from infra.sources.scenario_file import read_scenario
from infra.sources.wire import Refusal
from services.scenario import evaluate
from services.scenario_check import compared
from services.verify import rebuild_and_compare
from services.whatif import HypotheticalSale, sell

MISMATCH = 4
whatif_commands = typer.Typer(no_args_is_help=True, help="Hypothetical trades, recorded nowhere.")


@whatif_commands.command("sell")
def whatif_sell(
    asset: str,
    qty: str,
    price: Annotated[str | None, typer.Option(help="Price of one unit (default: mark).")] = None,
    lots: Annotated[
        str | None, typer.Option(help="Lots to sell: LOT or LOT=QTY, separated by commas.")
    ] = None,
    account: Annotated[str | None, typer.Option(help="Account that sells.")] = None,
    taxpayer: TaxpayerOption = None, as_of: AsOf = None, known_at: KnownAt = None,
    output: Output = Format.AUTO,
) -> None:  # fmt: skip
    """What a sale today would allow, disallow, save in tax, and block until when."""
    app = application()
    frame = view(app, taxpayer, as_of, known_at)
    sale = HypotheticalSale(
        asset=asset,
        quantity=check(qty, "QTY"),
        price=check(price, "--price") if price is not None else None,
        account=account,
        lots=_picks(lots, check(qty, "QTY")),
    )
    answer = sell(app.queries, frame, sale)
    if wants_table(output):
        _print_sale(answer)
    else:
        emit_one(answer, output)


def verify_command(
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Rebuild every read model.")] = False,
    output: Output = Format.AUTO,
) -> None:
    """Rebuild every read model from fact one elsewhere and compare digests: exit 0 or 4."""
    if not rebuild:
        raise typer.BadParameter("say --rebuild")
    app = application()
    live = app.projector
    with tempfile.TemporaryDirectory(prefix="thresher-verify-") as folder, progress_bar() as bar:
        task = bar.add_task("rebuilding", total=None)
        scratch = open_database(Path(folder) / "rebuilt.db")
        found = rebuild_and_compare(
            live,
            scratch,
            app.ledger,
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
    show(rows, output, columns, f"Rebuilt from {live.position} facts", "")
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
            result = {"error": str(error)}
            failed += not check
        if check:
            failed += _checked(path.stem, document, result)
        else:
            print(json.dumps({"id": document.get("id", path.stem), "result": result}))
    if check:
        print(f"{len(files) - failed} passed, {failed} failed")
    if failed:
        raise typer.Exit(1)


def _checked(name: str, document: dict[str, Any], result: dict[str, Any]) -> bool:
    found = compared(document, result) if document else [f"error: {result['error']}"]
    print(f"{'FAIL' if found else 'pass'} {document.get('id', name)}")
    for line in found:
        print(f"  {line}")
    return bool(found)


def _picks(text: str | None, quantity: str) -> tuple[LotPick, ...]:
    if not text:
        return ()
    names = [each.strip() for each in text.split(",") if each.strip()]
    picks = []
    for name in names:
        lot, equals, units = name.rpartition("=")
        if equals:
            picks.append(LotPick(lot, check(units, "--lots")))
        elif len(names) == 1:
            picks.append(LotPick(name, quantity))
        else:
            raise InvalidText("--lots", name, "write LOT=QTY for each of several lots")
    return tuple(picks)


def _print_sale(answer: dict[str, Any]) -> None:
    out = stdout()
    sale = answer["sale"]
    show(
        answer["rows"], Format.TABLE, {k: v for k, v in GAINS.items() if k not in ("event", "box")},
        f"Selling {sale['qty']} {sale['asset']} in {sale['account']} at {sale['price']} "
        f"({sale['priced_by']}) on {sale['on']}", "",
    )  # fmt: skip
    out.print(f"gain {dollars(answer['gain'])}, of it disallowed {dollars(answer['disallowed'])}")
    for wash in answer["washed_by"]:
        out.print(
            f"  {dollars(wash['disallowed'])} by {wash['qty']} of {wash['replacement']} in "
            f"{wash['account']}: {wash['basis']}",
            markup=False,
        )
    out.print(
        f"tax saved now about {dollars(answer['tax_saved_now'])}, carryover created "
        f"{dollars(answer['carryover_created'])}"
    )
    blocks = answer["do_not_buy_until"]
    if blocks:
        out.print(
            f"do not buy group {blocks['group']} before {blocks['safe_from']}: it would disallow "
            f"up to {dollars(blocks['loss_at_risk'])}",
            markup=False,
        )
    for note in answer["notes"]:
        out.print(f"[yellow]note[/] {escape(note)}")

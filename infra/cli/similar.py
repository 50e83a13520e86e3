"""The `similar` commands: your table of assets to hold instead while a wash-sale window runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from domain.decisions import SimilarDeclared
from domain.exact import money
from domain.similar import why_not
from infra.cli.options import AsOf, KnownAt, Output, TaxpayerOption, application, view
from infra.cli.output import Format, dollars, show, stderr, stdout
from infra.composition import App
from services.ledger import Offer

DECLARED = "declared"  # where every source meets, as for accounts and assets
SIMILAR = {
    "instead_of": "instead of", "asset": "hold", "correlation": "correlation",
    "days": "over days", "price": "mark", "mark_stale": "too old",
    "safe_from": "not before", "open_loss": "own open loss",
    "why_not": "not offered", "reason": "reason",
}  # fmt: skip
commands = typer.Typer(no_args_is_help=True, help="Similar assets: set, list, remove.")


@commands.command("set")
def set_similar(
    asset: Annotated[str, typer.Argument(help="The asset that may be sold at a loss.")],
    candidates: Annotated[
        list[str], typer.Argument(help="What to hold instead: all of them, each time.")
    ],
    reason: Annotated[str, typer.Option(help="Why they are alike, but not identical.")] = "",
    taxpayer: TaxpayerOption = None,
) -> None:
    """Say what you would hold instead of an asset; replaces what was said of it before.

    Refused: an asset of its identical group, of another class, or never declared.
    """
    app = application()
    chosen = app.taxpayer(taxpayer)
    declared = app.projector.taxpayer(chosen).portfolio.declared
    for each in candidates:
        refused = why_not(declared, asset, each)
        if refused:
            raise typer.BadParameter(refused)
    _record(app, chosen, asset, tuple(dict.fromkeys(candidates)), reason)
    stderr().print(f"instead of {asset}: {', '.join(candidates)}", markup=False)


@commands.command("list")
def list_similar(
    taxpayer: TaxpayerOption = None, as_of: AsOf = None, known_at: KnownAt = None,
    output: Output = Format.AUTO,
) -> None:  # fmt: skip
    """Every candidate with its correlation, its mark and whether buying it would wash a loss.

    The correlation is of daily returns over the 90 days before, from marks held; `unknown` where
    it would rest on fewer than 20.
    """
    app = application()
    frame = view(app, taxpayer, as_of, known_at)
    rows = app.queries.similar_rows(frame)
    title = f"Similar assets, {frame.as_of}"
    show(rows, output, SIMILAR, title, "None: thresher similar set ASSET CANDIDATE...")


@commands.command("remove")
def remove(asset: str, taxpayer: TaxpayerOption = None) -> None:
    """Take back what was said of an asset."""
    app = application()
    chosen = app.taxpayer(taxpayer)
    known = app.projector.taxpayer(chosen).portfolio.declared.similar
    if asset not in known or not known[asset][1].candidates:
        raise typer.BadParameter(f"nothing was said of {asset!r}")
    _record(app, chosen, asset, (), "")
    stderr().print(f"nothing is held instead of {asset}", markup=False)


def with_swaps(columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The columns of a table; that of what to swap into only where there is something."""
    has_any = any(row["swap_into"] for row in rows)
    return {name: title for name, title in columns.items() if has_any or name != "swap_into"}


def print_similar(asset: str, found: Sequence[Mapping[str, Any]]) -> None:
    """What to hold instead of an asset, for people: a line each, the best first."""
    if found:
        stdout().print(f"instead of {asset}:", markup=False)
    for each in found:
        stdout().print(f"  {_told(each)}", markup=False, soft_wrap=True)


def _told(found: Mapping[str, Any]) -> str:
    if found["why_not"]:
        return f"not offered: {found['why_not']}"
    said = [f"{found['asset']}: correlation {found['correlation']} over {found['days']} days"]
    if found["safe_from"]:
        said.append(f"would wash a booked loss before {found['safe_from']}")
    if money(found["open_loss"]):
        said.append(f"would block up to {dollars(found['open_loss'])} of its own open loss")
    if found["mark_stale"]:
        said.append("its mark is too old")
    return "; ".join(said)


def _record(app: App, taxpayer: str, asset: str, candidates: tuple[str, ...], reason: str) -> None:
    fact = SimilarDeclared(
        effective_at="0001-01-01", asset=asset, candidates=candidates, reason=reason
    )
    app.record(Offer(taxpayer, DECLARED, f"similar/{asset}", fact, "command line"))

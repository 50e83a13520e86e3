"""Commands that ask what if: sell, harvest, reach a target loss, compare lot methods."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape

from domain.errors import InvalidText
from domain.exact import check, money
from domain.facts import LotPick
from infra.cli.numbers import TakesNumber, above_zero
from infra.cli.options import AsOf, KnownAt, Output, TaxpayerOption, application, view
from infra.cli.output import Format, dollars, emit_one, say_rates, show, stdout, wants_table
from infra.cli.reading import GAINS
from infra.cli.similar import print_similar
from services.harvest_all import harvest_all
from services.whatif import HypotheticalSale, check_day, sell
from services.whatif_lots import Costs
from services.whatif_methods import compare
from services.whatif_reach import reach

commands = typer.Typer(no_args_is_help=True, help="Hypothetical trades, recorded nowhere.")

Fee = Annotated[str, typer.Option("--fee", help="Fee of each sale.")]
Spread = Annotated[str, typer.Option("--spread", help="Percent of the value lost on the spread.")]
Haircut = Annotated[str, typer.Option("--haircut", help="Percent by which the mark is too high.")]
Price = Annotated[str | None, typer.Option(help="Price of one unit (default: mark).")]
Account = Annotated[str | None, typer.Option(help="Account that sells.")]

SALES = {
    "asset": "asset", "account": "account", "lot": "lot", "qty": "quantity", "price": "mark",
    "value": "value", "cost": "cost", "alone": "loss, alone",
}  # fmt: skip
METHODS = {
    "method": "method", "gain": "gain", "disallowed": "disallowed", "short": "short-term",
    "long": "long-term", "tax_now": "tax now", "carryover_created": "carryover",
    "deferral": "deferred", "from_lots": "lots",
}  # fmt: skip


@commands.command("sell", cls=TakesNumber)
def sell_command(
    asset: str,
    qty: str,
    price: Price = None,
    lots: Annotated[
        str | None, typer.Option(help="Lots to sell: LOT or LOT=QTY, separated by commas.")
    ] = None,
    account: Account = None,
    taxpayer: TaxpayerOption = None, as_of: AsOf = None, known_at: KnownAt = None,
    output: Output = Format.AUTO,
) -> None:  # fmt: skip
    """What a sale today would allow, disallow, save in tax, and block until when."""
    app = application()
    sale = _sale(asset, qty, price, account, lots)
    answer = sell(app.queries, view(app, taxpayer, as_of, known_at), sale)
    if wants_table(output):
        _print_sale(answer)
    else:
        emit_one(answer, output)


@commands.command("harvest")
def harvest_command(
    above: Annotated[str, typer.Option("--above", help="Least harvestable loss of a lot.")] = "0",
    fee: Fee = "0", spread: Spread = "0", haircut: Haircut = "0",
    taxpayer: TaxpayerOption = None, as_of: AsOf = None, known_at: KnownAt = None,
    output: Output = Format.AUTO,
) -> None:  # fmt: skip
    """What selling every lot with at least that harvestable loss would give, all together."""
    app = application()
    frame = view(app, taxpayer, as_of, known_at)
    check_day(frame)
    answer = harvest_all(
        app.queries, frame, _amount(above, "--above"), _costs(fee, spread, haircut)
    )
    if wants_table(output):
        _print_sales(answer, f"Harvest on {frame.as_of}: lots with {dollars(above)} or more")
    else:
        emit_one(answer, output)


@commands.command("reach", cls=TakesNumber)
def reach_command(
    target: Annotated[str, typer.Argument(help="Harvestable loss to be reached.")],
    fee: Fee = "0", spread: Spread = "0", haircut: Haircut = "0",
    taxpayer: TaxpayerOption = None, as_of: AsOf = None, known_at: KnownAt = None,
    output: Output = Format.AUTO,
) -> None:  # fmt: skip
    """Which lots reach a loss at the least cost (fees, spread, haircut), proved by a fold."""
    app = application()
    frame = view(app, taxpayer, as_of, known_at)
    check_day(frame)
    wanted = above_zero(target, "TARGET", "give a loss above zero")
    answer = reach(app.queries, frame, money(wanted), _costs(fee, spread, haircut))
    if wants_table(output):
        _print_sales(answer, f"Reaching a loss of {dollars(target)} on {frame.as_of}")
        said = "reached" if answer["is_reached"] else "NOT reached"
        stdout().print(f"target {said}; {answer['chosen']}", markup=False)
    else:
        emit_one(answer, output)


@commands.command("methods", cls=TakesNumber)
def methods_command(
    asset: str,
    qty: str,
    price: Price = None,
    account: Account = None,
    taxpayer: TaxpayerOption = None, as_of: AsOf = None, known_at: KnownAt = None,
    output: Output = Format.AUTO,
) -> None:  # fmt: skip
    """The same sale by FIFO, LIFO, HIFO, HIFO_LT and MIN_TAX, side by side."""
    app = application()
    sale = _sale(asset, qty, price, account, None)
    answer = compare(app.queries, view(app, taxpayer, as_of, known_at), sale)
    if not wants_table(output):
        emit_one(answer, output)
        return
    rows = [
        each | {"from_lots": ", ".join(f"{one['lot']}={one['qty']}" for one in each["lots"])}
        for each in (*answer["methods"], answer["in_force"])
    ]
    show(rows, Format.TABLE, METHODS, f"{_selling(answer['sale'])}, by method", "")
    stdout().print(f"tax by {answer['basis_of_tax']}", markup=False)
    say_rates(answer["basis_of_tax"])


def _sale(
    asset: str, qty: str, price: str | None, account: str | None, lots: str | None
) -> HypotheticalSale:
    units = above_zero(qty, "QTY", "give a quantity above zero")
    if price is not None:
        _amount(price, "--price")
    return HypotheticalSale(
        asset=asset,
        quantity=units,
        price=check(price, "--price") if price is not None else None,
        account=account,
        lots=_picks(lots, units),
    )


def _amount(text: str, what: str) -> int:
    amount = money(check(text, what))
    if amount < 0:
        raise InvalidText(what, text, "give an amount that is not negative")
    return amount


def _costs(fee: str, spread: str, haircut: str) -> Costs:
    return Costs(
        _amount(fee, "--fee"), _percent(spread, "--spread"), _percent(haircut, "--haircut")
    )


def _percent(text: str, what: str) -> int:
    share = _amount(text, what) // 100
    if share > money("1"):
        raise InvalidText(what, text, "give a percentage of at most 100")
    return share


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


def _selling(sale: dict[str, Any]) -> str:
    return (
        f"Selling {sale['qty']} {sale['asset']} in {sale['account']} at {sale['price']} "
        f"({sale['priced_by']}) on {sale['on']}"
    )


def _print_sale(answer: dict[str, Any]) -> None:
    out = stdout()
    columns = {name: title for name, title in GAINS.items() if name not in ("event", "box")}
    show(answer["rows"], Format.TABLE, columns, _selling(answer["sale"]), "")
    out.print(f"gain {dollars(answer['gain'])}, of it disallowed {dollars(answer['disallowed'])}")
    for wash in answer["washed_by"]:
        out.print(
            f"  {dollars(wash['disallowed'])} by {wash['qty']} of {wash['replacement']} in "
            f"{wash['account']}: {wash['basis']}",
            markup=False,
        )
    _print_effect(answer)
    blocks = answer["do_not_buy_until"]
    if blocks:
        out.print(
            f"do not buy group {blocks['group']} before {blocks['safe_from']}: it would disallow "
            f"up to {dollars(blocks['loss_at_risk'])}",
            markup=False,
        )
    print_similar(answer["sale"]["asset"], answer["similar"])
    _print_notes(answer)


def _print_sales(answer: dict[str, Any], title: str) -> None:
    out = stdout()
    show(answer["sales"], Format.TABLE, SALES, title, "No lot qualifies.")
    out.print(
        f"together: harvestable {dollars(answer['harvestable'])} (short "
        f"{dollars(answer['short'])}, long {dollars(answer['long'])}), blocked "
        f"{dollars(answer['blocked'])}, cost {dollars(answer['cost'])}"
    )
    for each in answer["blocked_by"]:
        out.print(
            f"  {dollars(each['disallowed'])} of {each['lot']} blocked by {each['qty']} of "
            f"{each['purchase']} in {each['account']}",
            markup=False,
        )
    _print_effect(answer)
    for each in answer["do_not_buy"]:
        out.print(
            f"do not buy group {each['group']} before {each['safe_from']}: it would disallow "
            f"up to {dollars(each['loss'])}",
            markup=False,
        )
    for each in answer["assets"]:
        if each["swap_into"]:
            out.print(f"instead of {each['asset']}: {each['swap_into']}", markup=False)
    _print_notes(answer)


def _print_effect(answer: dict[str, Any]) -> None:
    """Three things apart: saved now, carried forward, and only deferred."""
    out = stdout()
    lower = answer["deferral"]["basis_lower_by"]
    out.print(
        f"tax saved now about {dollars(answer['tax_saved_now'])} (by {answer['basis_of_tax']}), "
        f"carryover created {dollars(answer['carryover_created'])}",
        markup=False,
    )
    say_rates(answer["basis_of_tax"])
    if money(lower):
        out.print(f"deferred, not forgiven: {dollars(lower)} less basis if bought back")
    if "table_note" in answer:
        out.print(answer["table_note"], markup=False)


def _print_notes(answer: dict[str, Any]) -> None:
    for note in answer["notes"]:
        stdout().print(f"[yellow]note[/] {escape(note)}")

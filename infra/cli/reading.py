"""Reading commands: lots, gains, windows, opportunities, years, issues."""

from __future__ import annotations

from collections.abc import Iterable

from infra.cli.options import AsOf, KnownAt, Output, TaxpayerOption, application, view
from infra.cli.output import Format, say_rates, show, stdout, wants_table
from infra.cli.similar import print_similar, with_swaps
from infra.composition import App
from projections.schema import Piece
from services import held_marks

LOTS = {
    "lot": "lot", "account": "account", "asset": "asset", "qty": "quantity", "basis": "basis",
    "acquired": "held since", "long_from": "long-term from",
}  # fmt: skip
GAINS = {
    "event": "sale", "lot": "lot", "account": "account", "asset": "asset", "qty": "quantity",
    "acquired": "held since", "sold": "sold", "proceeds": "proceeds", "basis": "basis",
    "gain": "gain", "wash": "disallowed", "taxable": "taxable", "term": "term", "code": "code",
    "box": "box",
}  # fmt: skip
WINDOWS = {
    "kind": "rule", "group": "group", "safe_from": "safe from", "days_left": "days",
    "qty": "quantity", "loss": "loss at risk", "asset": "asset", "account": "account",
    "event": "because of", "on": "on",
}  # fmt: skip
OPPORTUNITIES = {
    "asset": "asset", "account": "account", "lot": "lot", "qty": "quantity", "price": "mark",
    "loss": "loss", "blocked": "blocked", "harvestable": "harvestable", "term": "term",
    "days_to_long": "days to long", "tax_saved": "tax saved", "blocked_until": "blocked until",
    "blocked_by": "by", "swap_into": "swap into",
}  # fmt: skip
YEARS = {
    "year": "year", "st": "short-term", "lt": "long-term", "net": "net", "rate28": "28 % gain",
    "deduction": "deduction", "carry_st": "carry short", "carry_lt": "carry long",
    "tax": "tax", "basis_of_tax": "by",
}  # fmt: skip
ISSUES = {"fact": "fact", "code": "code", "says": "what is wrong", "remedy": "remedy"}


def lots(
    taxpayer: TaxpayerOption = None, as_of: AsOf = None, known_at: KnownAt = None,
    output: Output = Format.AUTO,
) -> None:  # fmt: skip
    """Open lots with adjusted basis and the day they turn long-term."""
    app = application()
    frame = view(app, taxpayer, as_of, known_at)
    show(app.queries.lots(frame), output, LOTS, f"Open lots, {frame.as_of}", "No open lots.")


def gains(
    taxpayer: TaxpayerOption = None, as_of: AsOf = None, known_at: KnownAt = None,
    output: Output = Format.AUTO,
) -> None:  # fmt: skip
    """Disposals as Form 8949 has them, with disallowed losses."""
    app = application()
    frame = view(app, taxpayer, as_of, known_at)
    show(app.queries.gains(frame), output, GAINS, f"Gains to {frame.as_of}", "No disposals.")


def windows(
    taxpayer: TaxpayerOption = None, as_of: AsOf = None, known_at: KnownAt = None,
    output: Output = Format.AUTO,
) -> None:  # fmt: skip
    """Open wash-sale windows: what not to buy or sell, until when, because of which fact."""
    app = application()
    frame = view(app, taxpayer, as_of, known_at)
    rows = app.queries.windows(frame)
    show(rows, output, WINDOWS, f"Wash-sale windows, {frame.as_of}", "No open windows.")


def opportunities(
    taxpayer: TaxpayerOption = None, as_of: AsOf = None, known_at: KnownAt = None,
    output: Output = Format.AUTO,
) -> None:  # fmt: skip
    """Lots with a loss at the latest marks: harvestable, blocked, term and tax saved."""
    app = application()
    frame = view(app, taxpayer, as_of, known_at)
    rows, old = app.queries.harvest(frame)
    title = f"Harvest opportunities, {frame.as_of} (each lot as if sold alone)"
    columns = with_swaps(OPPORTUNITIES, rows)
    show(rows, output, columns, title, "No lot has a loss at the marks held.")
    if wants_table(output):
        for asset, found in {row["asset"]: row["similar"] for row in rows}.items():
            print_similar(asset, found)
        _say_bases(rows)
        _say_of_marks(app, len(old))


def years(
    taxpayer: TaxpayerOption = None, as_of: AsOf = None, known_at: KnownAt = None,
    output: Output = Format.AUTO,
) -> None:  # fmt: skip
    """Tax years: netting, the yearly limit, what is carried forward."""
    app = application()
    frame = view(app, taxpayer, as_of, known_at)
    rows = app.queries.years(frame)
    show(rows, output, YEARS, f"Tax years to {frame.as_of}", "No disposals.")
    if wants_table(output):
        _say_bases(rows)


def issues(
    taxpayer: TaxpayerOption = None, as_of: AsOf = None, known_at: KnownAt = None,
    output: Output = Format.AUTO,
) -> None:  # fmt: skip
    """Facts that do not fit and rows in quarantine, with what mends them."""
    app = application()
    frame = view(app, taxpayer, as_of, known_at)
    show(app.queries.issues(frame), output, ISSUES, "Data issues", "No data issues.")


def _say_bases(rows: Iterable[Piece]) -> None:
    for basis in {row["basis_of_tax"] for row in rows}:
        say_rates(basis)


def _say_of_marks(app: App, old: int) -> None:
    """What keeps the answer from being certain: marks too old, quotes that are none yet."""
    with app.projector.database.reading() as connection:
        held = held_marks.count_held(connection)
    if old:
        weak = "1 mark is" if old == 1 else f"{old} marks are"
        stdout().print(f"{weak} too old, or only an ask")
    if held:
        is_held = "1 quote is held" if held == 1 else f"{held} quotes are held"
        stdout().print(f"{is_held}: thresher marks held")

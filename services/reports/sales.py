"""The sales of a tax year with what every report says beside them: frame, notes, purchase days."""

from __future__ import annotations

from dataclasses import dataclass

from domain.days import day_of, iso
from domain.errors import UnsupportedLaw
from domain.exact import format_quantity, money, quantity
from domain.portfolio import Portfolio
from services.queries import Queries, View


@dataclass(frozen=True, slots=True)
class Sale:
    """One row of `thresher gains`: units of one lot that left in one event.

    `quantity` in 10**-18 units, money in 10**-36. `acquired` is column (b), with tacked days;
    `bought` the day on which the owner really got the units.
    """

    event: str
    lot: str
    account: str
    asset: str
    quantity: int
    acquired: str
    bought: str
    sold: str
    proceeds: int
    basis: int
    wash: int
    term: str
    code: str
    box: str
    chosen_by: str

    @property
    def taxable(self) -> int:
        """Column (h) of Form 8949."""
        return self.proceeds - self.basis + self.wash

    @property
    def codes(self) -> str:
        """Column (f): alphabetical, without spaces (Instructions for Form 8949)."""
        return "".join(sorted(self.code))

    @property
    def description(self) -> str:
        """Column (a)."""
        units = f"{format_quantity(self.quantity)} {self.asset}"
        return f"{units} (return of capital)" if self.is_without_units else units

    @property
    def is_without_units(self) -> bool:
        """A distribution beyond basis: gain, but no unit left (IRC 301(c)(3))."""
        return self.chosen_by == "return_of_capital"

    @property
    def is_long(self) -> bool:
        """Part II of the form."""
        return self.term == "L"


@dataclass(frozen=True, slots=True)
class TaxReturn:
    """What reports of one tax year are made from."""

    view: View
    year: int
    portfolio: Portfolio
    sales: tuple[Sale, ...]
    notes: tuple[str, ...]

    @property
    def frame(self) -> dict[str, str]:
        """Taxpayer, day, knowledge and law, as shown with a report."""
        law = self.portfolio.declared.policy.rules.version
        return self.view.frame | {"year": str(self.year), "law": law}


def tax_return(queries: Queries, view: View, year: int) -> TaxReturn:
    """The rows of `thresher gains` that were sold in `year`, in the order of the form.

    Raises UnsupportedLaw where the taxpayer's law has other forms.
    """
    portfolio = queries.portfolio(view)
    rules = portfolio.declared.policy.rules
    if not rules.has_form_8949:
        raise UnsupportedLaw(f"{rules.jurisdiction} has no such form: see thresher gains and years")
    sales = [each for each in all_sales(queries, view, portfolio) if each.sold[:4] == f"{year:04}"]
    sales.sort(key=lambda sale: (sale.box, sale.sold, sale.asset, sale.event))
    return TaxReturn(view, year, portfolio, tuple(sales), _notes(portfolio, view, year))


def all_sales(queries: Queries, view: View, portfolio: Portfolio) -> list[Sale]:
    """Every row of `thresher gains`, in its order."""
    bought = {
        (row.ref, row.lot, row.account.id): iso(row.origin)
        for book in portfolio.books.values()
        for row in book.disposals
    }
    return [
        Sale(
            event=row["event"],
            lot=row["lot"],
            account=row["account"],
            asset=row["asset"],
            quantity=quantity(row["qty"]),
            acquired=row["acquired"],
            bought=bought[row["event"], row["lot"], row["account"]],
            sold=row["sold"],
            proceeds=money(row["proceeds"]),
            basis=money(row["basis"]),
            wash=money(row["wash"]),
            term=row["term"],
            code=row["code"],
            box=row["box"],
            chosen_by=row["chosen_by"],
        )
        for row in queries.gains(view)
    ]


def _notes(portfolio: Portfolio, view: View, year: int) -> tuple[str, ...]:
    notes = []
    held = sum(issue.blocking for issue in portfolio.all_issues())
    if held:
        notes.append(f"{held} data issues are held out of every total: see thresher issues")
    final = day_of(f"{year:04}-12-31") + portfolio.declared.policy.rules.window_days
    if day_of(view.as_of) <= final:
        notes.append(
            f"purchases until {iso(final)} can still disallow losses of {year} (IRC 1091(a))"
        )
    return tuple(notes)

"""Explains a tax year: its rows, Schedule D, the carryover worksheet and the tax, line by line."""

from __future__ import annotations

from domain.disposals import Disposal
from domain.exact import cents
from domain.worksheets import carryover, schedule_d
from domain.years import TaxYear, basis_of_tax, tax_of_year
from services import statement
from services.explain.answer import Answer, Ground, NothingToExplain

_ROWS_SHOWN = 20
_SCHEDULE_D = {
    6: "short-term loss carried in",
    7: "net short-term, after line 6",
    14: "long-term loss carried in",
    15: "net long-term, after line 14",
    16: "lines 7 + 15",
    18: "28 % rate gain",
    21: "loss deducted: the smaller of the loss on line 16 and the yearly limit",
}
_CARRYOVER = {
    1: "taxable income (may be negative)",
    2: "loss deducted, Schedule D line 21",
    3: "lines 1 + 2, not below 0",
    4: "the smaller of lines 2 and 3",
    5: "loss on Schedule D line 7",
    6: "gain on Schedule D line 15",
    7: "lines 4 + 6",
    8: "short-term carryover: line 5 - line 7, not below 0",
    9: "loss on Schedule D line 15",
    10: "gain on Schedule D line 7",
    11: "line 4 - line 5, not below 0",
    12: "lines 10 + 11",
    13: "long-term carryover: line 9 - line 12, not below 0",
}


def explain_year(answer: Answer, ground: Ground, year: int) -> None:
    """The year as the return has it. Raises NothingToExplain for a year without figures."""
    found = next((each for each in statement.years(ground.portfolio) if each.year == year), None)
    if found is None:
        raise NothingToExplain(f"the year {year} has no disposal, carryover or stated figure")
    answer.is_a("tax year")
    rules = ground.portfolio.declared.policy.rules
    rows = [
        row
        for book in ground.books
        for row in book.disposals
        if rules.tax_year_of(row.sold) == year
    ]
    for is_long, name in ((False, "short-term"), (True, "long-term")):
        _say_rows(answer, [row for row in rows if row.is_long is is_long], name)
    _say_facts(answer, ground, rows)
    if rules.has_form_8949:
        _say_forms(answer, ground, found)
    else:
        _say_net(answer, found)


def _say_rows(answer: Answer, rows: list[Disposal], name: str) -> None:
    answer.groups.update(row.asset.group for row in rows)
    proceeds, basis = sum(row.proceeds for row in rows), sum(row.basis for row in rows)
    wash = sum(row.wash for row in rows)
    rules = ["cost", "term"]
    if wash:
        rules += ["wash_sale", "wash_classes"]
    if any(row.code.startswith("C") for row in rows):
        rules.append("collectible")
    answer.say(
        f"{name}: {len(rows)} rows, proceeds {cents(proceeds)} - basis {cents(basis)} + "
        f"disallowed {cents(wash)} = {cents(proceeds - basis + wash)}",
        *(rules if rows else ()),
    )


def _say_facts(answer: Answer, ground: Ground, rows: list[Disposal]) -> None:
    """The largest rows' facts, and the profile: where the figures that no trade gives are from."""
    refs = dict.fromkeys(row.ref for row in sorted(rows, key=lambda row: -abs(row.taxable)))
    answer.stands_on(*_profiles(ground), *list(refs)[:_ROWS_SHOWN])
    if len(refs) > _ROWS_SHOWN:
        answer.say(f"of {len(refs)} sales the {_ROWS_SHOWN} largest are listed as facts")


def _profiles(ground: Ground) -> list[str]:
    stated = ground.portfolio.declared.profile
    return [ref for ref, fact in ground.portfolio.decisions.items() if fact is stated]


def _say_forms(answer: Answer, ground: Ground, year: TaxYear) -> None:
    rules = ground.portfolio.declared.policy.rules
    status = ground.portfolio.declared.profile.filing_status or "single"
    answer.say(
        f"yearly limit {rules.loss_limit[status]} (filing status {status})", "netting", "carryover"
    )
    for number, amount in schedule_d(year).items():
        answer.say(f"Schedule D line {number}: {cents(amount)}  {_SCHEDULE_D[number]}")
    for number, amount in carryover(year).items():
        answer.say(f"carryover worksheet line {number}: {cents(amount)}  {_CARRYOVER[number]}")
    if year.deduction and year.taxable_income is None:
        answer.say(
            "carryover worksheet lines 1 and 3: taxable income was not stated; taken to be high "
            "enough for line 4 = line 2"
        )
    answer.say(
        f"carried into {year.year + 1}: short {cents(year.carry_short)}, long "
        f"{cents(year.carry_long)}"
    )
    _say_tax(answer, ground, year)


def _say_tax(answer: Answer, ground: Ground, year: TaxYear) -> None:
    policy = ground.portfolio.declared.policy
    total = cents(tax_of_year(year, policy))
    if year.tax is None:
        answer.from_rates = True
        answer.say(f"tax that gains and the deduction make: {total} ({basis_of_tax(year, policy)})")
        return
    for number, amount in year.tax.lines.items():
        answer.say(f"Schedule D Tax Worksheet line {number}: {cents(amount)}")
    answer.say(
        f"tax {total} = income tax {cents(year.tax.income_tax)} + net investment income tax "
        f"{cents(year.tax.niit)} ({basis_of_tax(year, policy)})",
        "brackets",
        "niit",
    )


def _say_net(answer: Answer, year: TaxYear) -> None:
    for name, amount in (year.lines or {"net": year.net}).items():
        answer.say(f"{name.replace('_', ' ')}: {cents(amount)}", "netting", "carryover")

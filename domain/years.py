"""Tax years: netting, the yearly limit, the carryover that keeps its character, tax saved.

Schedule D lines 7, 15, 16, 18, 21 and the Capital Loss Carryover Worksheet (IRC 1211(b),
1212(b), 1222). All money is in 10**-36 of the currency.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from domain.decisions import ProfileStated
from domain.disposals import Disposal, WashMatch
from domain.exact import money
from domain.policy import Policy
from domain.rules.rule_set import RuleSet
from domain.rules.us_rates import table_for
from domain.tax import Tax, return_of, tax_of

DEFAULT_RATES = "default rates"
Key = tuple[int, bool, bool]  # year, long-term, collectible


@dataclass(frozen=True, slots=True)
class TaxYear:
    """One year as the return has it; `short` and `long` are after carry-ins.

    `carried_in`: short and long losses, positive. `taxable_income` and `used`: lines 1 and 4 of
    the carryover worksheet. `tax`: by brackets, where the profile has the year's figures. Of other
    laws: `label` as they write the year, `exempt` what of the net gain bears no tax, and their own
    worksheet's `lines`.
    """

    year: int
    short: int
    long: int
    rate28: int
    deduction: int
    carry_short: int
    carry_long: int
    carried_in: tuple[int, int]
    taxable_income: int | None
    used: int
    tax: Tax | None
    label: str = ""
    exempt: int = 0
    lines: Mapping[str, int] | None = None

    @property
    def net(self) -> int:
        """Schedule D line 16."""
        return self.short + self.long


class YearSums:
    """Running sums of column (h) by year, term and collectible. Rows and matches count once.

    A sum that no row is left of is gone: a year without rows is no year.
    """

    __slots__ = ("_rows", "sums")

    def __init__(self) -> None:
        self.sums: dict[Key, int] = {}
        self._rows: dict[Key, int] = {}

    def add(
        self,
        rows: Iterable[Disposal],
        matches: Iterable[WashMatch],
        rules: RuleSet,
        sign: int = 1,
    ) -> None:
        """Adds (or with `sign` -1 takes off) rows' gains and matches' disallowed losses."""
        sums, counts = self.sums, self._rows
        for row in rows:
            key = _key(row, rules)
            sums[key] = sums.get(key, 0) + sign * (row.proceeds - row.own_basis)
            counts[key] = counts.get(key, 0) + sign
        for match in matches:
            key = _key(match.loss, rules)
            sums[key] = sums.get(key, 0) + sign * match.disallowed
            if match.into is not None and match.shifted:
                key = _key(match.into, rules)
                sums[key] = sums.get(key, 0) - sign * match.disallowed
        for key in [key for key, count in counts.items() if not count]:
            del sums[key], counts[key]


def _key(row: Disposal, rules: RuleSet) -> Key:
    return rules.tax_year_of(row.sold), row.is_long, row.asset.collectible


def merged(parts: Iterable[YearSums]) -> dict[Key, int]:
    """The sums of all books of a taxpayer together."""
    total: dict[Key, int] = {}
    for part in parts:
        for key, amount in part.sums.items():
            total[key] = total.get(key, 0) + amount
    return total


def tax_years(sums: Mapping[Key, int], profile: ProfileStated, rules: RuleSet) -> list[TaxYear]:
    """Every year from the first to the last that has rows, a carry-in or is asked for."""
    asked = _asked(sums, profile)
    return _chain(min(asked), max(asked), sums, profile, rules) if asked else []


def _asked(sums: Mapping[Key, int], profile: ProfileStated) -> set[int]:
    asked = {year for year, _, _ in sums} | set(profile.report_years)
    if profile.carry_year is not None:
        asked.add(profile.carry_year)
    return asked


def _chain(
    first: int, last: int, sums: Mapping[Key, int], profile: ProfileStated, rules: RuleSet
) -> list[TaxYear]:
    carry = (0, 0)
    years = []
    for year in range(first, last + 1):
        computed = tax_year(year, sums, _carried_into(year, carry, profile), profile, rules)
        carry = (computed.carry_short, computed.carry_long)
        years.append(computed)
    return years


def _carried_into(year: int, carry: tuple[int, int], profile: ProfileStated) -> tuple[int, int]:
    """The carryovers of the year before and those that the profile brings in."""
    if year != profile.carry_year:
        return carry
    return carry[0] + money(profile.carry_short), carry[1] + money(profile.carry_long)


def tax_year(
    year: int,
    sums: Mapping[Key, int],
    carry: tuple[int, int],
    profile: ProfileStated,
    rules: RuleSet,
) -> TaxYear:
    """One year; `carry` are the (positive) short and long losses carried in."""
    return rules.net(year, sums, carry, profile, rules)


def schedule_d_year(
    year: int,
    sums: Mapping[Key, int],
    carry: tuple[int, int],
    profile: ProfileStated,
    rules: RuleSet,
) -> TaxYear:
    """A year as Schedule D has it."""
    short = sum(sums.get((year, False, kind), 0) for kind in (False, True)) - carry[0]
    long = sum(sums.get((year, True, kind), 0) for kind in (False, True)) - carry[1]
    net = short + long
    deduction = min(max(0, -net), _limit(profile, rules))
    rate28 = 0
    if long > 0 and net > 0:  # line 17: only if lines 15 and 16 are both gains
        rate28 = max(0, sums.get((year, True, True), 0) - carry[1] + min(0, short))
    tax = None
    figures = profile.tax.get(str(year))
    if figures is not None:
        status = profile.filing_status or "single"
        gain = net if net > 0 else -deduction
        stated = return_of(figures, status, gain, max(0, min(long, net)), rate28)
        tax = tax_of(stated, table_for(year))
    income = _line_1(year, profile, tax)
    used = _used(deduction, income)
    return TaxYear(
        year=year,
        short=short,
        long=long,
        rate28=rate28,
        deduction=deduction,
        carry_short=max(0, -short - (used + max(long, 0))),
        carry_long=max(0, -long - (max(short, 0) + max(0, used - max(0, -short)))),
        carried_in=carry,
        taxable_income=income,
        used=used,
        tax=tax,
    )


def _limit(profile: ProfileStated, rules: RuleSet) -> int:
    return money(rules.loss_limit[profile.filing_status or "single"])


def _line_1(year: int, profile: ProfileStated, tax: Tax | None) -> int | None:
    """Line 1 of the carryover worksheet: taxable income as stated, else as computed."""
    stated = profile.taxable_income.get(str(year))
    if stated is not None:
        return money(stated)
    return None if tax is None else tax.taxable


def _used(deduction: int, taxable_income: int | None) -> int:
    """Line 4 of the carryover worksheet; an unknown income is taken to be high enough."""
    if taxable_income is None:
        return deduction
    return min(deduction, max(0, taxable_income + deduction))


def tax_of_year(year: TaxYear, policy: Policy) -> int:
    """The year's whole tax by brackets, or what gains make of it at the owner's two rates.

    Only differences between two of the same year mean the same thing in both cases.
    """
    return tax_at_rates(year, policy) if year.tax is None else year.tax.total


def basis_of_tax(year: TaxYear, policy: Policy) -> str:
    """By what a year's tax is computed, as it is shown beside the figure."""
    if year.tax is not None:
        return f"brackets {year.tax.table}"
    return DEFAULT_RATES if policy.has_default_rates else "owner's rates"


def tax_at_rates(year: TaxYear, policy: Policy) -> int:
    """The part of the year's tax that gains and the loss deduction make, at the owner's rates.

    An estimate: one marginal rate for short-term gains and other income, one for long-term
    gains (policy `rate_short`, `rate_long`). A net loss counts with its deduction only.
    """
    rate_short, rate_long = policy.rate_short, policy.rate_long
    if year.net <= 0:
        return -_at(year.deduction, rate_short)
    short, long = max(0, year.short), max(0, year.long)
    short -= min(short, max(0, -year.long) + year.exempt)
    long -= min(long, max(0, -year.short))
    return _at(short, rate_short) + _at(long, rate_long)


class Outlook:
    """One year as it stands, and as changes of its sums would make it.

    What is carried into it is computed once, so that many changes may be asked about.
    """

    __slots__ = ("_carry", "_policy", "_profile", "_sums", "before", "year")

    def __init__(
        self, year: int, sums: Mapping[Key, int], profile: ProfileStated, policy: Policy
    ) -> None:
        self.year = year
        self._profile, self._policy = profile, policy
        first = min(_asked(sums, profile), default=year)
        earlier = _chain(first, year - 1, sums, profile, policy.rules)
        carry = (earlier[-1].carry_short, earlier[-1].carry_long) if earlier else (0, 0)
        self._carry = _carried_into(year, carry, profile)
        self._sums = {key: amount for key, amount in sums.items() if key[0] == year}
        self.before = self.after({})

    def after(self, change: Mapping[Key, int]) -> TaxYear:
        """The year with `change` added to its sums."""
        both = dict(self._sums)
        for key, amount in change.items():
            both[key] = both.get(key, 0) + amount
        return tax_year(self.year, both, self._carry, self._profile, self._policy.rules)

    def saved(self, change: Mapping[Key, int]) -> int:
        """Tax of the year as it stands less the tax with `change`: never loss x rate."""
        after = self.after(change)
        return tax_of_year(self.before, self._policy) - tax_of_year(after, self._policy)


def tax_saved(
    year: int,
    sums: Mapping[Key, int],
    change: Mapping[Key, int],
    profile: ProfileStated,
    policy: Policy,
) -> int:
    """Tax of the year as it stands less the tax with `change` added: two whole computations."""
    return Outlook(year, sums, profile, policy).saved(change)


def _at(amount: int, rate: int) -> int:
    return amount * rate // money("1")

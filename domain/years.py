"""Tax years: netting, the yearly limit, the carryover that keeps its character, tax saved.

Schedule D lines 7, 15, 16, 18, 21 and the Capital Loss Carryover Worksheet (IRC 1211(b),
1212(b), 1222). All money is in 10**-36 of the currency.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from domain.days import year_of
from domain.decisions import ProfileStated
from domain.disposals import Disposal, WashMatch
from domain.exact import money
from domain.policy import Policy
from domain.rules.rule_set import RuleSet

Key = tuple[int, bool, bool]  # year, long-term, collectible


@dataclass(frozen=True, slots=True)
class TaxYear:
    """One year as the return has it; `short` and `long` are after carry-ins."""

    year: int
    short: int
    long: int
    rate28: int
    deduction: int
    carry_short: int
    carry_long: int

    @property
    def net(self) -> int:
        """Schedule D line 16."""
        return self.short + self.long


class YearSums:
    """Running sums of column (h) by year, term and collectible. Rows and matches count once."""

    __slots__ = ("sums",)

    def __init__(self) -> None:
        self.sums: dict[Key, int] = {}

    def add(self, rows: Iterable[Disposal], matches: Iterable[WashMatch]) -> None:
        """Adds new rows' gains and new matches' disallowed losses."""
        sums = self.sums
        for row in rows:
            key = (year_of(row.sold), row.is_long, row.asset.collectible)
            sums[key] = sums.get(key, 0) + row.proceeds - row.own_basis
        for match in matches:
            row = match.loss
            key = (year_of(row.sold), row.is_long, row.asset.collectible)
            sums[key] = sums.get(key, 0) + match.disallowed
            if match.into is not None and match.shifted:
                key = (year_of(match.into.sold), match.into.is_long, match.into.asset.collectible)
                sums[key] = sums.get(key, 0) - match.disallowed


def merged(parts: Iterable[YearSums]) -> dict[Key, int]:
    """The sums of all books of a taxpayer together."""
    total: dict[Key, int] = {}
    for part in parts:
        for key, amount in part.sums.items():
            total[key] = total.get(key, 0) + amount
    return total


def tax_years(sums: Mapping[Key, int], profile: ProfileStated, rules: RuleSet) -> list[TaxYear]:
    """Every year from the first to the last that has rows, a carry-in or is asked for."""
    asked = {year for year, _, _ in sums} | set(profile.report_years)
    if profile.carry_year is not None:
        asked.add(profile.carry_year)
    if not asked:
        return []
    carry_short = carry_long = 0
    years = []
    for year in range(min(asked), max(asked) + 1):
        if year == profile.carry_year:
            carry_short += money(profile.carry_short)
            carry_long += money(profile.carry_long)
        computed = tax_year(year, sums, (carry_short, carry_long), profile, rules)
        carry_short, carry_long = computed.carry_short, computed.carry_long
        years.append(computed)
    return years


def tax_year(
    year: int,
    sums: Mapping[Key, int],
    carry: tuple[int, int],
    profile: ProfileStated,
    rules: RuleSet,
) -> TaxYear:
    """One year; `carry` are the (positive) short and long losses carried in."""
    short = sum(sums.get((year, False, kind), 0) for kind in (False, True)) - carry[0]
    long = sum(sums.get((year, True, kind), 0) for kind in (False, True)) - carry[1]
    net = short + long
    deduction = min(max(0, -net), _limit(profile, rules))
    used = _used(deduction, profile.taxable_income.get(str(year)))
    rate28 = 0
    if long > 0 and net > 0:  # line 17: only if lines 15 and 16 are both gains
        rate28 = max(0, sums.get((year, True, True), 0) - carry[1] + min(0, short))
    return TaxYear(
        year=year,
        short=short,
        long=long,
        rate28=rate28,
        deduction=deduction,
        carry_short=max(0, -short - (used + max(long, 0))),
        carry_long=max(0, -long - (max(short, 0) + max(0, used - max(0, -short)))),
    )


def _limit(profile: ProfileStated, rules: RuleSet) -> int:
    return money(rules.loss_limit[profile.filing_status or "single"])


def _used(deduction: int, taxable_income: str | None) -> int:
    """Line 4 of the carryover worksheet; an unknown income is taken to be high enough."""
    if taxable_income is None:
        return deduction
    return min(deduction, max(0, money(taxable_income) + deduction))


def tax_at_rates(year: TaxYear, policy: Policy) -> int:
    """The part of the year's tax that gains and the loss deduction make, at the owner's rates.

    An estimate: one marginal rate for short-term gains and other income, one for long-term
    gains (policy `rate_short`, `rate_long`). A net loss counts with its deduction only.
    """
    rate_short, rate_long = policy.rate_short, policy.rate_long
    if year.net <= 0:
        return -_at(year.deduction, rate_short)
    short, long = max(0, year.short), max(0, year.long)
    short -= min(short, max(0, -year.long))
    long -= min(long, max(0, -year.short))
    return _at(short, rate_short) + _at(long, rate_long)


def tax_saved(
    year: int,
    sums: Mapping[Key, int],
    change: Mapping[Key, int],
    profile: ProfileStated,
    policy: Policy,
) -> int:
    """Tax of the year as it stands less the tax with `change` added: never loss x rate."""
    both = dict(sums)
    for key, amount in change.items():
        both[key] = both.get(key, 0) + amount
    before = year_of_many(year, sums, profile, policy.rules)
    after = year_of_many(year, both, profile, policy.rules)
    return tax_at_rates(before, policy) - tax_at_rates(after, policy)


def year_of_many(
    year: int, sums: Mapping[Key, int], profile: ProfileStated, rules: RuleSet
) -> TaxYear:
    """That year of the whole chain, so that its carry-ins count."""
    chain = tax_years(
        {**sums, (year, False, False): sums.get((year, False, False), 0)}, profile, rules
    )
    return next(each for each in chain if each.year == year)


def _at(amount: int, rate: int) -> int:
    return amount * rate // money("1")

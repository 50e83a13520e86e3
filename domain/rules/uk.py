"""United Kingdom, individuals: shares and cryptoassets by pools, with the sources of the law."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.days import day_of, iso
from domain.decisions import ProfileStated
from domain.exact import format_money, format_quantity, money
from domain.pool_books.book import pool_books
from domain.pool_books.harvest import pool_opportunities
from domain.pool_books.section_104 import SectionDisposal, section_104
from domain.pool_books.shown import shown_sections
from domain.rules.rule_set import Citation, Dated, RuleSet, in_force
from domain.years import Key, TaxYear

_CITATIONS = (
    Citation(
        "same_day",
        "All disposals of a day are one, all acquisitions of a day are one, and they are matched "
        "with each other first.",
        "TCGA 1992 s.105(1); CRYPTO22250-22257",
    ),
    Citation(
        "thirty_days",
        "Then with acquisitions in the 30 days after, earliest first; at a gain as at a loss.",
        "TCGA 1992 s.106A(5); CRYPTO22250-22257",
    ),
    Citation(
        "s104",
        "The rest comes from the pool of everything else at its average cost.",
        "TCGA 1992 s.104; CRYPTO22250-22257",
    ),
    Citation(
        "swap",
        "An exchange of tokens disposes of what is given for the value of what is received.",
        "TCGA 1992 s.21; CRYPTO22100",
    ),
    Citation(
        "fees",
        "The costs of buying and selling are allowable.",
        "TCGA 1992 s.38; CRYPTO22150",
    ),
    Citation(
        "income",
        "Units received as income cost their value that day.",
        "TCGA 1992 s.17, s.38; CRYPTO21200",
    ),
    Citation("gift", "A gift passes at market value.", "TCGA 1992 s.17, s.18"),
    Citation("inherited", "Units inherited cost their value at death.", "TCGA 1992 s.62"),
    Citation(
        "transfer",
        "A move between own accounts is no disposal; between spouses it makes neither gain nor "
        "loss (taken here at the average cost of the pool).",
        "TCGA 1992 s.58; CRYPTO22100",
    ),
    Citation(
        "split",
        "After a split the new holding stands in the shoes of the old.",
        "TCGA 1992 s.126, s.127",
    ),
    Citation(
        "return_of_capital",
        "A small capital distribution reduces the cost; what is over is gain.",
        "TCGA 1992 s.122(2), (4)",
    ),
    Citation(
        "convert",
        "A redenomination or one-to-one wrap is no event (position taken: unsettled).",
        "TCGA 1992 s.127",
    ),
    Citation(
        "abandon",
        "What is burned or lost is no disposal without a negligible value claim.",
        "TCGA 1992 s.24; CRYPTO22400",
    ),
    Citation(
        "netting",
        "Losses of the year reduce its gains in full; the annual exempt amount comes off after.",
        "TCGA 1992 s.1(3), s.1K",
    ),
    Citation(
        "carryover",
        "Losses brought forward are used only down to the annual exempt amount and never expire.",
        "TCGA 1992 s.1(3), s.1K",
    ),
    Citation("tax_day", "The tax year begins on 6 April.", "TCGA 1992 s.288(1)"),
)

EXEMPT_AMOUNTS = (  # TCGA 1992 s.1K(2) and its yearly orders; Finance Act 2023 s.8
    Dated("2014-04-06", "11000"),
    Dated("2015-04-06", "11100"),
    Dated("2017-04-06", "11300"),
    Dated("2018-04-06", "11700"),
    Dated("2019-04-06", "12000"),
    Dated("2020-04-06", "12300"),
    Dated("2023-04-06", "6000"),
    Dated("2024-04-06", "3000"),
)


def exempt_amount(year: int) -> int:
    """Annual exempt amount of the tax year that begins in `year`, money in 10**-36."""
    return money(in_force(EXEMPT_AMOUNTS, day_of(f"{year:04d}-04-06")))


def net_year(
    year: int,
    sums: Mapping[Key, int],
    carry: tuple[int, int],
    profile: ProfileStated,
    rules: RuleSet,
) -> TaxYear:
    """A year's net gain, with losses brought forward down to the exempt amount."""
    own = sum(amount for key, amount in sums.items() if key[0] == year)
    brought = sum(carry)
    exempt = exempt_amount(year)
    used = min(brought, max(0, own - exempt))
    net = own - used
    forward = brought - used + max(0, -own)
    taken = min(exempt, max(0, net))
    return TaxYear(
        year=year,
        short=net,
        long=0,
        rate28=0,
        deduction=0,
        carry_short=forward,
        carry_long=0,
        carried_in=carry,
        taxable_income=None,
        used=used,
        tax=None,
        label=rules.year_label(year),
        exempt=taken,
        lines={
            "net_of_the_year": own,
            "losses_brought_forward": brought,
            "losses_used": used,
            "annual_exempt_amount": exempt,
            "taxable_gain": max(0, net) - taken,
            "losses_carried_forward": forward,
        },
    )


def _shown(row: SectionDisposal) -> dict[str, Any]:
    return {
        "asset": row.ring.group,
        "date": iso(row.day),
        "qty": format_quantity(row.quantity),
        "proceeds": format_money(row.proceeds),
        "cost": format_money(row.cost),
        "gain": format_money(row.proceeds - row.cost),
        "provisional": row.is_provisional,
        "matches": [
            {
                "rule": piece.rule,
                "qty": format_quantity(piece.units // row.scale),
                "cost": format_money(piece.cost),
            }
            for piece in row.pieces
        ],
    }


UK = RuleSet(
    jurisdiction="UK",
    version="uk-2026-11",
    currency="GBP",
    books=pool_books(section_104, pool_opportunities),
    net=net_year,
    citations={row.rule: row for row in _CITATIONS},
    sections=shown_sections("uk", _shown, "cost"),
    year_start=(4, 6),
    window_days=30,  # TCGA 1992 s.106A(5)
    exchange="LSE",
    has_terms=False,
)

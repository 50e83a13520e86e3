"""United States, federal, individuals: the dated law that the engine applies, with sources."""

from __future__ import annotations

from domain.days import day_of
from domain.rules.rule_set import Citation, Dated, RuleSet

_CITATIONS = (
    Citation(
        "fifo",
        "Without an adequate identification the earliest units are sold.",
        "Reg. 1.1012-1(c)(1)(i), (j)(1), (j)(3)(i)",
    ),
    Citation(
        "standing_order",
        "A standing order identifies the units at the time of sale; it acts forward only.",
        "Reg. 1.1012-1(c)(8), (j)(3)(ii), (j)(4)",
    ),
    Citation(
        "specific",
        "The units identified in time are the units sold.",
        "Reg. 1.1012-1(c)(2)-(3), (j)(2), (j)(3)",
    ),
    Citation(
        "inadequate",
        "An identification that is late, names units not in the wallet, or "
        "more units than the lot holds, is none: the account's method applies.",
        "Reg. 1.1012-1(j)(1)-(3)",
    ),
    Citation(
        "books_at_broker",
        "Own books identify units in a broker's custody only until the relief ends.",
        "Notice 2025-7; Notice 2026-20 sec. 3.03, 4.02, 5",
    ),
    Citation(
        "per_wallet",
        "Basis is kept account by account and wallet by wallet.",
        "IRC 1012(c)(1); Reg. 1.1012-1(j)",
    ),
    Citation(
        "cost",
        "Basis is the price plus the fee; proceeds are the price less the fee.",
        "IRC 1001(b), 1012; Reg. 1.1001-7(b), 1.1012-1(h)",
    ),
    Citation(
        "swap",
        "An exchange disposes of what is given for the value received; costs fall "
        "on what is given up.",
        "IRC 1001; Reg. 1.1001-7(b)(1)(ii), 1.1012-1(h)(2)(ii)",
    ),
    Citation(
        "income",
        "Units received as income have their value as basis.",
        "Notice 2014-21 A-3, A-4, A-8; Rev. Rul. 2019-24; Rev. Rul. 2023-14",
    ),
    Citation(
        "gift",
        "A gift keeps the donor's basis and date for a gain; for a loss the lower "
        "value on the day of the gift counts, held from then.",
        "IRC 1015(a), 1223(2); Reg. 1.1015-1(a)(2)",
    ),
    Citation(
        "inherited",
        "Inherited units have the value at death as basis and are long-term.",
        "IRC 1014, 1223(9)",
    ),
    Citation(
        "transfer",
        "A move between own accounts changes neither basis nor date; coins that "
        "pay the network are disposed of.",
        "Reg. 1.1012-1(j)(1); Reg. 1.1001-7",
    ),
    Citation(
        "split",
        "A split spreads the basis over the new units and keeps the date.",
        "IRC 305(a), 307(a)",
    ),
    Citation(
        "return_of_capital",
        "A nondividend distribution reduces the basis share by share; the excess is gain.",
        "IRC 301(c)(2)-(3)",
    ),
    Citation(
        "convert",
        "A redenomination or one-to-one wrap is no event; basis and date stay "
        "(position taken: unsettled).",
        "Notice 2024-57",
    ),
    Citation(
        "abandon",
        "A burned or abandoned unit is no capital loss; nothing is deductible.",
        "CCA 202302011; IRC 67(g)",
    ),
    Citation(
        "worthless",
        "A worthless security counts as sold for nothing on 31 December.",
        "IRC 165(g)(1)",
    ),
    Citation(
        "term",
        "Long-term is held for more than one year, counted in calendar months from "
        "the day after acquisition.",
        "IRC 1222(1)-(4); Rev. Rul. 66-7",
    ),
    Citation(
        "wash_sale",
        "A loss is disallowed as far as substantially identical units are "
        "bought within 30 days before or after, share for share, earliest first.",
        "IRC 1091(a); Reg. 1.1091-1(a)-(d)",
    ),
    Citation(
        "wash_basis",
        "The disallowed loss joins the basis of the replacement, and the days "
        "the sold units were held are added to its own.",
        "IRC 1091(d), 1223(3); Reg. 1.1091-2",
    ),
    Citation(
        "wash_ira",
        "A replacement bought in an IRA or like plan kills the loss: no basis is increased.",
        "Rev. Rul. 2008-5",
    ),
    Citation(
        "wash_related",
        "Purchases of a spouse or a controlled entity count; whether their "
        "basis takes the loss is a position taken (unsettled).",
        "Pub. 550, Wash Sales",
    ),
    Citation(
        "wash_once",
        "A unit absorbs one loss; units of the same purchase as the units sold are no replacement.",
        "Reg. 1.1091-1(e); Rev. Rul. 56-602",
    ),
    Citation(
        "wash_classes",
        "Wash sales concern stock and securities, tokenized ones with their "
        "underlying; coins and NFTs only by election or future law.",
        "IRC 1091(a); T.D. 10000; Notice 2014-21",
    ),
    Citation(
        "netting",
        "Short and long net apart, then together; a net loss deducts at most "
        "$3,000 ($1,500 married filing separately) of other income.",
        "IRC 1211(b), 1222; Schedule D lines 7, 15, 16, 21",
    ),
    Citation(
        "carryover",
        "The rest is carried forward and keeps its character, short-term used first.",
        "IRC 1212(b); Capital Loss Carryover Worksheet",
    ),
    Citation(
        "collectible",
        "A collectible held over a year is in the 28 % group.",
        "IRC 1(h)(4)-(5), 408(m); Notice 2023-27",
    ),
)

US = RuleSet(
    jurisdiction="US",
    version="us-2026-11",
    currency="USD",
    window_days=30,  # IRC 1091(a): 30 days before or after
    loss_limit={"single": "3000", "mfj": "3000", "hoh": "3000", "mfs": "1500"},  # IRC 1211(b)
    books_suffice_at_broker_until=day_of("2026-12-31"),  # Notice 2026-20 sec. 5
    settlement_days=(  # 17 CFR 240.15c6-1
        Dated("0001-01-01", 5),
        Dated("1995-06-07", 3),
        Dated("2017-09-05", 2),
        Dated("2024-05-28", 1),
    ),
    per_wallet_from=day_of("2025-01-01"),  # Reg. 1.1012-1(j); Rev. Proc. 2024-28
    digital_boxes_from=day_of("2025-01-01"),  # Form 8949 (2025), boxes G-L
    citations={row.rule: row for row in _CITATIONS},
)

"""United States, federal, individuals: the dated law that the engine applies, with sources."""

from __future__ import annotations

from domain.days import day_of
from domain.lot_books import LOTS
from domain.rules.rule_set import Citation, Dated, RuleSet
from domain.years import schedule_d_year

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
    Citation(
        "brackets",
        "Tax by rate schedule; long-term gains and qualified dividends at 0, 15 and 20 %, "
        "collectibles at no more than 28 %.",
        "IRC 1(h), (j); Schedule D Tax Worksheet",
    ),
    Citation(
        "niit",
        "3.8 % of the smaller of net investment income and of modified adjusted gross income "
        "over the threshold.",
        "IRC 1411",
    ),
    Citation(
        "option",
        "An exercised option's basis joins the cost of the shares, held from the day after; a "
        "loss deferred into the option moves along. One that expires is sold for nothing.",
        "IRC 1091(a), 1234(a); Reg. 1.1091-1(e); Pub. 550, Options",
    ),
    Citation(
        "short_sale",
        "A short sale is complete when it is closed; a loss is disallowed by sales around the "
        "close, or counts as of the opening if the units were owned then.",
        "IRC 1091(e); Reg. 1.1091-1(g), 1.1233-1(a)",
    ),
    Citation(
        "universal_pool",
        "Basis that was kept in one pool is allocated to wallets as of 1 January 2025.",
        "Rev. Proc. 2024-28",
    ),
    Citation(
        "marked_to_market",
        "Losses of a trader's account under an election are outside the wash-sale rule; its "
        "purchases still replace.",
        "IRC 475(f)(1)(D)",
    ),
    Citation(
        "tax_day",
        "The tax day of an instant is its date in one consistent zone; of an exchange trade the "
        "trade date.",
        "T.D. 10000, 89 FR 56501-02; Pub. 550, Holding Period",
    ),
    Citation(
        "matching_order",
        "Over all accounts the earliest purchase is matched first, unit by unit of the group as "
        "adjusted for splits and ratios.",
        "Convention, from Reg. 1.1091-1(c)-(d)",
    ),
    Citation(
        "method_order",
        "HIFO, HIFO_LT and MIN_TAX sell in an order of their own; ties go to the earliest.",
        "Convention, for a standing order under Reg. 1.1012-1(c)(8), (j)(4)",
    ),
    Citation(
        "fee_first",
        "Coins that pay for a move leave the wallet before the coins that move.",
        "Convention, from Reg. 1.1012-1(j)(3)(iii)",
    ),
    Citation(
        "settlement_weekdays",
        "Settlement is counted in weekdays: exchange holidays are not known.",
        "Convention, from 17 CFR 240.15c6-1",
    ),
    Citation(
        "cents",
        "Amounts are exact; they are rounded half up, to the cent, where they are shown.",
        "Convention",
    ),
)

US = RuleSet(
    jurisdiction="US",
    version="us-2026-11",
    currency="USD",
    books=LOTS,
    net=schedule_d_year,
    has_form_8949=True,
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

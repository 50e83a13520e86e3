"""Positions: every switch of the policy as a question, with default, other answers and source.

What explanations and docs/RULES.md say of a position comes from here; what it does is in the
code that reads it (decision 0009 has the exact meaning of each).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Position:
    """One switch of `domain.policy.Policy`.

    `others` maps each other answer to what it means. `rules` are the citations it bears on.
    `unsettled`: the law leaves it open; otherwise the law gives the taxpayer the choice.
    `source` is the law or guidance that the question turns on.
    """

    name: str
    question: str
    default: str
    meaning: str
    others: dict[str, str]
    source: str
    rules: tuple[str, ...]
    unsettled: bool = True


_ROWS = (
    Position(
        "wash_sale",
        "Which asset classes are under the wash-sale rule?",
        "current",
        "stock, fund, option and tokenized security; coins and NFTs are not",
        {"conservative": "coins and NFTs too; any dated list of classes can be stated instead, and "
         "the one in force on the day of the loss governs"},
        "IRC 1091(a); Notice 2014-21; T.D. 10000",
        ("wash_sale", "wash_classes"),
    ),
    Position(
        "earlier_lots",
        "Is a purchase made before that of the sold units, but within 30 days before the sale, a "
        "replacement?",
        "count",
        "it is: the literal text",
        {"ignore": "it is not"},
        "IRC 1091(a); Reg. 1.1091-1",
        ("wash_sale",),
    ),
    Position(
        "sold_replacements",
        "Are units bought in the 30 days before a loss, but sold again before it, replacements?",
        "ignore",
        "no: they were gone before there was a loss",
        {"count": "yes, in their place of the order; the disallowed loss becomes basis on the row "
         "on which they left"},
        "IRC 1091(a); Reg. 1.1091-1(c)-(d)",
        ("wash_sale",),
    ),
    Position(
        "full_exit",
        "When everything of a group is sold at once, do its units replace each other?",
        "match",
        "yes; in total the loss is the same, the term may differ",
        {"allow": "no, if after the sale no account holds anything of the group"},
        "IRC 1091(a); Rev. Rul. 56-602",
        ("wash_sale", "wash_once"),
    ),
    Position(
        "gain_units",
        "Do units sold at a gain use up replacements?",
        "skip",
        "no: only units sold at a loss look for a match",
        {"in_order": "yes, in the order of sale, but nothing moves"},
        "Reg. 1.1091-1(c)-(e); Rev. Rul. 70-231",
        ("wash_sale", "wash_once"),
    ),
    Position(
        "replacement_order",
        "Of several replacements that a loss finds, which comes first?",
        "time",
        "the earliest purchase, in whatever account",
        {"taxable_first": "those in taxable accounts before those in retirement accounts"},
        "Reg. 1.1091-1(c)-(d); Rev. Rul. 2008-5",
        ("wash_sale", "wash_ira"),
    ),
    Position(
        "spouse_basis",
        "Does a loss disallowed by the spouse's purchase join the spouse's basis?",
        "shift",
        "yes",
        {"none": "no: nobody's basis takes it"},
        "IRC 1091(d); Pub. 550, Wash Sales",
        ("wash_related",),
    ),
    Position(
        "entity_basis",
        "Does a loss disallowed by the purchase of a company one controls join its basis?",
        "none",
        "no: nobody's basis takes it",
        {"shift": "yes"},
        "IRC 1091(d); Pub. 550, Wash Sales",
        ("wash_related",),
    ),
    Position(
        "income_is_acquisition",
        "Are units received as income (staking, airdrop, an award) replacements?",
        "true",
        "yes: a receipt taxed at its value is an acquisition",
        {"false": "no"},
        "IRC 1091(a); Pub. 550, Wash Sales, Example 2",
        ("wash_sale", "income"),
    ),
    Position(
        "overlap_days",
        "How long is the tacked holding period when the replacement was bought before the sale?",
        "add",
        "all days the sold units were held are added, the overlap too: the literal text",
        {"once": "days on which both were held count once"},
        "IRC 1223(3)",
        ("wash_basis", "term"),
    ),
    Position(
        "sub_lots",
        "Which part of a lot goes first when wash sales have divided it?",
        "tacked_first",
        "the part with the earlier tacked date",
        {"pro_rata": "a part of each, in proportion (FIFO and LIFO)"},
        "Reg. 1.1012-1(c), 1.1091-2",
        ("fifo", "standing_order", "inadequate"),
    ),
    Position(
        "pool",
        "How was the basis of digital assets pooled before 2025?",
        "account",
        "account by account and wallet by wallet, as since 2025",
        {"universal_before_2025": "one pool until 31 December 2024, then handed out to the wallets "
         "under Rev. Proc. 2024-28"},
        "IRC 1012(c)(1); Rev. Proc. 2024-28",
        ("per_wallet", "fifo", "standing_order", "specific", "inadequate"),
        unsettled=False,
    ),
    Position(
        "self_custody_pool",
        "Are the taxpayer's own wallets one pool of basis?",
        "wallet",
        "no: each wallet is its own (Example 2; 89 FR 56526-27)",
        {"one": "yes: the text speaks of units not held in the custody of a broker"},
        "Reg. 1.1012-1(j)(1)",
        ("per_wallet", "fifo", "standing_order", "specific", "inadequate"),
    ),
    Position(
        "wrap",
        "Is a one-to-one wrap, bridge or migration a taxable exchange?",
        "no_event",
        "no: basis and date stay",
        {"swap": "yes, at the value received"},
        "IRC 1001; Notice 2024-57",
        ("convert",),
    ),
    Position(
        "transfer_fee",
        "Is the value of coins that pay for a move added to the basis of what moved?",
        "disposal_only",
        "no: the fee coins are disposed of, and that is all",
        {"add_to_basis": "yes, by units"},
        "Reg. 1.1001-7(b), 1.1012-1(h)",
        ("transfer",),
    ),
    Position(
        "abandonment",
        "What is a coin or NFT that was burned or abandoned?",
        "nothing",
        "nothing deductible",
        {"ordinary": "an ordinary loss, listed apart, in no capital total",
         "capital": "sold for nothing on that day"},
        "CCA 202302011; IRC 165, 67(g)",
        ("abandon",),
    ),
    Position(
        "digital_art",
        "Is an NFT of digital art a collectible where nobody said so?",
        "ask",
        "the question is listed at its first long-term sale; until answered it is none",
        {"collectible": "yes", "not_collectible": "no"},
        "IRC 408(m); Notice 2023-27",
        ("collectible",),
    ),
    Position(
        "time_zone",
        "In which zone is the tax day of an instant counted?",
        "UTC",
        "UTC",
        {"any IANA zone": "that one, for the whole history"},
        "T.D. 10000, 89 FR 56501-02",
        ("term", "wash_sale"),
    ),
    Position(
        "lot_method",
        "In which order are lots sold when none was identified?",
        "FIFO",
        "the earliest first",
        {"LIFO, HIFO, HIFO_LT, MIN_TAX": "by a standing order of the owner"},
        "Reg. 1.1012-1(c)(8), (j)(4)",
        ("fifo", "standing_order"),
        unsettled=False,
    ),
    Position(
        "rates",
        "At which rates is tax estimated in a year without figures of the return?",
        "0.35 short, 0.15 long",
        "the owner's marginal rates",
        {"any": "any two shares between 0 and 1; figures in the profile bring brackets instead"},
        "convention",
        (),
        unsettled=False,
    ),
    Position(
        "pool_pieces",
        "Are the pieces of one lot that wash sales made kept apart?",
        "false",
        "yes: share by share, exactly",
        {"true": "no: pieces of one acquisition and date share their basis, and no more than 367 "
         "days are tacked (long-term in any case), which bounds how many there are"},
        "IRC 1091(d); Pub. 550, Wash Sales",
        ("wash_basis",),
    ),
)  # fmt: skip
POSITIONS = {row.name: row for row in _ROWS}

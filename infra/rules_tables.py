"""The tables of docs/RULES.md, each made from the data that the engine itself reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from domain.accounts import OWNERS, account
from domain.assets import ASSET_CLASSES, Asset, AssetClass
from domain.days import iso
from domain.disposals import Disposal, box
from domain.elections import default_policy
from domain.exact import ONE_UNIT, grouped
from domain.lot_methods import LOT_METHODS
from domain.policy import CONSERVATIVE, CURRENT_LAW
from domain.rules.positions import POSITIONS
from domain.rules.registry import RULE_SETS
from domain.rules.us import US
from domain.rules.us_rates import US_TAX_TABLES, TaxTable

_METHODS = {
    "FIFO": "the earliest acquired first; of one day, in their order; of one lot, the earlier "
    "tacked date",
    "LIFO": "the latest acquired first",
    "HIFO": "the highest adjusted basis of a unit first; ties FIFO",
    "HIFO_LT": "units at a loss first, highest basis first; then long-term gains, then short-term "
    "gains, highest basis first (a convention)",
    "MIN_TAX": "ascending (price - basis) x rate of the unit's term; ties FIFO (a convention)",
}
_KINDS = {
    "taxable": "gains and losses are on the return",
    "ira": "no rows; a purchase here kills a loss",
    "roth_ira": "as an IRA",
    "401k": "as an IRA, by analogy",
    "hsa": "as an IRA, by analogy",
}
_OWNERS = {
    "self": "you",
    "spouse": "your spouse: rows are on the joint return, purchases replace",
    "entity": "a company you control: no rows, purchases replace",
}
_STATUSES = {
    "single": "single", "mfj": "married, joint", "mfs": "married, separate",
    "hoh": "head of household",
}  # fmt: skip


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(_cell(each) for each in line) + " |" for line in lines)


def citations() -> str:
    """Every rule of every jurisdiction with its source."""
    parts = []
    for name, rules in RULE_SETS.items():
        rows = [(f"`{c.rule}`", c.says, c.source) for c in rules.citations.values()]
        parts.append(f"### {name} ({rules.version})\n\n" + table(("rule", "says", "source"), rows))
    return "\n\n".join(parts)


def positions() -> str:
    """Every switch with its default and its other answers."""
    rows = [
        (
            f"`{each.name}`",
            each.question,
            f"`{each.default}`: {each.meaning}",
            "; ".join(f"`{name}`: {says}" for name, says in each.others.items()),
            "open" if each.unsettled else "a choice",
            each.source,
        )
        for each in POSITIONS.values()
    ]
    return table(("position", "question", "default", "other answers", "law", "turns on"), rows)


def asset_classes() -> str:
    """The classes by what they are in law."""
    rows = [
        (
            f"`{each.name}`",
            _yes(each.name in CURRENT_LAW),
            _yes(each.name in CONSERVATIVE),
            "until the disposal" if not each.identify_until_settlement else "until settlement",
            "a sale for 0 on 31 December" if each.worthless_is_sale else "no event",
            _yes(each.may_be_collectible),
            iso(each.covered_from),
        )
        for each in ASSET_CLASSES.values()
    ]
    headings = (
        "class", "wash sales today", "under `conservative`", "lots may be identified",
        "when worthless", "may be a collectible", "basis reported for units bought from",
    )  # fmt: skip
    return table(headings, rows)


def account_kinds() -> str:
    """Kinds and owners."""
    kinds = [(f"`{name}`", says) for name, says in _KINDS.items()]
    owners = [(f"`{name}`", _OWNERS[name]) for name in _OWNERS if name in OWNERS]
    return table(("kind", "effect"), kinds) + "\n\n" + table(("owner", "who"), owners)


def lot_methods() -> str:
    """The lot methods on offer."""
    return table(("method", "sells"), [(f"`{name}`", _METHODS[name]) for name in LOT_METHODS])


def wash_versions() -> str:
    """The dated list of classes that holds by default."""
    rows = [
        ("from the beginning" if since <= 1 else iso(since), ", ".join(sorted(classes)))
        for since, classes in default_policy().wash_versions
    ]
    return table(("losses from", "classes under the rule"), rows)


def settlement() -> str:
    """Days between trade and settlement: how long a lot may be identified."""
    rows = [
        ("the beginning" if each.since < "1900" else each.since, str(each.value))
        for each in US.settlement_days
    ]
    return table(("trades from", "business days"), rows)


def loss_limits() -> str:
    """The yearly limit by jurisdiction and filing status."""
    rows = [
        (name, _STATUSES.get(status, status), grouped(int(limit) * 10**36))
        for name, rules in RULE_SETS.items()
        for status, limit in rules.loss_limit.items()
    ]
    return table(("law", "filing status", "net loss deducted in a year"), rows)


def boxes() -> str:
    """Form 8949 boxes, asked of the engine case by case."""
    first = US.digital_boxes_from
    rows = []
    for is_digital, what, sold, when in (
        (False, "security", first, "any day"),
        (True, "digital asset", first - 1, f"before {iso(first)}"),
        (True, "digital asset", first, f"from {iso(first)}"),
    ):
        its = next(each for each in ASSET_CLASSES.values() if each.is_digital is is_digital)
        cases = (("broker", True), ("broker", False), ("self", False))
        found = [
            " / ".join(_box(its, sold, custody, covered, long) for long in (False, True))
            for custody, covered in cases
        ]
        rows.append((what, when, *found))
    headings = ("asset", "sold", "broker, basis reported", "broker, no basis", "no statement")
    return table(headings, rows)


def brackets() -> str:
    """Rates of the income tax, breakpoints of gains and of IRC 1411, year by year."""
    return "\n\n".join(_year(each) for each in US_TAX_TABLES)


def _year(of: TaxTable) -> str:
    rows = []
    for status, name in _STATUSES.items():
        steps = "; ".join(f"{rate} % from {_dollars(since)}" for since, rate in of.brackets[status])
        gains = f"0 % to {_dollars(of.zero_up_to[status])}, 15 % to " + _dollars(
            of.fifteen_up_to[status]
        )
        rows.append((name, steps, gains, _dollars(of.niit_from[status])))
    headings = ("filing status", "taxable income", "long-term gains", "3.8 % from")
    return f"### {of.year}\n\n{table(headings, rows)}\n\nSource: {of.source}."


def _box(its: AssetClass, sold: int, custody: str, covered: bool, is_long: bool) -> str:
    """The box of a sale in a case; the units were bought as late as can be."""
    origin = its.covered_from
    row = Disposal(
        serial=0, ref="", lot="", account=account("", "taxable", "self", custody, frozenset()),
        asset=Asset("", its, ""), quantity=ONE_UNIT, proceeds=0, own_basis=0, acquired=origin,
        sold=sold, origin=origin, order=0, is_long=is_long, covered=covered, inherited=False,
        chosen_by="fifo",
    )  # fmt: skip
    return box(row, US)


def _dollars(amount: int) -> str:
    return grouped(amount).removesuffix(".00")


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


TABLES: dict[str, Callable[[], str]] = {
    "citations": citations,
    "positions": positions,
    "asset classes": asset_classes,
    "account kinds": account_kinds,
    "lot methods": lot_methods,
    "wash-sale versions": wash_versions,
    "settlement": settlement,
    "loss limits": loss_limits,
    "boxes": boxes,
    "brackets": brackets,
}

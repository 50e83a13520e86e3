"""Disposals: the rows of the return, with term, adjustment code and Form 8949 box."""

from __future__ import annotations

import msgspec

from domain.accounts import Account
from domain.assets import Asset
from domain.days import iso
from domain.lots import INHERITED
from domain.rules.rule_set import RuleSet

_DIGITAL_BOXES = ("G", "H", "I", "J", "K", "L")
_SECURITY_BOXES = ("A", "B", "C", "D", "E", "F")


class Disposal(msgspec.Struct, gc=False, eq=False):
    """Units of one lot that left in one event, by a taxable account of self or spouse.

    Money in 10**-36: `basis` is adjusted, `wash` the disallowed loss (positive). `quantity` in
    10**-18 units. `open_quantity` and `open_loss` are what no replacement has matched yet
    (zero when the asset is not under the wash-sale rule). `chosen_by` names the rule that
    identified the units. `own_basis` is what the units had when they left; `moved_in` what a later
    loss added by the position `sold_replacements`. `opened`: the day a short sale was opened whose
    closing counts as a sale on that day (Reg. 1.1091-1(g)), else 0; `short_ref` the short sale.
    """

    serial: int
    ref: str
    lot: str
    account: Account
    asset: Asset
    quantity: int
    proceeds: int
    own_basis: int
    acquired: int
    sold: int
    origin: int
    order: int
    is_long: bool
    covered: bool
    inherited: bool
    chosen_by: str
    wash: int = 0
    open_quantity: int = 0
    open_loss: int = 0
    wash_classes: frozenset[str] = frozenset()
    moved_in: int = 0
    opened: int = 0
    short_ref: str = ""

    @property
    def basis(self) -> int:
        """Adjusted basis."""
        return self.own_basis + self.moved_in

    @property
    def loss_day(self) -> int:
        """The day that the 61 days lie around."""
        return self.opened or self.sold

    @property
    def is_loss(self) -> bool:
        """Sold for less than the basis that the units left with."""
        return self.proceeds < self.own_basis

    @property
    def gain(self) -> int:
        """Proceeds less basis, before any disallowance."""
        return self.proceeds - self.own_basis - self.moved_in

    @property
    def taxable(self) -> int:
        """Column (h) of Form 8949: gain plus disallowed loss."""
        return self.gain + self.wash

    @property
    def acquired_text(self) -> str:
        """Column (b) of Form 8949."""
        return INHERITED if self.inherited else iso(self.acquired)

    @property
    def term(self) -> str:
        """L or S."""
        return "L" if self.is_long else "S"

    @property
    def code(self) -> str:
        """Column (f): C for a long-term collectible, W for a wash sale, in that order."""
        collectible = "C" if self.asset.collectible and self.is_long else ""
        return collectible + ("W" if self.wash else "")


class Departure(msgspec.Struct, gc=False, eq=False):
    """Units or basis that left without a row: kind gift, abandoned,
    ordinary_loss, not_reported, returned or exercised."""

    kind: str
    ref: str
    lot: str
    asset: Asset
    quantity: int
    basis: int


class WashMatch(msgspec.Struct, gc=False, eq=False):
    """Units of a loss and the replacement units that disallowed it.

    `quantity` counts replacement units, `loss_quantity` sold units. `shifted`: the disallowed
    loss joined the replacement's basis; otherwise it is lost (IRA) or kept apart (entity).
    `into`: the row on which the replacement units had left already (position `sold_replacements`).
    """

    loss: Disposal
    replacement: str
    account: Account
    asset: Asset
    bought: int
    quantity: int
    loss_quantity: int
    disallowed: int
    tacked_days: int
    shifted: bool
    into: Disposal | None = None


class Rewound(msgspec.Struct, frozen=True):
    """What a rewind took back: all rows after the first `kept_rows` and, of each group, all
    matches after the first `kept_matches`. `serial` is the first serial that is free again,
    `changed` are rows that stay but were set back.
    """

    serial: int
    kept_rows: int
    rows: tuple[Disposal, ...]
    kept_matches: dict[str, int]
    matches: dict[str, tuple[WashMatch, ...]]
    changed: tuple[Disposal, ...]


def box(row: Disposal, rules: RuleSet) -> str:
    """Form 8949 box: reported with basis, reported without, not reported; short then long.

    Empty where the law has no such form.
    """
    if not rules.has_form_8949:
        return ""
    asset_class = row.asset.asset_class
    is_sale = row.chosen_by != "return_of_capital"  # a 1099-DIV reports that, not a 1099-B
    at_broker = is_sale and row.account.custody == "broker"
    boxes = _SECURITY_BOXES
    if asset_class.is_digital:
        if row.sold < rules.digital_boxes_from:
            at_broker = False
        else:
            boxes = _DIGITAL_BOXES
    covered = row.covered and row.origin >= asset_class.covered_from
    column = 2 if not at_broker else 0 if covered else 1
    return boxes[column + (3 if row.is_long else 0)]

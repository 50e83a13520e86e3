"""Reading entries into steps of pools; what no wallet covers or no value states is an issue."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from domain.entries import Entry, Issue
from domain.exact import format_quantity
from domain.policy import Policy
from domain.pool_books.steps import Ring, Scales, Step, Wallets, ring_of

SPOUSES = frozenset({"self", "spouse"})
_MEND = "record the missing acquisition or transfer, or correct this fact"
_AT_VALUE = "correct it to a `spend` with the market value of that day as its amount"
_MOVED_AT_VALUE = "record a `spend` and a `buy` at the market value of that day instead"


class Reading:
    """Entries of a book read in order; `steps`, `issues`, `incomes` and `left` come of it."""

    def __init__(self, policy: Policy, entries: Sequence[Entry]) -> None:
        self.policy = policy
        self.scales = Scales(entries)
        self.wallets = Wallets()
        self.steps: list[Step] = []
        self.issues: list[Issue] = []
        self.incomes: list[Entry] = []
        for entry in entries:
            _READERS.get(entry.kind, _unknown)(self, entry)

    def step(self, kind: str, entry: Entry, quantity: int, amount: int = 0) -> Step:
        """Adds a step of `quantity` units of the entry's asset."""
        scale = self.scales.of(entry.asset)
        ring = ring_of(entry.account, entry.asset)
        step = Step(kind, entry, ring, quantity * scale, scale, quantity, amount)
        self.steps.append(step)
        return step

    def covers(self, entry: Entry, quantity: int) -> bool:
        """Whether the account holds `quantity`; otherwise a blocking issue."""
        held = self.wallets.of(entry.account, entry.asset)
        if held < quantity:
            self.issue(
                entry,
                "insufficient_units",
                f"{entry.kind} of {format_quantity(quantity)} {entry.asset.id}, but account "
                f"{entry.account.id} held {format_quantity(held)} then",
                _MEND,
            )
        return held >= quantity

    def issue(self, entry: Entry, code: str, says: str, remedy: str, blocking: bool = True) -> None:
        """Lists what its owner should mend."""
        self.issues.append(Issue(entry.ref, code, says, remedy, blocking))

    def takes(self, kind: str, entry: Entry, quantity: int, amount: int = 0) -> None:
        """Units leave the account, by a step of that kind."""
        self.wallets.add(entry.account, entry.asset, -quantity)
        self.step(kind, entry, quantity, amount)


Reader = Callable[[Reading, Entry], None]


def _bought(book: Reading, entry: Entry) -> None:
    book.wallets.add(entry.account, entry.asset, entry.quantity)
    book.step("in", entry, entry.quantity, entry.amount + entry.fee)


def _at_value(book: Reading, entry: Entry) -> None:
    """Received for no money: the market value of that day is the cost."""
    book.wallets.add(entry.account, entry.asset, entry.quantity)
    book.step("in", entry, entry.quantity, entry.amount)
    if entry.kind == "income" and ring_of(entry.account, entry.asset).is_own:
        book.incomes.append(entry)


def _sold(book: Reading, entry: Entry) -> None:
    if book.covers(entry, entry.quantity):
        book.takes("out", entry, entry.quantity, entry.amount - entry.fee)


def _moved(book: Reading, entry: Entry) -> None:
    """A move between own accounts is no event; what pays the network is disposed of."""
    target = entry.to_account
    if target is None or not book.covers(entry, entry.quantity + entry.fee_quantity):
        return
    ring, to = ring_of(entry.account, entry.asset), ring_of(target, entry.asset)
    of_spouses = {ring.owner, to.owner} <= SPOUSES and not ring.sheltered and not to.sheltered
    if ring != to and not of_spouses:
        book.issue(
            entry,
            "transfer_at_value",
            f"units that pass from {entry.account.id} to {target.id} are disposed of at their "
            "market value, which the transfer does not state",
            _MOVED_AT_VALUE,
        )
        return
    if entry.fee_quantity:
        book.takes("out", entry, entry.fee_quantity, entry.amount)
    book.wallets.add(entry.account, entry.asset, -entry.quantity)
    book.wallets.add(target, entry.asset, entry.quantity)
    if ring != to:
        _cross(book, entry, to, entry.quantity * book.scales.of(entry.asset))


def _cross(book: Reading, entry: Entry, to: Ring, to_units: int) -> None:
    step = book.step("move", entry, entry.quantity)
    step.to, step.to_units = to, to_units


def _converted(book: Reading, entry: Entry) -> None:
    """A redenomination or wrap: the new units stand in the shoes of the old ones."""
    asset = entry.to_asset
    if asset is None or not book.covers(entry, entry.quantity):
        return
    book.wallets.add(entry.account, entry.asset, -entry.quantity)
    book.wallets.add(entry.account, asset, entry.to_quantity)
    to_units = entry.to_quantity * book.scales.of(asset)
    _cross(book, entry, ring_of(entry.account, asset), to_units)


def _given(book: Reading, entry: Entry) -> None:
    book.issue(
        entry,
        "gift_at_value",
        f"a gift of {entry.asset.id} is a disposal at its market value, which the fact does not "
        "state; nothing is computed from it",
        _AT_VALUE,
    )


def _abandoned(book: Reading, entry: Entry) -> None:
    if not book.covers(entry, entry.quantity):
        return
    capital = book.policy.abandonment == "capital"
    book.takes("out" if capital else "leave", entry, entry.quantity)


def _split(book: Reading, entry: Entry) -> None:
    """New units for old ones: cost stays; what is below 10**-18 of a unit is lost."""
    asset, new, old = entry.asset, entry.quantity, entry.to_quantity
    book.scales.split(entry)
    for account, held in book.wallets.of_asset(asset):
        scale = book.scales.of(asset)
        after = held * new // old
        book.wallets.add(account, asset, after - held)
        dust = (held * new - after * old) * scale // old
        if dust:
            ring = ring_of(account, asset)
            book.steps.append(Step("lose", entry, ring, dust, scale))


def _returned(book: Reading, entry: Entry) -> None:
    if book.covers(entry, 1):
        book.step("return", entry, 0, entry.amount)


def _unknown(book: Reading, entry: Entry) -> None:
    book.issue(
        entry,
        "not_in_this_law",
        f"{entry.kind} is not modelled for {book.policy.rules.jurisdiction}; nothing is computed "
        "from it",
        "record what happened as purchases and sales at their amounts",
    )


_READERS: dict[str, Reader] = {
    "buy": _bought,
    "swap_in": _at_value,
    "income": _at_value,
    "gift_in": _at_value,
    "inherit": _at_value,
    "sell": _sold,
    "spend": _sold,
    "swap": _sold,
    "transfer": _moved,
    "gift_out": _given,
    "abandon": _abandoned,
    "split": _split,
    "return_of_capital": _returned,
    "convert": _converted,
}

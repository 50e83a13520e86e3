"""What the product asks of a book, whatever a law keeps in it: lots, or pools of average cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from domain.assets import Asset
    from domain.disposals import Departure, Disposal, Rewound, WashMatch
    from domain.entries import Entry, Issue, OrderKey
    from domain.harvest import Opportunity
    from domain.identification import StandingOrders
    from domain.lots import Lot
    from domain.policy import Policy
    from domain.purchases import Purchase
    from domain.weights import BookSplit

    Orders = dict[str, StandingOrders]
    Weights = Mapping[str, tuple[int, int]]


class Holding(Protocol):
    """Units of one asset in one account; `wallets` if several accounts share them."""

    @property
    def quantity(self) -> int: ...
    @property
    def wallets(self) -> dict[str, int] | None: ...
    def lots(self) -> Iterator[Lot]: ...


class Matching(Protocol):
    """Losses of one group and the purchases that disallow them; none where no law does."""

    @property
    def matches(self) -> list[WashMatch]: ...
    @property
    def open_losses(self) -> list[Disposal]: ...
    @property
    def recent(self) -> list[Purchase]: ...


class KeptBook(Protocol):
    """A book as the portfolio, read models and services see it; `domain.book.Book` is one.

    The lists only grow between two folds from the start; `touched` are lots changed since the
    projection last looked, `rewound` says what a late fact took back. `weights`: group units in
    one unit of an asset, as a fraction (number, of).
    """

    policy: Policy
    rewound: Rewound | None

    @property
    def disposals(self) -> list[Disposal]: ...
    @property
    def departures(self) -> list[Departure]: ...
    @property
    def incomes(self) -> list[Entry]: ...
    @property
    def issues(self) -> list[Issue]: ...
    @property
    def touched(self) -> list[Lot]: ...
    @property
    def washes(self) -> Mapping[str, Matching]: ...
    @property
    def weights(self) -> Weights: ...
    @property
    def splits(self) -> Sequence[BookSplit]: ...
    @property
    def pools(self) -> Mapping[tuple[str, str], Holding]: ...
    @property
    def last_key(self) -> OrderKey: ...
    def matches(self) -> list[WashMatch]: ...
    def open_lots(self) -> list[Lot]: ...
    def weight(self, asset: Asset) -> tuple[int, int]: ...
    def wash_classes(self, day: int) -> frozenset[str]: ...


B = TypeVar("B", bound=KeptBook)
Fold = Callable[[B, "Iterable[Entry]"], None]


class Steps(Protocol[B]):
    """How a book is brought forward and, for a late fact, back."""

    def fold(self, book: B, entries: list[Entry], fold: Fold[B]) -> None: ...
    def rewind(self, key: OrderKey) -> Rewound | None: ...


@dataclass(frozen=True, slots=True)
class BookKind(Generic[B]):
    """How a law keeps its books.

    `new(policy, orders, until_day, known)` makes one for the facts up to that tax day, of which
    the entries `known` so far may be looked at ahead; `fold` takes them in the order of their
    keys, `finish(book, until_day)` follows each batch.
    `opportunities(book, marks, day)`: losses that a sale would realise. `looks_ahead`: a later
    fact can change any earlier row, so that read models write the whole book again. `asks`: the
    positions of the policy that these books read; None: all.
    """

    new: Callable[[Policy, Orders, int, Sequence[Entry]], B]
    fold: Fold[B]
    finish: Callable[[B, int], None]
    steps: Callable[[], Steps[B]]
    opportunities: Callable[[B, Mapping[str, int], int], Sequence[Opportunity]]
    looks_ahead: bool = False
    asks: tuple[str, ...] | None = None


class FromTheStart(Generic[B]):
    """Steps of a book that is always computed from all of its entries."""

    def fold(self, book: B, entries: list[Entry], fold: Fold[B]) -> None:
        """Hands the batch on."""
        fold(book, entries)

    def rewind(self, key: OrderKey) -> Rewound | None:
        """There is no earlier state to go back to."""
        return None

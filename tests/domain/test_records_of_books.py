"""What a book says of its pools and what it refuses, field by field."""

from __future__ import annotations

from typing import Any

import pytest

from domain.exact import money, quantity
from tests.domain.make import Json, buy, sell
from tests.domain.records import all_told, folded, issue
from tests.domain.test_records_of_facts import gift, moved, open_lots
from tests.domain.test_universal_pool import allocated

MISSING = "record the missing acquisition or transfer, or correct this fact"


@pytest.mark.parametrize(
    ("had", "held"),
    [([], "0"), ([buy("b", "2025-01-02", "1.5", "90")], "1.5")],
    ids=["never anything", "too little"],
)
def test_who_sells_more_than_the_account_held_is_told_what_it_held(
    had: list[Json], held: str
) -> None:
    book = folded(*had, sell("s", "2025-03-03", "2", "100"))
    says = f"sell of 2 X, but account A held {held} then"
    assert all_told(book.issues) == [issue("s", "insufficient_units", says, MISSING)]
    assert book.disposals == []


def test_an_allocation_where_basis_was_kept_per_wallet_is_left_aside() -> None:
    """Rev. Proc. 2024-28 hands out what was one pool; here there never was one."""
    book = folded(buy("b", "2024-01-02", "2", "20", asset="Y"), allocated(("A", "b", "2")))
    assert all_told(book.issues) == [
        issue(
            "plan",
            "allocation_inadequate",
            "basis was kept per wallet already when this allocation was made",
            "record a basis_allocation as of 2025-01-01 (Rev. Proc. 2024-28)",
            blocking=False,
        )
    ]


def test_one_pool_of_own_wallets_is_no_universal_pool_before_2025() -> None:
    """A broker's units have a basis of their own, whatever is taken as one pool in own custody."""
    wallets: Any = {"accounts": [{"id": "A", "custody": "self"}, {"id": "K", "custody": "broker"}]}
    coins = {"asset": "Y", "account": "K"}
    book = folded(
        buy("own", "2024-01-02", "2", "20", asset="Y"),
        buy("held", "2024-01-03", "2", "30", **coins),
        sell("s", "2024-03-04", "1", "50", **coins),
        **wallets,
        policy={"self_custody_pool": "one"},
    )
    assert [(row.lot, row.own_basis) for row in book.disposals] == [("held", money("15"))]
    assert book.pools[("A", "Y")].wallets == {"A": quantity("2")}
    assert book.pools[("K", "Y")].wallets is None


def test_a_gift_that_is_parted_is_parted_in_its_basis_for_losses_too() -> None:
    """Four of ten units that were worth 60 when given: 24 go along, 36 stay."""
    lots = open_lots(gift("100", "60"), moved("X", "4"))
    assert sorted((lot["account"], lot["basis"], lot["loss_basis"]) for lot in lots) == [
        ("A", money("60"), money("36")),
        ("B", money("40"), money("24")),
    ]


def test_a_piece_that_goes_into_its_neighbour_is_heard_of_as_empty() -> None:
    """Two losses alike join one purchase: its two pieces become one lot of four units.

    What was bought and the first piece are empty; of `old` and of the one lot units are left.
    """
    losses = [sell(f"s{at}", "2025-03-03", "2", "100", seq=at) for at in (1, 2)]
    book = folded(
        buy("old", "2024-01-02", "10", "1000"), *losses, buy("new", "2025-03-04", "4", "240")
    )
    (_, new) = book.open_lots()
    assert (new.quantity, new.basis, new.used) == (quantity("4"), money("440"), True)
    heard = {lot.serial: lot.quantity for lot in book.touched}
    assert sorted(heard.values()) == [0, 0, quantity("4"), quantity("6")]

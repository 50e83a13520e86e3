"""The open pools of the taxpayer as a scenario shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from domain.exact import format_money, format_quantity
from domain.kept_book import KeptBook
from domain.pool_books.book import PoolBook


def shown_sections(
    law: str, show: Callable[[Any], dict[str, Any]], cost_name: str
) -> Callable[[Iterable[KeptBook]], dict[str, Any]]:
    """A law's `..._disposals` (each as `show` has it) and `..._pool` (the cost that is left)."""

    def sections(books: Iterable[KeptBook]) -> dict[str, Any]:
        kept = [book for book in books if isinstance(book, PoolBook)]
        rows = [show(each) for book in kept for each in book.records]
        return {f"{law}_disposals": rows, f"{law}_pool": shown_pools(kept, cost_name)}

    return sections


def shown_pools(books: Iterable[PoolBook], cost_name: str) -> Any:
    """Units and cost of the taxpayer's pool; a list by group if there are several.

    Units are those of the asset held; of several assets in one group, units of the group.
    """
    pools = []
    for book in books:
        for ring, pot in sorted(book.pots.items()):
            if ring.is_own:
                quantity = pot.units // book.scale_of(ring.group)
                pools.append(
                    {
                        "asset": ring.group,
                        "qty": format_quantity(quantity),
                        cost_name: format_money(pot.cost),
                    }
                )
    return pools[0] if len(pools) == 1 else pools

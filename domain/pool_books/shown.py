"""The open pools of the taxpayer as a scenario shows them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from domain.exact import format_money, format_quantity
from domain.pool_books.book import PoolBook


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

"""Open losses that a purchase would block: the lots under water sold after it, all in one fold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from domain.days import iso
from domain.exact import format_money, format_quantity, times
from domain.facts import Fact, LotPick, Sell
from domain.harvest import Opportunity, opportunities
from domain.kept_book import KeptBook

_REF = "whatif:sale/"
Facts = list[tuple[str, Fact]]
Fold = Callable[[Facts], KeptBook]


@dataclass(frozen=True, slots=True)
class OpenLosses:
    """Lots with a loss and what the purchase blocks of it. Money in 10**-36.

    `blocked`: all of them sold together, less what is blocked without the purchase; `lots` has
    each as if sold alone. `last_day` (ordinal): selling later is safe. `is_lost`: the purchase is
    in a retirement account. `unmarked`: assets held without a mark.
    """

    blocked: int
    lots: tuple[tuple[Opportunity, int], ...]
    last_day: int
    is_lost: bool
    unmarked: tuple[str, ...]

    def shown(self) -> dict[str, object]:
        """Amounts as exact text, the days as ISO dates."""
        return {
            "blocked": format_money(self.blocked),
            "last_day": iso(self.last_day),
            "safe_to_sell_from": iso(self.last_day + 1),
            "lots": [
                {
                    "lot": one.lot.ref,
                    "account": one.lot.account.id,
                    "asset": one.lot.asset.id,
                    "qty": format_quantity(one.lot.quantity),
                    "loss": format_money(one.loss),
                    "blocked": format_money(more),
                }
                for one, more in self.lots
            ],
            "unmarked": list(self.unmarked),
        }


def open_losses(
    fold: Fold, bought: tuple[str, Fact], marks: Mapping[str, int], day: int
) -> OpenLosses | None:
    """What `bought` would block on `day` at `marks` (price of a unit, 10**-18); None: nothing is
    blocked and nothing is unmarked.
    """
    before, after = fold([]), fold([bought])
    under = [one for one in opportunities(before, marks, day) if one.loss > 0]
    blocked = {_key(one): one.blocked for one in opportunities(after, marks, day)}
    lots = tuple(
        (one, more) for one in under if (more := blocked.get(_key(one), 0) - one.blocked) > 0
    )
    sales = _sales(under, day)
    together = _washed(fold([bought, *sales])) - _washed(fold(sales)) if lots else 0
    unmarked = tuple(sorted(_unmarked(before, marks, day)))
    if not together and not unmarked:
        return None
    ref, _ = bought
    return OpenLosses(
        blocked=together,
        lots=lots,
        last_day=day + before.policy.rules.window_days,
        is_lost=any(lot.ref == ref and lot.account.is_retirement for lot in after.open_lots()),
        unmarked=unmarked,
    )


def _key(one: Opportunity) -> tuple[str, str, str, int, int]:
    lot = one.lot
    return (lot.ref, lot.account.id, lot.asset.id, one.acquired, lot.offset)


def _sales(under: Iterable[Opportunity], day: int) -> Facts:
    """One sale a lot, all later that day than the purchase."""
    units: dict[tuple[str, str, str], int] = {}
    prices: dict[str, int] = {}
    for one in under:
        key = (one.lot.ref, one.lot.account.id, one.lot.asset.id)
        units[key] = units.get(key, 0) + one.lot.quantity
        prices[one.lot.asset.id] = one.price
    sales: Facts = []
    for number, ((lot, account, asset), held) in enumerate(units.items(), start=1):
        sold = format_quantity(held)
        fact = Sell(
            effective_at=f"{iso(day)}T23:59:59",
            seq=(1 << 30) + number,
            account=account,
            asset=asset,
            quantity=sold,
            amount=times(format_quantity(prices[asset]), sold),
            lots=(LotPick(lot, sold),),
        )
        sales.append((f"{_REF}{number}", fact))
    return sales


def _washed(book: KeptBook) -> int:
    return sum(row.wash for row in book.disposals if row.ref.startswith(_REF))


def _unmarked(book: KeptBook, marks: Mapping[str, int], day: int) -> set[str]:
    """Assets under the rule that are held in reporting accounts and cannot be valued."""
    classes = book.wash_classes(day)
    return {
        lot.asset.id
        for lot in book.open_lots()
        if lot.account.reports
        and lot.asset.id not in marks
        and lot.asset.asset_class.name in classes
    }

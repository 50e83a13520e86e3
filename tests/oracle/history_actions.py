"""Makers of random events that are no trades: splits, gifts given, conversions, orders."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from .history_events import identification, reported
from .history_setup import METHODS
from .history_state import Draft, decimal

SPLITS = [("2", "1"), ("3", "1"), ("3", "2"), ("1", "2"), ("1", "10"), ("5", "4")]
EXACT_SPLITS = [("2", "1"), ("1", "2"), ("1", "10"), ("5", "4")]  # by which decimals stay finite


def gift_out(draft: Draft) -> None:
    """Units given away."""
    give_up(draft, "gift_out")


def abandon(draft: Draft) -> None:
    """Coins or tokens sent to a burn address."""
    give_up(draft, "abandon", "crypto", "nft")


def give_up(draft: Draft, kind: str, *classes: str) -> None:
    """Units that leave without a sale."""
    sim, rng = draft.now(), draft.rng
    places = [p for p in draft.positions(sim, *classes) if reported(draft, p[0])]
    if not places:
        return
    account, asset, held = rng.choice(places)
    grains, extra = rng.randint(1, min(3, held)), {}
    if kind == "gift_out" and rng.random() < 0.3:
        extra = identification(draft, sim, account, asset, grains)
    draft.add(kind, account=account, asset=asset, qty=draft.qty(asset, grains), **extra)


def split(draft: Draft) -> None:
    """A split of every asset of one group at once, or of one of them, which moves their ratio."""
    groups = [g for g in draft.groups if draft.bought[g]
              and not any(draft.assets[n]["group"] == g for n in draft.dead)]  # fmt: skip
    if not groups:
        return
    group = draft.rng.choice(groups)
    names = [n for n, a in draft.assets.items() if a["group"] == group]
    splits = SPLITS
    if draft.rng.random() < 0.4:
        names, splits = [draft.rng.choice(names)], EXACT_SPLITS
    num, den = draft.rng.choice(splits)
    for name in names:
        draft.add("split", asset=name, num=num, den=den)


def return_of_capital(draft: Draft) -> None:
    """A nondividend distribution, sometimes more than the basis."""
    places = draft.positions(draft.now(), "stock", "fund", "tokenized_security")
    places = [p for p in places if reported(draft, p[0])
              and len(draft.sim.sharing(p[0], p[1])) == 1]  # fmt: skip
    if places:
        account, asset, held = draft.rng.choice(places)
        share = Fraction(draft.rng.choice([3, 5, 10, 80]), 100)
        paid = Fraction(int(Fraction(draft.amount(asset, held)) * share * 100) + 1, 100)
        draft.add("return_of_capital", account=account, asset=asset, amount=decimal(paid))


def convert(draft: Draft) -> None:
    """A coin into its twin of the same group, no disposal."""
    sim, rng = draft.now(), draft.rng
    group = {n: a["group"] for n, a in draft.assets.items() if a["class"] == "crypto"}
    places = [(p, m) for p in draft.positions(sim, "crypto") for m in group
              if m != p[1] and group[m] == group[p[1]] and reported(draft, p[0])]  # fmt: skip
    if not places:
        return
    (account, asset, held), new = rng.choice(places)
    grains = held if rng.random() < 0.5 else rng.randint(1, held)
    value = {"amount": draft.amount(new, grains)} if rng.random() < 0.7 else {}
    draft.add("convert", account=account, out={"asset": asset, "qty": draft.qty(asset, grains)},
              **{"in": {"asset": new, "qty": draft.qty(new, grains)}}, **value)  # fmt: skip


def worthless(draft: Draft) -> None:
    """One position becomes worthless, once in a history; nothing of the asset moves after."""
    places = draft.positions(draft.now(), "stock", "fund", "tokenized_security", "nft")
    if places and not draft.dead:
        account, asset, _ = draft.rng.choice(places)
        if any(e["date"].endswith("-12-31") for e in draft.events):
            return
        draft.add("worthless", account=account, asset=asset)
        draft.dead.add(asset)


def standing_order(draft: Draft) -> None:
    """A new method for one account; in the own books only where the account is new to orders."""
    rng = draft.rng
    account = rng.choice(draft.accounts)
    extra, name = {}, account["id"]
    earlier = [e for e in draft.events if name in (e.get("account"), e.get("to"))]
    if account["custody"] == "broker" and rng.random() < 0.5:
        shares = [n for n, a in draft.assets.items() if a["class"] in ("stock", "fund")]
        fresh = not any(e["type"] == "standing_order" or e.get("asset") in shares for e in earlier)
        plain = draft.scenario["policy"].get("lot_method", "FIFO") == "FIFO"
        extra = {"recorded_in": "broker"}
        if fresh and plain and draft.day >= date(2025, 1, 1):
            extra = {"recorded_in": "books"}
            draft.books.add(name)
    draft.add("standing_order", account=name, method=rng.choice(METHODS), **extra)

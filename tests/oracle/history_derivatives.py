"""Makers of random events about options, short sales and the hand-out of basis in 2025."""

from __future__ import annotations

from fractions import Fraction

from .history_events import fee, identification, reported
from .history_state import Draft
from .units import Json


def option_exercise(draft: Draft) -> None:
    """A call into its shares."""
    places = draft.positions(draft.now(), "option")
    if not places:
        return
    account, asset, held = draft.rng.choice(places)
    group = draft.assets[asset]["group"]
    share = next(n for n, a in draft.assets.items()
                 if a["group"] == group and a["class"] in ("stock", "fund"))  # fmt: skip
    if share in draft.dead:
        return
    grains = draft.rng.randint(1, held)
    draft.add("option_exercise", account=account, asset=asset, qty=draft.qty(asset, grains),
              underlying=share, underlying_qty=draft.qty(share, grains),
              amount=draft.amount(share, grains), **fee(draft))  # fmt: skip


def option_expire(draft: Draft) -> None:
    """A call, bought or written, runs out."""
    rng = draft.rng
    places = draft.positions(draft.now(), "option")
    written = [s for s in draft.sim.shorts.values()
               if s.size and draft.assets[s.asset]["class"] == "option"]  # fmt: skip
    if written and (not places or rng.random() < 0.5):
        short = rng.choice(written)
        grains = int(short.size / draft.grain[draft.assets[short.asset]["group"]])
        place = (short.account, short.asset, grains)
    elif places:
        place = rng.choice(places)
    else:
        return
    account, asset, held = place
    draft.add("option_expire", account=account, asset=asset,
              qty=draft.qty(asset, rng.randint(1, held)))  # fmt: skip


def short_open(draft: Draft) -> None:
    """Shares sold short, also while some are held; or a call written by one who holds none."""
    rng = draft.rng
    pairs = [(a["id"], n) for a in draft.accounts for n in draft.buyable()
             if a["custody"] == "broker" and reported(draft, a["id"]) and a["id"] not in draft.books
             and draft.assets[n]["class"] in ("stock", "fund", "option")]  # fmt: skip
    pairs = [(a, n) for a, n in pairs
             if draft.assets[n]["class"] != "option" or not draft.sim.counts[a, n]]  # fmt: skip
    if not pairs:
        return
    account, asset = rng.choice(pairs)
    grains = rng.randint(1, 6)
    draft.add("short_open", account=account, asset=asset, qty=draft.qty(asset, grains),
              amount=draft.amount(asset, grains), **fee(draft))  # fmt: skip


def short_close(draft: Draft) -> None:
    """Units held are delivered; sometimes more than is owed."""
    rng, sim = draft.rng, draft.now()
    ready = [
        s
        for s in sim.shorts.values()
        if s.size and s.asset not in draft.dead and draft.held(sim, s.account, s.asset)
    ]
    if not ready:
        return
    short = rng.choice(ready)
    held = draft.held(sim, short.account, short.asset)
    grains = int(short.size / draft.grain[draft.assets[short.asset]["group"]])
    most = held if rng.random() < 0.05 else min(held, grains)
    part = rng.randint(1, most)
    extra: Json = {}
    if rng.random() < 0.4:
        extra = identification(draft, sim, short.account, short.asset, part)
    draft.add("short_close", account=short.account, asset=short.asset, opens=short.event,
              qty=draft.qty(short.asset, part), **fee(draft), **extra)  # fmt: skip


def basis_allocation(draft: Draft) -> None:
    """At the end of 2024: a global rule, or lots wallet by wallet, now and then a wrong one."""
    rng, sim = draft.rng, draft.now()
    open_assets = sorted({u.asset for group in sim.units.values() for u in group if u.held}
                         - draft.dead)  # fmt: skip
    coins = [n for n in open_assets if draft.assets[n]["class"] in ("crypto", "nft")
             or draft.assets[n]["class"] == "tokenized_security"]  # fmt: skip
    for asset in coins:
        choice = rng.random()
        if choice < 0.45:
            method = rng.choice(["global_fifo", "global_lifo", "global_hifo"])
            draft.add("basis_allocation", asset=asset, method=method, allocations=[])
        elif choice < 0.9:
            parts = handed_out(draft, asset)
            if parts and rng.random() < 0.15:
                parts.pop()
            draft.add("basis_allocation", asset=asset, method="specific_unit", allocations=parts)


def handed_out(draft: Draft, asset: str) -> list[Json]:
    """Every lot to some wallet, as many units as each holds."""
    sim, rng, parts = draft.now(), draft.rng, []
    group = draft.assets[asset]["group"]
    for owner in ("self", "spouse", "entity"):
        mine = [a["id"] for a in draft.accounts
                if a["type"] == "taxable" and a["owner"] == owner]  # fmt: skip
        lots: dict[str, Fraction] = {}
        for unit in sim.units[group]:
            if unit.held and unit.asset == asset and unit.account in mine:
                lots[unit.lot] = lots.get(unit.lot, Fraction(0)) + unit.size / draft.grain[group]
        names = list(lots)
        rng.shuffle(names)
        rng.shuffle(mine)
        for account in mine:
            left = draft.held(sim, account, asset)
            for name in names:
                part = min(left, int(lots[name]))
                if part:
                    parts.append({"account": account, "lot": name, "qty": draft.qty(asset, part)})
                    left -= part
                    lots[name] -= part
    return parts

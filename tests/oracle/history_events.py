"""Makers of random trades; each appends nothing if the state does not allow it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction

from .history_state import COINS, Draft, decimal
from .unit_simulator import Simulation
from .units import Json


def fee(draft: Draft) -> Json:
    """Sometimes a fee in money."""
    rng = draft.rng
    return {"fee": decimal(Fraction(rng.randint(1, 300), 100))} if rng.random() < 0.3 else {}


def lots_of(draft: Draft, sim: Simulation, account: str, asset: str) -> dict[str, int]:
    """Grains by lot in a wallet."""
    out: dict[str, Fraction] = {}
    grain = draft.grain[draft.assets[asset]["group"]]
    for unit in sim.wallet(account, asset):
        out[unit.lot] = out.get(unit.lot, Fraction(0)) + unit.size / grain
    return {lot: int(n) for lot, n in out.items()}


def identification(draft: Draft, sim: Simulation, account: str, asset: str, grains: int) -> Json:
    """Lots that make up the sale: mostly well named, sometimes in another wallet or too many."""
    rng, here = draft.rng, lots_of(draft, sim, account, asset)
    names = list(here)
    rng.shuffle(names)
    chosen, left = [], grains
    if rng.random() < 0.2:  # more than the lot holds, or not in this wallet
        others = [e["id"] for e in draft.events if e["type"] == "buy" and e["id"] not in here]
        wrong = [n for n in names if here[n] < grains] + others
        if wrong:
            return {"lots": [{"lot": rng.choice(wrong), "qty": draft.qty(asset, grains)}]}
    for name in names:
        part = min(left, here[name])
        if part:
            chosen.append({"lot": name, "qty": draft.qty(asset, part)})
            left -= part
    return {"lots": chosen}


def told(draft: Draft, account: str, asset: str) -> Json:
    """When and to whom the lots were named."""
    rng, out = draft.rng, {}
    local = datetime.combine(draft.day, draft.clock or time(), tzinfo=draft.zone)
    choice = rng.random()
    if choice < 0.25:
        out["identified_at"] = local - timedelta(minutes=rng.choice([5, 600, 6000]))
    elif choice < 0.45:
        out["identified_at"] = local + timedelta(days=rng.choice([6, 9, 40]))
    fields: Json = {k: v.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for k, v in out.items()}
    custody = next(a["custody"] for a in draft.accounts if a["id"] == account)
    if custody == "broker" and rng.random() < 0.4:
        digital = draft.assets[asset]["class"] in COINS and draft.day >= date(2025, 1, 1)
        fields["identified_to"] = rng.choice(["broker", "books"]) if digital else "broker"
    return fields


def buy(draft: Draft) -> None:
    """A purchase, sometimes a reinvested dividend."""
    rng = draft.rng
    pairs = [(a, n) for a in draft.accounts for n in draft.buyable() if draft.fits(a, n)]
    if not pairs:
        return
    account, asset = rng.choice(pairs)
    grains = rng.randint(1, 8)
    draft.bought[draft.assets[asset]["group"]] += grains
    extra = {"reinvest": True} if rng.random() < 0.05 else {}
    draft.add("buy", account=account["id"], asset=asset, qty=draft.qty(asset, grains),
              amount=draft.amount(asset, grains), **fee(draft), **extra)  # fmt: skip


def leave(draft: Draft, kind: str, *classes: str, whole: bool = False) -> None:
    """A sale or payment from one position."""
    sim, rng = draft.now(), draft.rng
    places = draft.positions(sim, *classes)
    if kind == "spend":
        places = [p for p in places if reported(draft, p[0])]
    if not places:
        return
    account, asset, held = rng.choice(places)
    grains = held if whole or rng.random() < 0.15 else rng.randint(1, held)
    extra: Json = {}
    if not whole and rng.random() < 0.25:
        extra = identification(draft, sim, account, asset, grains) | told(draft, account, asset)
    draft.add(kind, account=account, asset=asset, qty=draft.qty(asset, grains),
              amount=draft.amount(asset, grains), **fee(draft), **extra)  # fmt: skip


def reported(draft: Draft, account: str) -> bool:
    """True for a taxable account of the couple."""
    a = next(a for a in draft.accounts if a["id"] == account)
    return bool(a["type"] == "taxable" and a["owner"] != "entity")


def sell(draft: Draft) -> None:
    """A sale."""
    leave(draft, "sell")


def spend(draft: Draft) -> None:
    """A payment in coins."""
    leave(draft, "spend", "crypto")


def full_exit(draft: Draft) -> None:
    """The whole position of one account in one asset."""
    leave(draft, "sell", whole=True)


def oversell(draft: Draft) -> None:
    """A sale or gift of more than the wallet holds."""
    places = draft.positions(draft.now())
    if places:
        account, asset, held = draft.rng.choice(places)
        qty = draft.qty(asset, held + draft.rng.randint(1, 3))
        if draft.rng.random() < 0.7:
            draft.add("sell", account=account, asset=asset, qty=qty, amount="100.01")
        else:
            draft.add("gift_out", account=account, asset=asset, qty=qty)


def exit_everything(draft: Draft) -> None:
    """Everything is sold, each position on its own, a few days apart or at once."""
    draft.move(draft.rng.choice([1, 10, 45]), None)
    for account, asset, held in draft.positions(draft.now()):
        draft.add("sell", account=account, asset=asset, qty=draft.qty(asset, held),
                  amount=draft.amount(asset, held))  # fmt: skip


def swap(draft: Draft) -> None:
    """One digital asset for another, also inside one group."""
    sim, rng = draft.now(), draft.rng
    places = [p for p in draft.positions(sim, *COINS) if reported(draft, p[0])]
    if not places:
        return
    account, asset, held = rng.choice(places)
    into = [n for n in draft.buyable() if n != asset and draft.assets[n]["class"] in COINS]
    if not into:
        return
    other, grains, got = rng.choice(into), rng.randint(1, held), rng.randint(1, 10)
    draft.bought[draft.assets[other]["group"]] += got
    draft.add("swap", account=account, out={"asset": asset, "qty": draft.qty(asset, grains)},
              amount=draft.amount(asset, grains), **fee(draft),
              **{"in": {"asset": other, "qty": draft.qty(other, got)}})  # fmt: skip
    if got > 1 and rng.random() < 0.2:  # a fee kept back from what was received
        lot = draft.events[-1]["id"]
        draft.add("spend", account=account, asset=other, qty=draft.qty(other, 1),
                  amount=draft.amount(other, 1), withheld_from=lot)  # fmt: skip


def received(draft: Draft, kind: str) -> None:
    """Income, gift or inheritance."""
    rng = draft.rng
    pairs = [(a, n) for a in draft.accounts for n in draft.buyable()
             if draft.assets[n]["class"] != "option" and draft.fits(a, n)
             and reported(draft, a["id"])]  # fmt: skip
    if not pairs:
        return
    account, asset = rng.choice(pairs)
    grains = rng.randint(1, 5)
    draft.bought[draft.assets[asset]["group"]] += grains
    value = draft.amount(asset, grains)
    extra: Json = {"kind": rng.choice(["staking", "compensation"])} if kind == "income" else {}
    if kind == "gift_in":
        basis = Fraction(value) * rng.randint(50, 170) / 100
        extra["donor_basis"] = decimal(Fraction(int(basis * 100), 100))
        given = draft.day - timedelta(days=rng.randint(10, 900))
        extra["donor_acquired"] = given.isoformat()
    draft.add(kind, account=account["id"], asset=asset, qty=draft.qty(asset, grains),
              amount=value, **extra)  # fmt: skip


def income(draft: Draft) -> None:
    """A receipt taxed at its value."""
    received(draft, "income")


def gift_in(draft: Draft) -> None:
    """A gift, often worth less than the donor paid."""
    received(draft, "gift_in")


def inherit(draft: Draft) -> None:
    """An inheritance."""
    received(draft, "inherit")


def transfer(draft: Draft) -> None:
    """Units between the taxpayer's own accounts, sometimes with a fee in kind."""
    sim, rng = draft.now(), draft.rng
    mine = {a["id"]: a for a in draft.accounts if a["owner"] == "self" and a["type"] == "taxable"}
    places = [p for p in draft.positions(sim) if p[0] in mine]
    moves = [(p, n) for p in places for n in mine if n != p[0] and draft.fits(mine[n], p[1])]
    if not moves:
        return
    (source, asset, held), target = rng.choice(moves)
    grains, extra = rng.randint(1, held), {}
    if grains < held and draft.assets[asset]["class"] in COINS and rng.random() < 0.5:
        extra = {"fee_qty": draft.qty(asset, 1), "fee_amount": draft.amount(asset, 1)}
    elif rng.random() < 0.25:
        extra = identification(draft, sim, source, asset, grains)
    draft.add("transfer", asset=asset, qty=draft.qty(asset, grains), **extra,
              **{"from": source, "to": target})  # fmt: skip

"""The fixed part of a random history: policy, accounts, assets and profile."""

from __future__ import annotations

import random
from datetime import date

from .units import Json

SECURITIES = ["stock", "fund", "option", "tokenized_security"]
ALL = [*SECURITIES, "crypto", "nft"]


def policy(rng: random.Random, taxable_only: bool) -> Json:
    """A few deviations from the defaults."""
    out: Json = {}
    if rng.random() < 0.4:
        out["lot_method"] = rng.choice(["FIFO", "LIFO", "HIFO"])
    choice = rng.random()
    if choice < 0.45:
        out["wash_sale"] = [{"from": "0001-01-01", "classes": ALL}]
    elif choice < 0.6:
        change = date(rng.choice([2025, 2026]), rng.randint(1, 12), rng.randint(1, 28))
        out["wash_sale"] = [
            {"from": "0001-01-01", "classes": SECURITIES},
            {"from": change.isoformat(), "classes": ALL},
        ]
    if rng.random() < 0.2:
        out["earlier_lots"] = "ignore"
    if rng.random() < 0.2:
        out["income_is_acquisition"] = False
    if rng.random() < 0.2 and not taxable_only:
        out["spouse_basis"] = "none"
    if rng.random() < 0.2:
        out["entity_basis"] = "shift"
    if rng.random() < 0.35:
        out["tz"] = rng.choice(["America/New_York", "Asia/Tokyo", "America/Los_Angeles"])
    return out


def accounts(rng: random.Random, taxable_only: bool) -> list[Json]:
    """A broker account, and often a wallet, a second broker, an IRA, a spouse, an entity."""
    out = [{"id": "A", "owner": "self", "type": "taxable", "custody": "broker"}]
    if rng.random() < 0.6:
        out.append({"id": "W", "owner": "self", "type": "taxable", "custody": "self"})
    if rng.random() < 0.4:
        out.append({"id": "B", "owner": "self", "type": "taxable", "custody": "broker"})
    if rng.random() < 0.35:
        out.append({"id": "M", "owner": "spouse", "type": "taxable", "custody": "broker"})
    if taxable_only:
        return out
    if rng.random() < 0.4:
        kind = rng.choice(["ira", "roth_ira", "401k", "hsa"])
        out.append({"id": "I", "owner": "self", "type": kind, "custody": "broker"})
    if rng.random() < 0.1:
        out.append({"id": "MI", "owner": "spouse", "type": "ira", "custody": "broker"})
    if rng.random() < 0.15:
        out.append({"id": "E", "owner": "entity", "type": "taxable", "custody": "broker"})
    return out


def one_group(rng: random.Random, n: int) -> list[Json]:
    """A share (with its token), a coin (with its wrapped or renamed twin), or an NFT."""
    kind = rng.choices(["share", "coin", "nft"], [52, 33, 15])[0]
    if kind == "share":
        name = rng.choice(["stock", "fund"])
        out: list[Json] = [{"id": f"SH{n}", "class": name, "group": f"G{n}"}]
        if rng.random() < 0.6:
            token: Json = {"id": f"SH{n}t", "class": "tokenized_security", "group": f"G{n}"}
            if rng.random() < 0.6:
                token["ratio"] = "0.1"
            out.append(token)
        return out
    if kind == "coin":
        out = [{"id": f"CO{n}", "class": "crypto", "group": f"G{n}"}]
        if rng.random() < 0.5:
            twin: Json = {"id": f"CO{n}w", "class": "crypto", "group": f"G{n}"}
            twin["ratio"] = rng.choice(["1", "10", "0.1"])
            out.append(twin)
        return out
    nft: Json = {"id": f"NF{n}", "class": "nft", "group": f"G{n}"}
    if rng.random() < 0.7:
        nft["collectible"] = True
    return [nft]


def assets(rng: random.Random) -> list[Json]:
    """One to three groups."""
    return [a for n in range(rng.choice([1, 1, 2, 2, 3])) for a in one_group(rng, n + 1)]


def profile(rng: random.Random, start: date, end: date) -> Json:
    """Filing status, sometimes a carry-in, small incomes, and years without trades."""
    out: Json = {"filing_status": rng.choice(["single", "mfj", "mfs", "hoh"])}
    if rng.random() < 0.4:
        year = start.year - rng.choice([0, 0, 1, 2])
        out["carry_in"] = {"year": str(year), "st": f"{rng.randint(0, 4000)}.25"}
        out["carry_in"]["lt"] = f"{rng.randint(0, 4000)}.50"
    if rng.random() < 0.5:
        years = [str(y) for y in range(start.year, end.year + 1) if rng.random() < 0.6]
        out["taxable_income"] = {y: str(rng.randint(-5000, 20000)) for y in years}
    if rng.random() < 0.3:
        out["report_years"] = [str(end.year + rng.choice([0, 1, 2]))]
    return out

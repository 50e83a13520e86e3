"""The fixed part of a random history: policy, accounts, assets and profile."""

from __future__ import annotations

import random
from datetime import date

from .units import Json

SECURITIES = ["stock", "fund", "option", "tokenized_security"]
ALL = [*SECURITIES, "crypto", "nft"]


METHODS = ["FIFO", "LIFO", "HIFO", "HIFO_LT", "MIN_TAX"]
SWITCHES: dict[str, list[object]] = {
    "lot_method": list(METHODS[1:]),
    "earlier_lots": ["ignore"],
    "income_is_acquisition": [False],
    "spouse_basis": ["none"],
    "entity_basis": ["shift"],
    "pool": ["universal_before_2025"],
    "tz": ["America/New_York", "Asia/Tokyo", "America/Los_Angeles"],
    "sold_replacements": ["count"],
    "full_exit": ["allow"],
    "gain_units": ["in_order"],
    "replacement_order": ["taxable_first"],
    "overlap_days": ["once"],
    "sub_lots": ["pro_rata"],
    "self_custody_pool": ["one"],
    "wrap": ["swap"],
    "transfer_fee": ["add_to_basis"],
    "abandonment": ["ordinary", "capital"],
    "digital_art": ["collectible", "not_collectible"],
    "pool_pieces": [True],
    "rates": [{"st": "0.24", "lt": "0.2"}, {"st": "0.1", "lt": "0"}, {"st": "0.2", "lt": "0.2"}],
}
# a loss can go for good, be another's, or a wrap without a value be held out
ONLY_WITH_OTHERS = ("spouse_basis", "entity_basis", "wrap")


def policy(rng: random.Random, taxable_only: bool) -> Json:
    """The defaults, or one to four other positions; often the coins are under the rule."""
    out: Json = {}
    if rng.random() >= 0.4:
        names = [n for n in SWITCHES if not taxable_only or n not in ONLY_WITH_OTHERS]
        for name in rng.sample(names, rng.randint(1, 4)):
            out[name] = rng.choice(SWITCHES[name])
        if "rates" in out:
            out.setdefault("lot_method", "MIN_TAX")
        choice = rng.random()
        if choice < 0.45:
            out["wash_sale"] = [{"from": "0001-01-01", "classes": ALL}]
        elif choice < 0.6:
            change = date(rng.choice([2025, 2026]), rng.randint(1, 12), rng.randint(1, 28))
            out["wash_sale"] = [
                {"from": "0001-01-01", "classes": SECURITIES},
                {"from": change.isoformat(), "classes": ALL},
            ]
    return out


def first_day(rng: random.Random, rules: Json) -> date:
    """The first day of a history; one with a universal pool begins before its end."""
    if rules.get("pool") == "universal_before_2025" and rng.random() < 0.9:
        return date(2024, rng.randint(7, 12), rng.randint(1, 28))
    return date(rng.choice([2023, 2025, 2025, 2026]), rng.randint(1, 12), rng.randint(1, 28))


def accounts(rng: random.Random, taxable_only: bool) -> list[Json]:
    """A broker account, and often a wallet, a second broker, an IRA, a spouse, an entity."""
    out: list[Json] = [{"id": "A", "owner": "self", "type": "taxable", "custody": "broker"}]
    if rng.random() < 0.5:
        out.append({"id": "W", "owner": "self", "type": "taxable", "custody": "self"})
    if rng.random() < 0.3:
        out.append({"id": "B", "owner": "self", "type": "taxable", "custody": "broker"})
    if rng.random() < 0.25:
        out.append({"id": "M", "owner": "spouse", "type": "taxable", "custody": "broker"})
    if rng.random() < 0.15:
        out.append({"id": "V", "owner": "self", "type": "taxable", "custody": "self"})
    if taxable_only:
        return out
    if rng.random() < 0.3:
        kind = rng.choice(["ira", "roth_ira", "401k", "hsa"])
        out.append({"id": "I", "owner": "self", "type": kind, "custody": "broker"})
    if rng.random() < 0.1:
        out.append({"id": "MI", "owner": "spouse", "type": "ira", "custody": "broker"})
    if rng.random() < 0.15:
        out.append({"id": "E", "owner": "entity", "type": "taxable", "custody": "broker"})
    return out


def one_group(rng: random.Random, n: int) -> list[Json]:
    """A share (with its token and a call), a coin (with its wrapped or renamed twin), or an NFT."""
    kind = rng.choices(["share", "coin", "nft"], [66, 24, 10])[0]
    if kind == "share":
        name = rng.choice(["stock", "fund"])
        out: list[Json] = [{"id": f"SH{n}", "class": name, "group": f"G{n}"}]
        if rng.random() < 0.6:
            token: Json = {"id": f"SH{n}t", "class": "tokenized_security", "group": f"G{n}"}
            if rng.random() < 0.6:
                token["ratio"] = "0.1"
            out.append(token)
        if rng.random() < 0.5:
            call: Json = {"id": f"SH{n}c", "class": "option", "group": f"G{n}"}
            out.append(call | {"ratio": rng.choice(["2", "4", "5", "10"])})
        return out
    if kind == "coin":
        out = [{"id": f"CO{n}", "class": "crypto", "group": f"G{n}"}]
        if rng.random() < 0.5:
            twin: Json = {"id": f"CO{n}w", "class": "crypto", "group": f"G{n}"}
            twin["ratio"] = rng.choice(["1", "10", "0.1"])
            out.append(twin)
        return out
    nft: Json = {"id": f"NF{n}", "class": "nft", "group": f"G{n}"}
    said = rng.random()
    if said < 0.4:
        nft["collectible"] = True
    return [nft]


def assets(rng: random.Random) -> list[Json]:
    """One to three groups."""
    return [a for n in range(rng.choice([1, 1, 1, 1, 2, 2, 3])) for a in one_group(rng, n + 1)]


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


def beside(rng: random.Random, scenario: Json) -> Json:
    """What a scenario file has no field for: a trader's accounts, reasons why (not) collectible."""
    traders = [a["id"] for a in scenario["accounts"]
               if a["type"] == "taxable" and rng.random() < 0.05]  # fmt: skip
    reasons = {a["id"]: "use of virtual land" for a in scenario["assets"]
               if a["class"] == "nft" and rng.random() < 0.2}  # fmt: skip
    return {"marked_to_market": traders, "collectible_reasons": reasons}

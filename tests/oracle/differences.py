"""Comparison of two results: exact values, rows in any order, readable lines."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from .units import Json

MONEY = {
    "proceeds", "basis", "gain", "wash", "taxable", "open_loss", "value", "loss", "blocked",
    "harvestable", "amount", "st", "lt", "net", "rate28", "deduction", "carry_st", "carry_lt",
}  # fmt: skip
QUANTITY = {"qty", "open_qty"}
TOLERANCE = {**dict.fromkeys(MONEY, Fraction(1, 10**12)),
             **dict.fromkeys(QUANTITY, Fraction(1, 10**15))}  # fmt: skip
IDENTITY = ("event", "lot", "account", "asset", "acquired", "year", "last_day")
KEYS = {
    "disposals": ("event", "lot", "account", "acquired"),
    "open_lots": ("lot", "account", "asset", "acquired"),
    "windows": ("event", "asset", "last_day"),
    "nondeductible": ("event", "lot"),
    "harvest": ("lot", "account", "asset", "acquired"),
    "refused": ("event", "code"),
}
DUST = Fraction(1, 10**14)  # a part that the engine rounds to 18 decimals may be off by so little


def same(name: str, got: Any, want: Any) -> bool:
    """True if two values of a field agree."""
    if name not in TOLERANCE:
        return str(got) == str(want)
    if got is None:
        return False
    return abs(Fraction(got) - Fraction(want)) <= TOLERANCE[name]


def shown(value: Any) -> str:
    """A value as a person reads it."""
    if isinstance(value, Fraction):
        exact = Decimal(value.numerator) / Decimal(value.denominator)
        return str(exact) if Fraction(exact) == value else f"{exact:.6f} ({value})"
    return str(value)


def row_differences(where: str, got: Json, want: Json) -> list[str]:
    """Fields of one row that differ; fields that `want` lacks do not count."""
    return [
        f"{where}: {k}: got {shown(got.get(k))}, want {shown(v)}"
        for k, v in want.items()
        if not same(k, got.get(k), v)
    ]


def label(section: str, row: Json) -> str:
    """Name of a row."""
    return section + " " + "/".join(str(row[k]) for k in IDENTITY if k in row)


def list_differences(section: str, got: list[Json], want: list[Json]) -> list[str]:
    """Rows of one section, which must be complete."""
    keys = KEYS.get(section)
    if keys is not None:
        got, want = together(got, keys), together(want, keys)
    left, out = list(got), []
    for row in want:
        key = {k: row[k] for k in IDENTITY if k in row}
        twins = [r for r in left if all(str(r.get(k)) == str(v) for k, v in key.items())]
        if not twins:
            out.append(f"{label(section, row)}: missing, want " + text(row))
            continue
        best = min(twins, key=lambda r: len(row_differences("", r, row)))
        left = [r for r in left if r is not best]
        out += row_differences(label(section, row), best, row)
    return out + [f"{label(section, r)}: not wanted, got " + text(r) for r in left]


def together(rows: list[Json], keys: tuple[str, ...]) -> list[Json]:
    """Rows with the same keys as one, their numbers added; without those of no size at all."""
    out: dict[tuple[str, ...], Json] = {}
    for row in rows:
        exact = {k: Fraction(v) if k in TOLERANCE else v for k, v in row.items()}
        key = tuple(str(row[k]) for k in keys)
        known = out.setdefault(key, exact)
        if known is not exact:
            known |= {k: known[k] + v for k, v in exact.items() if k in TOLERANCE}
    for row in out.values():
        if "code" in row and abs(row.get("wash", 1)) < TOLERANCE["wash"]:
            row["code"] = row["code"].replace("W", "")  # dust, or nothing
    sizes = ("qty", "open_qty")
    return [r for r in out.values() if all(abs(r[k]) > DUST for k in sizes if k in r)]


def text(row: Json) -> str:
    """A row on one line."""
    return " ".join(f"{k}={shown(v)}" for k, v in row.items() if k not in IDENTITY)


def snapshot_differences(got: list[Json], want: list[Json]) -> list[str]:
    """Snapshots, paired by as_of and known_at."""
    out = []
    found = {(s["as_of"], s.get("known_at")): s["result"] for s in got}
    for snapshot in want:
        key = (snapshot["as_of"], snapshot.get("known_at"))
        name = f"snapshot {key[0]}" + (f" known at {key[1]}" if key[1] else "")
        if key not in found:
            out.append(f"{name}: missing")
            continue
        out += [f"{name}: {d}" for d in differences(found[key], snapshot["result"])]
    return out


def differences(got: Json, want: Json) -> list[str]:
    """Where `got` does not agree with `want`; sections that `want` lacks do not count."""
    out = []
    if got.get("error") != want.get("error"):
        out.append(f"error: got {got.get('error')}, want {want.get('error')}")
    for section, value in want.items():
        if section == "error":
            continue
        if section == "snapshots":
            out += snapshot_differences(got.get("snapshots", []), value)
        elif section not in got:
            out.append(f"{section}: missing")
        elif isinstance(value, dict):
            out += row_differences(section, got[section], value)
        else:
            out += list_differences(section, got[section], value)
    return out

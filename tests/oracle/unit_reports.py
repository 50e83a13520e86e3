"""Reports of the oracle: rows, windows, harvest and tax years from a simulated state."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

from .unit_state import State
from .units import Json, Unit, UnitSale

ZERO = Fraction(0)


def summed(rows: list[Json], keys: tuple[str, ...]) -> list[Json]:
    """Rows with the same keys become one; their numbers are added."""
    out: dict[tuple[str, ...], Json] = {}
    for row in rows:
        key = tuple(row[k] for k in keys)
        if key not in out:
            out[key] = dict(row)
            continue
        for name, value in row.items():
            if isinstance(value, Fraction):
                out[key][name] += value
    return list(out.values())


def disposals(sim: State) -> list[Json]:
    """One row per event, lot, account and acquired date."""
    rows = [
        {
            "event": s.event, "lot": s.unit.lot, "account": s.account, "asset": s.asset,
            "qty": s.qty, "acquired": s.acquired, "sold": s.sold.isoformat(),
            "proceeds": s.proceeds, "basis": s.basis, "gain": s.gain, "wash": s.wash,
            "taxable": s.gain + s.wash, "term": s.term,
        }
        for s in sim.sales
    ]  # fmt: skip
    merged = summed(rows, ("event", "lot", "account", "acquired"))
    for row in merged:
        collectible = sim.assets[row["asset"]].get("collectible") and row["term"] == "L"
        row["code"] = ("C" if collectible else "") + ("W" if row["wash"] else "")
    return merged


def shown_date(unit: Unit, start: date) -> str:
    """Acquired date as a row shows it."""
    return "INHERITED" if unit.kind == "inherit" else start.isoformat()


def open_lots(sim: State) -> list[Json]:
    """What is held, in all accounts."""
    rows = [
        {
            "lot": u.lot, "account": u.account, "asset": u.asset,
            "qty": u.size / sim.factor[u.asset], "basis": u.basis,
            "acquired": shown_date(u, u.start),
        }
        for u in sim.units
        if u.held
    ]  # fmt: skip
    return summed(rows, ("lot", "account", "asset", "acquired"))


def nondeductible(sim: State) -> list[Json]:
    """Basis lost by abandonment."""
    rows = [
        {"event": event, "lot": u.lot, "asset": u.asset, "qty": qty, "basis": u.basis}
        for event, u, qty in sim.abandoned
    ]
    return summed(rows, ("event", "lot"))


def totals(sim: State) -> Json:
    """Sums over all disposals."""
    return {
        "proceeds": sum((s.proceeds for s in sim.sales), ZERO),
        "basis": sum((s.basis for s in sim.sales), ZERO),
        "gain": sum((s.gain for s in sim.sales), ZERO),
        "wash": sum((s.wash for s in sim.sales), ZERO),
    }


def windows(sim: State, as_of: date) -> list[Json]:
    """Losses that a purchase could still disallow."""
    rows = [
        {
            "event": s.event, "asset": s.asset,
            "open_qty": s.unit.size / sim.factor[s.asset],  # in units after later splits
            "open_loss": -s.gain,
            "last_day": (s.sold + timedelta(days=30)).isoformat(),
            "safe_from": (s.sold + timedelta(days=31)).isoformat(),
        }
        for s in sim.pending
        if as_of <= s.sold + timedelta(days=30)
    ]  # fmt: skip
    return summed(rows, ("event", "asset"))


def blocked_losses(sim: State, sales: list[UnitSale]) -> Fraction:
    """Loss that would be disallowed if these units alone were sold now."""
    free, blocked = list(sim.units), ZERO
    for sale in sales:
        covered = sim.assets[sale.asset]["class"] in sim.classes(sale.sold)
        found = [u for u in free if sim.replaces(u, sale)] if covered and sale.gain < 0 else []
        if found:
            free.remove(min(found, key=lambda u: (u.order, u.index)))
            blocked -= sale.gain
    return blocked


def harvest(sim: State, as_of: date, marks: Json) -> list[Json]:
    """Open sub-lots with a loss at the mark, each as if sold alone today."""
    lots: dict[tuple[str, str, str, str], list[UnitSale]] = {}
    for unit in sorted(sim.units, key=lambda u: u.fifo_key):
        if unit.held and sim.reports(unit.account) and unit.asset in marks:
            value = Fraction(marks[unit.asset]) * unit.size / sim.factor[unit.asset]
            sale = sim.as_sold("", unit, as_of, value)
            key = (unit.lot, unit.account, unit.asset, sale.acquired)
            lots.setdefault(key, []).append(sale)
    rows = []
    for (lot, account, asset, acquired), sales in lots.items():
        loss = sum((-s.gain for s in sales), ZERO)
        if loss > 0:
            blocked = blocked_losses(sim, sales)
            rows.append({
                "lot": lot, "account": account, "asset": asset, "acquired": acquired,
                "qty": sum((s.qty for s in sales), ZERO),
                "value": sum((s.proceeds for s in sales), ZERO),
                "basis": sum((s.basis for s in sales), ZERO),
                "loss": loss, "blocked": blocked, "harvestable": loss - blocked,
                "term": sales[0].term,
            })  # fmt: skip
    return rows


def years(sim: State, profile: Json) -> list[Json]:
    """Schedule D lines year by year, with the carryover between them."""
    carry_in: Json = profile.get("carry_in", {})
    named = {s.sold.year for s in sim.sales} | {int(y) for y in profile.get("report_years", [])}
    if "year" in carry_in:
        named.add(int(carry_in["year"]))
    rows: list[Json] = []
    carry = (ZERO, ZERO)
    for year in range(min(named), max(named) + 1) if named else []:
        if str(year) == str(carry_in.get("year")):
            carry = Fraction(carry_in.get("st", "0")), Fraction(carry_in.get("lt", "0"))
        rows.append(one_year(sim, profile, year, carry))
        carry = rows[-1]["carry_st"], rows[-1]["carry_lt"]
    return rows


def one_year(sim: State, profile: Json, year: int, carry: tuple[Fraction, Fraction]) -> Json:
    """Lines 7, 15, 16, 18 and 21 of one year and the carryover worksheet."""
    sales = [s for s in sim.sales if s.sold.year == year]
    short = sum((s.gain + s.wash for s in sales if s.term == "S"), ZERO) - carry[0]
    long = sum((s.gain + s.wash for s in sales if s.term == "L"), ZERO) - carry[1]
    net = short + long
    limit = Fraction(1500 if profile.get("filing_status") == "mfs" else 3000)
    deduction = min(max(-net, ZERO), limit)
    used = deduction  # line 4 of the worksheet: all of it unless income is known to be too small
    income = profile.get("taxable_income", {}).get(str(year))
    if income is not None:
        used = min(deduction, max(ZERO, Fraction(income) + deduction))
    st_loss, lt_loss = max(-short, ZERO), max(-long, ZERO)
    gems = [s for s in sales if s.term == "L" and sim.assets[s.asset].get("collectible")]
    rate28 = sum((s.gain + s.wash for s in gems), ZERO) - carry[1] - st_loss
    return {
        "year": str(year), "st": short, "lt": long, "net": net,
        "rate28": max(rate28, ZERO) if long > 0 and net > 0 else ZERO,
        "deduction": deduction,
        "carry_st": max(ZERO, st_loss - (used + max(long, ZERO))) if net < 0 else ZERO,
        "carry_lt": max(ZERO, lt_loss - (max(short, ZERO) + max(ZERO, used - st_loss)))
        if net < 0 else ZERO,
    }  # fmt: skip

"""Reports of the oracle: rows, windows, harvest and tax years from a simulated state."""

from __future__ import annotations

from datetime import date, time, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from .unit_shorts import Shorts as State
from .units import Json, Unit, UnitSale

if TYPE_CHECKING:
    from .unit_simulator import Simulation

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
        collectible = sim.collectible(row["asset"]) and row["term"] == "L"
        row["code"] = ("C" if collectible else "") + ("W" if row["wash"] else "")
    return merged


def shown_date(unit: Unit, start: date) -> str:
    """Acquired date as a row shows it."""
    return "INHERITED" if unit.kind == "inherit" else start.isoformat()


def open_lots(sim: State) -> list[Json]:
    """What is held, in all accounts."""
    rows = [
        {
            "lot": u.lot, "account": sim.place(u.account, u.asset), "asset": u.asset,
            "qty": u.size / sim.factor[u.asset], "basis": u.basis,
            "acquired": shown_date(u, u.start),
        }
        for group in sim.units.values()
        for u in group
        if u.held
    ]  # fmt: skip
    return summed(rows, ("lot", "account", "asset", "acquired"))


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
            "open_loss": s.loss,
            "last_day": (s.day + timedelta(days=30)).isoformat(),
            "safe_from": (s.day + timedelta(days=31)).isoformat(),
        }
        for s in sim.pending
        if s.loss and as_of <= s.day + timedelta(days=30)
    ]  # fmt: skip
    return summed(rows, ("event", "asset", "last_day"))


def blocked_losses(sim: State, sales: list[UnitSale]) -> Fraction:
    """Loss that would be disallowed if these units alone were sold now."""
    group = sim.units[sim.group(sales[0].asset)]
    line = sorted((u for u in group if sim.replaces(u, sales[0])), key=sim.place_in_line)
    free = [u.size for u in line]
    blocked = ZERO
    for sale in sales:
        left = sale.unit.size if sim.is_under_rule(sale) else ZERO
        while left and free:
            part = min(left, free[0])
            blocked += sale.loss * part / sale.unit.size
            left -= part
            free[0] -= part
            if not free[0]:
                free.pop(0)
    return blocked


def harvest(sim: State, as_of: date, marks: Json) -> list[Json]:
    """Open sub-lots with a loss at the mark, each as if sold alone today."""
    lots: dict[tuple[str, str, str, str], list[UnitSale]] = {}
    held = [u for group in sim.units.values() for u in group if u.held]
    order = (as_of, time.max, 0)
    for unit in sorted(held, key=sim.fifo):
        if sim.reports(unit.account) and unit.asset in marks:
            value = Fraction(marks[unit.asset]) * unit.size / sim.factor[unit.asset]
            sale = sim.as_sold(None, unit, as_of, value, order)
            place = sim.place(unit.account, unit.asset)
            lots.setdefault((unit.lot, place, unit.asset, sale.acquired), []).append(sale)
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


def answer(sim: Simulation, as_of: date, marks: Json | None, profile: Json) -> Json:
    """All sections."""
    out: Json = {
        "disposals": disposals(sim),
        "open_lots": open_lots(sim),
        "windows": windows(sim, as_of),
        "income": sim.income,
        "nondeductible": summed(sim.departures, ("event", "lot")),
        "totals": totals(sim),
        "years": years(sim, profile),
    }
    if marks is not None:
        out["harvest"] = harvest(sim, as_of, marks)
    if sim.refused:
        out["error"] = sim.refused[0][1]
    return out


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
    gems = [s for s in sales if s.term == "L" and sim.collectible(s.asset)]
    rate28 = sum((s.gain + s.wash for s in gems), ZERO) - carry[1] - st_loss
    return {
        "year": str(year), "st": short, "lt": long, "net": net,
        "rate28": max(rate28, ZERO) if long > 0 and net > 0 else ZERO,
        "deduction": deduction,
        "carry_st": max(ZERO, st_loss - (used + max(long, ZERO))) if net < 0 else ZERO,
        "carry_lt": max(ZERO, lt_loss - (max(short, ZERO) + max(ZERO, used - st_loss)))
        if net < 0 else ZERO,
    }  # fmt: skip

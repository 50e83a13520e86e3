"""Unit-by-unit simulation of a history: what each event does, and the whole answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

from . import unit_reports as reports
from .unit_state import HeldOutError, State
from .units import DEFAULT_POLICY, Event, Json, Unit, timeline

CAN_BE_WORTHLESS = {"stock", "fund", "tokenized_security"}


def number(raw: Json, key: str) -> Fraction:
    """A field as an exact number; a missing one is 0."""
    return Fraction(raw.get(key, "0"))


class Simulation(State):
    """The state after a list of events."""

    def __init__(self, scenario: Json, policy: Json, events: list[Event]) -> None:
        super().__init__(scenario, policy, events)
        for event in events:
            handler = getattr(self, "on_" + event.raw["type"], None)
            if handler is None:
                raise NotImplementedError(event.raw["type"])
            try:
                handler(event)
            except HeldOutError:
                self.error = True

    def leave(self, event: Event) -> list[Unit]:
        """Units that an event with account, asset and qty takes."""
        raw = event.raw
        n = self.count(raw["asset"], raw["qty"])
        return self.choose(event, raw["account"], raw["asset"], n)

    def on_buy(self, event: Event) -> None:
        """Cost is amount plus fee."""
        cost = number(event.raw, "amount") + number(event.raw, "fee")
        self.acquire(event, event.raw["asset"], event.raw["qty"], (cost, cost))

    def on_sell(self, event: Event) -> None:
        """Proceeds are amount less fee."""
        units = self.leave(event)
        self.dispose(event, units, number(event.raw, "amount") - number(event.raw, "fee"))

    on_spend = on_sell

    def on_swap(self, event: Event) -> None:
        """Sale of what is given, then purchase of what is received, at its value."""
        raw, out = event.raw, event.raw["out"]
        n = self.count(out["asset"], out["qty"])
        units = self.choose(event, raw["account"], out["asset"], n)
        value = number(raw, "amount")
        self.dispose(event, units, value - number(raw, "fee"))
        self.acquire(event, raw["in"]["asset"], raw["in"]["qty"], (value, value))

    def on_income(self, event: Event) -> None:
        """Ordinary income, which is the basis."""
        raw, value = event.raw, number(event.raw, "amount")
        if self.reports(raw["account"]):
            self.income.append({"event": raw["id"], "amount": value})
        self.acquire(event, raw["asset"], raw["qty"], (value, value))

    def on_transfer(self, event: Event) -> None:
        """The fee units are sold, the others move with everything they carry."""
        raw = event.raw
        source, asset = raw["from"], raw["asset"]
        fee, n = self.count(asset, raw.get("fee_qty", "0")), self.count(asset, raw["qty"])
        if fee + n > len(self.wallet(source, asset)):
            raise HeldOutError
        ordered = self.by_method(self.wallet(source, asset), self.method(source, event.when))
        self.dispose(event, ordered[:fee], number(raw, "fee_amount"))
        for unit in self.choose(event, source, asset, n):
            unit.account = raw["to"]

    def on_gift_in(self, event: Event) -> None:
        """Donor's basis and date; the lower value at the gift for a loss."""
        raw, donor = event.raw, number(event.raw, "donor_basis")
        begun = date.fromisoformat(raw.get("donor_acquired", event.when.isoformat()))
        for_loss = min(donor, Fraction(raw.get("amount", donor)))
        loss_start = event.when if for_loss < donor else begun
        self.acquire(event, raw["asset"], raw["qty"], (donor, for_loss), (begun, loss_start))

    def on_inherit(self, event: Event) -> None:
        """Value at death."""
        value = number(event.raw, "amount")
        self.acquire(event, event.raw["asset"], event.raw["qty"], (value, value))

    def on_gift_out(self, event: Event) -> None:
        """Units leave, nothing is realized."""
        for unit in self.leave(event):
            unit.held = False

    def on_abandon(self, event: Event) -> None:
        """Units leave, nothing is deductible."""
        for unit in self.leave(event):
            unit.held = False
            if self.reports(unit.account):
                self.abandoned.append((event.raw["id"], unit, unit.size / self.factor[unit.asset]))

    def on_split(self, event: Event) -> None:
        """A unit becomes more (or less) of the asset, in every account."""
        raw = event.raw
        self.factor[raw["asset"]] *= Fraction(raw["den"]) / Fraction(raw["num"])

    def on_return_of_capital(self, event: Event) -> None:
        """The same amount off every unit; what exceeds the basis is gain."""
        raw = event.raw
        units = self.wallet(raw["account"], raw["asset"])
        if not units:
            raise HeldOutError
        for unit in units:
            each = number(raw, "amount") / len(units)
            excess = max(Fraction(0), each - unit.basis)
            unit.basis = max(Fraction(0), unit.basis - each)
            unit.loss_basis = max(Fraction(0), unit.loss_basis - each)
            if excess and self.reports(unit.account):
                row = self.as_sold(raw["id"], unit, event.when, excess)
                self.sales.append(replace(row, basis=Fraction(0)))

    def on_convert(self, event: Event) -> None:
        """Units change their name; into another group also their size."""
        raw, out, new = event.raw, event.raw["out"], event.raw["in"]
        n = self.count(out["asset"], out["qty"])
        for unit in self.choose(event, raw["account"], out["asset"], n):
            size = self.sizes[self.assets[new["asset"]]["group"]]
            parts = Fraction(self.count(new["asset"], new["qty"]), n)
            if parts.denominator != 1:
                raise AssertionError("a unit does not convert into whole units")
            k = int(parts)
            unit.held = False
            self.units += [
                replace(
                    unit,
                    held=True,
                    asset=new["asset"],
                    size=size,
                    basis=unit.basis / k,
                    loss_basis=unit.loss_basis / k,
                    index=unit.index + Fraction(i, k),
                )
                for i in range(k)
            ]

    def on_worthless(self, event: Event) -> None:
        """Sale for nothing, if it is a security; a coin or NFT has no such event."""
        raw = event.raw
        if self.assets[raw["asset"]]["class"] in CAN_BE_WORTHLESS:
            self.dispose(event, self.wallet(raw["account"], raw["asset"]), Fraction(0))

    def on_standing_order(self, event: Event) -> None:
        """The method of one account from now on."""
        self.orders[event.raw["account"]] = event.raw


def result(scenario: Json, as_of: str, known_at: str | None, marks: Json | None) -> Json:
    """All sections for one state of knowledge."""
    policy = DEFAULT_POLICY | scenario.get("policy", {})
    sim = Simulation(scenario, policy, timeline(scenario, policy, as_of, known_at))
    day = date.fromisoformat(as_of)
    answer: Json = {
        "disposals": reports.disposals(sim),
        "open_lots": reports.open_lots(sim),
        "windows": reports.windows(sim, day),
        "income": sim.income,
        "nondeductible": reports.nondeductible(sim),
        "totals": reports.totals(sim),
        "years": reports.years(sim, scenario.get("profile", {})),
    }
    if marks is not None:
        answer["harvest"] = reports.harvest(sim, day, marks)
    if sim.error:
        answer["error"] = "insufficient_units"
    return answer


def simulate(scenario: Json) -> Json:
    """The expected sections of a scenario, exact; never reads `expected`."""
    answer = result(scenario, scenario["as_of"], None, scenario.get("marks"))
    answer["snapshots"] = [
        {
            "as_of": s["as_of"],
            "known_at": s.get("known_at"),
            "result": result(scenario, s["as_of"], s.get("known_at"), s.get("marks")),
        }
        for s in scenario.get("snapshots", [])
    ]
    return answer

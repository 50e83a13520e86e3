"""Unit-by-unit simulation of a history: what each event does, and the whole answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from fractions import Fraction

from . import unit_reports as reports
from .unit_pools import Pools
from .unit_state import NONE, PER_WALLET_FROM, HeldOutError
from .units import DEFAULT_POLICY, Event, Json, timeline, unit_sizes

CAN_BE_WORTHLESS = {"stock", "fund", "tokenized_security"}


def number(raw: Json, key: str) -> Fraction:
    """A field as an exact number; a missing one is 0."""
    return Fraction(raw.get(key, "0"))


class Simulation(Pools):
    """The state after the events that it was given."""

    def __init__(self, scenario: Json, policy: Json, sizes: dict[str, Fraction]) -> None:
        super().__init__(scenario, policy, sizes)
        self.income: list[Json] = []
        self.departures: list[Json] = []
        self.timeline: list[Event] = []  # what it was run over
        self.refused: list[tuple[str, str]] = []  # (event, code) of what cannot be so

    def run(self, events: Iterable[Event], as_of: date) -> None:
        """Everything that is known, up to the end of a day."""
        self.timeline = list(events)
        self.foreseen = [e for e in self.timeline if "asset" in e.raw or "out" in e.raw]
        for event in self.timeline:
            self.apply(event)
        self.until(as_of)

    def until(self, day: date) -> None:
        """Time passes: a new year may end the universal pool."""
        if self.pooled and day >= PER_WALLET_FROM:
            self.hand_out()

    def apply(self, event: Event) -> None:
        """One event, or its refusal."""
        self.until(event.when)
        self.forget(event.when)
        handler = getattr(self, "on_" + event.raw["type"], None)
        if handler is None:
            raise NotImplementedError(event.raw["type"])
        try:
            handler(event)
        except HeldOutError as refused:
            self.refused.append((event.raw["id"], refused.code))

    def on_buy(self, event: Event) -> None:
        """Cost is amount plus fee."""
        cost = number(event.raw, "amount") + number(event.raw, "fee")
        self.acquire(event, event.raw["asset"], event.raw["qty"], (cost, cost))

    def on_sell(self, event: Event) -> None:
        """Proceeds are amount less fee."""
        raw = event.raw
        proceeds = number(raw, "amount") - number(raw, "fee")
        self.sell_for(event, raw["asset"], raw["qty"], proceeds)

    on_spend = on_sell

    def sell_for(self, event: Event, asset: str, qty: str, proceeds: Fraction) -> None:
        """Choose at the net price per unit, then sell."""
        account, size = event.raw["account"], self.size(asset, qty)
        units = self.choose(event, account, asset, size, proceeds / size)
        self.dispose(event, account, units, proceeds)

    def on_swap(self, event: Event) -> None:
        """Sale of what is given, then purchase of what is received, at its value."""
        raw, value = event.raw, number(event.raw, "amount")
        self.sell_for(event, raw["out"]["asset"], raw["out"]["qty"], value - number(raw, "fee"))
        self.acquire(event, raw["in"]["asset"], raw["in"]["qty"], (value, value))

    def on_income(self, event: Event) -> None:
        """Ordinary income, which is the basis."""
        raw, value = event.raw, number(event.raw, "amount")
        if self.reports(raw["account"]):
            self.income.append({"event": raw["id"], "amount": value})
        self.acquire(event, raw["asset"], raw["qty"], (value, value))

    def on_transfer(self, event: Event) -> None:
        """The fee units are sold, the others move with everything they carry."""
        raw, asset = event.raw, event.raw["asset"]
        source, target = raw["from"], raw["to"]
        fee, size = self.size(asset, raw.get("fee_qty", "0")), self.size(asset, raw["qty"])
        value = number(raw, "fee_amount")
        self.has(source, asset, fee + size)
        if fee:
            units = self.choose(event, source, asset, fee, value / fee, named=False)
            self.dispose(event, source, units, value)
        self.counts[source, asset] -= size
        if target in self.sharing(source, asset):  # basis stays where it is
            self.counts[target, asset] += size
            return
        self.counts[source, asset] += size
        moved = self.choose(event, source, asset, size)
        extra = value / size if self.policy["transfer_fee"] == "add_to_basis" else NONE
        self.counts[source, asset] -= size
        self.counts[target, asset] += size
        for unit in moved:
            unit.account = target
            unit.basis += extra * unit.size
            unit.loss_basis += extra * unit.size
        for unit in moved:
            if unit.absorbed:
                self.share_evenly(unit)

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
        raw = event.raw
        size = self.size(raw["asset"], raw["qty"])
        for unit in self.choose(event, raw["account"], raw["asset"], size):
            self.leaves(raw["account"], unit)

    def on_abandon(self, event: Event) -> None:
        """Units leave; by position nothing, an ordinary loss, or a sale for 0."""
        raw = event.raw
        size = self.size(raw["asset"], raw["qty"])
        units = self.choose(event, raw["account"], raw["asset"], size)
        if self.policy["abandonment"] == "capital":
            self.dispose(event, raw["account"], units, NONE)
            return
        for unit in units:
            self.leaves(raw["account"], unit)
            if self.reports(raw["account"]):
                self.departures.append({
                    "event": raw["id"], "lot": unit.lot, "asset": unit.asset,
                    "qty": unit.size / self.factor[unit.asset], "basis": unit.basis,
                })  # fmt: skip

    def on_split(self, event: Event) -> None:
        """A unit becomes more (or less) of the asset, in every account."""
        self.factor.split(event.raw)

    def on_return_of_capital(self, event: Event) -> None:
        """The same amount off every unit; what exceeds the basis is gain."""
        raw = event.raw
        units = self.wallet(raw["account"], raw["asset"])
        if not units:
            raise HeldOutError
        paid = number(raw, "amount") / sum((u.size for u in units), NONE)
        for unit in units:
            each = paid * unit.size
            excess = max(NONE, each - unit.basis)
            unit.basis = max(NONE, unit.basis - each)
            unit.loss_basis = max(NONE, unit.loss_basis - each)
            if excess and self.reports(unit.account):
                row = self.as_sold(event, unit, event.when, excess, event.order)
                self.sales.append(replace(row, basis=NONE))

    def on_convert(self, event: Event) -> None:
        """Units change their name; by position it is a swap at its value."""
        raw, out, new = event.raw, event.raw["out"], event.raw["in"]
        if self.policy["wrap"] == "swap":
            if "amount" not in raw:
                raise HeldOutError("unvalued_wrap")
            self.on_swap(replace(event, raw={**raw, "type": "swap"}))
            return
        size, account = self.size(out["asset"], out["qty"]), raw["account"]
        scale = self.size(new["asset"], new["qty"]) / size
        units = self.choose(event, account, out["asset"], size)
        for unit in units:
            self.leaves(account, unit)
            renamed = replace(
                unit, held=True, asset=new["asset"], size=unit.size * scale,
                index=unit.index * scale,
            )  # fmt: skip
            self.add(renamed)
            if renamed.absorbed:
                self.share_evenly(renamed)

    def on_worthless(self, event: Event) -> None:
        """Sale for nothing, if it is a security; a coin or NFT has no such event."""
        raw = event.raw
        account, asset = raw["account"], raw["asset"]
        if self.assets[asset]["class"] in CAN_BE_WORTHLESS:
            units = self.choose(event, account, asset, self.counts[account, asset])
            self.dispose(event, account, units, NONE)

    def on_standing_order(self, event: Event) -> None:
        """The method of one account from now on."""
        self.orders[event.raw["account"]] = event.raw


def simulated(scenario: Json, as_of: str, known_at: str | None) -> Simulation:
    """The state on a day, from what was known on another."""
    policy = DEFAULT_POLICY | scenario.get("policy", {})
    events = timeline(scenario, policy, as_of, known_at)
    assets = {a["id"]: a for a in scenario["assets"]}
    sim = Simulation(scenario, policy, unit_sizes(events, assets))
    sim.run(events, date.fromisoformat(as_of))
    return sim


def result(scenario: Json, as_of: str, known_at: str | None, marks: Json | None) -> Json:
    """All sections for one state of knowledge."""
    sim = simulated(scenario, as_of, known_at)
    return reports.answer(sim, date.fromisoformat(as_of), marks, scenario.get("profile", {}))


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

"""The universal pool before 2025 and its hand-out to wallets (Rev. Proc. 2024-28)."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

from .unit_shorts import Shorts
from .unit_state import DIGITAL, NONE, PER_WALLET_FROM
from .units import Event, Json, Unit

RULES = {"global_fifo": "FIFO", "global_lifo": "LIFO", "global_hifo": "HIFO"}


class Pools(Shorts):
    """The part of the simulation about 1 January 2025."""

    def __init__(self, scenario: Json, policy: Json, sizes: dict[str, Fraction]) -> None:
        super().__init__(scenario, policy, sizes)
        self.foreseen: list[Event] = []  # all that is known, also what comes after 2024

    def on_basis_allocation(self, event: Event) -> None:
        """Nothing on its own day: the hand-out has looked ahead to it."""

    def hand_out(self) -> None:
        """Open basis of every digital asset goes to the wallets that hold units."""
        for asset in self.assets.values():
            if asset["class"] in DIGITAL:
                self.hand_out_asset(asset["id"])
        self.pooled = False

    def hand_out_asset(self, asset: str) -> None:
        """By the first allocation that is adequate, else oldest first."""
        owners: dict[str, list[str]] = defaultdict(list)
        for account in self.accounts.values():
            if account["type"] == "taxable":
                owners[account["owner"]].append(account["id"])
        for raw in self.in_time(asset):
            if raw.get("allocations"):
                if self.is_exact(asset, raw["allocations"]):
                    self.allot(asset, raw["allocations"])
                    return
            elif raw["method"] in RULES:
                for accounts in owners.values():
                    self.fill(asset, accounts, RULES[raw["method"]])
                return
        for accounts in owners.values():
            self.fill(asset, accounts, "FIFO")

    def in_time(self, asset: str) -> list[Json]:
        """Allocations that come before the first sale, disposition or transfer since 2025."""
        found: list[Json] = []
        for event in self.foreseen:
            raw = event.raw
            legs = [raw[k]["asset"] for k in ("out", "in") if k in raw]
            if asset not in [raw.get("asset"), raw.get("underlying"), *legs]:
                continue
            if raw["type"] == "basis_allocation":
                found.append(raw)
            elif event.when >= PER_WALLET_FROM and not self.only_acquires(raw, asset):
                break
        return found

    @staticmethod
    def only_acquires(raw: Json, asset: str) -> bool:
        """Whether an event brings units of the asset in, and takes none away."""
        if raw["type"] == "swap":
            return bool(raw["out"]["asset"] != asset)
        return raw["type"] in ("buy", "income", "gift_in", "inherit")

    def in_pool(self, asset: str, accounts: list[str]) -> list[Unit]:
        """Open basis of an asset in the pool of these accounts."""
        return [u for u in self.units[self.group(asset)]
                if u.held and u.asset == asset and u.account in accounts]  # fmt: skip

    def is_exact(self, asset: str, allocations: list[Json]) -> bool:
        """Names only open basis, and gives every wallet exactly the units that it holds."""
        by_wallet = defaultdict[str, Fraction](Fraction)
        by_lot = defaultdict[tuple[str, str], Fraction](Fraction)
        for part in allocations:
            if self.accounts.get(part["account"], {}).get("type") != "taxable":
                return False
            size = self.size(asset, part["qty"])
            by_wallet[part["account"]] += size
            by_lot[self.accounts[part["account"]]["owner"], part["lot"]] += size
        taxable = [a for a, own in self.accounts.items() if own["type"] == "taxable"]
        if any(by_wallet[account] != self.counts[account, asset] for account in taxable):
            return False
        open_basis = defaultdict[tuple[str, str], Fraction](Fraction)
        for unit in self.in_pool(asset, taxable):
            open_basis[self.accounts[unit.account]["owner"], unit.lot] += unit.size
        return all(size <= open_basis[key] for key, size in by_lot.items())

    def allot(self, asset: str, allocations: list[Json]) -> None:
        """Exactly those lots go there."""
        placed: list[tuple[Unit, str]] = []
        gone: set[int] = set()
        for part in allocations:
            kin = self.sharing(part["account"], asset)
            mine = [u for u in self.in_pool(asset, list(kin))
                    if u.lot == part["lot"] and id(u) not in gone]  # fmt: skip
            for unit in self.take(sorted(mine, key=self.fifo), self.size(asset, part["qty"])):
                placed.append((unit, part["account"]))
                gone.add(id(unit))
        for unit, account in placed:
            unit.account = account

    def fill(self, asset: str, accounts: list[str], method: str) -> None:
        """Wallets in the order of their ids, each from the first of the pool's lots."""
        left = self.by_method(self.in_pool(asset, accounts), method, PER_WALLET_FROM, None)
        placed: list[tuple[Unit, str]] = []
        for account in sorted(accounts):
            size = self.counts[account, asset]
            while size > NONE:
                unit = left.pop(0)
                if unit.size > size:
                    self.cut(unit, size)
                    kin = self.units[self.group(asset)]
                    left.insert(0, kin[kin.index(unit) + 1])
                placed.append((unit, account))
                size -= unit.size
        for unit, account in placed:
            unit.account = account

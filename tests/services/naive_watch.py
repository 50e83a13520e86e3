"""The plainest alert engine: it values every lot of every taxpayer at every step."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from domain.days import moment_key
from domain.exact import money
from domain.harvest import Opportunity, opportunities
from domain.years import tax_saved
from projections import alerts
from services.statement import year_sums
from tests.services.house import House

Said = tuple[str, str, str, int, int]  # taxpayer, what, rule, crossing (or wait), value


class NaiveWatch:
    """Rules against values, all of them, from the facts and marks that the house holds."""

    def __init__(self) -> None:
        self.firing: dict[tuple[str, str], bool] = {}
        self.crossing: dict[tuple[str, str], int] = {}
        self.fired_at: dict[tuple[str, str], datetime] = {}
        # Since when the metric is there, and the version of the rule that waits.
        self.pending: dict[tuple[str, str], tuple[datetime, str]] = {}
        self.waits: dict[tuple[str, str], int] = {}

    def step(self, house: House) -> list[Said]:
        """What crosses now."""
        said = []
        with house.app.projector.database.reading() as connection:
            rules = sorted(
                alerts.rules(connection), key=lambda each: (each["taxpayer"], each["name"])
            )
        for rule in rules:
            key = (rule["taxpayer"], rule["name"])
            value = self.value(house, rule)
            threshold = Fraction(money(rule["threshold"]))
            now = house.clock.now
            if not self.firing.get(key) and value >= threshold:
                if key in self.fired_at and now < self.fired_at[key] + cooldown(rule):
                    continue
                if self.is_new_wait(key, rule, now):
                    said.append((key[0], "pending", key[1], self.waits[key], value))
                if now < self.pending.get(key, (now, ""))[0] + dwell(rule):
                    continue
                self.pending.pop(key, None)
                self.fired_at[key] = now
                self.firing[key] = True
                self.crossing[key] = self.crossing.get(key, 0) + 1
                said.append((key[0], "fired", key[1], self.crossing[key], value))
            elif self.firing.get(key) and value < threshold * Fraction(rule["rearm_ratio"]):
                self.firing[key] = False
                said.append((key[0], "rearmed", key[1], self.crossing[key], value))
            elif self.pending.get(key, (now, ""))[1] == rule["since"] and value < threshold:
                del self.pending[key]
                said.append((key[0], "lapsed", key[1], self.waits[key], value))
        return said

    def is_new_wait(self, key: tuple[str, str], rule: dict[str, Any], now: datetime) -> bool:
        """Whether a rule that was not pending, or was set anew meanwhile, is pending from now."""
        if not rule["dwell_seconds"] or self.pending.get(key, (now, ""))[1] == rule["since"]:
            return False
        self.pending[key] = (now, rule["since"])
        self.waits[key] = self.waits.get(key, 0) + 1
        return True

    def value(self, house: House, rule: dict[str, Any]) -> int:
        """The metric of a rule in 10**-36."""
        portfolio = house.app.projector.taxpayer(rule["taxpayer"]).portfolio
        policy = portfolio.declared.policy
        day = moment_key(house.clock.text, policy.zone)[0]
        prices = {asset: mark.price for asset, mark in house.app.projector.board.marks.items()}
        found = [
            one
            for book in portfolio.books.values()
            for one in opportunities(book, prices, day)
            if in_scope(rule["scope"], one)
        ]
        loss = sum(one.harvestable for one in found)
        if rule["metric"] == "harvestable_loss":
            return loss
        if rule["metric"] == "tax_saved":
            year = policy.rules.tax_year_of(day)
            change: dict[tuple[int, bool, bool], int] = {}
            for one in found:
                key = (year, one.is_long, one.lot.asset.collectible)
                change[key] = change.get(key, 0) - one.harvestable
            return tax_saved(year, year_sums(portfolio), change, portfolio.declared.profile, policy)
        cost = sum(
            lot.basis
            for book in portfolio.books.values()
            for lot in book.open_lots()
            if lot.account.reports and lot.asset.id in prices and in_scope_lot(rule["scope"], lot)
        )
        return 100 * loss * 10**36 // cost if cost else 0


def cooldown(rule: dict[str, Any]) -> timedelta:
    """How long a rule that fired does not fire again."""
    return timedelta(seconds=rule["cooldown_seconds"])


def dwell(rule: dict[str, Any]) -> timedelta:
    """How long the metric has to stay before the rule fires."""
    return timedelta(seconds=rule["dwell_seconds"])


def in_scope(scope: str, one: Opportunity) -> bool:
    """Whether a rule looks at the lot of an opportunity."""
    return in_scope_lot(scope, one.lot)


def in_scope_lot(scope: str, lot: Any) -> bool:
    """Whether a rule looks at a lot."""
    return scope in (
        "all",
        f"asset:{lot.asset.id}",
        f"class:{lot.asset.asset_class.name}",
        f"group:{lot.asset.group}",
        f"account:{lot.account.id}",
        f"position:{lot.account.id}/{lot.asset.id}",
        f"lot:{lot.ref}",
    )

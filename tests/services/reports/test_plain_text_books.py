"""Beancount and hledger files: their grammar, exact balance, and the lots and gains in them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from domain.exact import money, quantity
from services.reports.beancount import beancount
from services.reports.hledger import hledger
from services.reports.lot_history import LotHistory, account_names, commodity_names
from tests.services.house import House
from tests.services.reports.histories import account, asset, event, lots, view

DAY = r"\d{4}-\d\d-\d\d"
NUMBER = r"-?\d+(?:\.\d+)?"
ACCOUNT = r"(?:Assets|Liabilities|Equity|Income|Expenses)(?::[A-Z0-9][A-Za-z0-9-]*)+"
COMMODITY = r"[A-Z][A-Z0-9'._-]{0,22}[A-Z0-9]"
TEXT = r'"(?:[^"\\]|\\.)*"'
# Beancount's grammar, as far as we write it (its lexer: currencies, accounts, strings, dates).
BEANCOUNT = {
    "comment": re.compile(r";.*"),
    "option": re.compile(rf"option {TEXT} {TEXT}"),
    "commodity": re.compile(rf"{DAY} commodity (?P<commodity>{COMMODITY})"),
    "open": re.compile(rf"(?P<day>{DAY}) open (?P<account>{ACCOUNT})"),
    "transaction": re.compile(rf"(?P<day>{DAY}) \* {TEXT} {TEXT}"),
    "bought": re.compile(
        rf"  (?P<account>{ACCOUNT})  (?P<units>{NUMBER}) (?P<commodity>{COMMODITY}) "
        rf"{{{{(?P<cost>{NUMBER}) USD, (?P<lot>{DAY}, {TEXT})}}}}"
    ),
    "sold": re.compile(
        rf"  (?P<account>{ACCOUNT})  (?P<units>-{NUMBER}) (?P<commodity>{COMMODITY}) "
        rf"{{(?P<lot>{DAY}, {TEXT})}}"
    ),
    "money": re.compile(rf"  (?P<account>{ACCOUNT})  (?P<cost>{NUMBER}) USD"),
    "metadata": re.compile(rf"  [a-z][a-z-]*: {TEXT}"),
}
# hledger's: two spaces end an account name, a symbol with digits or hyphens is in quotes.
HLEDGER = {
    "comment": re.compile(r";.*"),
    "mark": re.compile(r"decimal-mark \."),
    "commodity": re.compile(
        rf'commodity 1000\.(?:00)? "(?P<commodity>{COMMODITY})"(?:  ; name:.+)?'
    ),
    "open": re.compile(rf"account (?P<account>{ACCOUNT})"),
    "transaction": re.compile(rf"(?P<day>{DAY}) \* [A-Za-z ]+ \| [^;|]+(?:  ; [^;]+)?"),
    "units": re.compile(
        rf'    (?P<account>{ACCOUNT})  (?P<units>{NUMBER}) "(?P<commodity>{COMMODITY})" @@ '
        rf'(?P<cost>\d+(?:\.\d+)?) "USD"  ; lot:(?P<lot>[^,;]+), held-since:{DAY}'
    ),
    "money": re.compile(rf'    (?P<account>{ACCOUNT})  (?P<cost>{NUMBER}) "USD"'),
}  # fmt: skip


@dataclass
class Read:
    """What a reader makes of a file; every line had to fit the grammar."""

    opened: dict[str, str] = field(default_factory=dict)
    commodities: set[str] = field(default_factory=set)
    sums: list[int] = field(default_factory=list)
    totals: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    units: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    lots: dict[str, tuple[int, int]] = field(default_factory=dict)
    day: str = ""

    def take(self, kind: str, found: re.Match[str]) -> None:
        parts = found.groupdict()
        if kind == "commodity":
            assert parts["commodity"] not in self.commodities
            self.commodities.add(parts["commodity"])
        elif kind == "open":
            assert parts["account"] not in self.opened
            self.opened[parts["account"]] = parts.get("day", "")
        elif kind == "transaction":
            assert parts["day"] >= self.day
            self.day = parts["day"]
            self.sums.append(0)
        elif "account" in parts:
            self.post(parts)

    def post(self, parts: dict[str, str]) -> None:
        assert self.opened[parts["account"]] <= self.day
        if "units" not in parts:
            self.sums[-1] += money(parts["cost"])
            self.totals[parts["account"]] += money(parts["cost"])
            return
        assert parts["commodity"] in self.commodities
        units = quantity(parts["units"])
        self.units[parts["account"], parts["commodity"]] += units
        self.sums[-1] += self.weight(units, parts)

    def weight(self, units: int, parts: dict[str, str]) -> int:
        """A purchase opens a lot that nobody opened; a sale takes the whole of one."""
        if units > 0:
            assert parts["lot"] not in self.lots
            self.lots[parts["lot"]] = (units, money(parts["cost"]))
            return money(parts["cost"])
        held, cost = self.lots.pop(parts["lot"])
        assert held == -units
        assert money(parts.get("cost") or "0") in (cost, 0)
        return -cost


def read(text: str, grammar: dict[str, re.Pattern[str]]) -> Read:
    state = Read()
    assert text.endswith("\n")
    for line in text.splitlines():
        if line:
            kind, found = next(
                (
                    (kind, found)
                    for kind, rule in grammar.items()
                    if (found := rule.fullmatch(line))
                ),
                ("", None),
            )
            assert found is not None, line
            state.take(kind, found)
    return state


BOOKS = pytest.mark.parametrize(
    ("write", "grammar"), [(beancount, BEANCOUNT), (hledger, HLEDGER)], ids=["beancount", "hledger"]
)
Writer = Callable[[LotHistory], str]


@BOOKS
def test_every_transaction_balances_exactly(
    told_house: House, write: Writer, grammar: dict[str, re.Pattern[str]]
) -> None:
    found = read(write(lots(told_house)), grammar)
    assert len(found.sums) > 30
    assert set(found.sums) == {0}


@BOOKS
def test_what_is_left_are_the_open_lots(
    told_house: House, write: Writer, grammar: dict[str, re.Pattern[str]]
) -> None:
    found = read(write(lots(told_house)), grammar)
    ours = told_house.app.queries.lots(view(told_house))
    assert sorted(found.lots.values()) == sorted(
        (quantity(lot["qty"]), money(lot["basis"])) for lot in ours
    )
    assert sum(found.units.values()) == sum(quantity(lot["qty"]) for lot in ours)


@BOOKS
def test_its_income_is_the_gain_of_the_return(
    told_house: House, write: Writer, grammar: dict[str, re.Pattern[str]]
) -> None:
    totals = read(write(lots(told_house)), grammar).totals
    gains = told_house.app.queries.gains(view(told_house))
    for term, name in (("S", "Short-Term"), ("L", "Long-Term")):
        ours = sum(money(row["taxable"]) for row in gains if row["term"] == term)
        assert -totals[f"Income:Capital-Gains:{name}"] == ours
    assert totals["Equity:Wash-Sales"] == sum(money(row["wash"]) for row in gains)
    cash = sum(amount for account, amount in totals.items() if account.endswith(":Cash"))
    assert cash == sum(money(row["proceeds"]) for row in gains)


@BOOKS
def test_strange_names_stay_within_the_grammar(
    house: House, write: Writer, grammar: dict[str, re.Pattern[str]]
) -> None:
    names = (
        "x",
        "X",
        "USD",
        "1INCH",
        'a"b\\c',
        "=1; d:2, e",
        "\u00c4\u00d6",
        "-",
        "A" * 60,
        "A" * 61,
    )
    house.say(*(asset(name, "stock") for name in names))
    for number, name in enumerate(names):
        house.say(event(f'b"{number}; x:y, z|', "buy", "2025-01-02", f"{name}  y", name, "3", "10"))
        house.say(event(f"s{number}", "sell", "2025-02-03", f"{name}  y", name, "1", "5"))
    found = read(write(lots(house, None)), grammar)
    assert set(found.sums) == {0}
    assert len(found.commodities - {"USD"}) == len(names)
    assert len(found.lots) == len(names)


@BOOKS
def test_a_ledger_without_facts_is_a_file(
    house: House, write: Writer, grammar: dict[str, re.Pattern[str]]
) -> None:
    assert read(write(lots(house, None)), grammar).sums == []


@BOOKS
def test_units_sold_before_a_split_keep_their_number(
    house: House, write: Writer, grammar: dict[str, re.Pattern[str]]
) -> None:
    house.say(account("A"), asset("S", "stock"),
              event("b1", "buy", "2025-01-02", "A", "S", "9", "90"),
              event("s1", "sell", "2025-02-03", "A", "S", "3", "45"),
              {"id": "x", "type": "split", "date": "2025-03-03", "asset": "S", "num": "2",
               "den": "1"},
              event("s2", "sell", "2025-04-03", "A", "S", "6", "45"))  # fmt: skip
    found = read(write(lots(house, None)), grammar)
    assert list(found.lots.values()) == [(quantity("6"), money("30"))]


def test_names_are_safe_and_no_two_are_the_same() -> None:
    assert account_names(["my ira", "my-ira", "", "9", "\u00e4"]) == {
        "": "X", "9": "9", "my ira": "My-ira", "my-ira": "My-ira-2", "\u00e4": "X-2",
    }  # fmt: skip
    assert commodity_names(["usd", "btc", "BTC", "7", "b"], "USD") == {
        "7": "X-7", "BTC": "BTC", "b": "B-U", "btc": "BTC-2", "usd": "USD-2",
    }  # fmt: skip

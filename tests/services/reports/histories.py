"""One history with something for every report, and the reports' texts made from it."""

from __future__ import annotations

import json
from pathlib import Path

from infra.sources.broker_rows import read_broker_rows
from services.queries import View
from services.reports.amounts import Rounding
from services.reports.beancount import beancount
from services.reports.form_8949 import form_8949, form_8949_csv
from services.reports.hledger import hledger
from services.reports.lot_history import LotHistory, lot_history
from services.reports.reconcile import reconcile, reconcile_csv
from services.reports.sales import TaxReturn, tax_return
from services.reports.schedule_d import schedule_d, schedule_d_csv
from services.reports.txf import txf
from services.reports.wash_sales import wash_sales, wash_sales_csv
from tests.services.house import House, Json

NASTY = "=cmd|' /C calc'!A0"
WALLET = "eip155:1:0x2b5ad5c4795c026514f8317c7a215e218dccd6cf"
YEAR = 2025
TODAY = "2026-03-01"
GOLDEN = Path(__file__).parent / "golden"
STATEMENT = GOLDEN / "statement.csv"


def account(id: str, **more: str) -> Json:
    return {"id": f"account/{id}", "type": "account", "date": "2020-01-01", "account": id} | more


def asset(id: str, its_class: str, **more: str | bool) -> Json:
    return {"id": f"asset/{id}", "type": "asset", "date": "2020-01-01", "asset": id,
            "class": its_class} | more  # fmt: skip


def event(id: str, kind: str, date: str, account: str, asset: str, qty: str, amount: str,
          **more: object) -> Json:  # fmt: skip
    return {"id": id, "type": kind, "date": date, "account": account, "asset": asset, "qty": qty,
            "amount": amount} | more  # fmt: skip


HISTORY: tuple[Json, ...] = (
    {"id": "profile", "type": "profile", "date": "2020-01-01", "filing_status": "single",
     "carry_in": {"year": "2025", "st": "1000", "lt": "7500.50"},
     "taxable_income": {"2025": "90000"}},
    account("north"),
    account("south"),
    account("my ira", kind="ira"),
    account("exchange"),
    account(WALLET, custody="self"),
    asset("XYZ", "stock"),
    asset("OLD", "stock"),
    asset("ETH", "crypto"),
    asset("GEM", "nft", collectible=True),
    asset(NASTY, "stock"),
    # a loss of 90, a third of it replaced in the IRA, a third in another account
    event("b1", "buy", "2025-01-15", "north", "XYZ", "100", "12000", fee="5"),
    event("s1", "sell", "2025-06-10", "north", "XYZ", "90", "9000"),
    event("i1", "buy", "2025-06-20", "my ira", "XYZ", "30", "2950"),
    event("b2", "buy", "2025-07-01", "south", "XYZ", "30", "3010"),
    event("s2", "sell", "2025-12-22", "south", "XYZ", "30", "3700", fee="10"),
    # thirds, which no decimal holds
    event("b3", "buy", "2023-03-01", "north", "OLD", "3", "100"),
    event("h1", "inherit", "2025-02-01", "north", "OLD", "2", "80"),
    event("s3", "sell", "2025-03-10", "north", "OLD", "1", "50"),
    event("s4", "sell", "2025-03-10", "north", "OLD", "1", "50"),
    event("s5", "sell", "2025-04-10", "north", "OLD", "2", "100"),
    # digital assets: own wallet, exchange, a collectible, a loss that is under no rule
    event("e1", "buy", "2024-01-10", "exchange", "ETH", "2", "5000"),
    {"id": "t1", "type": "transfer", "date": "2024-02-01", "from": "exchange", "to": WALLET,
     "asset": "ETH", "qty": "0.5"},
    event("s6", "sell", "2025-02-02", "exchange", "ETH", "0.75", "1700"),
    event("e2", "buy", "2025-02-03", "exchange", "ETH", "1", "2300"),
    event("s7", "spend", "2025-05-05", WALLET, "ETH", "0.25", "500"),
    event("n1", "buy", "2023-06-01", WALLET, "GEM", "1", "1000"),
    event("s8", "sell", "2025-09-09", WALLET, "GEM", "1", "4000.005"),
    # a name that a spreadsheet would run, sold at a loss on the last day of the year
    event("x1", "buy", "2025-11-03", "north", NASTY, "10", "100"),
    event("s9", "sell", "2025-12-31", "north", NASTY, "4", "30"),
    # a return of capital beyond basis, and a sale of the next year
    event("b4", "buy", "2024-05-01", "south", "OLD", "10", "20"),
    {"id": "r1", "type": "return_of_capital", "date": "2025-08-01", "account": "south",
     "asset": "OLD", "amount": "25"},
    event("s10", "sell", "2026-01-05", "south", "OLD", "5", "60"),
)  # fmt: skip


def told(house: House) -> House:
    """The history, in a ledger."""
    outcomes = house.say(*HISTORY)
    assert len(outcomes) == len(HISTORY)
    return house


def view(house: House, as_of: str | None = None, known_at: str | None = None) -> View:
    return house.app.queries.view("main", as_of, known_at)


def stated(house: House, year: int = YEAR, as_of: str | None = TODAY) -> TaxReturn:
    return tax_return(house.app.queries, view(house, as_of), year)


def lots(house: House, as_of: str | None = TODAY) -> LotHistory:
    return lot_history(house.app.queries, view(house, as_of))


def reports(house: House, as_of: str | None = TODAY) -> dict[str, str]:
    """Every report of the history, by the name of its golden file."""
    year = stated(house, as_of=as_of)
    cents, dollars = Rounding(), Rounding(whole_dollars=True)
    rows, bad = read_broker_rows(STATEMENT, YEAR)
    assert not bad
    objects = {
        "8949.json": form_8949(year, cents),
        "schedule-d.json": schedule_d(year, cents),
        "wash-sales.json": wash_sales(year),
        "reconcile.json": reconcile(year, rows),
    }
    return {name: json.dumps(each, indent=2) + "\n" for name, each in objects.items()} | {
        "8949.csv": form_8949_csv(objects["8949.json"]),
        "8949-dollars.csv": form_8949_csv(form_8949(year, dollars)),
        "schedule-d.csv": schedule_d_csv(objects["schedule-d.json"]),
        "schedule-d-dollars.csv": schedule_d_csv(schedule_d(year, dollars)),
        "wash-sales.csv": wash_sales_csv(objects["wash-sales.json"]),
        "reconcile.csv": reconcile_csv(objects["reconcile.json"]),
        "sales.txf": txf(year, "Thresher test", TODAY)[0],
        "lots.beancount": beancount(lots(house, as_of)),
        "lots.journal": hledger(lots(house, as_of)),
    }

"""Run by the peers' own Python: histories on standard input, rp2's rows on output."""

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from prezzemolo.avl_tree import AVLTree
from rp2.accounting_engine import AccountingEngine
from rp2.configuration import MAX_DATE, MIN_DATE, Configuration
from rp2.in_transaction import InTransaction
from rp2.input_data import InputData
from rp2.intra_transaction import IntraTransaction
from rp2.out_transaction import OutTransaction
from rp2.plugin.country.us import US
from rp2.rp2_decimal import ZERO, RP2Decimal
from rp2.tax_engine import compute_tax
from rp2.transaction_set import TransactionSet

Event = dict[str, str]
# Column numbers of a spreadsheet that is never read; rp2 wants them stated.
CONFIGURATION = """
[general]
assets = COIN
exchanges = {wallets}
holders = me
[in_header]
timestamp = 0
[out_header]
timestamp = 0
[intra_header]
timestamp = 0
"""


def transactions(configuration: Configuration, history: list[Event]) -> Iterator[tuple[str, Any]]:
    for row, event in enumerate(history, start=1):
        common: dict[str, Any] = {
            "configuration": configuration,
            "timestamp": event["ts"],
            "asset": "COIN",
            "row": row,
        }
        units = RP2Decimal(event["qty"])
        if event["kind"] == "transfer":
            yield "INTRA", moved(common, event, units)
            continue
        common |= {"exchange": event["wallet"], "holder": "me"}
        amount, fee = RP2Decimal(event["amount"]), RP2Decimal(event["fee"])
        if event["kind"] == "buy":
            yield (
                "IN",
                InTransaction(
                    **common,
                    transaction_type="BUY",
                    spot_price=amount / units,
                    crypto_in=units,
                    fiat_in_no_fee=amount,
                    fiat_fee=fee,
                ),
            )
        else:
            yield (
                "OUT",
                OutTransaction(
                    **common,
                    transaction_type="SELL",
                    spot_price=amount / units,
                    crypto_out_no_fee=units,
                    crypto_fee=ZERO,
                    fiat_out_no_fee=amount - fee,
                    fiat_fee=ZERO,
                ),
            )


def moved(common: dict[str, Any], event: Event, units: RP2Decimal) -> IntraTransaction:
    cost = RP2Decimal(event["fee_qty"])
    return IntraTransaction(
        **common,
        from_exchange=event["wallet"],
        from_holder="me",
        to_exchange=event["to"],
        to_holder="me",
        spot_price=RP2Decimal(event["fee_amount"]) / cost if cost > ZERO else ZERO,
        crypto_sent=units + cost,
        crypto_received=units,
    )


def rows(configuration: Configuration, history: list[Event], method: str) -> list[Event]:
    sets = {
        kind: TransactionSet(configuration, kind, "COIN", MIN_DATE, MAX_DATE)
        for kind in ("IN", "OUT", "INTRA")
    }
    for kind, transaction in transactions(configuration, history):
        sets[kind].add_entry(transaction)
    methods = AVLTree()
    plugin = import_module(f"rp2.plugin.accounting_method.{method.lower()}")
    methods.insert_node(MIN_DATE.year, plugin.AccountingMethod())
    taxed = compute_tax(
        configuration,
        AccountingEngine(years_2_methods=methods),
        InputData("COIN", sets["IN"], sets["OUT"], sets["INTRA"]),
    )
    return [
        {
            "sold": row.taxable_event.timestamp.isoformat(),
            "acquired": row.acquired_lot.timestamp.isoformat(),
            "qty": str(row.crypto_amount),
            "proceeds": str(row.taxable_event_fiat_amount_with_fee_fraction),
            "basis": str(row.fiat_cost_basis),
            "term": "L" if row.is_long_term_capital_gains() else "S",
        }
        for row in taxed.gain_loss_set
    ]


asked = json.load(sys.stdin)
wallets = sorted({event["wallet"] for history in asked["histories"] for event in history})
Path("rp2.ini").write_text(CONFIGURATION.format(wallets=", ".join(wallets)), encoding="utf-8")
configuration = Configuration("rp2.ini", US())
answers = [rows(configuration, history, asked["method"]) for history in asked["histories"]]
json.dump(answers, sys.stdout)

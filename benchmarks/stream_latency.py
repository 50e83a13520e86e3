"""stream/latency: from a trade that is sent to its alert that is received, all through Kafka.

A thousand trades a second by two hundred taxpayers; now and then somebody with a rule buys above
the mark, which is a loss at once, and the rule fires.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from statistics import quantiles
from threading import Thread

from kafka import KafkaConsumer, KafkaProducer

from benchmarks.report import Result, note
from benchmarks.stream_place import Place, message, send
from domain.days import sortable_instant
from domain.decisions import AlertRuleSet
from infra.composition import App
from infra.simulate import Said
from services.ledger import Offer
from services.marks import Quote

RATE = 1_000
_EVERY = 25  # so many trades between two that make a rule fire
_AT = "2026-01-02T15:00:00.000000Z"
_GOAL_MS = 250.0
_BURSTS_A_SECOND = 100


def results(place: Place, seconds: int, rate: int) -> Iterator[Result]:
    """Percentiles in milliseconds."""
    count = seconds * rate
    watchers = [f"W{number:04d}" for number in range(count // _EVERY + 1)]
    traders = [f"T{number:04d}" for number in range(200)]
    note(f"stream: {rate:,} trades a second for {seconds} s, {count // _EVERY:,} alerts")
    opening = [_fact(name, "C", type="asset", **{"class": "crypto"}) for name in watchers + traders]
    _set_rules(place, watchers)
    place.start("worker")
    place.start("deliver")
    send(place, opening)
    place.until_done(len(opening))
    received: dict[str, float] = {}
    first = watchers.pop(0)  # all is up when its alert is there
    send(place, [_trade_of(first, 0, "1500")])
    _listen(place, received, 1)
    listener = Thread(target=_listen, args=(place, received, len(watchers) + 1))
    listener.start()
    sent = _trade(place, watchers, traders, count, rate)
    listener.join()
    took = [1_000 * (received[name] - when) for name, when in sent.items()]
    cuts = quantiles(took, n=1000)
    against = (
        f"the goal, {_GOAL_MS:.0f} ms at p99; {len(took):,} alerts, longest {max(took):.0f} ms"
    )
    for name, cut in (("p50", cuts[499]), ("p99", cuts[989])):
        yield Result(f"stream/latency_{name}", cut, "ms", against, cut / _GOAL_MS)


def _fact(taxpayer: str, id: str, **data: str) -> Said:
    return Said("fact", taxpayer, f"{taxpayer}-{id}", {"id": id, "asset": "C", **data})


def _trade_of(name: str, number: int, amount: str) -> Said:
    at = sortable_instant(datetime.fromisoformat(_AT) + timedelta(milliseconds=number))
    return _fact(name, f"t{number}", type="buy", ts=at, account="venue", qty="10", amount=amount)


def _set_rules(place: Place, watchers: list[str]) -> None:
    """A rule each, and a mark of 100."""
    app = App(place.settings)
    rule = AlertRuleSet(
        effective_at=_AT, name="loss", scope="all", metric="harvestable_loss", threshold="200",
        channels=("kafka",),
    )  # fmt: skip
    for shard in (app.of_shard(number) for number in range(place.shards)):
        mine = [name for name in watchers if shard.ledger.owns(name)]
        shard.ledger.append([Offer(name, "bench", "rule/loss", rule) for name in mine], _AT)
        shard.projector.catch_up(_AT[:10])
        shard.close()
    app.market.take([Quote("C", "100", _AT)])
    app.close()


def _listen(place: Place, received: dict[str, float], count: int) -> None:
    reader = KafkaConsumer(
        place.names.alerts, bootstrap_servers=place.settings.kafka, auto_offset_reset="earliest",
        consumer_timeout_ms=60_000,
    )  # fmt: skip
    for record in reader:
        now = time.perf_counter()
        received.setdefault(json.loads(record.value)["subject"], now)
        if len(received) == count:
            break
    reader.close()


def _trade(
    place: Place, watchers: list[str], traders: list[str], count: int, rate: int
) -> dict[str, float]:
    """Sends the trades by the clock; returns when each was sent that makes a rule fire."""
    producer = KafkaProducer(bootstrap_servers=place.settings.kafka)
    sent: dict[str, float] = {}
    start, at_once = time.perf_counter(), max(1, rate // _BURSTS_A_SECOND)
    for number in range(count):
        if number % at_once == 0:
            time.sleep(max(0.0, start + number / rate - time.perf_counter()))
        fires = number % _EVERY == _EVERY - 1
        name = watchers[number // _EVERY] if fires else traders[number % len(traders)]
        trade = _trade_of(name, number + 1, "1500" if fires else "1000")
        if fires:
            sent[name] = time.perf_counter()
        producer.send(place.names.facts, key=name.encode(), value=message(trade))
    producer.flush(60)
    producer.close()
    return sent

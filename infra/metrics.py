"""What a process tells Prometheus: counts and ages, never an amount, an asset or a lot.

Labels are few and known: no taxpayer, asset, lot or rule, and of sources only through which door
a fact came. What the store alone knows is in infra/store_metrics.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from importlib.metadata import version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

from infra.http.health import Checks, start
from services.delivery import Channels, Confirm, DeliveryFailed, Message, Send

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)
_TICK_SECONDS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.5, 1, 2.5, 10)


def registry_of_process() -> CollectorRegistry:
    """A registry with what every process tells: its version, memory, CPU and age."""
    disable_created_metrics()  # type: ignore[no-untyped-call]
    made = CollectorRegistry()
    ProcessCollector(registry=made)
    info = Gauge("harvest_build_info", "Always 1.", ["version"], registry=made)
    info.labels(version("thresher")).set(1)
    return made


class Metrics:
    """What a worker counts; `start` makes it readable over HTTP.

    Series with known labels are there from the start: what never happened reads 0, not nothing.
    """

    def __init__(self) -> None:
        self.registry = known = registry_of_process()
        self.messages = _counts("messages_read", "Messages read, by topic.", ["topic"], known)
        appended = _counts("events_appended", "Facts new to the log, by door.", ["source"], known)
        self.facts = appended.labels("stream")
        self.own_facts = appended.labels("rules")
        self.dead = _count("dead_letters", "Messages that cannot be used.", known)
        self.moved = _count("fenced_batches", "Refused, as another worker had read on.", known)
        self.alerts = _counts("alerts", "Crossings, by outcome.", ["outcome"], known)
        for outcome in ("fired", "rearmed"):
            self.alerts.labels(outcome)
        self.sent = _counts(
            "alerts_sent", "Attempts to deliver, by outcome.", ["channel", "outcome"], known
        )
        self.batch_seconds = _seconds(
            "batch", "From a batch that was read to all of it stored.", _SECONDS, known, ["topic"]
        )
        self.tick_to_alert = _seconds(
            "tick_to_alert", "From a mark that was read to its alert stored.", _TICK_SECONDS, known
        )
        self.lag = Gauge(
            "harvest_stream_lag_messages", "Messages of a partition of ours that wait.",
            ["topic", "partition"], registry=known,
        )  # fmt: skip
        self.missed = _gauge("crossings_missed", "Found by the self-audit alone: bugs.", known)
        self.position = Gauge(
            "harvest_projection_position", "Log position of the read models of a shard of ours.",
            ["partition"], registry=known,
        )  # fmt: skip
        self.last_mark = _gauge("mark_timestamp_seconds", "Of the newest mark rules saw.", known)

    def counted(self, channels: Channels) -> Channels:
        """The same channels; what they send and fail to send is counted."""
        return {scheme: self._counted(scheme, send) for scheme, send in channels.items()}

    def _counted(self, scheme: str, send: Send) -> Send:
        sent, failed = self.sent.labels(scheme, "sent"), self.sent.labels(scheme, "failed")

        def confirm_and_count(confirm: Confirm) -> None:
            with failed.count_exceptions(DeliveryFailed):
                confirm()
            sent.inc()

        def send_and_count(target: str, message: Message) -> Confirm | None:
            with failed.count_exceptions(DeliveryFailed):
                confirm = send(target, message)
            if confirm is None:
                sent.inc()
                return None
            return partial(confirm_and_count, confirm)

        return send_and_count

    def start(self, address: str, port: int, checks: Checks = dict) -> int:
        """Serves them, and health, until the process ends; returns the port (0: a free one)."""
        return start(address, port, self.registry, checks).port


def _count(name: str, what: str, registry: CollectorRegistry) -> Counter:
    return Counter(f"harvest_{name}", what, registry=registry)


def _counts(
    name: str, what: str, labels: Sequence[str], registry: CollectorRegistry
) -> Counter:  # fmt: skip
    return Counter(f"harvest_{name}", what, labels, registry=registry)


def _gauge(name: str, what: str, registry: CollectorRegistry) -> Gauge:
    return Gauge(f"harvest_{name}", what, registry=registry)


def _seconds(
    name: str, what: str, buckets: Sequence[float], registry: CollectorRegistry,
    labels: Sequence[str] = (),
) -> Histogram:  # fmt: skip
    return Histogram(f"harvest_{name}_seconds", what, labels, buckets=buckets, registry=registry)

"""What a worker tells Prometheus: counts and ages, never an amount, an asset or a lot."""

from __future__ import annotations

from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client import start_http_server as serve

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)


class Metrics:
    """One registry a process; `start` makes it readable over HTTP."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = known = CollectorRegistry()
        self.messages = Counter(
            "harvest_messages_read", "Messages read, by topic.", ["topic"], registry=known
        )
        self.facts = _count("events_appended", "Facts that were new to the log.", known)
        self.dead = _count("dead_letters", "Messages that cannot be used.", known)
        self.moved = _count("fenced_batches", "Refused, as another worker had read on.", known)
        self.alerts = Counter(
            "harvest_alerts", "Crossings, by outcome.", ["outcome"], registry=known
        )
        self.batch_seconds = Histogram(
            "harvest_batch_seconds", "From a batch that was read to all of it stored.", ["topic"],
            buckets=_SECONDS, registry=known,
        )  # fmt: skip
        self.missed = _gauge("crossings_missed", "Found by the self-audit alone: bugs.", known)
        self.position = _gauge("projection_position", "Log position of the read models.", known)
        self.last_mark = _gauge("mark_timestamp_seconds", "Of the newest mark rules saw.", known)
        info = Gauge("harvest_build_info", "Always 1.", ["version"], registry=known)
        info.labels(version("thresher")).set(1)

    def start(self, address: str, port: int) -> int:
        """Serves them at /metrics; returns the port (0 asks for a free one)."""
        server, _ = serve(port, address, self.registry)
        return int(server.server_address[1])


def _count(name: str, what: str, registry: CollectorRegistry) -> Counter:
    return Counter(f"harvest_{name}", what, registry=registry)


def _gauge(name: str, what: str, registry: CollectorRegistry) -> Gauge:
    return Gauge(f"harvest_{name}", what, registry=registry)

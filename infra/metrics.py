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
        self.registry = CollectorRegistry()
        self.messages = Counter(
            "harvest_messages_read", "Messages read, by topic.", ["topic"], registry=self.registry
        )
        self.facts = Counter(
            "harvest_events_appended", "Facts that were new to the log.", registry=self.registry
        )
        self.dead = Counter(
            "harvest_dead_letters", "Messages that cannot be used.", registry=self.registry
        )
        self.moved = Counter(
            "harvest_fenced_batches",
            "Batches refused because another worker had read on.",
            registry=self.registry,
        )
        self.alerts = Counter(
            "harvest_alerts", "Crossings, by outcome.", ["outcome"], registry=self.registry
        )
        self.missed = Gauge(
            "harvest_crossings_missed",
            "Crossings that only the self-audit found: each is a bug.",
            registry=self.registry,
        )
        self.batch_seconds = Histogram(
            "harvest_batch_seconds",
            "From a batch that was read to its rows, alerts and position stored.",
            ["topic"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.position = Gauge(
            "harvest_projection_position",
            "Log position of the read models.",
            registry=self.registry,
        )
        self.last_mark = Gauge(
            "harvest_mark_timestamp_seconds",
            "Instant of the newest mark that rules saw.",
            registry=self.registry,
        )
        info = Gauge("harvest_build_info", "Always 1.", ["version"], registry=self.registry)
        info.labels(version("thresher")).set(1)

    def start(self, address: str, port: int) -> int:
        """Serves them at /metrics; returns the port (0 asks for a free one)."""
        server, _ = serve(port, address, self.registry)
        return int(server.server_address[1])

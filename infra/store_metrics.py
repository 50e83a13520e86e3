"""What Prometheus asks the store for: read when it scrapes, in one snapshot."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence

from prometheus_client.metrics_core import GaugeMetricFamily as Gauge
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from domain.errors import ThresherError
from services.database import Clock, Database
from services.progress import READ_MODELS
from services.standing import Backlog, Partition, backlog, partitions

_BY_PROJECTION = ("projection", "partition")
_log = logging.getLogger(__name__)


class StoreCollector(Collector):
    """One for each database, however many workers there are: they tell only of themselves."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        """Every metric; where the store cannot be read, only that."""
        up = "Whether the store could be read at this scrape."
        now = self._clock()
        try:
            with self._database.reading() as connection:
                known, waiting = partitions(connection, now), backlog(connection, now)
        except (SQLAlchemyError, ThresherError):
            _log.warning("store not read", exc_info=True)
            yield Gauge("harvest_store_up", up, value=0)
            return
        yield Gauge("harvest_store_up", up, value=1)
        yield from _of_partitions(known)
        yield from _of_backlog(waiting)


def _of_partitions(known: Sequence[Partition]) -> Iterator[Metric]:
    yield _family(
        "log_position", "The last position of the log.", ["partition"],
        (([str(each.number)], each.head) for each in known),
    )  # fmt: skip
    yield _family(
        "projection_lag_events", "Facts that are not projected yet.", _BY_PROJECTION,
        (([READ_MODELS, str(each.number)], each.lag) for each in known),
    )  # fmt: skip
    yield _family(
        "projection_lag_seconds", "Since the first of them was recorded.", _BY_PROJECTION,
        (([READ_MODELS, str(each.number)], each.waiting_seconds) for each in known),
    )  # fmt: skip
    yield _family(
        "rebuild_progress_ratio", "Below 1 while read models are rebuilt.", ["partition"],
        (([str(each.number)], each.rebuilt) for each in known),
    )  # fmt: skip


def _of_backlog(waiting: Backlog) -> Iterator[Metric]:
    for name, what, value in (
        ("outbox_pending", "Deliveries that are not sent, due or not.", waiting.outbox_pending),
        ("outbox_age_seconds", "Since the oldest delivery was due.", waiting.outbox_seconds),
        ("outbox_given_up", "Deliveries that failed too often.", waiting.given_up),
        ("quarantined_rows", "Rows of files that cannot be used.", waiting.quarantined),
        ("held_marks", "Quotes that wait to be confirmed.", waiting.held_marks),
    ):
        yield _family(name, what, (), [([], value)])
    yield _family(
        "data_issues", "Facts that do not fit, by code.", ["code", "held_out"],
        (([code, str(held).lower()], n) for (code, held), n in sorted(waiting.issues.items())),
    )  # fmt: skip
    if waiting.dead_letters is not None:
        kept = "Messages that cannot be used and were not sent again."
        yield _family("dead_letters_kept", kept, (), [([], waiting.dead_letters)])


def _family(
    name: str, what: str, labels: Sequence[str], samples: Iterable[tuple[list[str], float]]
) -> Metric:
    family = Gauge(f"harvest_{name}", what, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family

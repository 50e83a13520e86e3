"""What Prometheus is told: of a process, and of the store when it asks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from infra.database import open_database
from infra.metrics import Metrics
from infra.store_metrics import StoreCollector
from services.database import Database
from services.delivery import DeliveryFailed, Message
from tests.services.house import START, STOCK, House, buy, sell

LABELS = {
    "channel", "code", "held_out", "le", "outcome", "partition", "projection", "source", "topic",
    "version",
}  # fmt: skip


def told(registry: CollectorRegistry) -> dict[str, float]:
    """Each sample by its name and labels."""
    lines = generate_latest(registry).decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def told_of(database: Database) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(StoreCollector(database, lambda: START))
    return told(registry)


def test_what_never_happened_reads_zero_from_the_start() -> None:
    found = told(Metrics().registry)
    for name in (
        'harvest_events_appended_total{source="stream"}', 'harvest_alerts_total{outcome="fired"}',
        "harvest_dead_letters_total", "harvest_fenced_batches_total", "harvest_crossings_missed",
        "harvest_tick_to_alert_seconds_count",
    ):  # fmt: skip
        assert found[name] == 0
    assert found["process_resident_memory_bytes"] > 0
    assert not [name for name in found if "_created" in name]


def test_what_a_channel_sends_and_fails_to_send_is_counted() -> None:
    metrics = Metrics()

    def send(target: str, _message: Message) -> None:
        if target == "closed":
            raise DeliveryFailed("closed")

    channels = metrics.counted({"webhook": send, "file": send})
    message = Message("main/loss/1", "{}", "")
    channels["webhook"]("open", message)
    channels["webhook"]("open", message)
    with pytest.raises(DeliveryFailed):
        channels["webhook"]("closed", message)
    found = told(metrics.registry)
    assert found['harvest_alerts_sent_total{channel="webhook",outcome="sent"}'] == 2
    assert found['harvest_alerts_sent_total{channel="webhook",outcome="failed"}'] == 1
    assert found['harvest_alerts_sent_total{channel="file",outcome="failed"}'] == 0


def test_what_was_only_handed_over_counts_once_it_is_confirmed() -> None:
    metrics, answers = Metrics(), [None, DeliveryFailed("away")]

    def confirm() -> None:
        answer = answers.pop(0)
        if answer is not None:
            raise answer

    send = metrics.counted({"kafka": lambda target, message: confirm})["kafka"]
    first, second = (send("", Message(key, "{}", "")) for key in "ab")
    sent = 'harvest_alerts_sent_total{channel="kafka",outcome="sent"}'
    assert told(metrics.registry)[sent] == 0
    assert first is not None
    first()
    assert second is not None
    with pytest.raises(DeliveryFailed):
        second()
    found = told(metrics.registry)
    assert (found[sent], found[sent.replace('"sent"', '"failed"')]) == (1, 1)


def test_the_store_is_asked_when_prometheus_asks(house: House) -> None:
    house.say(STOCK, buy("b1"), sell("s1", "5", "400"))
    house.append(buy("b2"))
    found = told_of(house.app.database)
    assert found["harvest_store_up"] == 1
    assert found['harvest_log_position{partition="0"}'] == 4
    lag = 'harvest_projection_lag_events{partition="0",projection="read_models"}'
    assert found[lag] == 1
    assert found['harvest_rebuild_progress_ratio{partition="0"}'] == 1
    issues = [name for name in found if name.startswith("harvest_data_issues{")]
    assert len(issues) == 1
    assert 'held_out="true"' in issues[0]
    house.app.projector.catch_up(house.clock.day)
    assert told_of(house.app.database)[lag] == 0


def test_dead_letters_are_told_where_there_are_streams(house: House) -> None:
    house.say(STOCK)
    assert ("harvest_dead_letters_kept" in told_of(house.app.database)) == house.is_postgres


@pytest.mark.postgres
def test_a_store_without_tables_or_without_a_server_is_down_and_nothing_else(
    tmp_path: Path, empty_postgres: str
) -> None:
    from infra.postgres.opening import watched  # noqa: PLC0415

    missing = tmp_path / "missing.db"
    for database in (
        open_database(missing, is_there=True), open_database(tmp_path / "empty.db"),
        watched(empty_postgres), watched("postgresql://nobody@127.0.0.1:1/x"),
    ):  # fmt: skip
        assert told_of(database) == {"harvest_store_up": 0}
        database.reader.dispose()
    assert not missing.exists()


def test_no_label_is_a_taxpayer_an_asset_a_lot_or_a_rule(house: House) -> None:
    house.say(STOCK, buy("b1", "10", "1000"), taxpayer="alice")
    house.watch("loss", "200", taxpayer="alice")
    house.tick("S", "50")
    text = generate_latest(Metrics().registry).decode()
    registry = CollectorRegistry()
    registry.register(StoreCollector(house.app.database, house.clock))
    text += generate_latest(registry).decode()
    assert "alice" not in text
    assert set(re.findall(r'[{,](\w+)="', text)) <= LABELS

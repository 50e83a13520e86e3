"""Rules and dashboard, on a real Prometheus that scrapes a real `serve` and a worker's metrics."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from math import isnan
from pathlib import Path
from time import sleep, time
from typing import Any

import pytest

from infra.metrics import Metrics
from services.delivery import Message
from tests.end_to_end.command import ROOT, until
from tests.end_to_end.serving import serving
from tests.servers.prometheus import Prometheus, prometheus, promtool
from tests.services.house import STOCK, House, buy, sell

pytestmark = [pytest.mark.prometheus, pytest.mark.postgres]
PLACE = ROOT / "infra/deploy"
RULES = PLACE / "prometheus/thresher.rules.yml"
BOARD = json.loads((PLACE / "grafana/dashboards/thresher.json").read_text(encoding="utf-8"))
PANELS = [each for each in BOARD["panels"] if each["type"] != "row"]
QUERIES = [
    (f"{panel['title']}/{target['legendFormat']}", target["expr"])
    for panel in PANELS
    for target in panel["targets"]
]
Json = dict[str, Any]


@pytest.fixture(scope="module")
def asked(
    postgres_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:  # fmt: skip
    """Prometheus, as it is deployed but for addresses and pace, after some scrapes."""
    from tests.servers.postgres import drop_database, new_database  # noqa: PLC0415

    url = new_database(postgres_server, "scraped", "template")
    house = House(Path("unused"), url=url)
    house.say(STOCK, buy("b1"), sell("s1", "5", "400"))  # more than was held: a data issue
    worker, relay = Metrics(), Metrics()
    ports = [each.start("127.0.0.1", 0) for each in (relay, worker)]
    folder = tmp_path_factory.mktemp("prometheus")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THRESHER_DATABASE_URL", url)
        with serving() as server:
            config = configured(folder, server.port, *ports)
            with prometheus(config) as running:
                work_until_scraped(worker, relay, running)
                yield running
    house.close()
    drop_database(postgres_server, "scraped")


WORKERS = """
    dns_sd_configs:
      - names: ["worker"]
        type: A
        port: 9464
"""


def configured(folder: Path, serve: int, deliver: int, worker: int) -> Path:
    shutil.copy(RULES, folder)
    text = (PLACE / "prometheus/prometheus.yml").read_text(encoding="utf-8")
    for said, here in (
        ("serve:9464", f"127.0.0.1:{serve}"), ("deliver:9464", f"127.0.0.1:{deliver}"),
        (WORKERS, f'\n    static_configs: [{{targets: ["127.0.0.1:{worker}"]}}]\n'),
        ("15s", "500ms"),
    ):  # fmt: skip
        assert said in text
        text = text.replace(said, here)
    config = folder / "prometheus.yml"
    config.write_text(text, encoding="utf-8")
    return config


def work_until_scraped(metrics: Metrics, relay: Metrics, running: Prometheus) -> None:
    """The day of a worker and a relay in small, until all were scraped and each rule evaluated."""
    send = relay.counted({"kafka": lambda target, message: None})["kafka"]

    def worked() -> bool:
        metrics.messages.labels("t.facts").inc()
        metrics.facts.inc()
        metrics.alerts.labels("fired").inc()
        metrics.batch_seconds.labels("t.facts").observe(0.02)
        metrics.tick_to_alert.observe(0.01)
        metrics.lag.labels("t.facts", 0).set(3)
        metrics.last_mark.set(time())
        send("", Message("main/loss/1", "{}", ""))
        sleep(0.2)
        scrapes = running.query("count_over_time(up[1m])")
        return len(scrapes) == 3 and min(scrapes) >= 4 and rules(running) != []

    until(worked)


def rules(running: Prometheus) -> list[Json]:
    """Those that were evaluated."""
    groups = running.get("rules")["groups"]
    found = [rule for group in groups for rule in group["rules"]]
    return found if all(rule["health"] != "unknown" for rule in found) else []


@pytest.mark.parametrize(("name", "expr"), QUERIES, ids=[name for name, _ in QUERIES])
def test_the_dashboard_shows_something_everywhere(asked: Prometheus, name: str, expr: str) -> None:
    values = asked.query(expr.replace("$__rate_interval", "1m"))
    assert values
    assert not any(isnan(value) for value in values)


def test_every_rule_can_be_asked_and_asks_for_series_that_are_there(asked: Prometheus) -> None:
    known = set(asked.get("label/__name__/values"))
    jobs = set(asked.get("label/job/values"))
    for rule in rules(asked):
        assert rule["health"] == "ok", rule
        assert set(re.findall(r"\b(?:harvest_\w+|up)\b", rule["query"])) <= known
        assert set(re.findall(r'job="([^"]+)"', rule["query"])) <= jobs


def test_every_rule_says_what_is_wrong_what_it_means_and_what_to_do(asked: Prometheus) -> None:
    found = rules(asked)
    assert len(found) >= 10
    for rule in found:
        assert rule["annotations"].keys() == {"summary", "description", "runbook"}
        assert rule["labels"]["severity"] in {"page", "ticket"}


def test_nothing_that_goes_well_wakes_anybody(asked: Prometheus) -> None:
    assert asked.get("alerts")["alerts"] == []


def test_the_rules_do_what_their_own_tests_say() -> None:
    tests = PLACE / "prometheus/thresher.rules.test.yml"
    assert "SUCCESS" in promtool("test", "rules", tests)
    names = re.findall(r"- alert: (\w+)", RULES.read_text(encoding="utf-8"))
    told = tests.read_text(encoding="utf-8")
    for name in names:
        assert re.search(rf"- name: {name} fires", told), f"{name} is never seen to fire"
        assert re.search(rf'- name: "{name} is quiet: ', told), f"{name} is never seen quiet"


def test_the_files_are_what_prometheus_reads() -> None:
    assert "SUCCESS" in promtool("check", "config", PLACE / "prometheus/prometheus.yml")


def test_every_panel_says_what_it_shows_and_in_which_unit() -> None:
    for panel in PANELS:
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]
    numbers = [panel["id"] for panel in BOARD["panels"]]
    assert len(set(numbers)) == len(numbers)


def test_grafana_is_given_the_source_that_the_dashboard_asks_for() -> None:
    (variable,) = BOARD["templating"]["list"]
    sources = (PLACE / "grafana/provisioning/datasources/prometheus.yml").read_text()
    assert f"uid: {variable['current']['value']}\n" in sources
    for panel in PANELS:
        for each in (panel, *panel["targets"]):
            assert each["datasource"]["uid"] == f"${{{variable['name']}}}"

"""docker-compose.yml as it is written: Compose takes it, and all that it names is there."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from infra.commands import app
from infra.settings import Settings
from tests.deploy.compose import EXAMPLE, Compose, Service, config, example
from tests.end_to_end.command import ROOT

COMPOSE = Compose(example("secret"))
SERVICES = list(COMPOSE.services.values())
OURS = list(COMPOSE.ours)
OTHERS = [each for each in SERVICES if not each.is_ours]
STAYING = [each for each in SERVICES if not each.ends]
SCRAPED = re.compile(r'targets: \["(\w+):(\d+)"\]|names: \["(\w+)"\]\s+type: A\s+port: (\d+)')


def name_of(service: Service) -> str:
    return service.name


every_service = pytest.mark.parametrize("service", SERVICES, ids=name_of)
each_of_ours = pytest.mark.parametrize("service", OURS, ids=name_of)
each_that_stays = pytest.mark.parametrize("service", STAYING, ids=name_of)


@pytest.mark.compose
def test_compose_takes_the_file(tmp_path: Path) -> None:
    env = tmp_path / "env"
    env.write_text("".join(f"{name}={value}\n" for name, value in example("secret").items()))
    said = config(env)
    assert said.returncode == 0, said.stderr


@pytest.mark.compose
def test_without_passwords_compose_refuses_and_says_what_to_set() -> None:
    said = config(EXAMPLE)
    assert said.returncode != 0
    assert re.search(r"THRESHER_(APP|OWNER)_PASSWORD", said.stderr)
    assert "set it in .env" in said.stderr


def test_the_example_sets_each_variable_of_the_file_and_no_other() -> None:
    assert set(example("")) == COMPOSE.variables


@each_of_ours
def test_a_command_is_one_of_ours_with_those_options(service: Service) -> None:
    command: Any = get_command(app)
    words = list(service.command)
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    command.make_context(service.name, words)  # parses, and runs nothing


@each_of_ours
def test_a_variable_of_ours_is_a_setting(service: Service) -> None:
    names = {name.removeprefix("THRESHER_").lower() for name in service.environment}
    assert names <= set(Settings.model_fields)


def test_another_services_variable_of_ours_is_read_by_a_script_that_it_mounts() -> None:
    (postgres,) = (each for each in OTHERS if "THRESHER_APP_PASSWORD" in each.environment)
    (scripts,) = (ROOT / each.source for each in postgres.mounts if "initdb" in each.target)
    (login,) = scripts.iterdir()
    assert "THRESHER_APP_PASSWORD" in login.read_text(encoding="utf-8")
    assert os.access(login, os.X_OK)  # else the image sources it, and takes over what it sets


@every_service
def test_what_is_mounted_is_there_and_cannot_be_changed(service: Service) -> None:
    for each in service.mounts:
        if each.source.startswith("./"):
            assert (ROOT / each.source).is_dir()
            assert each.mode == "ro"
        else:
            assert each.source in COMPOSE.volumes


@every_service
def test_nothing_is_mounted_below_something_else(service: Service) -> None:
    places = [Path(each.target) for each in service.mounts]
    assert not [place for place in places if {*place.parents} & {*places}]


def test_every_volume_is_used() -> None:
    used = {each.source for service in SERVICES for each in service.mounts}
    assert used >= COMPOSE.volumes


@every_service
def test_an_image_has_a_version(service: Service) -> None:
    assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+(\.\d+)?(-[a-z]+)?", service.image)


def test_our_image_has_our_version_and_is_built_by_a_dockerfile_that_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {each.image for each in OURS} == {f"thresher:{project['version']}"}
    assert {(ROOT / each.said["build"]["dockerfile"]).is_file() for each in OURS} == {True}


@pytest.mark.parametrize("name", [*map(name_of, OURS), "prometheus", "grafana"])
def test_what_needs_no_more_may_change_nothing_of_its_image_and_has_no_rights(name: str) -> None:
    said = COMPOSE.services[name].said
    assert said["read_only"] is True
    assert said["cap_drop"] == ["ALL"]


@every_service
def test_a_service_cannot_gain_rights(service: Service) -> None:
    assert service.said["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "user", "pid", "network_mode"} & set(service.said)


@each_that_stays
def test_what_stays_is_asked_how_it_is_and_is_started_again(service: Service) -> None:
    assert service.health[0] == "CMD"
    assert service.said["restart"] == "unless-stopped"


def test_up_waits_for_each_that_ends_so_that_its_end_is_no_failure() -> None:
    """`up --wait` fails for one that ends, unless another waits for just that."""
    ends = {each.name for each in SERVICES if each.ends and "profiles" not in each.said}
    awaited = {
        (before, how) for each in STAYING + [COMPOSE.services[name] for name in ends]
        for before, how in each.after.items()
    }  # fmt: skip
    assert ends == {"migrate", "topics"}
    assert {(name, "service_completed_successfully") for name in ends} <= awaited


def test_nobody_waits_for_the_health_of_one_who_is_not_asked() -> None:
    for service in SERVICES:
        for before, how in service.after.items():
            assert COMPOSE.services[before].ends == (how == "service_completed_successfully")
            assert how != "service_healthy" or COMPOSE.services[before].health


def test_only_grafana_is_published_and_only_to_this_machine() -> None:
    published = {each.name: each.said["ports"] for each in SERVICES if "ports" in each.said}
    assert published == {"grafana": ["127.0.0.1:3000:3000"]}


def test_prometheus_asks_services_of_the_file_on_ports_that_they_listen_on() -> None:
    text = (ROOT / "infra/deploy/prometheus/prometheus.yml").read_text(encoding="utf-8")
    asked = {(found[1] or found[3], found[2] or found[4]) for found in SCRAPED.finditer(text)}
    assert {name for name, _ in asked} == {each.name for each in OURS if not each.ends}
    for name, port in asked:
        assert port in COMPOSE.services[name].command


def test_grafana_looks_where_the_dashboard_is_mounted_and_asks_the_prometheus_of_the_file() -> None:
    grafana = {each.target: ROOT / each.source for each in COMPOSE.services["grafana"].mounts}
    place = grafana["/etc/grafana/provisioning"]
    (boards,) = read(place / "dashboards/thresher.yml")["providers"]
    assert any(grafana[boards["options"]["path"]].glob("*.json"))
    (source,) = read(place / "datasources/prometheus.yml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
    assert "prometheus" in COMPOSE.services


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))

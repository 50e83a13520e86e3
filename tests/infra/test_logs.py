"""Log lines as they leave a process: JSON, pseudonymous, without an amount."""

from __future__ import annotations

import ast
import io
import json
import logging
import warnings
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from kafka import KafkaConsumer
from kafka.errors import KafkaError
from pydantic import ValidationError
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError, OperationalError

from domain.errors import ThresherError
from infra.kafka.records import fact_offer
from infra.logs import configure, pseudonym, service
from infra.settings import Settings
from tests.services.house import STOCK, House, buy

ROOT = Path(__file__).parents[2]
KEY = "0123456789abcdef0123456789abcdef"
LEVELS = frozenset(("debug", "info", "warning", "error", "exception", "critical", "log"))


class Lines:
    """What the service `worker` logged."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    def configure(self, **settings: Any) -> logging.Logger:
        configure("worker", Settings(**settings), self.stream)
        return logging.getLogger("services.somewhere")

    @property
    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    @property
    def one(self) -> dict[str, Any]:
        (line,) = self.all
        return line


@pytest.fixture
def lines() -> Iterator[Lines]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield Lines()
    logging.captureWarnings(False)
    root.handlers, root.level = before
    for room in ("domain", "projections", "services", "infra"):
        logging.getLogger(room).setLevel(logging.NOTSET)


def test_a_line_says_when_who_what_and_where(lines: Lines) -> None:
    log = lines.configure()
    log.info("facts stored", extra={"topic": "t.facts", "partition": 3, "position": 41, "count": 7})
    found = lines.one
    assert found.pop("timestamp").endswith("Z")
    assert found == {
        "event": "facts stored", "level": "info", "logger": "services.somewhere",
        "service": "worker", "topic": "t.facts", "partition": 3, "position": 41, "count": 7,
    }  # fmt: skip


def test_a_taxpayer_is_a_pseudonym_that_all_with_the_key_share(lines: Lines) -> None:
    log = lines.configure(log_key=KEY)
    for name in ("alice", "bob"):
        log.info("alert fired", extra={"taxpayer": name})
    alice, bob = (line["taxpayer"] for line in lines.all)
    assert alice == pseudonym(KEY, "alice") != bob
    assert alice != pseudonym(KEY[::-1], "alice")
    assert "alice" not in lines.stream.getvalue()


def test_the_pseudonym_is_what_openssl_makes_of_it() -> None:
    """printf %s alice | openssl dgst -sha256 -hmac "$THRESHER_LOG_KEY", the first 16 digits."""
    assert pseudonym(KEY, "alice") == "433deb45467e4e53"


def test_without_a_key_a_taxpayer_is_left_out(lines: Lines) -> None:
    log = lines.configure()
    log.info("alert fired", extra={"taxpayer": "alice", "position": 1})
    assert "taxpayer" not in lines.one
    assert "alice" not in lines.stream.getvalue()


@pytest.mark.parametrize("level", [logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL])
@pytest.mark.parametrize(
    "extra",
    [
        {"amount": "1234.56"}, {"price": "1234.56"}, {"qty": 1234.56}, {"value": "1234.56"},
        {"tax_saved": "1234.56"}, {"something_new": "1234.56"}, {"field": {"price": "1234.56"}},
        {"topic": ["1234.56"]}, {"count": Decimal("1234.56")},
    ],
    ids=str,
)  # fmt: skip
def test_no_amount_is_logged_from_info_on(lines: Lines, level: int, extra: dict[str, Any]) -> None:
    log = lines.configure()
    log.log(level, "sold", extra=extra)
    assert "1234.56" not in lines.stream.getvalue()
    assert lines.one["left_out"] == list(extra)


def test_debugging_shows_all_but_the_name(lines: Lines) -> None:
    log = lines.configure(log_level="debug", log_key=KEY)
    log.debug("sold", extra={"amount": "1234.56", "taxpayer": "alice"})
    assert lines.one["amount"] == "1234.56"
    assert lines.one["taxpayer"] == pseudonym(KEY, "alice")


def test_debug_lines_are_not_there_unless_asked_for(lines: Lines) -> None:
    lines.configure().debug("sold", extra={"amount": "1234.56"})
    assert lines.all == []


def failed_insert() -> None:
    with create_engine("sqlite://").connect() as connection:
        connection.exec_driver_sql("INSERT INTO t VALUES (?)", ("1234.56",))


def refused_value() -> None:
    Settings.model_validate({"webhook_allow_local": "1234.56"})


@pytest.mark.parametrize(
    ("fails", "kind"),
    [(refused_value, ValidationError), (lambda: int("1234.56 sold"), ValueError)],
    ids=["pydantic", "value"],
)
def test_an_exception_tells_where_it_was_raised_and_repeats_no_data(
    lines: Lines, fails: Any, kind: type[Exception]
) -> None:
    log = lines.configure()
    with pytest.raises(kind) as caught:
        fails()
    log.error("failed", exc_info=caught.value)
    assert lines.one["error"].endswith(kind.__name__)
    assert any("test_logs.py" in frame for frame in lines.one["trace"])
    assert "1234.56" not in lines.stream.getvalue()


def test_what_a_connection_says_is_shown_without_what_it_was_sent(lines: Lines) -> None:
    log = lines.configure()
    with pytest.raises(DBAPIError) as caught:
        failed_insert()
    assert isinstance(caught.value, OperationalError)
    log.warning("store not read", exc_info=caught.value)
    assert lines.one["reason"] == "(sqlite3.OperationalError) no such table: t"
    assert "1234.56" not in lines.stream.getvalue()


class Message:
    topic, partition, offset, key = "t.facts", 3, 41, b"alice"

    def __init__(self, value: bytes) -> None:
        self.value = value


def test_a_message_that_cannot_be_used_is_found_again_by_its_senders_identity(lines: Lines) -> None:
    lines.configure()
    fact = {"id": "b1", "type": "buy", "date": "2025-01-02", "account": "A", "asset": "S",
            "qty": "1234.5.6", "amount": "987654"}  # fmt: skip
    event = {"specversion": "1.0", "id": "fill-7", "source": "venue", "subject": "alice",
             "type": "io.thresher.fact.v1", "data": fact}  # fmt: skip
    fact_offer(Message(json.dumps(event).encode()))
    fact_offer(Message(b"poison 1234.5.6"))
    named, poison = lines.all
    place = {"topic": "t.facts", "partition": 3, "offset": 41}
    assert named | place | {"field": "qty", "correlation_id": "venue#fill-7"} == named
    assert poison | place | {"field": "", "correlation_id": ""} == poison
    for secret in ("alice", "1234.5.6", "987654"):
        assert secret not in lines.stream.getvalue()


def test_an_alert_is_told_by_taxpayer_and_position(lines: Lines, file_house: House) -> None:
    file_house.say(STOCK, buy("b1", "10", "98765"), taxpayer="alice")
    file_house.watch("loss-of-alice", "200", taxpayer="alice")
    lines.configure(log_key=KEY)
    file_house.tick("S", "4321")
    assert lines.one["event"] == "alert fired"
    assert lines.one["taxpayer"] == pseudonym(KEY, "alice")
    assert lines.one["position"] == 3
    for secret in ("alice", "98765", "4321"):
        assert secret not in lines.stream.getvalue()


def test_threads_and_warnings_and_third_parties_are_heard_in_the_same_form(lines: Lines) -> None:
    log = lines.configure()
    thread = Thread(target=log.info, args=("scraped",))
    thread.start()
    thread.join()
    logging.getLogger("kafka.cluster").info("is not heard")
    logging.getLogger("kafka.cluster").warning("broker %s is away", 3)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    scraped, away, old = lines.all
    assert (scraped["service"], away["event"]) == ("worker", "broker 3 is away")
    assert old["logger"] == "py.warnings"


def test_a_broker_that_is_away_is_one_warning_a_minute(
    lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines.configure()
    net, cluster = logging.getLogger("kafka.net.manager"), logging.getLogger("kafka.cluster")
    now = 1_000.0
    monkeypatch.setattr("logging.time.time", lambda: now)
    monkeypatch.setattr("logging.time.time_ns", lambda: int(now * 1e9), raising=False)
    net.error("%s: socket disconnected", "<KafkaTCPTransport [127.0.0.1:9<-1]>")
    net.error("Connection failed: %s", "KafkaConnectionError: 111 ECONNREFUSED")
    net.error("<KafkaTCPTransport [x]>: Error sending request data", exc_info=OSError("broken"))
    cluster.warning("No node available for metadata refresh - backoff/retry")
    now += 61
    net.error("Connection failed: %s", "KafkaConnectionError: 111 ECONNREFUSED")
    first, second = lines.all
    assert (first["event"], first["level"]) == ("broker away", "warning")
    assert (first["reason"], "count" in first) == ("socket disconnected", False)
    assert second["count"] == 3
    assert second["reason"] == "Connection failed: KafkaConnectionError: 111 ECONNREFUSED"
    assert "trace" not in lines.stream.getvalue()


def test_what_else_kafka_python_says_is_heard_as_it_is(lines: Lines) -> None:
    lines.configure()
    logging.getLogger("kafka.net.manager").error("Connection failed: refused")
    logging.getLogger("kafka.cluster").error("Topic %s is not authorized", "t.facts")
    logging.getLogger("kafka.net.selector").warning("Task %s ran for 0.130s", "<Task>")
    logging.getLogger("services.somewhere").error("Connection is ours")
    said = [line["event"] for line in lines.all]
    assert said == ["broker away", "Topic t.facts is not authorized", "Connection is ours"]


def test_a_client_that_finds_no_broker_is_heard_in_one_line(lines: Lines) -> None:
    lines.configure()
    with pytest.raises(KafkaError):
        KafkaConsumer(bootstrap_servers="127.0.0.1:1", bootstrap_timeout_ms=1_000)
    assert lines.one["event"] == "broker away"
    assert "ECONNREFUSED" in lines.one["reason"]


def test_text_is_for_people(lines: Lines) -> None:
    log = lines.configure(log_format="text")
    log.info("stored", extra={"count": 7, "amount": "1234.56"})
    said = lines.stream.getvalue()
    assert "stored" in said
    assert "count=7" in said
    assert "1234.56" not in said


@pytest.mark.parametrize("error", [ThresherError("no broker: 127.0.0.1:1"), OSError("disk full")])
def test_a_service_that_cannot_go_on_ends_with_one_line(
    lines: Lines, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    with pytest.raises(SystemExit) as left, service("worker", Settings(log_format="json")):
        raise error
    started, failed = map(json.loads, capsys.readouterr().err.splitlines())
    assert left.value.code == 1
    assert started["version"]
    assert (failed["level"], failed["reason"]) == ("critical", str(error))
    assert lines.all == []


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="32 random characters"):
        Settings(log_key="secret")


def test_no_line_of_ours_is_put_together_from_values() -> None:
    """A sentence with a value in it passes every filter of fields."""
    rooms = ("domain", "projections", "services", "infra")
    files = [path for room in rooms for path in (ROOT / room).rglob("*.py")]
    calls = [(path, call) for path in files for call in log_calls(path)]
    assert len(calls) > 5
    assert [f"{path}:{call.lineno}" for path, call in calls if not is_constant(call)] == []


def log_calls(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="_log"), attr=name)) if (
                name in LEVELS
            ):
                yield node


def is_constant(call: ast.Call) -> bool:
    return len(call.args) == 1 and isinstance(call.args[0], ast.Constant)

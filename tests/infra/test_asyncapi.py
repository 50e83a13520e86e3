"""The AsyncAPI document: valid by the standard's own schema, made from models that are kept to."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from pydantic import BaseModel, ValidationError

from infra.channels.kafka import KafkaSender
from infra.kafka.asyncapi import CHANNELS, document
from infra.kafka.examples import EXAMPLES
from infra.kafka.letters import tell
from infra.kafka.outgoing import AlertMessage
from infra.kafka.topics import Topics
from infra.publisher import publisher_of
from infra.relay import relay_of
from infra.sources.json_lines import fact_of
from infra.sources.mark_feed import quote_of
from services.intake import DeadLetter, Intake, Step, move
from tests.infra.outgoing import checked
from tests.services.house import STOCK, House, Json, buy, sell

ROOT = Path(__file__).parents[2]
SCHEMA = Path(__file__).parent / "asyncapi" / "schema-3.0.0.json.gz"
SHA256 = "abe96881dbfaad495ccbb6bd8d3fb43ca18a13b9d7564849ccb66f39d5e5b20f"
MODELS = [model for channel in CHANNELS.values() for model in channel.models]
by_name = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)


@pytest.fixture(scope="module")
def described() -> Json:
    return document("thresher")


def payload_errors(described: Json, model: type[BaseModel], event: object) -> list[str]:
    """What a consumer that knows the document alone finds wrong with a message."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    validator = Draft7Validator(schema | {"components": described["components"]})
    return [error.message for error in validator.iter_errors(event)]


def test_the_committed_document_is_what_the_models_make(described: Json) -> None:
    """If not: thresher asyncapi > docs/asyncapi.json"""
    committed = (ROOT / "docs" / "asyncapi.json").read_text(encoding="utf-8")
    assert json.loads(committed) == described


def test_it_is_valid_by_the_schema_of_the_standard(described: Json) -> None:
    text = gzip.decompress(SCHEMA.read_bytes())
    assert hashlib.sha256(text).hexdigest() == SHA256
    validator = Draft7Validator(json.loads(text))
    assert [error.message for error in validator.iter_errors(described)] == []
    for broken in (
        described | {"asyncapi": "2.6.0"},
        described | {"channels": {"facts": {"adress": "x"}}},
        described | {"operations": {"facts": {"action": "take"}}},
    ):
        assert list(validator.iter_errors(broken))


def test_every_reference_leads_somewhere(described: Json) -> None:
    found = list(references(described))
    assert len(found) > 50
    for reference in found:
        place: Any = described
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


def references(node: object) -> Iterator[str]:
    match node:
        case dict():
            for name, each in node.items():
                if name == "$ref":
                    yield each
                yield from references(each)
        case list():
            for each in node:
                yield from references(each)


def test_every_topic_is_described_with_its_address_and_how_it_is_kept(described: Json) -> None:
    assert described["channels"].keys() == set(Topics._fields)
    assert described["channels"]["dead_letters"]["address"] == "thresher.dead-letters"
    kept = described["channels"]["marks"]["bindings"]["kafka"]["topicConfiguration"]
    assert kept == {"cleanup.policy": ["compact"]}
    other = document("mine")
    assert other["channels"]["facts"]["address"] == "mine.facts"


@by_name
def test_an_example_is_valid_by_its_model_and_by_the_document(
    described: Json, model: type[BaseModel]
) -> None:
    (shown,) = described["components"]["messages"][model.__name__]["examples"]
    model.model_validate_json(json.dumps(shown["payload"]))
    assert payload_errors(described, model, shown["payload"]) == []
    is_incoming = model in CHANNELS["facts"].models + CHANNELS["marks"].models
    traced = payload_errors(described, model, shown["payload"] | {"traceparent": "00-1-2-01"})
    assert bool(traced) != is_incoming  # extensions may come; of ours none goes out
    for broken in (
        shown["payload"] | {"specversion": "0.3"}, shown["payload"] | {"subject": 1},
        {name: each for name, each in shown["payload"].items() if name != "data"},
        shown["payload"] | {"data": shown["payload"]["data"] | {"unknown": "x"}},
    ):  # fmt: skip
        assert payload_errors(described, model, broken)


def test_examples_of_facts_and_marks_can_be_used() -> None:
    fact, mark = (EXAMPLES[CHANNELS[name].models[0]]["data"] for name in ("facts", "marks"))
    assert fact_of(fact, "venue")[:2] == ("venue", "b1")
    assert quote_of(mark).price == "79"


@pytest.mark.parametrize("wrong", [210, 2.1, "1e3", "", "1,000", None])
def test_an_amount_that_is_no_plain_decimal_in_text_is_refused(wrong: object) -> None:
    event = json.loads(json.dumps(EXAMPLES[AlertMessage]))
    event["data"]["value"] = wrong
    with pytest.raises(ValidationError):
        AlertMessage.model_validate_json(json.dumps(event))


class Recorder(KafkaSender):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        super().__init__("nowhere:1")
        self.sent: list[tuple[str, str, Json]] = []

    def send(self, topic: str, key: bytes, value: bytes) -> Callable[[], None]:
        self.sent.append((topic, key.decode(), json.loads(value)))
        return lambda: None


def test_what_is_sent_is_what_the_models_and_the_document_say(
    house: House, described: Json
) -> None:
    """Every kind of message that leaves: alerts of losses, dates and digests, changes, letters."""
    telling = House(
        house.path, house.clock, url=house.url, kafka="nowhere:1", publish="opportunities,windows",
    )  # fmt: skip
    recorder = telling.app.kafka = Recorder()
    telling.say(STOCK, buy("b1", "10", "1000"), buy("b2", "9", "900", date="2024-03-08"))
    telling.say(sell("s1", "2", "100", date="2025-02-20"))
    for name, more in (
        ("now", {}), ("later", {"digest": "hourly"}), ("stays", {"dwell_seconds": 1}),
        ("day", {"metric": "long_term"}), ("safe", {"metric": "safe_to_buy"}),
    ):  # fmt: skip
        threshold = "30" if "metric" in more else "5"
        telling.watch(name, threshold, **({"channels": ("kafka",)} | more))
    telling.tick("S", "90")
    telling.tick("S", "80")
    publisher = publisher_of(telling.app)
    publisher.step()
    telling.clock.advance(hours=2)
    relay_of(telling.app).once()
    telling.tick("S", "300")
    publisher.step()
    publisher.close()
    relay_of(telling.app).once()
    if telling.is_postgres:  # there is no stream into a file
        _bury(telling, recorder)
    telling.close_all()
    kinds = set()
    for topic, key, event in recorder.sent:
        model = checked(event)
        assert payload_errors(described, model, event) == []
        kinds.add(model)
        (channel,) = [each for each in described["channels"].values() if each["address"] == topic]
        assert model.__name__ in channel["messages"]
        if topic != "thresher.dead-letters":
            assert key == event["subject"] == "main"
    outgoing = [
        model for each in CHANNELS.values() if each.action == "send" for model in each.models
    ]
    assert {each.__name__ for each in outgoing} - {each.__name__ for each in kinds} == (
        set() if telling.is_postgres else {"DeadLetterMessage"}
    )


def _bury(house: House, recorder: Recorder) -> None:
    letter = DeadLetter("thresher.facts", 0, 0, b"main", b"\xff", "the message is not valid UTF-8")
    house.sql("INSERT INTO offsets VALUES ('thresher.facts', 0, 0)")
    with house.app.database.writing() as connection:
        intake = Intake((Step("thresher.facts", 0, 0, 1),), [letter], house.clock.text)
        move(connection.exec_driver_sql, intake)
    assert tell(house.app.database, recorder, "thresher.dead-letters", house.clock.text).sent == 1

"""The AsyncAPI 3 document of the topics, made from the models of their messages."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from infra.kafka.envelope import FactMessage, MarkMessage
from infra.kafka.examples import EXAMPLES
from infra.kafka.outgoing import (
    AlertMessage,
    DeadLetterMessage,
    DigestMessage,
    OpportunityMessage,
    WindowMessage,
)
from infra.kafka.topics import configs_of, topics
from infra.sources.fact_json import EVENTS
from infra.sources.mark_feed import MarkModel

Json = dict[str, Any]
_KAFKA = "0.5.0"  # of the bindings
_REF = "#/components/schemas/{model}"
_TAXPAYER, _ASSET = "The taxpayer.", "The asset."


class Channel(NamedTuple):
    """A topic: what we do there, the messages on it, what their key is, and what it is for."""

    action: str
    models: tuple[type[BaseModel], ...]
    key: str
    says: str


CHANNELS = {
    "facts": Channel("receive", (FactMessage,), _TAXPAYER, "Facts of taxpayers, kept for good."),
    "marks": Channel("receive", (MarkMessage,), _ASSET, "Prices of assets: the latest is kept."),
    "alerts": Channel("send", (AlertMessage, DigestMessage), _TAXPAYER, "Rules that fired."),
    "dead_letters": Channel(
        "send", (DeadLetterMessage,), "The key of the message, as it came.",
        "Messages that cannot be used, with the reason.",
    ),
    "opportunities": Channel(
        "send", (OpportunityMessage,), _TAXPAYER,
        "Changes of lots with a loss, if they are published. Hold the last of each row.",
    ),
    "windows": Channel(
        "send", (WindowMessage,), _TAXPAYER,
        "Changes of wash-sale windows, if they are published. Hold the last of each row.",
    ),
}  # fmt: skip


def document(prefix: str) -> Json:
    """The document for topics under a prefix, as JSON."""
    names = topics(prefix)
    configs = configs_of(names)
    channels = {
        name: _channel(getattr(names, name), channel, configs[getattr(names, name)])
        for name, channel in CHANNELS.items()
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Thresher",
            "version": version("thresher"),
            "description": "Facts and prices in; alerts, dead letters and changes of opportunities "
            "and wash-sale windows out. Every message is a CloudEvent 1.0 in JSON, keyed by its "
            "subject, delivered at least once, always under one id.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": {name: _operation(name, each) for name, each in CHANNELS.items()},
        "components": {
            "messages": {
                model.__name__: _message(model, channel.key)
                for channel in CHANNELS.values()
                for model in channel.models
            },
            "schemas": _schemas(),
        },
    }


def _channel(address: str, channel: Channel, config: dict[str, str]) -> Json:
    kept: Json = {}
    if "retention.ms" in config:
        kept["retention.ms"] = int(config["retention.ms"])
    if "cleanup.policy" in config:
        kept["cleanup.policy"] = [config["cleanup.policy"]]
    bound: Json = {"topic": address, "bindingVersion": _KAFKA}
    if kept:
        bound["topicConfiguration"] = kept
    return {
        "address": address,
        "description": channel.says,
        "messages": {
            model.__name__: {"$ref": f"#/components/messages/{model.__name__}"}
            for model in channel.models
        },
        "bindings": {"kafka": bound},
    }


def _operation(name: str, channel: Channel) -> Json:
    return {
        "action": channel.action,
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [
            {"$ref": f"#/channels/{name}/messages/{model.__name__}"} for model in channel.models
        ],
    }


def _message(model: type[BaseModel], key: str) -> Json:
    return {
        "name": get_args(model.model_fields["type"].annotation)[0],
        "summary": (model.__doc__ or "").partition("\n")[0],
        "contentType": "application/json",
        "payload": {"$ref": _REF.format(model=model.__name__)},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": key},
                "bindingVersion": _KAFKA,
            }
        },
        "examples": [{"payload": EXAMPLES[model]}],
    }


def _schemas() -> Json:
    """Schemas by name. Of facts and marks the data is checked by models of its own."""
    models = [model for channel in CHANNELS.values() for model in channel.models]
    _, found = models_json_schema([(model, "validation") for model in models], ref_template=_REF)
    schemas: Json = found["$defs"]
    for envelope, name, model in (
        ("FactMessage", "Fact", EVENTS), ("MarkMessage", "Mark", TypeAdapter(MarkModel)),
    ):  # fmt: skip
        said = schemas[envelope]["properties"]["data"].get("description", "")
        data = model.json_schema(ref_template=_REF)
        schemas |= data.pop("$defs", {})
        data.pop("discriminator", None)  # AsyncAPI has only its name, which `type` is by itself
        schemas[name] = data | {"description": said}
        schemas[envelope]["properties"]["data"] = {"$ref": _REF.format(model=name)}
    return {name: _without_titles(schema) for name, schema in sorted(schemas.items())}


def _without_titles(schema: Any) -> Any:
    """A schema without the titles that repeat each field's name."""
    if isinstance(schema, list):
        return [_without_titles(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: _without_titles(each)
        for name, each in schema.items()
        if name != "title" or not isinstance(each, str)
    }

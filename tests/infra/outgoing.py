"""Checks messages that were sent against the models of what leaves."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from infra.kafka.asyncapi import CHANNELS, document

_NAMES: dict[str, str] = {
    message["name"]: model
    for model, message in document("thresher")["components"]["messages"].items()
}
_MODELS = {
    model.__name__: model
    for channel in CHANNELS.values()
    if channel.action == "send"
    for model in channel.models
}


def checked(event: dict[str, Any]) -> type[BaseModel]:
    """The model of a message; it fails if that refuses it."""
    model = _MODELS[_NAMES[event["type"]]]
    model.model_validate_json(json.dumps(event))
    return model

"""CloudEvents 1.0 in JSON: what a message on a topic of ours must look like."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field, ValidationError

from infra.sources.wire import Moment, Name, Refusal, Wire, refusal


class Envelope(Wire):
    """The attributes that every message has. `source` names who says it, `id` is its own there.

    Extension attributes, as of tracing, are let pass and not kept.
    """

    model_config = ConfigDict(extra="ignore")

    specversion: Literal["1.0"] = Field(description="The version of CloudEvents.")
    id: Name = Field(description="Unique for its source; a redelivery repeats it.")
    source: Name = Field(description="Who says it: a venue, a broker, a wallet's indexer.")
    time: Moment | None = Field(None, description="When it was said; the data has its own time.")
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: Name | None = None


class FactMessage(Envelope):
    """A fact of one taxpayer. The message's key is the taxpayer, and so is `subject`."""

    type: Literal["io.thresher.fact.v1"]
    subject: Name = Field(description="The taxpayer.")
    data: dict[str, Any] = Field(
        description="The fact, as a line of docs/FORMATS.md; its `id` identifies it."
    )


class MarkMessage(Envelope):
    """A price of one asset. The message's key is the asset, and so is `subject`."""

    type: Literal["io.thresher.mark.v1"]
    subject: Name = Field(description="The asset.")
    data: dict[str, Any] = Field(description="The mark, as a line of docs/FORMATS.md.")


def message(model: type[FactMessage] | type[MarkMessage], raw: object) -> Any:
    """A decoded value as a message of that model; raises Refusal."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise refusal(error) from None


def key_agrees(key: bytes | None, subject: str) -> None:
    """Raises Refusal unless the key is the subject: it decides which worker gets the message."""
    if key is None or key != subject.encode():
        raise Refusal("key", f"is {key!r}, not the subject {subject!r}", "send it with that key")

"""The `asyncapi` command: the document of the topics."""

from __future__ import annotations

import json

from infra.cli.options import settings


def asyncapi_command() -> None:
    """Print the AsyncAPI 3 document of the topics, as JSON."""
    from infra.kafka.asyncapi import document  # noqa: PLC0415

    print(json.dumps(document(settings().kafka_prefix), indent=1, ensure_ascii=False))

"""The terminal channel: one line per alert on standard error, so that pipes stay clean.

A digest has a line of its own before its alerts.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.text import Text

from domain.exact import grouped, money
from services.date_words import in_words
from services.delivery import Message
from services.digests import DIGEST

# The yearly limit is used up, or no gain is left to offset.
_NOTHING_NOW = ", adds to the loss carried forward"
_DATES_AT_ONCE = 10


def terminal_channel(console: Console) -> Callable[[str, Message], None]:
    """A channel that prints to `console`."""

    def send(_target: str, message: Message) -> None:
        for line in message_lines(json.loads(message.body)):
            console.print(line, soft_wrap=True)

    return send


def message_lines(event: dict[str, Any]) -> list[Text]:
    """A message as lines: an alert, or a digest with the alerts that it lists."""
    if event["type"] != DIGEST:
        return [alert_line(event)]
    head = Text("DIGEST ", style="bold yellow")
    head.append(f"{event['timestamp'][:19]}  alerts: {event['data']['count']}")
    return [head, *(Text("  ") + alert_line(alert) for alert in event["data"]["alerts"])]


def alert_line(event: dict[str, object]) -> Text:
    """An alert as one line: when, which rule, the value over its threshold, the tax saved."""
    data = event["data"]
    assert isinstance(data, dict)
    line = Text("ALERT ", style="bold yellow")
    line.append(f"{str(event['timestamp'])[:19]}  {data['rule']} #{data['crossing']}: ")
    if data.get("dates"):
        said, more = data["dates"][:_DATES_AT_ONCE], len(data["dates"]) - _DATES_AT_ONCE
        line.append("; ".join([*in_words(said), *([f"and {more} more"] if more > 0 else [])]))
        return line
    unit = "%" if data["metric"] == "loss_percent" else ""
    saved = money(str(data["tax_saved"]))
    line.append(f"{data['metric']} of {data['scope']} ", style="bold")
    line.append(f"{_amount(data['value'])}{unit} reached {_amount(data['threshold'])}{unit}")
    line.append(f", saves about {grouped(saved)} tax this year" if saved else _NOTHING_NOW)
    return line


def _amount(text: object) -> str:
    return grouped(money(str(text)))

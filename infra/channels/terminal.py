"""The terminal channel: one line per alert on standard error, so that pipes stay clean."""

from __future__ import annotations

import json
from collections.abc import Callable

from rich.console import Console
from rich.text import Text

from domain.exact import cents, money
from services.delivery import Message


def terminal_channel(console: Console) -> Callable[[str, Message], None]:
    """A channel that prints to `console`."""

    def send(_target: str, message: Message) -> None:
        console.print(alert_line(json.loads(message.body)), soft_wrap=True)

    return send


def alert_line(event: dict[str, object]) -> Text:
    """An alert as one line: when, which rule, the value over its threshold, the tax saved."""
    data = event["data"]
    assert isinstance(data, dict)
    value = money(str(data["value"]))
    unit = "%" if data["metric"] == "loss_percent" else ""
    line = Text("ALERT ", style="bold yellow")
    line.append(f"{str(event['timestamp'])[:19]}  {data['rule']} #{data['crossing']}: ")
    line.append(f"{data['metric']} of {data['scope']} ", style="bold")
    line.append(f"{cents(value)}{unit} reached {data['threshold']}{unit}")
    line.append(f", saves about {cents(money(str(data['tax_saved'])))} tax")
    return line

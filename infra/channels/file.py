"""The file channel: one JSON line per message, appended."""

from __future__ import annotations

from pathlib import Path

from services.delivery import DeliveryFailed, Message


def send_to_file(target: str, message: Message) -> None:
    """Appends the message to the file `target` and flushes it; raises DeliveryFailed."""
    try:
        with Path(target).expanduser().open("a", encoding="utf-8") as lines:
            lines.write(message.body + "\n")
    except OSError as error:
        raise DeliveryFailed(f"{target}: {error.strerror}") from error

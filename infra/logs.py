"""Logs of the services: one JSON object a line, without amounts and without taxpayers' names.

Code logs through `logging`: a constant sentence, and what it is about as `extra`. At info and
above only the fields of KEPT pass; whatever else is given is named, not shown. So no amount,
price or name slips into a log with a new line of code. `debug` shows all, and is no default.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any, TextIO

import structlog
from eventsourcing.persistence import InterfaceError as StoreInterfaceError
from eventsourcing.persistence import OperationalError as StoreOperationalError
from sqlalchemy.exc import InterfaceError, OperationalError
from structlog.typing import EventDict, Processor

from domain.errors import ThresherError
from infra.settings import Settings

KEPT = frozenset(
    {
        # what every line has
        "event", "level", "logger", "timestamp", "service", "version", "error", "trace",
        # where it happened, and in the course of what
        "taxpayer", "partition", "position", "topic", "offset", "correlation_id",
        # how much of it, and how long it took
        "count", "attempts", "seconds", "behind",
        # which part of us; `reason`: of an end or a broken connection, never what a message said
        "address", "port", "channel", "outcome", "check", "field", "reason",
    }
)  # fmt: skip
_OF_CONNECTIONS = (
    OSError, OperationalError, InterfaceError, StoreOperationalError, StoreInterfaceError,
)  # fmt: skip
_log = logging.getLogger(__name__)
_PSEUDONYM_DIGITS = 16
_AWAY = re.compile(
    "Connection|disconnected|[Bb]ootstrap|No node available|NodeNotReady|coordinator dead|"
    "timed out|network data|request data"
)
_AWAY_SECONDS = 60
_LOOP = "kafka.net.selector"  # its warnings are about its own tasks: one took a tenth of a second
_ROOMS = ("domain", "projections", "services", "infra")


@contextmanager
def service(name: str, settings: Settings) -> Iterator[None]:
    """Runs a service with its logs; that it cannot go on is one last line and exit code 1."""
    configure(name, settings)
    _log.info("started", extra={"version": version("thresher")})
    try:
        yield
    except ThresherError as error:
        _log.critical("failed", extra={"reason": _first_line(error)})
        raise SystemExit(1) from None
    except Exception as error:
        _log.critical("failed", exc_info=True)
        raise SystemExit(1) from error
    _log.info("stopped")


def configure(name: str, settings: Settings, stream: TextIO | None = None) -> None:
    """Sends what this process logs as the service `name` to `stream` (default: standard error).

    With THRESHER_LOG_KEY a taxpayer is shown as a pseudonym that is the same in all processes
    that have the key; without it not at all: a digest without a secret is found out by trying.
    Third parties are heard from warnings on; of a broker that is away, once a minute.
    """
    out = stream or sys.stderr
    shown: Processor = structlog.processors.JSONRenderer()
    if settings.log_format == "text" or (settings.log_format == "auto" and out.isatty()):
        shown = structlog.dev.ConsoleRenderer(colors=out.isatty())
    line = (_Service(name), _Pseudonyms(settings.log_key), _error, _only_kept, shown)
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.ExtraAdder(),
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *line],
        )
    )
    handler.addFilter(_BrokerAway())
    logging.captureWarnings(True)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for room in _ROOMS:
        logging.getLogger(room).setLevel(settings.log_level.upper())


def pseudonym(key: str, taxpayer: str) -> str:
    """A taxpayer as logs show it: the first 16 hex digits of HMAC-SHA256."""
    digest = hmac.new(key.encode(), taxpayer.encode(), hashlib.sha256).hexdigest()
    return digest[:_PSEUDONYM_DIGITS]


class _BrokerAway(logging.Filter):
    """What kafka-python says of lost connections as one warning a minute, with its reason.

    It connects again by itself, and says some twenty lines a second meanwhile, most as errors;
    `count` is how many were left out since the warning before.
    """

    def __init__(self) -> None:
        super().__init__("kafka")
        self._until, self._left_out = 0.0, 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is told; one that is told is rewritten."""
        if record.name == _LOOP and record.levelno < logging.ERROR:
            return False
        said = record.getMessage() if super().filter(record) else ""
        if not _AWAY.search(said):
            return True
        if record.created < self._until:
            self._left_out += 1
            return False
        record.msg, record.args, record.exc_info = "broker away", (), None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.reason = said.rpartition(">: ")[2]  # without the object that says it
        if self._left_out:
            record.count = self._left_out
        self._until, self._left_out = record.created + _AWAY_SECONDS, 0
        return True


class _Service:
    """Which process says it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, _logger: Any, _method: str, line: EventDict) -> EventDict:
        line["service"] = self._name
        return line


class _Pseudonyms:
    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, _logger: Any, _method: str, line: EventDict) -> EventDict:
        name = line.pop("taxpayer", None)
        if name is not None and self._key:
            line["taxpayer"] = pseudonym(self._key, str(name))
        return line


def _error(_logger: Any, _method: str, line: EventDict) -> EventDict:
    """An exception as its kind, and why or where it was raised.

    What it says is shown if it is the connection's, which knows no data; other exceptions of
    databases and of pydantic repeat what they were given, so that is for debugging alone.
    """
    error = (line.pop("exc_info", None) or (None, None))[1]
    if error is not None:
        line["error"] = f"{type(error).__module__}.{type(error).__qualname__}"
        if isinstance(error, _OF_CONNECTIONS):
            line["reason"] = _first_line(error)
        else:
            line["trace"] = [
                f"{frame.filename}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(error.__traceback__)
            ]
        if line["level"] == "debug":
            line["says"] = str(error)
    return line


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]


def _only_kept(_logger: Any, _method: str, line: EventDict) -> EventDict:
    if line["level"] == "debug":
        return line
    kept = {
        name: value
        for name, value in line.items()
        if name in KEPT and (isinstance(value, str | int | float) or name == "trace")
    }
    left_out = sorted(line.keys() - kept)
    return kept | ({"left_out": left_out} if left_out else {})

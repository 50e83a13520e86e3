"""/metrics, /healthz and /readyz over HTTP: the same for `serve` and beside a worker.

On the standard library's WSGI server: three small answers need no framework. A later HTTP API
mounts `application` whole, or takes the same checks.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from prometheus_client import CollectorRegistry, Gauge, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

from domain.errors import ThresherError

# By name of the check, why it fails; empty: ready. Asked in threads, and never raises.
Checks = Callable[[], dict[str, str]]
_SILENT_SECONDS = 10  # a client that says nothing for so long is let go
_log = logging.getLogger(__name__)


class AddressTaken(ThresherError):
    """The address cannot be listened on."""


def all_of(checks: Sequence[Checks]) -> Checks:
    """Ready when each of them is."""
    return lambda: {name: why for each in checks for name, why in each().items()}


class Running:
    """A server in a thread of its own. `port` is what it got."""

    def __init__(self, server: ThreadingWSGIServer) -> None:
        self.port: int = server.server_port
        self._server = server
        self._thread = Thread(target=server.serve_forever, args=(0.1,), name="http", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Takes no more requests, and returns when those begun are answered."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def start(address: str, port: int, registry: CollectorRegistry, checks: Checks) -> Running:
    """Answers at once; port 0 asks for a free one. Raises AddressTaken.

    Whether the process is ready is told to Prometheus as well.
    """
    ready = Gauge("harvest_ready", "Whether /readyz says so.", registry=registry)
    ready.set_function(lambda: not checks())
    try:
        return Running(make_server(address, port, application(registry, checks), _Server, _Quiet))
    except OSError as error:
        raise AddressTaken(f"{address}:{port}: {error.strerror or error}") from error


def application(registry: CollectorRegistry, checks: Checks) -> WSGIApplication:
    """The three answers: 200, or 503 with the checks that failed."""
    metrics = make_wsgi_app(registry)

    def answer(environ: WSGIEnvironment, respond: StartResponse) -> Iterable[bytes]:
        match environ["REQUEST_METHOD"], environ["PATH_INFO"]:
            case "GET", "/metrics":
                found: Iterable[bytes] = metrics(environ, respond)
                return found
            case "GET", "/healthz":
                return _json(respond, "200 OK", {"status": "alive"})
            case "GET", "/readyz":
                failed = checks()
                if failed:
                    said = {"status": "not ready", "failed": failed}
                    return _json(respond, "503 Service Unavailable", said)
                return _json(respond, "200 OK", {"status": "ready"})
            case _, "/metrics" | "/healthz" | "/readyz":
                return _json(respond, "405 Method Not Allowed", {"status": "use GET"})
            case _:
                return _json(respond, "404 Not Found", {"status": "not found"})

    return answer


def _json(respond: StartResponse, status: str, said: dict[str, Any]) -> list[bytes]:
    body = json.dumps(said).encode()
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    respond(status, [*headers.items(), ("Content-Length", str(len(body)))])
    return [body]


class _Server(ThreadingWSGIServer):
    daemon_threads = False  # so that `stop` waits for answers that were begun

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up, or a bug: for the log, not for standard error."""
        _log.warning("request failed", exc_info=True)


class _Quiet(WSGIRequestHandler):
    timeout = _SILENT_SECONDS

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Probes and scrapes are not news."""

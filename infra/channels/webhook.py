"""The webhook channel: a signed POST by Standard Webhooks, to public https addresses.

The connection goes to the address that was checked (no second look-up), follows no redirect,
and any answer but 2xx is a failure to be retried.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from services.database import Clock
from services.delivery import DeliveryFailed, Message

TIMEOUT_SECONDS = 15
READ_LIMIT = 64 * 1024


def webhook_channel(secret: str, allow_local: bool, clock: Clock) -> Callable[[str, Message], None]:
    """A channel that signs with `secret` (`whsec_...`); local targets only if allowed."""

    def send(target: str, message: Message) -> None:
        reason = why_no_signature(secret)
        if reason:
            raise DeliveryFailed(reason)
        now = clock()
        signature = Webhook(secret).sign(message.key, now, message.body)
        headers = {
            "content-type": "application/json",
            "webhook-id": message.key,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signature,
        }
        _post(_split(target), allow_local, message.body.encode(), headers)

    return send


def why_no_signature(secret: str) -> str:
    """Why nothing can be signed with `secret`; empty: it can."""
    if not secret:
        return "THRESHER_WEBHOOK_SECRET is not set (whsec_ and base64)"
    try:
        Webhook(secret)
    except (ValueError, RuntimeError, EmptyWebhookSecretError) as error:
        return f"THRESHER_WEBHOOK_SECRET cannot sign: {error}"
    return ""


def _split(target: str) -> SplitResult:
    try:
        url = urlsplit(target)
        url.port  # noqa: B018  checked when it is read
    except ValueError as error:
        raise DeliveryFailed(f"{target!r} is no https address: {error}") from error
    return url


def _post(url: SplitResult, allow_local: bool, body: bytes, headers: dict[str, str]) -> None:
    try:
        connection = _connection(url, allow_local)
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            answer.read(READ_LIMIT)
        finally:
            connection.close()
    except (OSError, UnicodeError, http.client.HTTPException) as error:
        raise DeliveryFailed(f"{url.netloc}: {error}") from error
    if not 200 <= answer.status < 300:
        raise DeliveryFailed(f"{url.netloc} answered {answer.status}")


def _connection(url: SplitResult, allow_local: bool) -> http.client.HTTPConnection:
    if url.scheme not in ("https", "http") or not url.hostname:
        raise DeliveryFailed(f"{url.geturl()!r} is no https address")
    port = url.port or (443 if url.scheme == "https" else 80)
    address = _address(url.hostname, port, allow_local)
    if url.scheme == "http":
        if not allow_local:
            raise DeliveryFailed("webhooks go to https addresses only")
        return http.client.HTTPConnection(address, port, timeout=TIMEOUT_SECONDS)
    return _PinnedHTTPS(url.hostname, address, port)


def _address(host: str, port: int, allow_local: bool) -> str:
    """One checked address of `host`; refuses names that lead into private networks."""
    found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, proto=socket.IPPROTO_TCP)]
    for address in found:
        if not allow_local and not _is_public(address):
            raise DeliveryFailed(f"{host} leads to {address}, which is not public")
    return found[0]


def _is_public(address: str) -> bool:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(parsed, "ipv4_mapped", None) or getattr(parsed, "sixtofour", None)
    return parsed.is_global and not parsed.is_multicast and (mapped is None or mapped.is_global)


class _PinnedHTTPS(http.client.HTTPSConnection):
    """TLS for the host's name over a connection to the address that was checked."""

    def __init__(self, host: str, address: str, port: int) -> None:
        context = ssl.create_default_context()
        super().__init__(host, port, timeout=TIMEOUT_SECONDS, context=context)
        self._address = address
        self._tls = context

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), self.timeout)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)

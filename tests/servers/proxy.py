"""A proxy before PostgreSQL that cuts connections: all of them, or one at its next COMMIT."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from contextlib import suppress
from enum import Enum

_COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"  # a simple query, sent once the answer before is there
_AT_ONCE = 1 << 16


class Cut(Enum):
    """Where a connection is cut: the server never sees the COMMIT, or its answer gets lost."""

    BEFORE = "before COMMIT"
    AFTER = "after COMMIT"


class Proxy:
    """Listens on 127.0.0.1 and hands on to a port there. `cuts` counts the commits cut."""

    def __init__(self, target: int) -> None:
        self.cuts: Counter[Cut] = Counter()
        self._target = target
        self._lock = threading.Lock()
        self._armed: list[Cut] = []
        self._links: set[_Link] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def arm(self, cut: Cut) -> None:
        """The next commit that nothing else is armed for is cut."""
        with self._lock:
            self._armed.append(cut)

    @property
    def is_armed(self) -> bool:
        """Whether a commit is still to be cut."""
        with self._lock:
            return bool(self._armed)

    def cut_all(self) -> int:
        """Cuts every connection, wherever it is; returns how many."""
        with self._lock:
            links, self._links = self._links, set()
        for link in links:
            link.close()
        return len(links)

    def close(self) -> None:
        """Cuts everything and listens no more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join()
        self.cut_all()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:  # it is down: so it looks from there as well
                client.close()
                continue
            link = _Link(self, client, server)
            with self._lock:
                self._links.add(link)
            link.start()

    def due(self) -> Cut | None:
        """What is to happen to a commit that just came."""
        with self._lock:
            if not self._armed:
                return None
            cut = self._armed.pop(0)
            self.cuts[cut] += 1
            return cut

    def forget(self, link: _Link) -> None:
        """A connection has ended."""
        with self._lock:
            self._links.discard(link)


class _Link:
    """One connection through the proxy, a thread each way; both sides end together."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._mute = False  # the server's next answer is lost

    def start(self) -> None:
        for way in (self._up, self._down):
            threading.Thread(target=way, daemon=True).start()

    def close(self) -> None:
        self._proxy.forget(self)
        for each in (self._client, self._server):
            with suppress(OSError):  # wakes the thread that waits there
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _up(self) -> None:
        with suppress(OSError):
            while data := self._client.recv(_AT_ONCE):
                cut = self._proxy.due() if _COMMIT in data else None
                if cut is Cut.BEFORE:
                    break
                self._mute = self._mute or cut is Cut.AFTER
                self._server.sendall(data)
        if not self._mute:  # else the answer is waited for, so that it was committed
            self.close()

    def _down(self) -> None:
        with suppress(OSError):
            while (data := self._server.recv(_AT_ONCE)) and not self._mute:
                self._client.sendall(data)
        self.close()

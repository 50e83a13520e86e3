"""Where the database is: one URL, as SQLAlchemy and as the event library want it."""

from __future__ import annotations

from sqlalchemy import URL, make_url

_DEFAULT_PORT = 5432
# Less than the 30 s that others wait for a lock: who holds it and is gone, or stands still, loses
# it before they give up.
STILL_SECONDS = 25
# The server looks after each connection, and ends that of a machine that is gone within so long.
WATCHED = f"""SELECT set_config('tcp_keepalives_idle', '10', false),
set_config('tcp_keepalives_interval', '5', false), set_config('tcp_keepalives_count', '3', false),
set_config('tcp_user_timeout', '{STILL_SECONDS}s', false)"""


def engine_url(url: str) -> URL:
    """The URL with the driver that is used here."""
    return make_url(url).set(drivername="postgresql+psycopg")


def connection_parts(url: str) -> tuple[dict[str, str], dict[str, str]]:
    """Database, host, port, user and password; and the other options of the URL (sslmode ...)."""
    place = make_url(url)
    parts = {
        "dbname": place.database or "",
        "host": place.host or "",
        "port": str(place.port or _DEFAULT_PORT),
        "user": place.username or "",
        "password": str(place.password or ""),
    }
    options = {name: value for name, value in place.query.items() if isinstance(value, str)}
    parts["host"] = options.pop("host", parts["host"])  # a directory: the server's socket
    return parts, options


def shown(url: str) -> str:
    """The URL without its password."""
    return make_url(url).render_as_string(hide_password=True)

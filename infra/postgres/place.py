"""Where the database is: one URL, as SQLAlchemy and as the event library want it."""

from __future__ import annotations

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

_LAST_PORT = 65_535
_FORM = (
    "postgresql://USER:PASSWORD@HOST:PORT/DATABASE, and in a password %2F for /, %40 for @, "
    "%3A for :"
)
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


def connection_parts(url: str) -> dict[str, str]:
    """What libpq is to be told, just as SQLAlchemy tells it: what is in the query counts more.

    Raises ValueError, in words without the URL: what cannot be read may be its password.
    """
    try:
        place = engine_url(url)
        _, found = place.get_dialect()().create_connect_args(place)
    except (ArgumentError, ValueError):
        raise ValueError(f"cannot be read: write {_FORM}") from None
    twice = sorted(name for name, value in found.items() if isinstance(value, tuple))
    if twice:
        raise ValueError(f"{', '.join(twice)} is given twice: give it once")
    parts = {name: str(value) for name, value in found.items()}
    if "," in parts.get("host", ""):
        raise ValueError("several hosts cannot be used: name one, which leads to the primary")
    if not 1 <= int(parts.get("port", "1")) <= _LAST_PORT:
        raise ValueError(f"port {parts['port']}: use 1 to {_LAST_PORT}")
    return parts


def shown(url: str) -> str:
    """The URL without its password."""
    return make_url(url).render_as_string(hide_password=True)

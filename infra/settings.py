"""Settings from the environment (`THRESHER_...`); wrong ones fail at start with one line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from platformdirs import user_data_path
from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.changes_out import STREAMS
from services.held_marks import DAYS_AHEAD

_SQLITE = "sqlite:///"
_MEMORY = "sqlite:///:memory:"  # with a name after it; gone when nobody in the process has it open
_POSTGRES = ("postgresql://", "postgres://", "postgresql+psycopg://")
_LOG_KEY_CHARACTERS = 32
_BROKER = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/@\[\]]+):([0-9]{1,5})", re.ASCII)
_LAST_PORT = 65_535


class Settings(BaseSettings):
    """What can be set. Secrets come from the environment and are never stored or logged."""

    model_config = SettingsConfigDict(env_prefix="THRESHER_")

    database_url: str = Field(
        default="", description="sqlite:///PATH, sqlite:///:memory:NAME or postgresql://..."
    )
    taxpayer: str = ""
    webhook_secret: str = ""
    webhook_allow_local: bool = False
    kafka: str = Field(default="", description="HOST:PORT, or several with commas")

    @field_validator("kafka")
    @classmethod
    def _brokers(cls, text: str) -> str:
        for each in text.split(",") if text else ():
            found = _BROKER.fullmatch(each.strip())
            if found is None or not 1 <= int(found[2]) <= _LAST_PORT:
                raise ValueError(
                    f"{each!r}: write HOST:PORT, or several with commas: broker.example:9092"
                )
        return text

    kafka_prefix: str = Field(
        default="thresher", description="what topics and the group begin with"
    )
    kafka_session_seconds: int = Field(
        default=10, ge=1, description="a worker that is silent for so long is replaced"
    )
    marks_ahead: int = Field(
        default=DAYS_AHEAD, ge=0, le=1_000_000,
        description="a live mark dated more days than that ahead of the clock is held",
    )  # fmt: skip
    log_key: str = Field(default="", description="secret behind the pseudonyms in logs")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "text"] = "auto"  # auto: text on a terminal

    @field_validator("log_key")
    @classmethod
    def _long_enough(cls, key: str) -> str:
        if 0 < len(key) < _LOG_KEY_CHARACTERS:
            raise ValueError(f"use {_LOG_KEY_CHARACTERS} random characters or more")
        return key

    publish: str = Field(default="", description="opportunities,windows: changes sent to Kafka")

    @field_validator("publish")
    @classmethod
    def _streams(cls, text: str) -> str:
        unknown = _names(text) - set(STREAMS)
        if unknown:
            raise ValueError(f"{text!r}: write {','.join(STREAMS)}, or one of them")
        return text

    @property
    def published(self) -> frozenset[str]:
        """The streams whose changes are told."""
        return _names(self.publish)

    @field_validator("database_url")
    @classmethod
    def _known(cls, url: str) -> str:
        is_file = url.startswith(_SQLITE) and len(url) > len(_SQLITE)
        if url and not is_file and not url.startswith(_POSTGRES):
            raise ValueError(
                f"{url!r}: write sqlite:///PATH, or postgresql://USER:PASSWORD@HOST/DATABASE"
            )
        if url.startswith(_POSTGRES):
            from infra.postgres.place import connection_parts  # noqa: PLC0415  for servers alone

            connection_parts(url)
        return url

    @property
    def is_postgres(self) -> bool:
        """Whether the store is a PostgreSQL server."""
        return self.database_url.startswith(_POSTGRES)

    @property
    def memory(self) -> str:
        """What the store in memory is called, as SQLite's URI; empty: the store is none."""
        if not self.database_url.startswith(_MEMORY):
            return ""
        return f"file:{self.database_url.removeprefix(_MEMORY)}?mode=memory&cache=shared"

    @property
    def database_path(self) -> Path:
        """The SQLite file."""
        if self.database_url:
            return Path(self.database_url.removeprefix(_SQLITE))
        return user_data_path("thresher", appauthor=False) / "thresher.db"


def _names(text: str) -> frozenset[str]:
    return frozenset(name for each in text.split(",") if (name := each.strip()))

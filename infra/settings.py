"""Settings from the environment (`THRESHER_...`); wrong ones fail at start with one line."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_data_path
from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_SQLITE = "sqlite:///"


class Settings(BaseSettings):
    """What can be set. Secrets come from the environment and are never stored or logged."""

    model_config = SettingsConfigDict(env_prefix="THRESHER_")

    database_url: str = Field(default="", description="sqlite:///PATH")
    taxpayer: str = ""
    webhook_secret: str = ""
    webhook_allow_local: bool = False

    @field_validator("database_url")
    @classmethod
    def _sqlite_only(cls, url: str) -> str:
        if url and (not url.startswith(_SQLITE) or len(url) == len(_SQLITE)):
            raise ValueError(f"{url!r}: this edition stores in SQLite, write sqlite:///PATH")
        return url

    @property
    def database_path(self) -> Path:
        """The SQLite file."""
        if self.database_url:
            return Path(self.database_url.removeprefix(_SQLITE))
        return user_data_path("thresher", appauthor=False) / "thresher.db"

"""Where database and photographs are, as an entry point learns it: from the environment, or from what it is given."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class DatabaseSettings(BaseSettings):
    """``INSERTS_DATA``, ``INSERTS_DATABASE_URL`` and ``INSERTS_IMAGES``."""

    model_config = SettingsConfigDict(env_prefix="INSERTS_")

    data: Path = Path("var/line")
    """The folder of one line's data; the SQLite database is a file in it."""
    database_url: SecretStr | None = None
    """``postgresql+psycopg://USER:PASSWORD@HOST/NAME`` or ``sqlite:///FILE``; without it, ``data``'s own file."""

    images: str | None = None
    """The root of the image store, a path or URL; without it, ``data``'s own folder."""

    @property
    def images_root(self) -> str:
        """Where people find the photographs: what an image's key is relative to."""
        return self.images or str(self.data / "images")

    @property
    def url(self) -> str:
        """The URL of the database, password and all: never print it (:func:`db.session.shown`)."""
        from db.session import sqlite_url

        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return sqlite_url(self.data / "inserts.db")

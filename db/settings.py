"""Where database and photographs are, as an entry point reads it: from the environment, or from its options."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from producer.configuration.environment_settings import EnvironmentSettings
from producer.configuration.home_folder import at_home
from producer.configuration.secret_files import password_of


class DatabaseSettings(EnvironmentSettings):
    """`INSERTS_DATA`, `INSERTS_DATABASE_URL`, `INSERTS_DATABASE_PASSWORD[_FILE]` and `INSERTS_IMAGES`, the head
    register, and what an insert's change costs."""

    data: Path = Path("var/line")
    """The folder of one line's data; the SQLite database is a file in it."""
    database_url: SecretStr | None = None
    """`postgresql+psycopg://USER:PASSWORD@HOST/NAME` or `sqlite:///FILE`; without it, `data`'s own file."""
    database_password: SecretStr | None = None
    """The password of `database_url`'s user, where it is of PostgreSQL and names none."""
    database_password_file: Path | None = None
    """A file that holds it instead."""

    images: str | None = None
    """The root of the image store, a path or URL; without it, `data`'s own folder."""

    heads: Path | None = Field(default=None, description="The head register, a TOML file: each head's pockets.")

    planned_change: float = Field(default=1.0, gt=0)
    """What changing an insert between two shifts costs; only the ratio to `damaged_change` counts."""
    damaged_change: float = Field(default=4.0, gt=0)
    """What it costs when an insert is found damaged: the stop, the change, and what it has spoilt."""

    @field_validator("damaged_change")
    @classmethod
    def _is_the_dearer(cls, value: float, info: ValidationInfo) -> float:
        planned = info.data.get("planned_change", 0.0)  # not there where it is refused itself
        if value < planned:
            raise ValueError(f"it must be no less than INSERTS_PLANNED_CHANGE, {planned:g}, not {value:g}")
        return value

    @property
    def images_root(self) -> str:
        """Where people find the photographs: what an image's key is relative to.

        Raises:
            ValueError: it begins with a home folder that is not known.
        """
        if self.images is None:
            return str(self.data / "images")
        folder = self.images.removeprefix("file://")
        return str(at_home(Path(folder))) if folder.startswith("~") else self.images

    @property
    def url(self) -> str:
        """The URL of the database, password and all: never print it (`db.engine.url.shown`).

        Raises:
            ValueError: the URL cannot be read, or its password is given twice, not there, or the example's.
        """
        from db.engine.url import sqlite_url, with_password

        if self.database_url is None:
            return sqlite_url(self.data / "inserts.db")
        url = self.database_url.get_secret_value()
        password = password_of("INSERTS_DATABASE_PASSWORD", self.database_password, self.database_password_file)
        return url if password is None else with_password(url, password)

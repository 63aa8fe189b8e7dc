"""What a station is told from outside: environment variables that begin with ``INSERTS_``."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from producer.event import Name
from producer.image_store import ImageStore, open_image_store
from producer.outbox import DEFAULT_LIMIT, Outbox
from producer.redis_url import password_in, with_password, with_trust

REDIS_URL_FILE = "redis.url"
"""In the data folder of an embedded system: where its Redis listens, with the password, readable by its owner only."""


class StationSettings(BaseSettings):
    """Settings of ``insert-station``; each has a default that fits an embedded system on this machine."""

    model_config = SettingsConfigDict(env_prefix="INSERTS_", extra="ignore", hide_input_in_errors=True)

    data: Path = Field(default=Path("var/line"), description="Folder of the line's data on this machine.")
    station: Name = Field(default="station-1", description="This station's name.")
    redis_url: SecretStr | None = Field(
        default=None, description="redis[s]://USER@HOST:PORT/0; default: the embedded system's in the data."
    )
    redis_password: SecretStr | None = Field(default=None, description="The password of INSERTS_REDIS_URL's user.")
    redis_password_file: Path | None = Field(default=None, description="A file that holds it instead.")
    redis_ca_file: Path | None = Field(
        default=None, description="PEM: who vouches for a rediss:// server; default: whom the system trusts."
    )
    redis_cert_file: Path | None = Field(default=None, description="PEM: this client's own certificate for Redis.")
    redis_key_file: Path | None = Field(default=None, description="PEM: the private key of that certificate.")
    images: str | None = Field(default=None, description="Root of the image store, a path or URL; default DATA/images.")
    outbox: Path | None = Field(default=None, description="The outbox's file; default DATA/outbox/STATION.db.")
    outbox_limit: int = Field(default=DEFAULT_LIMIT, ge=1, description="Captures that may wait in the outbox.")
    metrics_port: int | None = Field(
        default=None, ge=1, le=65535, description="TCP port that Prometheus reads metrics from; default: none."
    )
    metrics_address: str = Field(default="127.0.0.1", description="Address of that port; 0.0.0.0 in a container.")

    def broker_url(self) -> str:
        """The URL of Redis, with all that a client needs (see `producer.redis_url`): never print it.

        As set, with its password and certificates; else that of the embedded system in the data folder, as it is; else
        the usual local one.

        Raises:
            ValueError: password or certificates are given twice, are not there, or are those of the example.
        """
        if self.redis_url is not None:
            url = self.redis_url.get_secret_value()
            if self.redis_password is not None and self.redis_password_file is not None:
                raise ValueError("INSERTS_REDIS_PASSWORD and INSERTS_REDIS_PASSWORD_FILE are both set: take one away")
            if self.redis_password is not None:
                url = with_password(url, self.redis_password.get_secret_value())
            if self.redis_password_file is not None:
                url = with_password(url, password_in(self.redis_password_file))
            return with_trust(url, self.redis_ca_file, self.redis_cert_file, self.redis_key_file)
        written = self.data / REDIS_URL_FILE
        return written.read_text(encoding="utf-8").strip() if written.is_file() else "redis://127.0.0.1:6379/0"

    def image_store(self) -> ImageStore:
        """The image store that these settings name."""
        return open_image_store(self.images or str(self.data / "images"))

    def open_outbox(self) -> Outbox:
        """The outbox that these settings name."""
        return Outbox(self.outbox or self.data / "outbox" / f"{self.station}.db", self.outbox_limit)

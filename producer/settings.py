"""Settings of a station: environment variables that begin with `INSERTS_`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from producer.configuration.environment_settings import EnvironmentSettings
from producer.configuration.secret_files import password_of
from producer.connect.deliveries.delivery_log import DeliveryLog
from producer.contract.event import MOST_EVENTS
from producer.contract.names import Name, safe_name
from producer.delivery.grouping import DEFAULT_GROUP
from producer.delivery.outbox import Outbox
from producer.delivery.outbox_room import DEFAULT_LIMIT
from producer.delivery.redis_connection import check_url
from producer.delivery.redis_url import with_password, with_trust
from producer.station.check_timeout import CHECK_TIMEOUT
from producer.station.head_register import HeadRegister
from producer.station.settled_files import SETTLED_AFTER
from producer.storage.opening import open_image_store
from producer.storage.store import ImageStore

REDIS_URL_FILE = "redis.url"
"""In the data folder of an embedded system: where its Redis listens, with the password, readable by its owner only."""


class StationSettings(EnvironmentSettings):
    """Settings of `insert-station`; each has a default that fits an embedded system on this machine."""

    model_config = SettingsConfigDict(extra="ignore")

    data: Path = Field(default=Path("var/line"), description="Folder of the line's data on this machine.")
    station: Name = Field(default="station-1", description="This station's name.")
    redis_url: SecretStr | None = Field(
        default=None,
        description="redis[s]://USER@HOST:PORT/0, unix:///PATH?db=0 or sentinel[s]://USER@HOST:PORT,HOST:PORT/MASTER/0"
        "; default: the embedded system's in the data.",
    )
    redis_password: SecretStr | None = Field(default=None, description="The password of INSERTS_REDIS_URL's user.")
    redis_password_file: Path | None = Field(default=None, description="A file that holds it instead.")
    redis_ca_file: Path | None = Field(
        default=None, description="PEM: who vouches for a rediss:// server; default: whom the system trusts."
    )
    redis_cert_file: Path | None = Field(default=None, description="PEM: this client's own certificate for Redis.")
    redis_key_file: Path | None = Field(default=None, description="PEM: the private key of that certificate.")
    images: str | None = Field(default=None, description="Root of the image store, a path or URL; default DATA/images.")
    heads: Path | None = Field(default=None, description="The head register, a TOML file: each head's pockets.")
    connect: Path | None = Field(
        default=None, description="The connector's file, TOML: which systems of the plant are told what."
    )
    outbox: Path | None = Field(default=None, description="The outbox's file; default DATA/outbox/STATION.db.")
    outbox_limit: int = Field(default=DEFAULT_LIMIT, ge=1, description="Captures that may wait in the outbox.")
    group: int = Field(
        default=DEFAULT_GROUP, ge=1, le=MOST_EVENTS, description="The most captures that are sent in one message."
    )
    settled_after: float = Field(
        default=SETTLED_AFTER,
        gt=0,
        allow_inf_nan=False,
        description="Seconds that a watched file must show the same.",
    )
    watch_every: float = Field(
        default=1.0, gt=0, allow_inf_nan=False, description="Seconds between two looks at a watched folder."
    )
    check_timeout: float = Field(
        default=CHECK_TIMEOUT,
        gt=0,
        allow_inf_nan=False,
        description="Seconds without a photograph after which a check is over: an incomplete one ends as review.",
    )
    metrics_port: int | None = Field(
        default=None, ge=1, le=65535, description="TCP port that Prometheus reads metrics from; default: none."
    )
    metrics_address: str = Field(default="127.0.0.1", description="Address of that port; 0.0.0.0 in a container.")

    def broker_url(self) -> str:
        """The URL of Redis, with all that a client needs (see `producer.delivery.redis_url`): never print it.

        As set, with its password and certificates; else that of the embedded system in the data folder, as it is.

        Raises:
            ValueError: there is neither; or password or certificates are given twice, are not there, or are those of
                the example; or the URL is none of Redis's.
        """
        if self.redis_url is not None:
            url = self.redis_url.get_secret_value()
            password = password_of("INSERTS_REDIS_PASSWORD", self.redis_password, self.redis_password_file)
            if password is not None:
                url = with_password(url, password)
            url = with_trust(url, self.redis_ca_file, self.redis_cert_file, self.redis_key_file)
        else:
            url = self._written_url()
        check_url(url)
        return url

    def _written_url(self) -> str:
        written = self.data / REDIS_URL_FILE
        if not written.is_file():
            # A folder that was mistyped must not become one, with photographs in it that nobody will ever send.
            raise ValueError(
                f"there is no line in {self.data}: it has no {REDIS_URL_FILE}, and INSERTS_REDIS_URL is not set. "
                "Is it the right folder (--data, INSERTS_DATA)? For a line elsewhere set INSERTS_REDIS_URL, like "
                "redis://127.0.0.1:6379/0"
            )
        return written.read_text(encoding="utf-8").strip()

    def head_register(self) -> HeadRegister | None:
        """The head register that these settings name, if they name one.

        Raises:
            ValueError: it cannot be read, or is none.
        """
        return HeadRegister.load(self.heads) if self.heads is not None else None

    def image_store(self) -> ImageStore:
        """The image store that these settings name."""
        return open_image_store(self.images or str(self.data / "images"))

    def open_outbox(self) -> Outbox:
        """The outbox that these settings name."""
        return Outbox(self.outbox_path(), self.outbox_limit)

    def outbox_path(self) -> Path:
        """The outbox's file."""
        return self.outbox or self.data / "outbox" / f"{safe_name(self.station)}.db"

    def delivery_log_path(self) -> Path:
        """The file in which the connector keeps what the plant's systems are told."""
        return self.data / "connect" / "deliveries.db"

    def open_delivery_log(self) -> DeliveryLog:
        """The connector's delivery log."""
        return DeliveryLog(self.delivery_log_path())

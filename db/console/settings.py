"""Settings of the console: environment variables that begin with `INSERTS_`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from db.settings import DatabaseSettings

Network = IPv4Network | IPv6Network


class ConsoleSettings(DatabaseSettings):
    """Settings of `insert-db console`, beside those that say where database and photographs are."""

    model_config = SettingsConfigDict(env_prefix="INSERTS_", hide_input_in_errors=True)

    heads: Path | None = Field(default=None, description="The head register, a TOML file: each head's pockets.")
    console_stale_minutes: float = Field(
        default=60.0, gt=0, description="Minutes after which the last photograph of a head says nothing about now."
    )
    console_open_board: bool = Field(default=False, description="Show the board to anybody, without a login.")
    console_https: bool = Field(
        default=False, description="Whether browsers reach the console by HTTPS only, through a proxy: cookies say so."
    )
    console_idle_hours: float = Field(default=8.0, gt=0, description="Hours after which an unused session ends.")
    console_session_hours: float = Field(default=24.0, gt=0, description="Hours after which every session ends.")

    console_user_header: str | None = Field(
        default=None,
        min_length=1,
        description="The header in which a proxy that asks who it is names the account.",
    )
    console_proxies: str = Field(
        default="", description="The addresses or networks of those proxies, with commas between them."
    )

    @field_validator("console_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        list(_networks_of(value))
        return value

    @model_validator(mode="after")
    def _header_and_proxies(self) -> Self:
        if (self.console_user_header is None) != (not self.proxies):
            both = "INSERTS_CONSOLE_USER_HEADER and INSERTS_CONSOLE_PROXIES"
            raise ValueError(f"{both} go together: only from its proxies is such a header believed")
        return self

    @property
    def proxies(self) -> tuple[Network, ...]:
        """The proxies whose header is believed."""
        return tuple(_networks_of(self.console_proxies))

    @property
    def stale_after(self) -> timedelta:
        """The age at which a head's last photograph says nothing about now."""
        return timedelta(minutes=self.console_stale_minutes)


def _networks_of(text: str) -> Iterator[Network]:
    for each in filter(None, (part.strip() for part in text.split(","))):
        yield ip_network(each)

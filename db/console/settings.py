"""Settings of the console: environment variables that begin with `INSERTS_`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from db.console.sign_in.provider import Provider, checked_address
from db.people.session_limits import IDLE_HOURS, SESSION_HOURS
from db.queries.head_overview import STALE_MINUTES
from db.schema.column_words import PersonRole
from db.settings import DatabaseSettings
from producer.configuration.secret_files import password_of

IpNetwork = IPv4Network | IPv6Network


class ConsoleSettings(DatabaseSettings):
    """Settings of `insert-db console`, beside those that say where database and photographs are."""

    console_stale_minutes: float = Field(
        default=STALE_MINUTES,
        gt=0,
        description="Minutes after which the last photograph of a head says nothing about now.",
    )
    console_open_board: bool = Field(default=False, description="Show the board to anybody, without a login.")
    console_https: bool = Field(
        default=False, description="Whether browsers reach the console by HTTPS only, through a proxy: cookies say so."
    )
    console_idle_hours: float = Field(default=IDLE_HOURS, gt=0, description="Hours after which an unused session ends.")
    console_session_hours: float = Field(
        default=SESSION_HOURS, gt=0, description="Hours after which every session ends."
    )

    console_user_header: str | None = Field(
        default=None,
        min_length=1,
        description="The header in which a proxy that asks who it is names the account.",
    )
    console_proxies: str = Field(
        default="",
        description="The addresses or networks of the proxies in front, with commas between them: that header and "
        "X-Forwarded-For are believed from these alone.",
    )

    console_oidc_issuer: str | None = Field(
        default=None, description="The OpenID provider at which people may sign in, as it names itself: https://…"
    )
    console_oidc_client: str | None = Field(default=None, description="The name under which it knows the console.")
    console_oidc_secret: SecretStr | None = Field(
        default=None, description="The password of that client; none of a public one."
    )
    console_oidc_secret_file: Path | None = Field(default=None, description="A file that holds it instead.")
    console_oidc_name_claim: str = Field(
        default="preferred_username", min_length=1, description="The claim with the name of a new account."
    )
    console_oidc_role_claim: str = Field(
        default="groups", min_length=1, description="The claim that says what somebody may do, as realm_access.roles."
    )
    console_oidc_roles: Annotated[dict[str, PersonRole], NoDecode] = Field(
        default_factory=dict, description='The roles that its values give: {"maintenance": "maintainer"}.'
    )

    @field_validator("console_oidc_roles", mode="before")
    @classmethod
    def _decoded(cls, value: Any) -> Any:
        if not isinstance(value, str) or not value.strip():
            return value
        try:
            return json.loads(value)
        except ValueError as error:
            raise ValueError(f'it is no JSON like {{"maintenance": "maintainer"}}: {error}') from None

    @field_validator("console_oidc_issuer")
    @classmethod
    def _private(cls, value: str | None) -> str | None:
        return None if value is None else checked_address(value)

    @field_validator("console_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        list(_networks_of(value))
        return value

    @model_validator(mode="after")
    def _header_and_proxies(self) -> Self:
        if self.console_user_header is not None and not self.proxies:
            raise ValueError(
                "INSERTS_CONSOLE_USER_HEADER needs INSERTS_CONSOLE_PROXIES: it is believed from these alone"
            )
        return self

    @model_validator(mode="after")
    def _whole_provider(self) -> Self:
        needed = (self.console_oidc_issuer, self.console_oidc_client, self.console_oidc_roles)
        if any(needed) and not all(needed):
            names = [f"INSERTS_CONSOLE_OIDC_{name}" for name in ("ISSUER", "CLIENT", "ROLES")]
            raise ValueError(f"{', '.join(names)} go together: nobody signs in there without a role")
        return self

    @cached_property
    def provider(self) -> Provider | None:
        """The OpenID provider at which people may sign in.

        Raises:
            ValueError: its client's password is given twice, or its file cannot be read.
        """
        if self.console_oidc_issuer is None or self.console_oidc_client is None:
            return None
        return Provider(
            issuer=self.console_oidc_issuer,
            client=self.console_oidc_client,
            secret=password_of("INSERTS_CONSOLE_OIDC_SECRET", self.console_oidc_secret, self.console_oidc_secret_file),
            name_claim=self.console_oidc_name_claim,
            role_claim=self.console_oidc_role_claim,
            roles=self.console_oidc_roles,
        )

    @property
    def proxies(self) -> tuple[IpNetwork, ...]:
        """The proxies whose headers are believed."""
        return tuple(_networks_of(self.console_proxies))

    @property
    def stale_after(self) -> timedelta:
        """The age at which a head's last photograph says nothing about now."""
        return timedelta(minutes=self.console_stale_minutes)


def _networks_of(text: str) -> Iterator[IpNetwork]:
    for network in filter(None, (part.strip() for part in text.split(","))):
        yield ip_network(network)

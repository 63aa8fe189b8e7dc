"""Settings of the console: environment variables that begin with `INSERTS_`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from db.settings import DatabaseSettings


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

    @property
    def stale_after(self) -> timedelta:
        """The age at which a head's last photograph says nothing about now."""
        return timedelta(minutes=self.console_stale_minutes)

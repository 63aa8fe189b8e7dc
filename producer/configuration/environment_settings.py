"""Settings out of the environment, as all three programs read them: one rule for what nobody can have meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from pydantic import ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from producer.configuration.home_folder import at_home

LARGEST_NUMBER: Final = 2**31 - 1
"""The largest number of any setting: as seconds 68 years. With more, timers, dates and databases fail one day, and each
photograph that is judged may be the day."""


class EnvironmentSettings(BaseSettings):
    """Settings whose variables begin with `INSERTS_`.

    An empty or blank one is refused by its name, whatever it is for: a URL would be read as one with a broken password,
    a path as the folder that a program happens to run in, and a number's default would be taken silently. So is a
    number that is infinite, or more than `LARGEST_NUMBER`.
    """

    model_config = SettingsConfigDict(env_prefix="INSERTS_", hide_input_in_errors=True)

    @field_validator("*", mode="before")
    @classmethod
    def _not_blank(cls, value: Any, info: ValidationInfo) -> Any:
        empty_is_a_value = cls.model_fields[info.field_name or ""].default == ""
        if isinstance(value, str | Path) and not str(value).strip() and not empty_is_a_value:
            raise ValueError(f"it is {'blank' if str(value) else 'empty'}: set it to something, or do not set it")
        return value

    @field_validator("*")
    @classmethod
    def _in_reach(cls, value: Any) -> Any:
        if isinstance(value, int | float) and not value <= LARGEST_NUMBER:
            raise ValueError(f"it must be a number up to {LARGEST_NUMBER}, not {value}")
        return value

    @field_validator("*")
    @classmethod
    def _at_home(cls, value: Any) -> Any:
        return _path_of(value)


def _path_of(value: Any) -> Any:
    """A path with its home folder in place of `~`; any other setting as it is.

    Raises:
        ValueError: that home folder is not known; or a text has a line break, and would become a folder of that name.
    """
    if isinstance(value, str | Path) and any(ord(character) < ord(" ") for character in str(value)):
        raise ValueError("it has a line break or another control character in it, perhaps at its end: take it out")
    return at_home(value) if isinstance(value, Path) else value

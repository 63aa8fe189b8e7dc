"""Passwords beside a URL: in a setting of their own, or in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import SecretStr

EXAMPLE: Final = "change-me"
"""How passwords in examples begin. None is ever used."""


def password_of(setting: str, password: SecretStr | None, file: Path | None) -> str | None:
    """The password that is set by itself or in a file; None where there is neither.

    Args:
        setting: the variable that holds it, as `INSERTS_REDIS_PASSWORD`; with `_FILE` behind it, that of the file.
        password: what that variable holds.
        file: the file that the other one names.

    Raises:
        ValueError: both are set, or the file cannot be read, is empty or still holds the example.
    """
    if password is not None and file is not None:
        raise ValueError(f"{setting} and {setting}_FILE are both set: take one away")
    if file is not None:
        return password_in(file)
    return None if password is None else password.get_secret_value()


def password_in(file: Path) -> str:
    """The password that a file holds, without white space around it.

    Raises:
        ValueError: the file cannot be read, is empty, or still holds the example.
    """
    try:
        password = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"the password file {file} cannot be read: {error}") from None
    if not password:
        raise ValueError(f"the password file {file} is empty")
    if password.startswith(EXAMPLE):
        raise ValueError(f"the password file {file} still holds that of the example: put a password of your own there")
    return password

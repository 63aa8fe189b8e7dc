"""Passwords: kept as Argon2 hashes, compared in the same time whether an account exists or not."""

from __future__ import annotations

from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST: Final = 10
"""Characters of a password at least."""

LONGEST: Final = 200
"""Characters of a password at most: hashing more adds work and no security."""

RULE: Final = f"{SHORTEST} to {LONGEST} characters"
"""The rule for passwords, for a person who must enter one."""

_HASHER: Final = PasswordHasher()


def checked(password: str) -> str:
    """The password, if it may be one.

    Raises:
        ValueError: it is too short or too long.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise ValueError(f"a password has {RULE}")
    return password


def hashed(password: str) -> str:
    """The hash that is kept of a password.

    Raises:
        ValueError: it is too short or too long.
    """
    return _HASHER.hash(checked(password))


def fits(kept: str | None, password: str) -> bool:
    """Whether a password is the kept one; without a kept one, saying no takes as long.

    A person who signs in elsewhere (`db.people.provided_accounts`) has none.
    """
    hashed_one = kept if kept is not None and kept.startswith("$argon2") else None
    try:
        return _HASHER.verify(hashed_one or _nobody(), password[:LONGEST]) and hashed_one is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    return _HASHER.hash("nobody has this password")

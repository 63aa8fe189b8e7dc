"""Passwords of people and programs: one rule, kept as Argon2 hashes, compared in the same time if none is kept."""

from __future__ import annotations

from functools import cached_property
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST: Final = 10
"""Characters of a password at least."""

LONGEST: Final = 200
"""Characters of a password at most: hashing more adds work and no security."""

RULE: Final = f"{SHORTEST} to {LONGEST} characters"
"""The rule for passwords, for a person who must enter one."""

HASH_BEGINS: Final = "$argon2"
"""How every kept hash begins."""


def checked(password: str) -> str:
    """The password, if it may be one.

    Raises:
        ValueError: it is too short or too long.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise ValueError(f"a password has {RULE}")
    return password


class PasswordHashes:
    """Makes the hashes that are kept, and compares passwords with them."""

    def __init__(self, hasher: PasswordHasher):
        """`hasher` has the effort: how much memory and time each hash takes."""
        self._hasher = hasher

    def hashed(self, password: str) -> str:
        """The hash that is kept of a password.

        Raises:
            ValueError: it is too short or too long.
        """
        return self._hasher.hash(checked(password))

    def fits(self, kept: str | None, password: str) -> bool:
        """Whether a password is the kept one; without a kept one, saying no takes as long.

        Those who sign in elsewhere have none, nor have those who are not known.
        """
        own = kept if kept is not None and kept.startswith(HASH_BEGINS) else None
        try:
            return self._hasher.verify(own or self._of_nobody, password[:LONGEST]) and own is not None
        except (VerificationError, InvalidHashError):
            return False

    @cached_property
    def _of_nobody(self) -> str:
        return self._hasher.hash("nobody has this password")

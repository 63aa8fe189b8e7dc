"""The users of our OPC UA server: a file with a line each, NAME:HASH, the passwords as Argon2 hashes.

Who may also say that inserts were changed has `:insert-changes` behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from producer.contract.names import check_name

SHORTEST: Final = 10
"""Characters of a password at least."""

LONGEST: Final = 200
"""Characters of a password at most: hashing more is work for nobody's good."""

INSERT_CHANGES: Final = "insert-changes"
"""The role of who may say that inserts were changed."""

# The least that OWASP recommends for Argon2id: all clients wait while a password is compared, and only those with a
# trusted certificate come so far.
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@dataclass(frozen=True)
class KnownUser:
    """A user of the file: the hash of the password, and whether it may say that inserts were changed."""

    kept: str
    may_change_inserts: bool


def user_line(name: str, password: str, *, may_change_inserts: bool = False) -> str:
    """The line of a user.

    Raises:
        ValueError: the name or the password cannot be one.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise ValueError(f"a password has {SHORTEST} to {LONGEST} characters")
    role = f":{INSERT_CHANGES}" if may_change_inserts else ""
    return f"{check_name(name)}:{_HASHER.hash(password)}{role}"


def users_in(file: Path) -> dict[str, KnownUser]:
    """The users by their names.

    Raises:
        ValueError: the file cannot be read, a line is none, or there is none.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"the users' file {file} cannot be read: {error}") from None
    users = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, rest = line.strip().partition(":")
        kept, _, role = rest.partition(":")
        if not name or not kept.startswith("$argon2") or role not in ("", INSERT_CHANGES):
            raise ValueError(
                f"{file}, line {number}: write NAME:HASH, as `insert-station connect opcua user` prints it"
            )
        users[name] = KnownUser(kept, role == INSERT_CHANGES)
    if not users:
        raise ValueError(f"{file} names no user: `insert-station connect opcua user` prints a line for it")
    return users


def fits(kept: str | None, password: str) -> bool:
    """Whether a password is the one that was kept; for a user whom there is not it takes as long to say no."""
    try:
        return _HASHER.verify(kept or _nobody(), password[:LONGEST]) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    return _HASHER.hash("nobody has this password")

"""The users of our OPC UA server: a file with a line each, NAME:HASH, the passwords as Argon2 hashes.

Who may also say that inserts were changed has `:insert-changes` behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from argon2 import PasswordHasher

from producer.configuration.passwords import HASH_BEGINS, PasswordHashes
from producer.contract.names import check_name

CHANGES_INSERTS: Final = "insert-changes"
"""The role of who may say that inserts were changed."""

# The least that OWASP recommends for Argon2id: all clients wait while a password is compared, and only those with a
# trusted certificate come so far.
PASSWORDS: Final = PasswordHashes(PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1))


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
    role = f":{CHANGES_INSERTS}" if may_change_inserts else ""
    return f"{check_name(name)}:{PASSWORDS.hashed(password)}{role}"


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
        if not name or not kept.startswith(HASH_BEGINS) or role not in ("", CHANGES_INSERTS):
            raise ValueError(
                f"{file}, line {number}: write NAME:HASH, as `insert-station connect opcua user` prints it"
            )
        users[name] = KnownUser(kept, role == CHANGES_INSERTS)
    if not users:
        raise ValueError(f"{file} names no user: `insert-station connect opcua user` prints a line for it")
    return users

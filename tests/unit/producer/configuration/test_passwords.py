"""The rule for passwords, and how they are compared."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from producer.configuration.passwords import PasswordHashes

PASSWORDS = PasswordHashes(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def test_a_password_is_compared_with_its_hash_and_with_no_other_text() -> None:
    kept = PASSWORDS.hashed("a good password")
    assert "a good password" not in kept
    assert PASSWORDS.fits(kept, "a good password")
    others = (PASSWORDS.hashed("another one"), "$argon2", "")
    assert not any(PASSWORDS.fits(other, "a good password") for other in others)
    assert not PASSWORDS.fits(None, "nobody has this password")


def test_where_none_is_kept_a_comparison_is_made_all_the_same() -> None:
    """Else the time would tell who has an account."""
    compared: list[str] = []

    class Noting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:
            compared.append(str(hash))
            return super().verify(hash, password)

    passwords = PasswordHashes(Noting(time_cost=1, memory_cost=8, parallelism=1))
    for kept in (None, "", "none of ours"):
        assert not passwords.fits(kept, "a password")
    assert len(compared) == 3
    assert compared[0].startswith("$argon2id$")


@pytest.mark.parametrize("password", ["123456789", "x" * 201])
def test_a_password_that_is_too_short_or_too_long_is_refused(password: str) -> None:
    with pytest.raises(ValueError, match="10 to 200 characters"):
        PASSWORDS.hashed(password)

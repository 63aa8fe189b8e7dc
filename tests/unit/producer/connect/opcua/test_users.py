"""The users' file."""

from __future__ import annotations

from pathlib import Path

import pytest

from producer.connect.opcua.users import PASSWORDS, user_line, users_in


def test_a_user_comes_in_by_the_password_and_by_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "users"
    file.write_text(f"# the cell\n{user_line('plc', 'a good password')}\n", encoding="utf-8")
    users = users_in(file)
    assert "a good password" not in file.read_text(encoding="utf-8")
    assert PASSWORDS.fits(users["plc"].kept, "a good password")
    assert not PASSWORDS.fits(users["plc"].kept, "a bad password")
    assert not PASSWORDS.fits(None, "nobody has this password")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "names no user"),
        ("plc:secret", "line 1: write NAME:HASH"),
        (":$argon2id$", "line 1"),
        ("plc:$argon2id$:admin", "line 1"),
    ],
)
def test_a_file_that_says_nothing_of_use_says_so(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "users"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=words):
        users_in(file)


def test_a_short_password_is_refused() -> None:
    with pytest.raises(ValueError, match="10 to 200 characters"):
        user_line("plc", "short")

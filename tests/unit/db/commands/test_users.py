"""What a person is asked for an account at a terminal."""

from __future__ import annotations

import sys

import pytest

from db.commands import users


@pytest.mark.parametrize(
    ("typed", "said"),
    [(["short"], "10 to 200 characters"), (["long enough, this", "another one, that"], "the two passwords differ")],
)
def test_a_password_that_is_none_is_refused_before_it_is_asked_for_again(monkeypatch, typed, said) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(users.getpass, "getpass", lambda _: typed.pop(0))
    with pytest.raises(ValueError, match=said):
        users.asked_password()
    assert typed == []

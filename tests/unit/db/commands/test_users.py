"""What a person is asked for an account at a terminal."""

from __future__ import annotations

import sys

import pytest

from db.commands import users

DIFFERENT = ["long enough, this", "another one, that"]


def types(monkeypatch: pytest.MonkeyPatch, typed: list[str]) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(users.getpass, "getpass", lambda _: typed.pop(0))


def test_a_password_that_is_none_is_asked_for_again(monkeypatch, capsys) -> None:
    types(monkeypatch, ["short", *DIFFERENT, *DIFFERENT[:1] * 2])
    assert users.asked_password() == DIFFERENT[0]
    first, second = capsys.readouterr().err.splitlines()
    assert ("10 to 200 characters" in first, "the two passwords differ" in second) == (True, True)


@pytest.mark.parametrize(
    ("last", "said"), [(["short"], "10 to 200 characters"), (DIFFERENT, "the two passwords differ")]
)
def test_after_three_times_it_is_refused(monkeypatch, last, said) -> None:
    types(monkeypatch, typed := ["short", "short", *last])
    with pytest.raises(ValueError, match=said):
        users.asked_password()
    assert typed == []

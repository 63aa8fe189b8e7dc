from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from producer.configuration.secret_files import password_in, password_of


def test_a_password_file_is_read_without_its_line_end(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(" a password of our own\n")
    assert password_in(file) == "a password of our own"


@pytest.mark.parametrize(("text", "problem"), [("\n", "is empty"), ("change-me-please\n", "the example")])
def test_a_password_file_without_a_password_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "password"
    file.write_text(text)
    with pytest.raises(ValueError, match=problem):
        password_in(file)


def test_a_password_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere cannot be read: .*No such file"):
        password_in(tmp_path / "nowhere")


def test_a_password_stands_in_one_place(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("of the file")
    assert password_of("INSERTS_X_PASSWORD", None, None) is None
    assert password_of("INSERTS_X_PASSWORD", SecretStr("by itself"), None) == "by itself"
    assert password_of("INSERTS_X_PASSWORD", None, file) == "of the file"
    with pytest.raises(ValueError, match="INSERTS_X_PASSWORD and INSERTS_X_PASSWORD_FILE are both set"):
        password_of("INSERTS_X_PASSWORD", SecretStr("by itself"), file)

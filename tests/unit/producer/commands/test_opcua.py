"""`insert-station connect opcua`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from producer.commands.opcua import app
from producer.connect.opcua.certificates import application_uri, certificate_in, key_in
from producer.connect.opcua.users import PASSWORDS, users_in


def test_a_certificate_is_made_once_and_its_key_is_its_owner_s_alone(tmp_path: Path) -> None:
    made = CliRunner().invoke(app, ["certificate", str(tmp_path / "opcua"), "--host", "inspection.plant"])
    assert made.exit_code == 0, made.output
    certificate, key = tmp_path / "opcua" / "certificate.pem", tmp_path / "opcua" / "key.pem"
    assert application_uri(certificate_in(certificate)) == "urn:inspection.plant:insert-inspection"
    assert key_in(key)
    assert sys.platform == "win32" or key.stat().st_mode & 0o077 == 0
    again = CliRunner().invoke(app, ["certificate", str(tmp_path / "opcua"), "--host", "other.plant"])
    assert "exists already" in str(again.exception)


def test_a_user_s_line_is_what_the_users_file_needs(tmp_path: Path) -> None:
    invoked = [["user", "plc-1"], ["user", "panel", "--insert-changes"]]
    printed = [CliRunner().invoke(app, each, input="a good password\n").stdout for each in invoked]
    file = tmp_path / "users"
    file.write_text("".join(printed), encoding="utf-8")
    assert PASSWORDS.fits(users_in(file)["plc-1"].kept, "a good password")
    assert {name: user.may_change_inserts for name, user in users_in(file).items()} == {"plc-1": False, "panel": True}
    with pytest.raises(ValueError, match="10 to 200"):
        CliRunner().invoke(app, ["user", "plc-1"], input="short\n", catch_exceptions=False)

"""Certificates that are made here, and whom a folder of them trusts."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509

from producer.connect.opcua.certificates import (
    KEPT_REFUSED,
    TrustedClients,
    application_uri,
    certificate_in,
    key_in,
    new_certificate,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a client's certificate and key."""
    folder = tmp_path_factory.mktemp("client")
    key, text = new_certificate("urn:plc", ["plc.plant", "10.0.0.7"], 2)
    (folder / "key.pem").write_bytes(key)
    (folder / "certificate.pem").write_bytes(text)
    return folder


def test_a_certificate_names_the_application_and_its_machines(made: Path) -> None:
    certificate = certificate_in(made / "certificate.pem")
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert application_uri(certificate) == "urn:plc"
    assert names.get_values_for_type(x509.DNSName) == ["plc.plant"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.7"]
    assert key_in(made / "key.pem")


def test_whoever_is_not_in_the_folder_is_kept_until_there_are_too_many(made: Path, tmp_path: Path) -> None:
    trusted, refused = tmp_path / "trusted", tmp_path / "refused"
    trusted.mkdir()
    clients = TrustedClients(trusted, refused)
    certificate = certificate_in(made / "certificate.pem")
    assert "to trust it, copy" in str(clients.problem(certificate))
    [kept] = refused.iterdir()
    for number in range(KEPT_REFUSED):
        (refused / f"{number}.der").write_bytes(b"")
    kept.rename(trusted / kept.name)
    assert clients.problem(certificate) is None
    (trusted / kept.name).unlink()
    assert "is full" in str(clients.problem(certificate))
    (trusted / "broken.pem").write_text("no certificate", encoding="utf-8")
    assert "cannot be read" in str(clients.problem(certificate))


@pytest.mark.parametrize("read", [certificate_in, key_in])
def test_a_file_that_is_none_is_named(read: object, tmp_path: Path) -> None:
    file = tmp_path / "none.pem"
    file.write_text("-----", encoding="utf-8")
    with pytest.raises(ValueError, match=r"none\.pem cannot be read"):
        read(file)  # type: ignore[operator]

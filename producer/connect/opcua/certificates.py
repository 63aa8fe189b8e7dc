"""Certificates of OPC UA applications: making one's own, and whom to trust by a folder of theirs."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from producer.files.durable_files import write_file

log = structlog.get_logger()

KEY_BITS: Final = 3072
"""Of a key that is made here; Basic256Sha256 takes 2048 to 4096."""

KEPT_REFUSED: Final = 20
"""Certificates of unknown clients that are kept for a person to look at; then none is, until some are removed."""

SAID_AGAIN: Final = 600.0
"""Seconds after which the same refusal is logged once more."""

_MOST_SAID: Final = 200


def new_certificate(uri: str, hosts: Sequence[str], days: int) -> tuple[bytes, bytes]:
    """A key of one's own and the certificate that it signs itself, both PEM.

    As OPC 10000-6, 6.2.2 asks for: the application's URI and the names or addresses of the machine stand in it.

    Args:
        uri: the application's, like `urn:HOST:insert-inspection`.
        hosts: names and addresses by which others reach it.
        days: how long it is valid.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"insert-inspection {hosts[0]}"[:64])])
    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=True,
        data_encipherment=True,
        key_agreement=False,
        key_cert_sign=True,  # it signs itself
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # the other side's clock may be behind
        .not_valid_after(now + timedelta(days=days))
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri), *map(_general_name, hosts)]), False
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        .add_extension(usage, True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .sign(key, hashes.SHA256())
    )
    key_text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return key_text, certificate.public_bytes(serialization.Encoding.PEM)


def certificate_in(file: Path) -> x509.Certificate:
    """The certificate in a file, PEM or DER.

    Raises:
        ValueError: it cannot be read, or is none.
    """
    try:
        data = file.read_bytes()
        return x509.load_pem_x509_certificate(data) if b"-----" in data else x509.load_der_x509_certificate(data)
    except (OSError, ValueError) as error:
        raise ValueError(f"the certificate {file} cannot be read (PEM or DER): {error}") from None


def key_in(file: Path) -> bytes:
    """The private key in a file, PEM or DER, as DER.

    Raises:
        ValueError: it cannot be read, is none, or wants a password.
    """
    try:
        data = file.read_bytes()
        load = serialization.load_pem_private_key if b"-----" in data else serialization.load_der_private_key
        key = load(data, password=None)
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(f"the private key {file} cannot be read (PEM or DER, without a password): {error}") from None
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def require_pair(certificate: x509.Certificate, key: bytes) -> None:
    """Check that a private key, DER, is that of a certificate.

    Raises:
        ValueError: it is another one's.
    """
    if serialization.load_der_private_key(key, password=None).public_key() != certificate.public_key():
        raise ValueError("our certificate and our private key do not belong together")


def application_uri(certificate: x509.Certificate) -> str:
    """The URI of the application that a certificate is of.

    Raises:
        ValueError: it has none, so it is no certificate of an OPC UA application.
    """
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return names.get_values_for_type(x509.UniformResourceIdentifier)[0]
    except (x509.ExtensionNotFound, IndexError):
        raise ValueError("the certificate has no application URI (subjectAltName), as OPC UA asks for") from None


def thumbprint(certificate: x509.Certificate) -> str:
    """The SHA-1 of a certificate, by which OPC UA's tools show it."""
    return hashlib.sha1(_der(certificate)).hexdigest()  # noqa: S324 (a name: what is compared is the whole)


class TrustedClients:
    """The clients whose certificates lie in a folder: exactly these, whoever signed them. Read at each look."""

    def __init__(self, folder: Path, refused: Path):
        """
        Args:
            folder: certificates of those who may come, PEM or DER.
            refused: where those of unknown ones are kept.

        Raises:
            ValueError: the folder cannot be read.
        """
        self._folder = folder
        self._refused = refused
        self._said: dict[str, float] = {}
        self._trusted()

    def problem(self, certificate: x509.Certificate) -> str | None:
        """Why this client may not come, and what to do about it; None where it may."""
        now = datetime.now(UTC)
        try:
            known = _der(certificate) in self._trusted()
        except ValueError as error:
            return str(error)
        if not known:
            return f"its certificate is not trusted: to trust it, copy {self._kept(certificate)} into {self._folder}"
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            return "its certificate is not valid now: give it a new one, and look at both clocks"
        return None

    def refuse(self, certificate: x509.Certificate | None, problem: str) -> None:
        """Log that a client was refused; the same is said once in a while only, however often it tries."""
        name = "" if certificate is None else thumbprint(certificate)
        now, key = time.monotonic(), f"{name} {problem}"
        if now - self._said.get(key, -SAID_AGAIN) < SAID_AGAIN:
            return
        if len(self._said) >= _MOST_SAID:
            self._said.clear()
        self._said[key] = now
        subject = None if certificate is None else certificate.subject.rfc4514_string()
        log.warning("a client of OPC UA was refused", client=subject, thumbprint=name, problem=problem)

    def _trusted(self) -> set[bytes]:
        try:
            files = [file for file in sorted(self._folder.iterdir()) if file.suffix in (".pem", ".der", ".crt", ".cer")]
        except OSError as error:
            raise ValueError(f"the folder of trusted certificates {self._folder} cannot be read: {error}") from None
        return {_der(certificate_in(file)) for file in files}

    def _kept(self, certificate: x509.Certificate) -> Path | str:
        file = self._refused / f"{thumbprint(certificate)}.der"
        try:
            if not file.exists():
                if len(list(self._refused.glob("*.der"))) >= KEPT_REFUSED:
                    return f"its certificate ({self._refused} is full, and keeps no more: remove what is old there)"
                write_file(file, _der(certificate))
        except OSError as error:
            return f"its certificate ({file} cannot be written: {error})"
        return file


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)

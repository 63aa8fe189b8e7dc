"""How the connector and a PLC's own server prove to each other who they are."""

from __future__ import annotations

from typing import Any, Final

from asyncua.crypto.security_policies import (
    SecurityPolicyAes128Sha256RsaOaep,
    SecurityPolicyAes256Sha256RsaPss,
    SecurityPolicyBasic256Sha256,
)
from asyncua.crypto.uacrypto import CertProperties
from cryptography.hazmat.primitives.serialization import Encoding

from producer.connect.configuration.connector_file import PlcSink
from producer.connect.opcua.certificates import application_uri, certificate_in, key_in

_POLICIES: Final = {
    "Basic256Sha256": SecurityPolicyBasic256Sha256,
    "Aes128Sha256RsaOaep": SecurityPolicyAes128Sha256RsaOaep,
    "Aes256Sha256RsaPss": SecurityPolicyAes256Sha256RsaPss,
}


def security(configuration: PlcSink) -> tuple[str, tuple[Any, ...]]:
    """Who we are, and what `set_security` wants.

    Raises:
        ValueError: a file cannot be read.
    """
    own, key, server = configuration.certificate_file, configuration.key_file, configuration.server_certificate_file
    if own is None or key is None or server is None:
        raise ValueError("the certificates are missing")
    certificate = certificate_in(own)
    return application_uri(certificate), (
        _POLICIES[configuration.security],
        CertProperties(certificate.public_bytes(Encoding.DER), "der"),
        CertProperties(key_in(key), "der"),
        None,
        CertProperties(certificate_in(server).public_bytes(Encoding.DER), "der"),
    )

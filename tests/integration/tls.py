"""Certificates for tests, and TLS before a real Redis whose program was built without it."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class Certificates:
    """Files of one authority: its own certificate, a server's for some names, and a client's."""

    ca: Path
    cert: Path
    key: Path
    client_cert: Path
    client_key: Path

    @classmethod
    def made(cls, folder: Path, *names: str) -> Certificates:
        """Make them below ``folder``, the server's for these names."""
        folder.mkdir(parents=True, exist_ok=True)
        made = cls(*(folder / f"{name}.pem" for name in ("ca", "cert", "key", "client-cert", "client-key")))
        authority = trustme.CA()
        authority.cert_pem.write_to_path(made.ca)
        server, client = authority.issue_cert(*names), authority.issue_cert("client")
        for issued, cert, key in ((server, made.cert, made.key), (client, made.client_cert, made.client_key)):
            cert.write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
            issued.private_key_pem.write_to_path(key)
            key.chmod(0o600)
        return made


@contextmanager
def terminator(port: int, certificates: Certificates, *, ask_clients: bool = False) -> Iterator[int]:
    """TLS on a port of the loopback interface, passed on in the clear to ``port``; yields the port.

    Where it asks its clients, only those with a certificate of the same authority get in.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.cert, certificates.key)
    if ask_clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificates.ca)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, context, port), daemon=True).start()
        yield int(listener.getsockname()[1])


def _accept(listener: socket.socket, context: ssl.SSLContext, port: int) -> None:
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:  # the block is over
            return
        threading.Thread(target=_serve, args=(plain, context, port), daemon=True).start()


def _serve(plain: socket.socket, context: ssl.SSLContext, port: int) -> None:
    """One connection: with blocking sockets and one thread, as TLS allows no two threads on a connection."""
    with contextlib.suppress(OSError), plain:
        plain.settimeout(10)
        with (
            context.wrap_socket(plain, server_side=True) as client,
            socket.create_connection(("127.0.0.1", port)) as redis,
        ):
            client.settimeout(0.005)
            redis.settimeout(0.005)
            while True:
                for source, sink in ((client, redis), (redis, client)):
                    try:
                        data = source.recv(65536)
                    except TimeoutError:
                        continue
                    if not data:
                        return
                    sink.settimeout(10)
                    sink.sendall(data)
                    sink.settimeout(0.005)

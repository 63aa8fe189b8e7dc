"""Certificates for tests, and TLS before a real Redis whose program was built without it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
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
        """Make them below `folder`, the server's for these names."""
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
    """TLS on a port of the loopback interface, passed on in the clear to `port`; yields the port.

    Where it asks its clients, only those with a certificate of the same authority get in.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.cert, certificates.key)
    if ask_clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificates.ca)
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # clients that are refused, or end in the middle
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def listen() -> asyncio.Server:
        return await asyncio.start_server(partial(_pass_on, port), "127.0.0.1", 0, ssl=context)

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result()
    yield int(server.sockets[0].getsockname()[1])
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


async def _pass_on(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    redis_reader, redis_writer = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.gather(_pump(reader, redis_writer), _pump(redis_reader, writer))


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    sink.close()

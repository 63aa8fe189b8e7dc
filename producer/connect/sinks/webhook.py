"""Webhooks: each event as a signed POST, by Standard Webhooks 1.0 with a CloudEvent as the body."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, unquote

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from producer.connect.configuration.connector_file import WebhookSink
from producer.connect.deliveries.delivery_log import Delivery
from producer.connect.sinks.signature import secret_in, signature
from producer.connect.sinks.sink import DeliveryResult, SinkAway, SinkEnded

ANSWER_WITHIN: Final = 15.0
"""Seconds that a receiver has for its answer, from the first to the last byte of it; the standard asks for 15 to 30."""

TIMEOUT: Final = urllib3.Timeout(connect=5.0, read=ANSWER_WITHIN)
"""Seconds for a connection, and without any byte of the answer."""

_AWAY: Final = frozenset({401, 407, 408, 425, 429, 502, 503, 504})
"""Answers that speak of the receiver's moment, or of who we are, and not of the event."""

_GONE: Final = 410

LONGEST_ASKED: Final = 3600.0
"""So many seconds a busy receiver is left alone at most, whatever it asks for."""

_LONGEST_ANSWER: Final = 200
"""Characters of a refusal that are kept for the person who looks."""

_READ_OF_ANSWER: Final = 10_000
"""Bytes of an answer that are read; with a longer one the connection is dropped."""

_SHORTEST_TOKEN: Final = 8
"""Characters from which on a piece of an address may be a password."""


def without_address(text: str, parts: SplitResult) -> str:
    """What a receiver says, without the path and the query of its address, which may be its password.

    Many repeat what they were asked for: `Cannot POST /hooks/T0K3N`.
    """
    pieces = [*parts.path.split("/"), *(value for _, value in parse_qsl(parts.query))]
    secret = {parts.path.rstrip("/"), parts.query, *(piece for piece in pieces if len(piece) >= _SHORTEST_TOKEN)}
    for part in sorted(secret | {unquote(part) for part in secret}, key=len, reverse=True):
        text = text.replace(part, "…") if part else text
    return text


class _InTime:
    """Mixed into a connection: the head of an answer, however slowly it drips, is there in time or the connection is
    broken."""

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"  # type: ignore[attr-defined]  # as it begins what urllib3 says went wrong

    def getresponse(self) -> Any:
        """Read the head of the answer.

        Raises:
            TimeoutError: it was not there in time.
        """
        late = threading.Event()
        timer = threading.Timer(ANSWER_WITHIN, _break, [self.sock, late])  # type: ignore[attr-defined]
        timer.start()
        try:
            answer = super().getresponse()  # type: ignore[misc]
        finally:
            timer.cancel()
        if late.is_set():  # what came of it reads like one that is whole
            raise TimeoutError(f"its answer was not there within {ANSWER_WITHIN:g} s")
        return answer


class _Final(http.client.HTTPResponse):
    """An answer that is read past all interim ones, such as 103: by itself it reads past 100 alone."""

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]
        is_interim = 100 < status < 200 and status != http.HTTPStatus.SWITCHING_PROTOCOLS
        return version, http.HTTPStatus.CONTINUE if is_interim else status, reason


class _Connection(_InTime, HTTPConnection):
    response_class = _Final


class _TlsConnection(_InTime, HTTPSConnection):
    response_class = _Final


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


def _break(connection: socket.socket, late: threading.Event) -> None:
    late.set()
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class Webhook:
    """An address that events are sent to; used by one thread."""

    def __init__(self, configuration: WebhookSink):
        """Read the secrets; nothing is connected yet.

        Raises:
            ValueError: a secret cannot be read.
        """
        self._configuration = configuration
        self._secrets = [secret_in(file) for file in configuration.secret_files]
        self._has_others = False
        self._pool: urllib3.HTTPConnectionPool | None = None
        self._lost = 0

    def open(self) -> bool:
        """Have an address that may be used; the receiver itself is asked only when there is something to tell.

        What a receiver refuses it refuses for what it is, over whichever connection; or for how it is signed.

        Raises:
            SinkAway: the name cannot be resolved, none of its addresses is allowed, or a secret cannot be read.
        """
        self._read_secrets()
        if self._pool is None:
            self._pool = self._connected_pool()
        has_others, self._has_others = self._has_others, False
        return has_others

    def tell(self, deliveries: Sequence[Delivery]) -> Iterator[DeliveryResult]:
        """Send each event by itself; one that is refused holds up the later ones of its head, and no others.

        Raises:
            SinkAway: the receiver cannot be reached, or says that it cannot take anything now.
            SinkEnded: it answered 410, gone.
        """
        held = set()
        for delivery in deliveries:
            if delivery.event.order in held:
                continue
            refused = self._send(delivery)
            if refused is not None:
                held.add(delivery.event.order)
            yield DeliveryResult(delivery, refused)

    def close(self) -> None:
        """Drop the connection."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def _read_secrets(self) -> None:
        """Take the secrets that the files have now."""
        try:
            secrets = [secret_in(file) for file in self._configuration.secret_files]
        except ValueError as error:
            raise SinkAway(str(error)) from error
        self._has_others |= secrets != self._secrets
        self._secrets = secrets

    def _send(self, delivery: Delivery) -> str | None:
        """Send one event; why it was refused, or None where it was taken."""
        self._read_secrets()
        body = delivery.event.as_json().encode()
        timestamp = int(time.time())
        parts = self._configuration.parts
        headers = {
            "Host": parts.netloc,
            "Content-Type": "application/cloudevents+json; charset=utf-8",
            "User-Agent": "insert-inspection",
            "webhook-id": delivery.event.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(self._secrets, delivery.event.id, timestamp, body),
        }
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            if self._pool is None:  # lost since `open`
                self._pool = self._connected_pool()
            answer = self._pool.urlopen(
                "POST",
                path,
                body=body,
                headers=headers,
                redirect=False,
                retries=False,
                timeout=TIMEOUT,
                pool_timeout=int(ANSWER_WITHIN),  # never for ever: then it is a failure like others
                preload_content=False,
                decode_content=False,  # what is compressed may be without end when it is not
            )
            text = self._text_of(answer)
        except (HTTPError, OSError) as error:
            self.close()
            self._lost += 1
            raise SinkAway(f"no answer: {without_address(str(error), parts)}") from error
        if 200 <= answer.status < 300:
            return None
        problem = f"it answered {answer.status} {without_address(answer.reason or '', parts)}".rstrip()
        if answer.status == _GONE:
            raise SinkEnded(f"{problem}: it wants no more, `insert-station connect enable` sends again")
        if answer.status in _AWAY:
            raise SinkAway(problem, _seconds(answer.headers))
        if 300 <= answer.status < 400:
            return f"{problem}: it sends elsewhere, and that is not followed; write its address into the file"
        detail = text.decode(errors="replace").strip()
        detail = without_address(detail, parts)[:_LONGEST_ANSWER]
        return f"{problem}: {detail}" if detail else problem

    def _text_of(self, answer: urllib3.BaseHTTPResponse) -> bytes:
        """The beginning of an answer. Where there is more, or it takes too long, the connection is dropped.

        Raises:
            HTTPError, OSError: the connection broke.
        """
        text, deadline = b"", time.monotonic() + ANSWER_WITHIN
        while len(text) < _READ_OF_ANSWER and time.monotonic() < deadline:
            piece = answer.read1(_READ_OF_ANSWER - len(text))
            if not piece:
                answer.release_conn()
                return text
            text += piece
        answer.close()
        answer.release_conn()  # the pool has one place, which is free only then
        return text

    def _connected_pool(self) -> urllib3.HTTPConnectionPool:
        """Connections to an address that the name has now and that may be used: resolved once, and then kept to.

        Of several it is another one after each that was lost: `localhost` is `::1` first, where few listen.

        Raises:
            SinkAway: the name cannot be resolved, or none of its addresses is allowed.
        """
        parts = self._configuration.parts
        host = parts.hostname or ""
        try:
            resolved = socket.getaddrinfo(host, parts.port or 0, type=socket.SOCK_STREAM)
        except OSError as error:
            raise SinkAway(f"the name {host} cannot be resolved: {error.strerror}") from error
        except UnicodeError as error:
            raise SinkAway(f"{host} can be no computer's name: {error}") from error
        addresses = [str(entry[4][0]) for entry in resolved]
        allowed = [address for address in addresses if self._may_use(host, address)]
        if not allowed:
            raise SinkAway(f"{host} is {', '.join(addresses)}, which `allow` does not name: nothing is sent there")
        address = allowed[self._lost % len(allowed)]
        options: dict[str, Any] = {"maxsize": 1, "block": True, "timeout": TIMEOUT}
        if parts.scheme == "http":
            return _Pool(address, parts.port or 80, **options)
        ca_file = self._configuration.ca_file
        return _TlsPool(
            address,
            parts.port or 443,
            server_hostname=host,
            assert_hostname=host,
            cert_reqs="CERT_REQUIRED",
            ca_certs=None if ca_file is None else str(ca_file),
            **options,
        )

    def _may_use(self, host: str, address: str) -> bool:
        """A name may be another address tomorrow, so where there are networks it is they that say."""
        number, networks = ip_address(address.partition("%")[0]), self._configuration.networks
        return any(number in network for network in networks) if networks else host in self._configuration.hosts


def _seconds(headers: Mapping[str, str]) -> float | None:
    """For how long `Retry-After` asks, at most `LONGEST_ASKED`: in seconds, or with a date by the receiver's clock."""
    wish = headers.get("Retry-After", "").strip()
    if wish.isascii() and wish.isdecimal():
        return min(float(wish), LONGEST_ASKED)
    until, now = _moment(wish), _moment(headers.get("Date", "")) or datetime.now(UTC)
    return None if until is None else min(max((until - now).total_seconds(), 0.0), LONGEST_ASKED)


def _moment(date: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

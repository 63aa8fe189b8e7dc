"""What is read and kept of a receiver's answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from producer.connect.configuration.connector_file import WebhookSink
from producer.connect.deliveries.delivery_log import DeliveryLog
from producer.connect.sinks import webhook
from producer.connect.sinks.signature import new_secret
from producer.connect.sinks.sink import DeliveryResult, SinkAway
from producer.connect.sinks.webhook import Webhook, without_address
from producer.contract.plant_event import plant_event
from tests.integration.plant import verdict


@pytest.mark.parametrize(
    ("url", "answer", "kept"),
    [
        ("https://mes/hooks/T0K3N-12345?line=1", "Cannot POST /hooks/T0K3N-12345?line=1", "Cannot POST …?…"),
        ("https://mes/hooks/T0K3N-12345/x", '{"unknown": "T0K3N-12345"}', '{"unknown": "…"}'),
        ("https://mes/?token=a%2Fb-password", "no such token: a/b-password", "no such token: …"),
        ("https://mes/?line=1", "401 on line 1", "401 on line 1"),
        ("https://mes/", "Not Found: /", "Not Found: /"),
    ],
)
def test_an_answer_that_repeats_our_address_tells_no_password_of_it(url: str, answer: str, kept: str) -> None:
    assert without_address(answer, urlsplit(url)) == kept


class Answering:
    """A receiver that answers each connection's first request by `answer`, and counts what it could send."""

    def __init__(self, answer: Callable[[socket.socket], None]):
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):  # closed
            while True:
                connection, _ = self._listener.accept()
                connection.recv(65_536)
                with connection, suppress(OSError):
                    self._answer(connection)

    def close(self) -> None:
        self._listener.close()


def told_by(folder: Path, answer: Callable[[socket.socket], None], events: int = 1) -> list[DeliveryResult]:
    secret = folder / "secret"
    secret.write_text(new_secret())
    with closing(Answering(answer)) as receiver, closing(DeliveryLog(folder / "deliveries.db")) as log:
        said = [plant_event("p", "s", verdict(1, head=f"H{number}"), 1.0) for number in range(events)]
        log.keep({"mes": said}, {})
        url = f"http://127.0.0.1:{receiver.port}/"
        with closing(Webhook(WebhookSink(url=url, secret_files=(secret,), allow=("127.0.0.0/8",)))) as sink:
            return list(sink.tell(log.due("mes", 0.0, events)))


@pytest.mark.parametrize(
    ("host", "allow", "words"),
    [
        ("127.0.0.1", ["10.0.0.0/8"], "127.0.0.1 is 127.0.0.1, which `allow` does not name"),
        ("localhost", ["localhost", "10.0.0.0/8"], "127.0.0.1, which `allow` does not name"),
        ("localhost", ["local-host"], "127.0.0.1, which `allow` does not name"),
        ("h" * 64, ["10.0.0.0/8"], "can be no"),
    ],
)
def test_an_address_that_may_not_be_used_is_known_before_there_is_anything_to_tell(
    tmp_path: Path, host: str, allow: list[str], words: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(new_secret())
    sink = Webhook(WebhookSink(url=f"http://{host}:9/", secret_files=(secret,), allow=tuple(allow)))
    with pytest.raises(SinkAway, match=words):
        sink.open()


@pytest.mark.parametrize("allow", [["localhost"], ["elsewhere", "127.0.0.0/8", "::1"]])
def test_a_name_is_believed_where_no_network_is_named(tmp_path: Path, allow: list[str]) -> None:
    secret = tmp_path / "secret"
    secret.write_text(new_secret())
    with closing(Webhook(WebhookSink(url="http://localhost:9/", secret_files=(secret,), allow=tuple(allow)))) as sink:
        assert sink.open() is False


def test_an_answer_without_end_is_read_as_far_as_it_is_of_use(tmp_path: Path) -> None:
    sent = []

    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            sent.append(connection.send(b"x" * 65_536))

    (told,) = told_by(tmp_path, endless)
    assert told.refused is None
    assert sum(sent) < 50_000_000, "what fits between two ends"


def test_what_comes_before_an_answer_is_none(tmp_path: Path) -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Wait\r\n\r\n"
    (told,) = told_by(tmp_path, lambda connection: connection.sendall(interim + b"HTTP/1.1 204 OK\r\n\r\n"))
    assert told.refused is None


@pytest.mark.parametrize("status", ["200 OK", "500 Oh"])
def test_after_a_long_answer_the_next_event_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    monkeypatch.setattr(webhook, "ANSWER_WITHIN", 2.0)
    page = f"HTTP/1.1 {status}\r\nContent-Length: 20000\r\n\r\n".encode() + b"x" * 20_000
    told = told_by(tmp_path, lambda connection: connection.sendall(page), events=3)
    assert [one.refused is None for one in told] == [status == "200 OK"] * 3


@pytest.fixture
def dripping(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bytes], Callable[[socket.socket], None]]]:
    """Makes an answer that begins with some bytes, and goes on with one every now and then."""
    monkeypatch.setattr(webhook, "ANSWER_WITHIN", 0.3)
    over = threading.Event()

    def dripping(beginning: bytes) -> Callable[[socket.socket], None]:
        def drip(connection: socket.socket) -> None:
            connection.sendall(beginning)
            while not over.wait(0.05):
                connection.sendall(b"x")

        return drip

    yield dripping
    over.set()


def test_an_answer_whose_head_drips_is_none(
    tmp_path: Path, dripping: Callable[[bytes], Callable[[socket.socket], None]]
) -> None:
    with pytest.raises(SinkAway, match="no answer"):
        told_by(tmp_path, dripping(b"HTTP/1.1 204 OK\r\nX: "))


def test_of_an_answer_that_drips_is_kept_what_came_in_time(
    tmp_path: Path, dripping: Callable[[bytes], Callable[[socket.socket], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "ANSWER_WITHIN", 1.0)  # its head has to come in time, also on a busy machine
    answer = dripping(b"HTTP/1.1 500 Oh\r\nContent-Length: 999\r\n\r\nx")
    refusals = [str(result.refused) for result in told_by(tmp_path, answer, events=2)]
    assert [refusal[:21] for refusal in refusals] == ["it answered 500 Oh: x"] * 2


BY_ITS_CLOCK = "Date: Wed, 21 Oct 2015 07:28:00 GMT"


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ("Retry-After: 7", 7.0),
        ("Retry-After: ²", None),
        ("Retry-After: " + "9" * 30, 3600.0),
        ("Retry-After: -1", None),
        (f"Retry-After: Wed, 21 Oct 2015 07:28:12 GMT\r\n{BY_ITS_CLOCK}", 12.0),
        (f"Retry-After: Wed, 21 Oct 2015 09:28:12 GMT\r\n{BY_ITS_CLOCK}", 3600.0),
        (f"Retry-After: Wednesday, 21-Oct-15 07:28:12 GMT\r\n{BY_ITS_CLOCK}", 12.0),
        (f"Retry-After: Wed Oct 21 07:28:12 2015\r\n{BY_ITS_CLOCK}", 12.0),
        ("Retry-After: Wed, 21 Oct 2015 07:28:12 GMT", 0.0),
        ("Retry-After: Wed, 32 Oct 2015 07:28:12 GMT", None),
        ("X: y", None),
    ],
)
def test_a_receiver_that_is_busy_says_for_how_long(tmp_path: Path, headers: str, pause: float | None) -> None:
    text = f"HTTP/1.1 503 Busy\r\n{headers}\r\nContent-Length: 0\r\n\r\n"
    with pytest.raises(SinkAway) as away:
        told_by(tmp_path, lambda connection: connection.sendall(text.encode("latin-1")))
    assert away.value.retry_after == pause

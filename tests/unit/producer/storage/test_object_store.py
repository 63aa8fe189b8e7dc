"""An S3 as it is on a bad day: away, silent, refusing, misspelt; over HTTP throughout."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from s3fs import S3FileSystem

from producer.storage import object_store
from producer.storage.opening import check_store, open_image_store
from producer.storage.store import ImageMissing, ImageStore
from tests.s3 import S3Server, use_s3
from worker.embedded.redis_server import free_port


def test_32_threads_share_a_store(s3_root: str) -> None:
    """And see at once what another process's store (here: another instance) has put."""
    readers, writer = open_image_store(s3_root), another(s3_root)
    images = {f"a/{number}.jpg": bytes([number]) * 20_000 for number in range(64)}
    begun = threading.Barrier(32)

    def work(keys: list[str]) -> None:
        begun.wait(60)
        for key in keys:
            with pytest.raises(ImageMissing):
                readers.get(key, 50_000)
            writer.put(key, images[key])
            assert readers.get(key, 50_000) == images[key]

    keys = list(images)
    with ThreadPoolExecutor(32) as pool:
        list(pool.map(work, (keys[first::32] for first in range(32))))


def another(root: str) -> ImageStore:
    S3FileSystem.clear_instance_cache()
    return open_image_store(root)


def both(store: ImageStore, error: type[OSError], match: str) -> None:
    """Reading and writing end with the same error; a store like this one does not pass the check either."""
    with pytest.raises(error, match=match):
        store.get("a.jpg", 100)
    with pytest.raises(error, match=match):
        store.put("a.jpg", b"image")
    with pytest.raises(error, match=match):
        check_store(store)


def test_a_bucket_that_is_not_there_is_no_missing_image(s3_root: str) -> None:
    both(open_image_store("s3://misspelt/images"), OSError, "no such bucket")


def test_a_store_that_is_away_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    server = S3Server()
    server.start()
    try:
        store = open_image_store(server.new_bucket(monkeypatch))
        store.put("a.jpg", b"image")
        server.stop()
        both(store, OSError, "cannot be reached")
        server.start()
        assert store.get("a.jpg", 100) == b"image"
    finally:
        server.stop()


def test_no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use_s3(monkeypatch, f"http://127.0.0.1:{free_port()}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "nowhere"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    both(open_image_store("s3://bucket/images"), OSError, "AWS_ACCESS_KEY_ID")


def test_a_store_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_store, "ANSWER_SECONDS", 0.5)
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        use_s3(monkeypatch, f"http://127.0.0.1:{silent.getsockname()[1]}")
        begun = time.monotonic()
        both(open_image_store("s3://bucket/images"), TimeoutError, "did not answer within")
        assert time.monotonic() - begun < 10


class Refusing(BaseHTTPRequestHandler):
    """Answers everything with the server's code."""

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = f"<Error><Code>{self.server.code}</Code><Message>no</Message></Error>".encode()  # type: ignore[attr-defined]
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Not in the test's output."""


@pytest.fixture
def refusing() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("code", "error", "to_do"),
    [
        ("AccessDenied", PermissionError, "s3:ListBucket"),
        ("InvalidAccessKeyId", PermissionError, "AWS_ACCESS_KEY_ID"),
        ("SignatureDoesNotMatch", PermissionError, "AWS_SECRET_ACCESS_KEY"),
        ("ExpiredToken", OSError, "renew"),
        ("SomethingNew", OSError, "the store failed"),
    ],
)
def test_a_store_that_refuses_says_what_to_do(
    refusing: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch, code: str, error: type[OSError], to_do: str
) -> None:
    refusing.code = code  # type: ignore[attr-defined]
    use_s3(monkeypatch, f"http://127.0.0.1:{refusing.server_port}")
    both(open_image_store("s3://bucket/images"), error, to_do)


def test_without_the_extra_it_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['s3fs'] = None\nfrom producer.storage.opening import *\nopen_image_store('s3://b/i')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "ValueError: cannot open the image store 's3://b/i'" in done.stderr
    assert "pip install 'insert-inspection[s3]'" in done.stderr

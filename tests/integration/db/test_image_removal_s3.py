"""Removing photographs from an object store: a real S3 API on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import fsspec
import pytest
from moto.server import ThreadedMotoServer

from db.retention.image_removal import Images, Removal


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    fsspec.filesystem("s3", skip_instance_cache=True).mkdir("plant")
    yield "s3://plant/images"
    server.stop()


def test_what_is_named_goes_in_one_call_and_the_rest_stays(bucket) -> None:
    files = fsspec.filesystem("s3", skip_instance_cache=True)
    for number in range(4):
        files.pipe_file(f"plant/images/st-1/{number}.jpg", b"jpeg")
    images = Images(bucket)
    assert (images.size("st-1/0.jpg"), images.size("st-1/9.jpg")) == (4, None)
    # The store does not tell which of them were there.
    assert images.remove(["st-1/0.jpg", "st-1/1.jpg", "st-1/9.jpg"]) == Removal(3, 0, ())
    assert images.remove(["../plant2/0.jpg"]).refused == ("../plant2/0.jpg",)
    assert sorted(files.find("plant")) == ["plant/images/st-1/2.jpg", "plant/images/st-1/3.jpg"]

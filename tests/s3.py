"""A real S3 over HTTP on this machine, and the environment that leads to it."""

from __future__ import annotations

import logging

import pytest
from moto.server import ThreadedMotoServer
from s3fs import S3FileSystem

from producer.contract.event import new_id
from worker.embedded.redis_server import free_port


class S3Server:
    """An S3 (moto's) on loopback, which may be stopped and started again; its objects outlive that."""

    def __init__(self) -> None:
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._server: ThreadedMotoServer | None = None

    def start(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=self._port, verbose=False)
        self._server.start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None

    def new_bucket(self, environment: pytest.MonkeyPatch) -> str:
        """The URL of a new bucket, with the variables in the environment that its users need."""
        use_s3(environment, self.url)
        bucket = f"images-{new_id()}"
        S3FileSystem().mkdir(bucket)
        return f"s3://{bucket}"


def use_s3(environment: pytest.MonkeyPatch, endpoint: str) -> None:
    """Have this process use the S3 at `endpoint`, without a second attempt where it is away."""
    variables = {"AWS_ENDPOINT_URL": endpoint, "AWS_DEFAULT_REGION": "us-east-1", "AWS_MAX_ATTEMPTS": "1"}
    for name, value in {**variables, "AWS_ACCESS_KEY_ID": "a key", "AWS_SECRET_ACCESS_KEY": "a secret"}.items():
        environment.setenv(name, value)
    S3FileSystem.clear_instance_cache()  # what was made before knows another environment

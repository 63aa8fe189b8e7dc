"""Metrics over HTTP, for Prometheus: on a port of its own, beside what the process does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from prometheus_client import CollectorRegistry, disable_created_metrics, start_http_server

from producer.configuration.ports import check_port

log = structlog.get_logger()


@contextmanager
def exposed(registry: CollectorRegistry, port: int | None, address: str) -> Iterator[None]:
    """Serve `registry` at `http://ADDRESS:PORT/metrics` within the block; without a port, nothing.

    There is no password: any client that reaches the port reads everything. Keep it on a network of the plant's own.

    Raises:
        PortRefused, OSError: the port cannot be had.
    """
    if port is None:
        yield
        return
    disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for every counter, which is not needed
    try:
        server, thread = start_http_server(port, addr=address, registry=registry)
    except OSError as error:
        check_port(address, port, "INSERTS_METRICS_PORT")
        problem = f"metrics cannot be served on {address}:{port} (INSERTS_METRICS_PORT): {error.strerror}"
        raise OSError(error.errno, problem) from error
    log.info("metrics", address=address, port=port)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""How long a worker takes from the start of its process until it is ready, over importing its packages."""

from __future__ import annotations

import subprocess
import sys
import time

from benchmarks.line import without_worker
from benchmarks.measure import Benchmark
from benchmarks.networks import network
from worker.networks.default_backbone import DEFAULT_BACKBONE

PACKAGES = (
    *("ai_edge_litert.interpreter", "celery", "celery.apps.worker", "celery.concurrency.prefork", "h5py"),
    *("kombu.transport.redis", "numpy", "PIL.Image", "prometheus_client", "pydantic", "pydantic_settings", "redis"),
    *("sqlalchemy.dialects.sqlite", "sqlalchemy.orm", "structlog", "typer"),
)
"""What a ready worker with SQLite has loaded of other people's code, apart from what these bring with them."""

IMPORTING = [sys.executable, "-c", f"import {', '.join(PACKAGES)}"]

TIMEOUT = 120.0
"""Seconds after which a worker is taken not to come up."""


def ratios(samples: int) -> list[float]:
    """`samples` times the seconds from a worker's start to its readiness over those of a process that only imports.

    One start of each comes before and does not count: it brings the files into memory.
    """
    measured = []
    for sample in range(samples + 1):
        started, imported = ready_seconds(), import_seconds()
        if sample:
            print(f"  start {started:.2f} s, importing {imported:.2f} s", flush=True)
            measured.append(started / imported)
    return measured


def ready_seconds() -> float:
    """Seconds until a worker is ready that judges with the default backbone.

    Raises:
        RuntimeError: it does not become ready.
    """
    with without_worker(network(DEFAULT_BACKBONE)) as system:
        ready = system.data / "run" / "worker.ready"
        ready.parent.mkdir(parents=True, exist_ok=True)
        log = system.data / "worker.log"
        command = [sys.executable, "-m", "worker.commands.main", "run", "--ready-file", str(ready)]
        with log.open("wb") as output:
            start = time.perf_counter()
            worker = subprocess.Popen(command, env=system.environment(), stdout=output, stderr=output)
            try:
                while not ready.exists():
                    if worker.poll() is not None or time.perf_counter() - start > TIMEOUT:
                        raise RuntimeError(f"the worker did not come up:\n{log.read_text('utf-8', 'replace')}")
                    time.sleep(0.005)
                return time.perf_counter() - start
            finally:
                worker.terminate()
                worker.wait()


def import_seconds() -> float:
    """Seconds of a process, from its start to its end, that imports a worker's packages and does nothing with them."""
    start = time.perf_counter()
    subprocess.run(IMPORTING, check=True)
    return time.perf_counter() - start


BENCHMARKS = (
    Benchmark(
        name="start_default",
        sentence="start of a worker's process until it is ready, over a process that imports the same packages",
        unit="times the imports",
        target=2.5,
        at_least=False,
        measure=ratios,
    ),
)

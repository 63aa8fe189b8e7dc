"""The time to import the station beyond that of pydantic and Celery themselves, each in a fresh process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from benchmarks.measure import Benchmark

_CODE = """
import time
from celery import Celery
from pydantic import BaseModel
start = time.perf_counter()
import producer.station.station
print(time.perf_counter() - start)
"""


def seconds(samples: int) -> Sequence[float]:
    """Seconds, `samples` times; one more import before them brings the files into memory."""
    timed = [
        float(subprocess.run([sys.executable, "-c", _CODE], check=True, capture_output=True, text=True).stdout)
        for _ in range(samples + 1)
    ]
    return timed[1:]


BENCHMARK = Benchmark(
    name="import_producer",
    sentence="importing producer.station.station after pydantic and Celery",
    unit="s",
    target=0.5,
    at_least=False,
    measure=seconds,
)

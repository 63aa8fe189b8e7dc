"""Fifty open boards: what they cost the console's process while nothing happens on the line.

`console_boards_percent`: the console as people start it, on a database of a million verdicts; fifty streams of news are
open for `SECONDS`. Measured is the processor time of its process, as a share of one core. That none of them holds a
connection to the database is for a test (`tests/integration/db/console/test_line.py`).
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from benchmarks import stored_plants
from benchmarks.measure import Benchmark
from benchmarks.percentiles import VERDICTS
from benchmarks.processes import processor_seconds, tree
from tests.support import program, wait_until
from worker.embedded.redis_server import free_port

BOARDS: Final = 50
SECONDS: Final = 20.0
SETTLING_SECONDS: Final = 3.0
"""In which the streams begin, and the first look is taken."""


def at_rest(samples: int) -> list[float]:
    """`samples` times the percentage of a core."""
    return measure(VERDICTS["sqlite"], samples, SECONDS)


def measure(verdicts: int, samples: int, seconds: float, folder: Path = stored_plants.PLANTS) -> list[float]:
    """The percentage of a core that a console on so many verdicts takes, in so many spans of time."""
    with stored_plants.plant("sqlite", verdicts, folder) as url, tempfile.TemporaryDirectory() as empty:
        port = free_port()
        with _console(url, Path(empty), port) as process:
            return asyncio.run(_watched(process, port, samples, seconds))


@contextmanager
def _console(url: str, folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "INSERTS_DATA": str(folder), "INSERTS_CONSOLE_OPEN_BOARD": "true"}
    command = [program("insert-db"), "--database", url, "console", "--port", str(port)]
    with (folder / "console.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        wait_until(lambda: _answers(port), 60, f"the console (see {folder / 'console.log'})")
        yield process
    finally:
        process.terminate()
        process.wait(20)


def _answers(port: int) -> bool:
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", port), 2).close()
        return True
    return False


async def _watched(process: subprocess.Popen[bytes], port: int, samples: int, seconds: float) -> list[float]:
    boards = [await _listening(port) for _ in range(BOARDS)]
    await asyncio.sleep(SETTLING_SECONDS)
    shares = []
    for _ in range(samples):
        used, begun = processor_seconds(tree(process.pid)), time.perf_counter()
        await asyncio.sleep(seconds)
        used = processor_seconds(tree(process.pid)) - used
        shares.append(100 * used / (time.perf_counter() - begun))
    for board in boards:
        board.close()
    return shares


async def _listening(port: int) -> asyncio.StreamWriter:
    """A stream of news that has begun.

    Raises:
        RuntimeError: the console gives none.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n")
    said = await reader.readuntil(b"event: ready")
    if b" 200 " not in said.partition(b"\r\n")[0]:
        raise RuntimeError(f"the console says {said!r}")
    return writer


BENCHMARKS: Final = (
    Benchmark(
        name="console_boards_percent",
        sentence="processor time of the console with fifty open boards at rest among a million verdicts on sqlite",
        unit="% of a core",
        target=5.0,
        at_least=False,
        measure=at_rest,
        samples=3,
    ),
)

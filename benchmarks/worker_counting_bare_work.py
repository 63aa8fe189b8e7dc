"""`python -m benchmarks.worker_counting_bare_work`: a real worker that counts what decoding and the network cost it.

Each process that judges keeps the processor seconds of its bare work in a file of its own, below the line's data.
"""

from __future__ import annotations

import logging
import os
import struct
import sys
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any
from unittest.mock import patch

from producer.terminal.logs import configure_logs
from worker.line import judging
from worker.line.serve import serve
from worker.networks.loaded_network import Network
from worker.settings import WorkerSettings

_SECONDS = struct.Struct("d")


class BareWork:
    """What has been counted below a line's folder of data."""

    def __init__(self, data: Path):
        self._folder = data / "bare-work"
        self._folder.mkdir(exist_ok=True)
        self._mine: tuple[int, int, float] | None = None

    def seconds(self) -> float:
        """Processor seconds of all processes until now."""
        return float(sum(_SECONDS.unpack(file.read_bytes())[0] for file in self._folder.iterdir()))

    def counted(self, work: Callable[..., Any]) -> Callable[..., Any]:
        """The same work, whose processor time counts as that of the process that calls it."""

        @wraps(work)
        def counted(*arguments: Any, **options: Any) -> Any:
            began = time.process_time()
            try:
                return work(*arguments, **options)
            finally:
                self._add(time.process_time() - began)

        return counted

    def _add(self, seconds: float) -> None:
        process, file, before = self._mine or (0, 0, 0.0)
        if process != os.getpid():  # a child's own begins with its first piece of work
            process, before = os.getpid(), 0.0
            file = os.open(self._folder / str(process), os.O_WRONLY | os.O_CREAT, 0o600)
        self._mine = process, file, before + seconds
        os.pwrite(file, _SECONDS.pack(before + seconds), 0)


def main() -> int:
    """Judge captures until SIGTERM, with the settings of the environment."""
    configure_logs(logging.INFO)
    settings = WorkerSettings()
    bare = BareWork(settings.data)
    with (
        patch.object(judging, "decode_photograph", bare.counted(judging.decode_photograph)),
        patch.object(Network, "features_of", bare.counted(Network.features_of)),
        patch.object(Network, "features_and_maps", bare.counted(Network.features_and_maps)),
    ):
        return serve(settings)


if __name__ == "__main__":
    sys.exit(main())

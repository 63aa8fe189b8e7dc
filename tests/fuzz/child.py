"""The process that is given the inputs: `python -m tests.fuzz.child TARGET SEED START STOP BOARD`.

Before each input it writes its number and bytes on the board, a file in shared memory that outlives it: if it dies or
hangs, its parent finds there what it was doing. After every hundredth part, and at its end, it prints what it has
counted as a line of JSON; a finding it prints at once.
"""

from __future__ import annotations

import collections
import gc
import json
import logging
import mmap
import os
import resource
import struct
import sys
import tempfile
import time
import traceback
from pathlib import Path
from random import Random
from typing import Final

import psutil

from producer.terminal.logs import configure_logs
from tests.fuzz.targets import Line, targets

BOARD_BYTES: Final = 4 * 1024 * 1024
SLOW_SECONDS: Final = 5.0
"""Processor time of one input from which on it is a finding. The slowest allowed image, of 40 megapixels, takes one."""

MEMORY: Final = 3 * 2**30
"""Address space of the process: an image of 40 megapixels takes some 0.6 GB on its way; more is a finding."""


class Board:
    """The number and bytes of the input in hand."""

    def __init__(self, path: Path):
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), BOARD_BYTES)

    def write(self, number: int, data: bytes) -> None:
        """Begin with an input."""
        kept = data[: BOARD_BYTES - 16]
        self._map[16 : 16 + len(kept)] = kept
        self._map[:16] = struct.pack("qq", number, len(kept))

    def read(self) -> tuple[int, bytes]:
        """The number of the input in hand (-1 before the first), and its bytes."""
        number, length = struct.unpack("qq", self._map[:16])
        return number, self._map[16 : 16 + length]


def source(seed: str, target: str, number: int) -> Random:
    """The randomness that an input is made from."""
    return Random(f"{seed}:{target}:{number}")  # noqa: S311 - repeatable is what it is for


def main() -> None:
    """Run the inputs."""
    name, seed, start, stop, board_path = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    # What libtiff says goes past Python; a broken file is its everyday here.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    configure_logs(logging.CRITICAL)
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="inserts-fuzz-") as folder:
        line = Line(Path(folder)) if name == "line" else None
        _run(name, seed, int(start), int(stop), Board(Path(board_path)), line)
        if line is not None:
            line.close()


def _run(name: str, seed: str, start: int, stop: int, board: Board, line: Line | None) -> None:
    target = targets(line)[name]
    results: collections.Counter[str] = collections.Counter()
    slowest = (0.0, start)
    after_a_tenth = 0
    part = max(1, (stop - start) // 100)
    process = psutil.Process()
    for number in range(start, stop):
        board.write(number, b"")
        value = target.make(source(seed, name, number))
        shown = target.shown(value)
        board.write(number, shown)
        begun = time.process_time()
        try:
            results[target.run(value)] += 1
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is what is looked for
            _say(finding=f"{type(error).__name__}: {error}"[:200], number=number, trace=traceback.format_exc())
        seconds = time.process_time() - begun
        slowest = max(slowest, (seconds, number))
        if seconds > SLOW_SECONDS:
            _say(finding=f"slow: {seconds:.1f} s of the processor", number=number, trace="")
        done = number + 1 - start
        if done == (stop - start + 9) // 10:
            gc.collect()
            after_a_tenth = process.memory_info().rss
        if done % part == 0 or done == stop - start:
            gc.collect()
            rss = process.memory_info().rss
            _say(results=results, slowest=slowest, after_a_tenth=after_a_tenth, rss=rss)


def _say(**what: object) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main()

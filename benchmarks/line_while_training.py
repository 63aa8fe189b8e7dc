"""What a retraining costs the line on the same machine: the median time of a capture with it over that without.

The line is a real one with the default backbone; captures are submitted one at a time, at a steady pace. Beside it a
process of its own fits one candidate after the other, as nice as `insert-worker learn` is by default and on as many
cores. It exists all the time and is stopped (SIGSTOP) for the captures without it, which alternate with those with it.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import psutil

from benchmarks import train_memory
from benchmarks.latency import Watch, idle_line
from benchmarks.measure import Benchmark
from worker.settings import WorkerSettings

IMAGES = 3_000
FEATURES = 4_096

ROUNDS = 3
CAPTURES = 20
"""Captures in each round without and with, so that a sample is a median over `ROUNDS * CAPTURES` of each."""

PACE = 0.1
"""Seconds from one submission to the next."""

BUSY = 0.1
"""The share of one core that a training has at least while it is held to be running."""

_TRAINING = """
import sys
from worker.runtime.process import lower_priority
lower_priority(int(sys.argv[3]))
import h5py, numpy as np
from worker.models.costs import Costs
from worker.models.candidate import fit_candidate
with h5py.File(sys.argv[1]) as file:
    features = file["dataset_1"]
    inserts = np.arange(len(features)) // int(sys.argv[2])
    labels = ["damaged" if insert % 2 else "intact" for insert in inserts]
    print("training", flush=True)
    while True:
        fit_candidate(features, labels, inserts, costs=Costs())
"""


def ratios(samples: int, images: int = IMAGES, features: int = FEATURES) -> list[float]:
    """`samples` times the median seconds of a capture while the training runs over those while it stands still.

    Raises `AssertionError` when the training was not running.
    """
    measured = []
    with idle_line() as watch, training(images, features) as process:
        for _ in range(samples):
            without: list[float] = []
            beside: list[float] = []
            spent = busy = 0.0
            for _ in range(ROUNDS):
                process.send_signal(signal.SIGSTOP)
                without += captures(watch)
                process.send_signal(signal.SIGCONT)
                start, before = time.monotonic(), processor_seconds(process)
                beside += captures(watch)
                spent += time.monotonic() - start
                busy += processor_seconds(process) - before
            print(
                f"  a capture {1000 * median(without):.1f} ms, while training {1000 * median(beside):.1f} ms; the "
                f"training had {busy / spent:.0%} of a core",
                flush=True,
            )
            if process.poll() is not None or busy < BUSY * spent:
                raise AssertionError("the training was not running beside the line")
            measured.append(median(beside) / median(without))
    return measured


def captures(watch: Watch) -> list[float]:
    """Seconds of each of `CAPTURES` captures, submitted one at a time, `PACE` apart or as soon as the last is back."""
    seconds = []
    for _ in range(CAPTURES):
        start = time.monotonic()
        seconds.append(watch.head_seconds(1))
        time.sleep(max(0.0, start + PACE - time.monotonic()))
    return seconds


@contextmanager
def training(images: int, features: int) -> Iterator[subprocess.Popen[str]]:
    """A process that fits candidates, over and over, until the end of the context."""
    with tempfile.TemporaryDirectory(prefix="bench-training-") as folder:
        path = Path(folder) / "features.h5"
        train_memory.make(path, images, features)
        niceness = WorkerSettings.model_fields["niceness"].default
        command = [sys.executable, "-c", _TRAINING, str(path), str(train_memory.PER_INSERT), str(niceness)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            if process.stdout is None or process.stdout.readline() != "training\n":
                raise RuntimeError("the training did not start; its error is above")
            yield process
        finally:
            process.kill()  # also ends one that is stopped
            process.communicate()


def processor_seconds(process: subprocess.Popen[str]) -> float:
    """Seconds of processor time that a process has had."""
    times = psutil.Process(process.pid).cpu_times()
    return float(times.user + times.system)


BENCHMARKS = (
    Benchmark(
        name="line_while_training",
        sentence="median time of a capture with the default backbone while a niced retraining runs, over that without",
        unit="times the time",
        target=1.3,
        at_least=False,
        measure=ratios,
        samples=3,
    ),
)

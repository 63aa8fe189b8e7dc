"""VGG16 against the machine: arithmetic, memory and start-up time, each over the machine's own limit."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import arithmetic, bare
from benchmarks.line import Line, running
from benchmarks.materials import random_weights
from benchmarks.measure import Benchmark

BACKBONE = "vgg16:fc1"

FORWARD_FLOP = 2 * (15_346_630_656 + 102_760_448)
"""Floating-point operations of one image up to fc1: two for each multiply-add of the convolutions and of fc1."""

MATRIX = 4096
"""Rows and columns of the matrix product that stands for what the machine can do."""

ROUNDS = 3
"""Runs of both sides for one sample, in turn; the best of each counts, because other work only makes them slower."""

JUDGED = 96
"""Captures that a worker has judged when its peak memory is read: three full batches at least."""

_READING = """
import sys, time
start = time.perf_counter()
import tensorflow
import h5py
with h5py.File(sys.argv[1]) as file:
    for name in sys.argv[2:]:
        file[name].visititems(lambda _, item: item[()] if isinstance(item, h5py.Dataset) else None)
print(time.perf_counter() - start)
"""


def forward_over_matrix_product(samples: int) -> list[float]:
    """`samples` times the forward pass's FLOP/s over those of a large float32 matrix product in this process."""
    import tensorflow as tf

    measured = []
    with random_weights(BACKBONE) as weights:
        network = bare.load(BACKBONE, weights)
    for line in arithmetic.compare(network, FORWARD_FLOP):
        print(f"  {line}", flush=True)
    a, b = (tf.random.normal((MATRIX, MATRIX), seed=seed) for seed in (0, 1))
    tf.linalg.matmul(a, b)
    for _ in range(samples):
        peak = forward = 0.0
        for _ in range(ROUNDS):
            start = time.perf_counter()
            tf.linalg.matmul(a, b).numpy()
            peak = max(peak, 2 * MATRIX**3 / (time.perf_counter() - start))
            forward = max(forward, FORWARD_FLOP / bare.forward_seconds(network, 1))
        print(f"  forward {forward / 1e9:.0f} GFLOP/s, matrix product {peak / 1e9:.0f} GFLOP/s", flush=True)
        measured.append(forward / peak)
    return measured


def memory_over_weights(samples: int) -> list[float]:
    """Peak resident memory of a worker under load, over the bytes of the weights that it uses; a worker a sample."""
    with random_weights(BACKBONE) as weights:
        network = bare.load(BACKBONE, weights)
        size, fingerprint, used = network.feature_size, network.fingerprint, 4 * network.parameters
        del network
        gc.collect()
        measured = []
        for _ in range(samples):
            with running(BACKBONE, weights, size, fingerprint) as line:
                line.publish("station-1", JUDGED)
                line.wait("station-1", JUDGED)
                peak = peak_bytes(line)
            print(f"  peak {peak / 1e6:.0f} MB, weights {used / 1e6:.0f} MB", flush=True)
            measured.append(peak / used)
    return measured


def peak_bytes(line: Line) -> int:
    """The most memory that the line's worker process has had at once, in bytes, as the Linux kernel counts it."""
    status = Path(f"/proc/{line.worker.pid}/status").read_text("ascii")
    kilobytes = next(row.split()[1] for row in status.splitlines() if row.startswith("VmHWM:"))
    return 1024 * int(kilobytes)


def start_over_import_and_reading(samples: int) -> list[float]:
    """Seconds from starting a worker to its readiness, over importing TensorFlow and reading the same weights."""
    with random_weights(BACKBONE) as weights:
        network = bare.load(BACKBONE, weights)
        size, fingerprint = network.feature_size, network.fingerprint
        # Random weights are of the whole network; a worker reads what it uses.
        layers = [
            layer for block, convolutions in enumerate((2, 2, 3, 3, 3), 1) for layer in _block(block, convolutions)
        ]
        del network
        gc.collect()
        command = [sys.executable, "-c", _READING, str(weights), *layers, "fc1"]
        measured = []
        for _ in range(samples):
            bare_seconds = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            with running(BACKBONE, weights, size, fingerprint) as line:
                seconds = line.start_seconds
            print(f"  start {seconds:.2f} s, import and reading {bare_seconds:.2f} s", flush=True)
            measured.append(seconds / bare_seconds)
    return measured


def _block(number: int, convolutions: int) -> list[str]:
    return [f"block{number}_conv{each}" for each in range(1, convolutions + 1)]


BENCHMARKS = (
    Benchmark(
        name="machine_vgg16",
        sentence="FLOP/s of VGG16's forward pass over those of a large float32 matrix product in the same process",
        unit="of the matrix product",
        target=0.90,
        at_least=True,
        measure=forward_over_matrix_product,
    ),
    Benchmark(
        name="memory_vgg16",
        sentence="peak memory of a worker with vgg16:fc1 over the size of the weights that it uses",
        unit="times the weights",
        target=3,
        at_least=False,
        measure=memory_over_weights,
        samples=3,
    ),
    Benchmark(
        name="start_vgg16",
        sentence="start to readiness of a worker with vgg16:fc1 over importing TensorFlow and reading the weights",
        unit="times the bare start",
        target=1.5,
        at_least=False,
        measure=start_over_import_and_reading,
        samples=3,
    ),
)

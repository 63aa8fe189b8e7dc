"""Peak memory of training on features that are far larger: a whole candidate, from a file of 100,000 × 4,096.

The training runs in a process of its own, without TensorFlow, and reads the features from HDF5 on disk; measured is
that process's peak resident memory (`VmHWM`, so Linux only), interpreter and libraries included.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np

from benchmarks.measure import Benchmark

IMAGES = 100_000
FEATURES = 4_096
PER_INSERT = 5
"""Images of one insert; every second insert is damaged."""

_BATCH = 5_000

_TRAINING = """
import sys, time
from pathlib import Path
import h5py, numpy as np
from worker.models.costs import Costs
from worker.models.candidate import fit_candidate
start = time.perf_counter()
with h5py.File(sys.argv[1]) as file:
    features = file["dataset_1"]
    inserts = np.arange(len(features)) // int(sys.argv[2])
    labels = ["damaged" if insert % 2 else "intact" for insert in inserts]
    candidate = fit_candidate(features, labels, inserts, costs=Costs(),
                              progress=lambda step: print(f"  {step}", file=sys.stderr, flush=True))
right = ((candidate.out_of_fold > 0) == (inserts % 2 == 1)).mean()
assert "tensorflow" not in sys.modules
status = Path("/proc/self/status").read_text("ascii")
peak = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
print(1024 * int(peak), time.perf_counter() - start, right)
"""


def ratios(samples: int, images: int = IMAGES, features: int = FEATURES) -> list[float]:
    """`samples` times the peak memory of a training over the bytes of its float32 features.

    Raises `AssertionError` when what was learned is no better than guessing: then it was not trained.
    """
    measured = []
    with tempfile.TemporaryDirectory(prefix="bench-features-") as folder:
        path = Path(folder) / "features.h5"
        make(path, images, features)
        for _ in range(samples):
            command = [sys.executable, "-c", _TRAINING, str(path), str(PER_INSERT)]
            output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            peak, seconds, accuracy = (float(value) for value in output.split())
            if accuracy < 0.6:
                raise AssertionError(f"the training is right on {accuracy:.1%} only")
            print(f"  peak {peak / 1e6:.0f} MB, {seconds:.0f} s, {accuracy:.1%} right out of fold", flush=True)
            measured.append(peak / (4 * images * features))
    return measured


def make(path: Path, images: int, features: int) -> None:
    """Write features as a ReLU layer gives them, of inserts that differ and of two sides that overlap."""
    rng = np.random.default_rng(0)
    apart = rng.standard_normal(features, np.float32) * 3 / np.sqrt(features)
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset("dataset_1", (images, features), "<f4")
        for start in range(0, images, _BATCH):
            inserts = np.arange(start, min(start + _BATCH, images)) // PER_INSERT
            block = rng.standard_normal((len(inserts), features), np.float32)
            block += (inserts % 2)[:, None].astype(np.float32) * apart
            dataset[start : start + len(inserts)] = np.maximum(block, 0)


BENCHMARKS = (
    Benchmark(
        name="train_memory",
        sentence=f"peak memory of training on {IMAGES:,} × {FEATURES:,} features over the size of those",
        unit="times the features",
        target=0.5,
        at_least=False,
        measure=ratios,
        samples=1,
    ),
)

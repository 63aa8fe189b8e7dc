"""Ten repeats of the linear SVM on one Gram matrix against ten of scikit-learn's `SVC` on the features themselves.

Both sides start from the same float32 features in memory and do the lab's ten splits: fit, then predict the test rows.
The Gram side's time includes computing the Gram matrix. The predictions must be the same on every split, or the
benchmark fails.

Both sides have one BLAS thread. libsvm multiplies two vectors at a time, and there OpenBLAS's threads cost more than
they gain: on a busy machine they made `SVC` ten times slower, which would favour the Gram side. A second thread would
speed up only that one (from 0.5 s to 0.3 s on two free cores).

The `SVC` side takes minutes, so its ten repeats are timed once; the Gram side is timed afresh for every sample, and a
sample's ratio is the one `SVC` time over that Gram time. The spread shown is therefore the Gram side's alone.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # comes with scikit-learn

from benchmarks.measure import Benchmark
from producer.runtime.arrays import Float32Array, Int64Array
from worker.evaluation.splits import Split, repeated_splits, score_splits
from worker.models.gram_svm import gram

IMAGES = 200
FEATURES = 401_408
REPEATS = 10
DISTANCE = 0.02


def made_up(images: int = IMAGES, size: int = FEATURES) -> tuple[Float32Array, Int64Array]:
    """Features as a ReLU layer gives them (half of them zero), with a difference between two classes that overlap."""
    rng = np.random.default_rng(0)
    labels = np.arange(images, dtype=np.int64) % 4 // 3  # a quarter of them are of class 1
    features = rng.standard_normal((images, size), np.float32)
    features += DISTANCE * labels[:, None].astype(np.float32) * rng.standard_normal(size, np.float32)
    return np.maximum(features, 0, out=features), labels


def photographs(folder: Path, weights: Path) -> tuple[Float32Array, Int64Array]:
    """Features of the labelled photographs in `folder` by `mobilenet:conv1_relu` with the weight file `weights`."""
    from worker.backbones.backbone import load_backbone
    from worker.dataset.labelled_folder import load_image, scan
    from worker.features.batches import feature_batches

    dataset = scan(folder, check_images=False)
    backbone = load_backbone("mobilenet:conv1_relu", str(weights), weights_folder=weights.parent)
    load = partial(load_image, size=backbone.input_size)
    parts = [part.features for part in feature_batches(dataset.files, load, backbone, size=32, unusable=())]
    return np.concatenate(parts), dataset.labels


def by_svc(features: Float32Array, labels: Int64Array, splits: Sequence[Split]) -> tuple[float, list[list[int]]]:
    """Seconds and predictions of `SVC` on the features."""
    start = time.perf_counter()
    predictions = []
    for split in splits:
        svc = SVC(kernel="linear", class_weight="balanced").fit(features[split.train], labels[split.train])
        predictions.append(svc.predict(features[split.test]).tolist())
        print(f"  SVC, split {split.seed}: {time.perf_counter() - start:.1f} s", file=sys.stderr, flush=True)
    return time.perf_counter() - start, predictions


def by_gram(features: Float32Array, labels: Int64Array, splits: Sequence[Split]) -> tuple[float, list[list[int]]]:
    """Seconds and predictions with one Gram matrix, which is made here."""
    start = time.perf_counter()
    scores = score_splits(gram(features), labels, splits, classes=len(np.unique(labels)))
    return time.perf_counter() - start, [score.predictions.tolist() for score in scores]


def ratios(features: Float32Array, labels: Int64Array, samples: int) -> list[float]:
    """How many times faster the Gram side is, `samples` times. Raises `AssertionError` when a prediction differs."""
    splits = list(repeated_splits(labels, test_size=0.3, repeats=REPEATS))
    with threadpool_limits(1, user_api="blas"):
        timed = [by_gram(features, labels, splits) for _ in range(samples)]
        svc_seconds, expected = by_svc(features, labels, splits)
    for _, predictions in timed:
        if predictions != expected:
            raise AssertionError("the Gram matrix and SVC predict differently")
    seconds = [gram_seconds for gram_seconds, _ in timed]
    print(f"  {len(labels)} × {features.shape[1]} features, {REPEATS} repeats, identical predictions:")
    print(f"  SVC {svc_seconds:.1f} s, Gram matrix {min(seconds):.3f} … {max(seconds):.3f} s", flush=True)
    return [svc_seconds / each for each in seconds]


BENCHMARK = Benchmark(
    name="gram_against_svc",
    sentence=f"{REPEATS} repeats on {IMAGES} × {FEATURES:,} features, SVC's time over the Gram matrix's",
    unit="times faster",
    target=100,
    at_least=True,
    measure=lambda samples: ratios(*made_up(), samples),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure on made-up features, or with `--dataset` and `--weights` on those of real photographs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.svm_gram", description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", type=Path, help="labelled folder; needs --weights")
    parser.add_argument("--weights", type=Path, help="weight file of MobileNet; needs --dataset")
    parser.add_argument("--samples", type=int, default=BENCHMARK.samples)
    options = parser.parse_args(arguments)
    if (options.dataset is None) != (options.weights is None):
        parser.error("--dataset and --weights go together")
    features, labels = made_up() if options.dataset is None else photographs(options.dataset, options.weights)
    ratio = float(np.median(ratios(features, labels, options.samples)))
    print(f"the Gram matrix is {ratio:.0f} times faster (target: at least {BENCHMARK.target:g})")
    return 0 if ratio >= BENCHMARK.target else 1


if __name__ == "__main__":
    sys.exit(main())

"""Ten repeats of the lab's evaluation on 300 × 401,408 features against the notebook's loop, one `SVC` a repeat.

Both sides and what they have in common are those of `benchmarks.svm_gram`, at the size of a labelled set that has
grown: the time of both grows with the square of the images, but the Gram matrix is computed once and not ten times. The
predictions must be the same on every split, or the benchmark fails.
"""

from __future__ import annotations

from benchmarks.measure import Benchmark
from benchmarks.svm_gram import FEATURES, REPEATS, made_up, ratios

IMAGES = 300

BENCHMARKS = (
    Benchmark(
        name="evaluation_gram",
        sentence=f"{REPEATS} repeats of evaluation on {IMAGES} × {FEATURES:,} features, the notebook's time over ours",
        unit="times faster",
        target=150,
        at_least=True,
        measure=lambda samples: ratios(*made_up(IMAGES), samples),
        samples=3,
    ),
)

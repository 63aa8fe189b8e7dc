"""Have NumPy compute in one thread, here and in every process that a test starts. Imported before NumPy.

The tests themselves run at the same time, one for each core. OpenBLAS wakes a thread for each core even for matrices of
two rows, and they wait for each other by spinning: a training of the tests took three times the processor time.
"""

from __future__ import annotations

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

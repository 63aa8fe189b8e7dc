"""What every process of the tests finds in its environment, so that it costs what it must. Imported before NumPy.

One thread to compute in: the tests themselves run at the same time, one for each core. OpenBLAS wakes a thread for each
core even for matrices of two rows, and they wait for each other by spinning: a training took three times the processor
time. And compiled modules are kept: hundreds of processes start here, and to compile this project is a quarter of each.
And learning gives way to nothing: beside the other tests it would get a tenth of a core, while its own test waits.
"""

from __future__ import annotations

import os
import sys

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")
os.environ.setdefault("INSERTS_NICENESS", "0")
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

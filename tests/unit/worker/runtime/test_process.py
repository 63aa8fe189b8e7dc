from __future__ import annotations

import subprocess
import sys

import pytest

_THREADS = """
import ctypes, threading
from worker.runtime.process import share_pools
share_pools(2)
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
barrier, found = threading.Barrier(16), []
def work():
    barrier.wait()
    # The pools of threads begin at multiples of 64 MiB.
    found.append(libc.malloc(5000) >> 26)
    barrier.wait()
threads = [threading.Thread(target=work) for _ in range(16)]
[each.start() for each in threads]
[each.join() for each in threads]
print(len(set(found)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's pools")
def test_threads_share_few_pools() -> None:
    done = subprocess.run([sys.executable, "-c", _THREADS], capture_output=True, text=True, check=True)
    assert int(done.stdout) <= 3  # the first pool may cross such a border

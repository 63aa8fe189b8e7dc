"""Many waiting images, one forward pass.

Each thread hands in one item and gets its own result back; a single runner takes whatever waits the moment it is free.
There is no timer: one item alone waits for nobody, and a busy line gets full batches by itself.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


class MicroBatcher:
    """Runs ``compute`` on batches of the items that several threads hand in one by one."""

    def __init__(self, compute: Callable[[FloatArray], FloatArray], max_batch: int):
        """Start the runner; ``compute`` maps (n, …) to (n, …) for 1 ≤ n ≤ ``max_batch``."""
        self._compute = compute
        self._max_batch = max_batch
        self._running_since: float | None = None
        self._waiting: queue.SimpleQueue[tuple[FloatArray, Future[FloatArray]] | None] = queue.SimpleQueue()
        self._runner = threading.Thread(target=self._run, name="micro-batcher", daemon=True)
        self._runner.start()

    def __call__(self, item: FloatArray) -> FloatArray:
        """The result for one item, of one item's shape; waits for its batch.

        Raises:
            Exception: whatever ``compute`` raised for this item.
        """
        future: Future[FloatArray] = Future()
        self._waiting.put((item, future))
        return future.result()

    @property
    def running_since(self) -> float | None:
        """When the running ``compute`` began, in seconds of `time.monotonic`; None while none runs."""
        return self._running_since

    def close(self) -> None:
        """Finish what waits and stop the runner."""
        self._waiting.put(None)
        self._runner.join()

    def _run(self) -> None:
        while (first := self._waiting.get()) is not None:
            batch, last = [first], False
            while len(batch) < self._max_batch and not last:
                try:
                    entry = self._waiting.get_nowait()
                except queue.Empty:
                    break
                if entry is None:
                    last = True
                else:
                    batch.append(entry)
            self._settle(batch)
            if last:
                return

    def _settle(self, batch: list[tuple[FloatArray, Future[FloatArray]]]) -> None:
        self._running_since = time.monotonic()
        try:
            results: Any = self._compute(np.stack([item for item, _ in batch]))
        except Exception as error:  # noqa: BLE001 - it belongs to the thread that handed the item in
            if len(batch) == 1:
                batch[0][1].set_exception(error)
                return
            for entry in batch:  # one bad item must not cost its neighbours their verdict
                self._settle([entry])
            return
        finally:
            self._running_since = None
        for (_, future), result in zip(batch, results, strict=True):
            future.set_result(result)

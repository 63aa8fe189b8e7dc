"""Micro-batching: what many threads want at the same moment is done once, be it forward passes, writes or answers.

Each thread hands in one item and gets its own result back; a single runner takes whatever is waiting as soon as it is
free. There is no timer: a single item waits for no others, and a busy line fills its batches by itself.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_Entry = tuple[Item, Future[Result], float]
"""An item, where its result goes, and when it was handed in, in seconds of `time.monotonic`."""


def _never(_: Exception) -> bool:
    return False


def _ignore(_: list[float], __: float) -> None:
    return


class Batcher(Generic[Item, Result]):
    """Runs `compute` on batches of the items that several threads hand in one by one."""

    def __init__(
        self,
        compute: Callable[[list[Item]], Iterable[Result]],
        max_batch: int,
        *,
        name: str,
        is_shared: Callable[[Exception], bool] = _never,
        on_batch: Callable[[list[float], float], None] = _ignore,
    ):
        """Start the runner.

        Args:
            compute: maps n items to n results in their order, for 1 ≤ n ≤ `max_batch`. When it raises, each item is
                tried again alone, so that a bad one costs only itself.
            max_batch: items in one batch at most.
            name: of the runner, a thread.
            is_shared: which errors no single item is to blame for: these fail the whole batch at once.
            on_batch: called after each batch with the seconds that each item had waited, and those that it took.
        """
        self._compute = compute
        self._max_batch = max_batch
        self._is_shared = is_shared
        self._on_batch = on_batch
        self._waiting: queue.SimpleQueue[_Entry[Item, Result] | None] = queue.SimpleQueue()
        self._runner = threading.Thread(target=self._run, name=name, daemon=True)
        self._runner.start()

    def result_of(self, item: Item) -> Result:
        """Have one item done with the next batch, and wait for its result.

        Raises:
            Exception: whatever `compute` raised for this item.
        """
        return self.submit(item).result()

    def submit(self, item: Item) -> Future[Result]:
        """Have one item done with the next batch, without waiting for it."""
        future: Future[Result] = Future()
        self._waiting.put((item, future, time.monotonic()))
        return future

    def close(self) -> None:
        """Finish what is waiting and stop the runner."""
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

    def _settle(self, batch: list[_Entry[Item, Result]]) -> None:
        began = time.monotonic()
        try:
            results = self._compute([item for item, _, _ in batch])
        except Exception as error:  # noqa: BLE001 - it belongs to the thread that handed the item in
            if len(batch) == 1 or self._is_shared(error):
                for _, future, _ in batch:
                    future.set_exception(error)
                return
            for entry in batch:  # one bad item must not cost its neighbours their verdict
                self._settle([entry])
            return
        ended = time.monotonic()
        for (_, future, _), result in zip(batch, results, strict=True):
            future.set_result(result)
        self._on_batch([began - since for _, _, since in batch], ended - began)

"""What many threads want at the same moment, done once: forward passes, transactions, answers.

Each thread hands in one item and gets its own result back; a single runner takes whatever waits the moment it is free.
There is no timer: one item alone waits for nobody, and a busy line gets full batches by itself.
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


Watch = Callable[[list[float], float], None]
"""Told of each batch that was done: for how long each of its items had waited, and how long it took, in seconds."""


def _nobodys(_: Exception) -> bool:
    return False


def _unwatched(_: list[float], __: float) -> None:
    return


class Batcher(Generic[Item, Result]):
    """Runs `compute` on batches of the items that several threads hand in one by one."""

    def __init__(
        self,
        compute: Callable[[list[Item]], Iterable[Result]],
        max_batch: int,
        *,
        name: str,
        everybodys: Callable[[Exception], bool] = _nobodys,
        watch: Watch = _unwatched,
    ):
        """Start the runner, a thread called `name`.

        `compute` maps n items to n results in their order, for 1 ≤ n ≤ `max_batch`. When it raises, each item is
        tried again alone, so that a bad one costs only itself; except for errors that are `everybodys`, which no
        single item is to blame for.
        """
        self._compute = compute
        self._max_batch = max_batch
        self._everybodys = everybodys
        self._watch = watch
        self._running_since: float | None = None
        self._waiting: queue.SimpleQueue[_Entry[Item, Result] | None] = queue.SimpleQueue()
        self._runner = threading.Thread(target=self._run, name=name, daemon=True)
        self._runner.start()

    def __call__(self, item: Item) -> Result:
        """The result for one item; waits for its batch.

        Raises:
            Exception: whatever `compute` raised for this item.
        """
        return self.submit(item).result()

    def submit(self, item: Item) -> Future[Result]:
        """Have one item done with the next batch, without waiting for it."""
        future: Future[Result] = Future()
        self._waiting.put((item, future, time.monotonic()))
        return future

    @property
    def running_since(self) -> float | None:
        """When the running `compute` began, in seconds of `time.monotonic`; None while none runs."""
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

    def _settle(self, batch: list[_Entry[Item, Result]]) -> None:
        self._running_since = began = time.monotonic()
        try:
            results = self._compute([item for item, _, _ in batch])
        except Exception as error:  # noqa: BLE001 - it belongs to the thread that handed the item in
            if len(batch) == 1 or self._everybodys(error):
                for _, future, _ in batch:
                    future.set_exception(error)
                return
            for entry in batch:  # one bad item must not cost its neighbours their verdict
                self._settle([entry])
            return
        finally:
            self._running_since = None
        ended = time.monotonic()
        for (_, future, _), result in zip(batch, results, strict=True):
            future.set_result(result)
        self._watch([began - since for _, _, since in batch], ended - began)

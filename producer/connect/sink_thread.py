"""Delivers to one sink what waits for it, in a thread of its own, however long the sink is away."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from typing import Final

import structlog

from producer.connect.connector_problems import ConnectorProblems
from producer.connect.deliveries.delivery_log import Delivery, DeliveryLog
from producer.connect.deliveries.retry_schedule import LONGEST_PAUSE, next_attempt
from producer.connect.sinks.sink import DeliveryResult, Sink, SinkAway, SinkEnded
from producer.connect.stream_freshness import UNREAD, StreamFreshness
from producer.runtime.backoff import Backoff
from producer.runtime.outage_log import OutageLog
from producer.runtime.periodic import Periodic

log = structlog.get_logger()

DELIVERIES_AT_ONCE: Final = 200
"""Deliveries that are read from the log, and noted in it, in one step."""

IDLE_PAUSE: Final = 5.0
"""Seconds between two looks whether the connection still stands, while nothing is to be told."""


LOOK_EVERY: Final = 1.0
"""Seconds between two looks whether the line is still heard."""


class SinkThread:
    """Delivers to one sink; `wake` says that there may be something new."""

    def __init__(
        self,
        name: str,
        sink: Sink,
        deliveries: DeliveryLog,
        problems: ConnectorProblems,
        freshness: StreamFreshness,
    ):
        """Nothing is told before `start`.

        Args:
            name: the sink's.
            sink: who is told.
            deliveries: what waits for it.
            problems: where others read what keeps us from it.
            freshness: whether what it shows, or is told, is known to be all. While it is not the sink is left: what it
                shows may be overtaken.
        """
        self.name = name
        self._freshness = freshness
        self._spell: int | None = None
        self._sink = sink
        self._log = deliveries
        self._problems = problems
        self._outcomes: list[DeliveryResult] = []  # not noted yet
        self._woken = threading.Event()
        self._stop = threading.Event()
        self._backoff = Backoff(1.0, LONGEST_PAUSE)
        self._up = False
        self._problem: str | None = None
        self._outage = OutageLog(f"{name} is away: events wait", f"{name} is back")
        self._refusals = OutageLog(f"{name} refuses an event: it is tried again", f"{name} takes events again")
        self._using = threading.Lock()  # the sink
        self._thread = threading.Thread(target=self._run, name=f"tell-{name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """There may be something new."""
        self._woken.set()

    def stop(self) -> None:
        """End after what is in hand."""
        self._stop.set()
        self._woken.set()

    def join(self) -> None:
        """Wait for the end."""
        self._thread.join()

    def _run(self) -> None:
        try:
            with _FreshnessWatch(self):
                while not self._stop.is_set():
                    self._woken.clear()
                    self._woken.wait(self._turn())
        finally:
            with self._using:
                self._sink.close()

    def leave_unheard(self) -> None:
        """Leave the sink if the line is not heard any more, unless the sink is in use just now."""
        if not self._is_heard(self._spell) and self._using.acquire(blocking=False):
            try:
                self._leave(None)
            except Exception:
                log.exception("a system cannot be left", sink=self.name)
            finally:
                self._using.release()

    def _is_heard(self, spell: int | None) -> bool:
        """Whether the line is heard since that spell began, and all that was shown in it holds."""
        return self._freshness.spell == spell

    def _leave(self, spell: int | None) -> None:
        """Leave the sink, to reach it anew in another spell: what it shows may be overtaken. With the lock held."""
        self._sink.close()
        self._spell = spell

    def _turn(self) -> float:
        """Tell what is due; how many seconds to wait then, unless something new comes.

        Whatever fails, the log itself among it, the next turn comes: without it the sink would never be told again.
        """
        try:
            wait = self._deliver()
        except sqlite3.Error as error:  # a full disk, say: what is in the log stays there
            problem = str(error)
        except Exception as error:
            log.exception("telling failed, and is tried again", sink=self.name)
            problem = f"telling failed, the connector's log has more: {type(error).__name__}: {error}"
        else:
            self._problems.ends(self.name)
            return wait
        self._problems.begins(self.name, problem)
        self._outage.begins(problem)
        self._pause()
        return 0.0

    def _deliver(self) -> float:
        """Tell what is due, and note what the sink makes of it; how many seconds to wait then."""
        spell = self._freshness.spell
        with self._using:
            if spell != self._spell:
                self._leave(spell)
        self._note()  # while the log cannot be written nothing more is told: it would be told again and again
        if self._log.is_disabled(self.name):
            return IDLE_PAUSE
        if spell is None:
            problem = self._freshness.problem
            if self._up or problem not in (self._problem, UNREAD):
                self._is_away(problem)
            return IDLE_PAUSE
        try:
            with self._using:
                if not self._is_heard(spell):  # the log took its time
                    return 0.0
                is_new = self._sink.open()
            if is_new:
                self._log.try_again(self.name, time.time())
            due = self._log.due(self.name, time.time(), DELIVERIES_AT_ONCE)
            self._tell(due)
        except SinkEnded as error:
            self._is_away(str(error))
            self._log.disable(self.name, True)
            return IDLE_PAUSE
        except SinkAway as error:
            self._is_away(str(error))
            self._pause(error.retry_after)
            return 0.0
        self._is_up()
        if due:
            return 0.0
        next_due = self._log.next_due(self.name, now := time.time())
        return IDLE_PAUSE if next_due is None else min(IDLE_PAUSE, next_due - now)

    def _tell(self, due: list[Delivery]) -> None:
        refused = False
        try:
            outcomes = self._sink.tell(due)
            while (outcome := self._next(outcomes)) is not None:
                self._outcomes.append(outcome)
                if outcome.refused is not None:
                    refused = True
                    self._note()
            if due and not refused:
                self._refusals.ends()
        finally:
            self._note()

    def _next(self, outcomes: Iterator[DeliveryResult]) -> DeliveryResult | None:
        with self._using:
            if not self._is_heard(self._spell):
                raise SinkAway(self._freshness.problem)
            return next(outcomes, None)

    def _note(self) -> None:
        """Note what became of the deliveries.

        Raises:
            sqlite3.Error: it could not be noted, and is kept for the next time.
        """
        took = [outcome for outcome in self._outcomes if outcome.refused is None]
        if took:
            shown = {topic: text for outcome in took for topic, text in outcome.shown.items()}
            self._log.delivered(self.name, [outcome.delivery for outcome in took], time.time(), shown)
            self._outcomes = [outcome for outcome in self._outcomes if outcome.refused is not None]
        while self._outcomes:
            outcome = self._outcomes[0]
            self._refused(outcome.delivery, outcome.refused or "", outcome.pause)
            del self._outcomes[0]

    def _refused(self, delivery: Delivery, problem: str, pause: float | None) -> None:
        now = time.time()
        next_at = next_attempt(delivery.attempts + 1, now, pause)
        self._log.failed(delivery, now, problem, next_at)
        if next_at is None:
            log.error(
                "an event is given up: `insert-station connect replay` tells it once more",
                sink=self.name,
                event_id=delivery.event.id,
                problem=problem,
            )
        else:
            self._refusals.begins(problem)

    def _is_up(self) -> None:
        self._outage.ends()
        if not self._up:
            self._log.set_up(self.name, True, None, time.time())
        self._up, self._problem = True, None
        self._backoff.reset()

    def _is_away(self, problem: str) -> None:
        self._outage.begins(problem)
        self._up, self._problem = False, problem
        self._log.set_up(self.name, False, problem, time.time())

    def _pause(self, retry_after: float | None = None) -> None:
        """Wait as long as the sink asked for, never less; else longer with each failure. Differently long, for many."""
        longest = self._backoff.next()
        if retry_after:
            longest = 1.1 * retry_after
        self._stop.wait(random.uniform(retry_after or 0.75 * longest, longest))  # noqa: S311


class _FreshnessWatch(Periodic):
    """Leaves a sink once the line is not heard any more, whatever the sink's thread waits for: the log, say."""

    def __init__(self, sink_thread: SinkThread):
        super().__init__(LOOK_EVERY, name=f"watch-{sink_thread.name}", failure="a system is not left")
        self._sink_thread = sink_thread

    def turn(self) -> None:
        self._sink_thread.leave_unheard()

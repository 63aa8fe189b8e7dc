"""Delivery with retries: one thread sends the outbox's events to the queue, one reads the answers that settle them.

What is sent again, and when, is decided in `producer.delivery.resend`.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

import redis
import structlog
from kombu.exceptions import OperationalError

from producer.contract.answers import CheckAnswer, FaultAnswer, VerdictAnswer
from producer.contract.event import MOST_EVENTS
from producer.delivery import resend
from producer.delivery.grouping import DEFAULT_GROUP, grouped, in_messages
from producer.delivery.metrics import StationMetrics
from producer.delivery.outbox import Outbox, Waiting
from producer.delivery.redis_client import AnswerReader, EventSender
from producer.runtime.backoff import Backoff
from producer.runtime.outage_log import OutageLog

log = structlog.get_logger()

LONGEST_PAUSE: Final = 10.0
"""The longest time, in seconds, between two looks whether Redis is back."""

_RETRY_NOTE: Final = "hurried"
"""Where the outbox notes when what waits was last tried at a start, in seconds since the epoch."""

SEND_BATCH: Final = MOST_EVENTS
"""Events that are sent before the outbox notes, in one step, that they were. A station that dies in between sends them
again, which is harmless; a step for each would take the disk from those that submit."""


def send_due(
    outbox: Outbox,
    most: int,
    send: Callable[[Sequence[Waiting]], str | None],
    *,
    clock: Callable[[], float] = time.time,
    stopped: Callable[[], bool] = lambda: False,
) -> tuple[int, str | None]:
    """Send what is due, some `SEND_BATCH` captures of it, and note it in the outbox.

    What is to leave together is one message for each check (of `MOST_EVENTS` at most), also where it is sent again.

    Args:
        outbox: where it waits.
        most: captures in one message.
        send: sends one message and returns the problem, where there is one; nothing is sent after that.
        clock: the time in seconds since the epoch.
        stopped: whether no more is to be sent.

    Returns:
        How many messages were sent, and the problem.
    """
    sent: list[Sequence[Waiting]] = []
    problem = None
    due = outbox.due(clock(), resend.LAST_RESEND, SEND_BATCH)
    messages = in_messages([waiting for waiting in due if not waiting.together], most)
    together = [waiting for waiting in due if waiting.together]
    messages += grouped(together, lambda waiting: waiting.event.check_id, MOST_EVENTS)
    for message in messages:
        if stopped():
            break
        problem = send(message)
        if problem is not None:
            break
        sent.append(message)
    if sent:
        now = clock()
        outbox.sent(map(_captures, sent), now + resend.resend_after(outbox.answers_take(now)))
    if problem is not None:
        outbox.not_sent(_captures(message), clock(), problem)
    return len(sent), problem


class OutboxSender:
    """Sends what waits in the outbox until it is answered, and calls `on_answer` with every answer."""

    def __init__(
        self,
        station: str,
        outbox: Outbox,
        redis_url: str,
        on_answer: Callable[[VerdictAnswer | FaultAnswer | CheckAnswer], None],
        metrics: StationMetrics,
        group: int = DEFAULT_GROUP,
    ):
        self._metrics = metrics
        self._group = group
        self._outbox = outbox
        self._on_answer = on_answer
        self._position_note = f"position:{station}"
        self._sender = EventSender(redis_url)
        position = outbox.note(self._position_note)
        self._reader = AnswerReader(redis_url, station, position, self._awaited, outbox.make_last_due)
        # Two, since Redis may take events and give no answers, or the other way round.
        self._sending = OutageLog("events wait in the outbox", "events are sent again")
        self._reading = OutageLog("answers cannot be read", "answers are read again")
        self._woken = threading.Event()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=loop, name=f"delivery-{name}", daemon=True)
            for name, loop in (("send", self._send_loop), ("read", self._read_loop))
        ]

    def start(self) -> None:
        """Begin to send and to read; of what waits for its answer, the last is sent once more."""
        self._retry_at_start()
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Send at once: something is new in the outbox, or due again."""
        self._woken.set()

    def _retry_at_start(self) -> None:
        """Make the last that waits due, once in `resend.LAST_RESEND` seconds: short commands must not flood Redis."""
        now = time.time()
        try:
            last = self._outbox.note(_RETRY_NOTE)
            if last is None or abs(now - float(last)) > resend.LAST_RESEND:
                self._outbox.make_last_due(note=(_RETRY_NOTE, repr(now)))
        except sqlite3.Error as error:  # a full disk, say: it is sent when its time comes
            log.warning("what waits is not sent earlier", problem=str(error))

    def close(self) -> None:
        """Stop both threads; what is not confirmed stays in the outbox."""
        self._stop.set()
        self._woken.set()
        for thread in self._threads:
            thread.join()
        self._sender.close()
        self._reader.close()

    def _send_loop(self) -> None:
        backoff = Backoff(0.5, LONGEST_PAUSE)
        while not self._stop.is_set():
            self._woken.clear()
            try:
                problem = self._send_due()
                next_due = self._outbox.next_due()
            except sqlite3.Error as error:  # a full disk, say: what is in the outbox stays there
                problem = str(error)
            except Exception as error:  # without this thread the station would accept for ever and send nothing
                log.exception("sending failed, and is tried again")
                problem = f"{type(error).__name__}: {error}"
            if problem is not None:
                self._sending.begins(problem)
                self._stop.wait(backoff.next())
                continue
            backoff.reset()
            self._sending.ends()
            # Another process of this station may add to the same outbox, so look at least once a second.
            self._woken.wait(1.0 if next_due is None else min(1.0, max(0.0, next_due - time.time())))

    def _send_due(self) -> str | None:
        while True:
            sent, problem = send_due(self._outbox, self._group, self._send, stopped=self._stop.is_set)
            if problem is not None or not sent:  # or nothing is due any more
                return problem

    def _send(self, message: Sequence[Waiting]) -> str | None:
        try:
            self._sender.send(*(waiting.event for waiting in message))
        except (OperationalError, redis.RedisError, OSError) as error:
            self._metrics.redis_up.set(0)
            return f"{type(error).__name__}: {error}"
        self._metrics.redis_up.set(1)
        for waiting in message:
            (self._metrics.resent if waiting.attempts else self._metrics.sent).inc()
        return None

    def _read_loop(self) -> None:
        backoff = Backoff(0.5, LONGEST_PAUSE)
        while not self._stop.is_set():
            try:
                answers = self._reader.read()
                if answers:
                    self._settle(answers)
            except (redis.RedisError, OSError) as error:
                self._metrics.redis_up.set(0)
                self._reading.begins(f"{type(error).__name__}: {error}")
            except Exception as error:  # nobody would see that answers are not read any more
                log.exception("reading answers failed, and is tried again")
                self._reading.begins(f"{type(error).__name__}: {error}")
            else:
                backoff.reset()
                self._metrics.redis_up.set(1)
                self._reading.ends()
                continue
            self._stop.wait(backoff.next())

    def _awaited(self) -> set[UUID]:
        """The captures in the outbox, and their checks."""
        events = [waiting.event for waiting in self._outbox.waiting()]
        return {id for event in events for id in (event.capture_id, event.check_id)}

    def _settle(self, answers: list[VerdictAnswer | FaultAnswer | CheckAnswer]) -> None:
        settled = [str(a.capture_id) for a in answers if not isinstance(a, CheckAnswer) and a.capture_id]
        confirmed = self._confirm(settled)
        for answer in answers:  # also when the disk is full: the line waits for this
            try:
                self._on_answer(answer)
            except Exception:  # whatever the listener does, the answers after this one must be read
                log.exception("a listener failed on an answer", answer=answer.model_dump_json(exclude_none=True))
        while not confirmed and not self._stop.wait(LONGEST_PAUSE):
            confirmed = self._confirm(settled)

    def _confirm(self, settled: list[str]) -> bool:
        try:
            now, note = time.time(), (self._position_note, self._reader.position)
            confirmed = self._outbox.confirm(settled, now, now + resend.OVERTAKEN_AFTER, note)
        except sqlite3.Error as error:
            log.error("answers cannot be noted", problem=str(error))
            return False
        self._metrics.confirmed.inc(confirmed)
        return True


def _captures(message: Sequence[Waiting]) -> list[str]:
    return [str(waiting.event.capture_id) for waiting in message]

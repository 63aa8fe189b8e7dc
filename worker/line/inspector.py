"""The path of a message through the worker: events → images → rows → judgements → verdicts on disk → answers.

A message carries one event or several; each step is done once for all of them. The order is commit, send, acknowledge
(Celery acknowledges when `Inspector.inspect` returns), so a crash between any two of them is repaired by redelivering
the message.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

import structlog

from db.engine.database import Database
from db.line import faults
from db.line.capture_order import claimed, clock_error
from db.line.captures import Arrival, Capture, Known, subject_of
from db.line.faults import Fault
from db.line.verdicts import Verdict
from producer.contract.event import CaptureEvent
from producer.pictures.stand_in import is_stand_in
from producer.storage.store import ImageStore
from worker.broker.messages import MessageSender, celery_message
from worker.line.attempts import IMAGE_TRIES, PAUSE
from worker.line.events import log_context, parts_of, read_events
from worker.line.faults import of_another_capture
from worker.line.image_fetch import AbsentImage, LoadedImage, RefusedImage, fetch
from worker.line.judging import Judge
from worker.line.known_lives import KnownLives
from worker.line.mapping import capture_of, image_to_judge, shadow_verdict_of, verdict_of
from worker.line.notifier import Notifier
from worker.line.received_message import ReceivedMessage
from worker.line.requeue import event_of, number_in
from worker.line.results import Ended, Results
from worker.line.writes import Writes
from worker.models.line_model import Judgement
from worker.monitoring.metrics import LineMetrics
from worker.runtime.failpoints import failpoint
from worker.runtime.in_hand import InHand
from worker.runtime.waiting import DATABASE, REDIS, ShuttingDown, retry_while_unavailable

log = structlog.get_logger()

Image = LoadedImage | RefusedImage | AbsentImage

_Taken = Sequence[tuple[CaptureEvent, Capture]]
"""Events, and the captures that they announce."""


class Inspector:
    """Turns messages into verdicts; one thread at a time."""

    def __init__(
        self,
        database: Database,
        images: ImageStore,
        judge: Judge,
        notifier: Notifier,
        sender: MessageSender,
        metrics: LineMetrics,
        *,
        in_hand: InHand | None = None,
        limit: Callable[[], AbstractContextManager[None]] = nullcontext,
    ):
        """Connect the parts.

        Args:
            database, images, judge, notifier, sender, metrics: what it works with.
            in_hand: what the other processes of this worker have in hand, besides; default: there are none.
            limit: ends the process where judging takes too long.
        """
        self._database = database
        self._images = images
        self._judge = judge
        self._sender = sender
        self._metrics = metrics
        self._in_hand = in_hand or InHand()
        self._limit = limit
        self._writes = Writes(database)
        self._notifier = notifier
        self._lives = KnownLives(database)

    def inspect(self, message: object, *, message_id: str = "", retries: int = 0) -> None:
        """Handle one message of the inspect queue, whatever it holds; on return it may be acknowledged.

        What cannot come to its end now (an image that is not there yet, a capture that was tried before without coming
        to an end) goes back into the queue as a message of its own before that.

        Args:
            message: what the queue held.
            message_id: names a fault that is to be taken up again (`worker.line.requeue`), or nothing in particular.
            retries: how often the message has gone back.

        Raises:
            worker.runtime.waiting.ShuttingDown: the process ends while something that it needs is away.
        """
        structlog.contextvars.clear_contextvars()
        received_at = datetime.now(UTC)
        number = number_in(message_id)
        if number is not None:
            fault = retry_while_unavailable(partial(self._requeued, number))
            if fault is None:  # another delivery has come to its end
                return
            message, received_at = event_of(fault), fault.first_at
        parts = parts_of(message)
        entries = [entry for part in parts for entry in part]
        received = ReceivedMessage(message_id, retries, received_at, alone=len(entries) == 1, requeued=number)
        self._metrics.group(len(entries))
        try:
            if len(parts) > 1:
                self._expect(parts, received)
            for part in parts:
                self._inspect(part, received)
        except ShuttingDown:
            raise
        except Exception:
            if received.alone:
                raise
            # Whatever it was, one of them may be to blame: each is tried by itself.
            log.exception("a message failed, its captures are tried one by one")
            self._in_hand.release()
            self._send_back(
                [celery_message(json.dumps(entry), str(uuid.uuid4()), retries=retries) for entry in entries]
            )
        finally:
            self._in_hand.release()
        failpoint("before-ack")
        structlog.contextvars.clear_contextvars()

    def _requeued(self, number: int) -> Fault | None:
        with self._database.reading() as session:
            fault = faults.find(session, number)
        return fault if fault is not None and fault.state == "requeued" else None

    def _expect(self, parts: Sequence[Sequence[object]], received: ReceivedMessage) -> None:
        """Record the photographs of a message that is judged in parts: no check is finished before they are judged.

        A check that was answered before would be finished by one part and by the earlier photographs of the others.
        """
        for part in parts:
            events, _ = read_events(part)
            taken = [(event, capture_of(event)) for event in events]
            self._arrive(taken, [self._fetch(event) for event in events], received, False)

    def _inspect(self, entries: Sequence[object], received: ReceivedMessage) -> None:
        events, broken = read_events(entries)
        # What another process of this worker has in hand comes to its end by the message that it has, which is not
        # acknowledged before.
        taken = [(event, capture_of(event)) for event in events]
        taken = [(event, capture) for event, capture in taken if self._in_hand.take(_named(capture))]
        if not taken and not broken:
            return
        events = [event for event, _ in taken]
        images = [self._fetch(event) for event in events]
        results = Results(faults=broken)
        to_judge = [
            (event, image)
            for event, image, known in zip(events, images, self._arrive(taken, images, received, True), strict=True)
            if self._is_to_judge(event, image, known, received, results) and isinstance(image, LoadedImage)
        ]
        self._judge_all(to_judge, received, results)
        failpoint("before-commit")
        ended = self._commit(results, received)
        failpoint("before-notify")
        self._answer(results, ended, received)
        self._in_hand.release()  # before another process can be handed what goes back
        self._send_back(results.back)

    def _fetch(self, event: CaptureEvent) -> Image:
        with self._metrics.stage("fetch"):
            return fetch(self._images, event)

    def _arrive(self, events: _Taken, images: Sequence[Image], received: ReceivedMessage, begins: bool) -> list[Known]:
        """Record that these came and, where judging them `begins`, their attempts."""
        arrivals = [
            Arrival(
                capture,
                received.received_at,
                tried=begins and isinstance(image, LoadedImage),
                shows=not (isinstance(image, LoadedImage) and is_stand_in(image.data)),
                counted=event.check_size_counted,
            )
            for (event, capture), image in zip(events, images, strict=True)
        ]
        with self._metrics.stage("arrive"):
            known = self._writes.arrive(arrivals)
        for (event, _), before in zip(events, known, strict=True):
            # A station's clock that was not believed is logged once for each capture.
            error = clock_error(event.captured_at, before.ordered_at) if before.ordered_at else None
            if error is not None:
                self._metrics.wrong_clock(error)
                log.warning(
                    "a station's clock is wrong",
                    station=event.station,
                    captured_at=event.captured_at.isoformat(),
                    **{"behind" if error < timedelta(0) else "ahead": str(abs(error))},
                )
        return known

    def _is_to_judge(
        self, event: CaptureEvent, image: Image, known: Known, received: ReceivedMessage, results: Results
    ) -> bool:
        """Whether a capture is to be judged now; else what becomes of it is among the results."""
        if known.another:
            results.faults.append(of_another_capture(event))
        elif known.verdict is not None:
            results.again.append((event, known.verdict))
        elif isinstance(image, RefusedImage):
            results.judged.append((event, Judgement("unusable", reason=image.reason)))
        elif isinstance(image, AbsentImage):
            if image.may_come and received.requeued is None and received.retries < IMAGE_TRIES:
                results.back.append(received.back(event, retries=received.retries + 1, pause=PAUSE))
            else:
                results.faults.append(image.fault)
        elif known.attempts == 0:
            return True
        elif not received.alone:
            # Of what is in hand together when a process dies only one is to blame.
            results.back.append(received.back(event))
        else:
            ended = self._writes.begin_another_attempt(event, received.requeued)
            if isinstance(ended, Verdict):
                results.again.append((event, ended))
            elif ended is not None:
                results.recorded.append(ended)
            return ended is None
        return False

    def _judge_all(
        self, captures: Sequence[tuple[CaptureEvent, LoadedImage]], received: ReceivedMessage, results: Results
    ) -> None:
        """Judge captures together; where that fails, one by one."""
        if not captures:
            return
        event = captures[0][0]
        try:
            with self._limit(), structlog.contextvars.bound_contextvars(model=self._judge.model_in_charge):
                for event, _ in captures:
                    failpoint("judge", event.operation, capture=event.capture_id, check=event.check_id)
                judgements = self._judge.judge_all([image_to_judge(event, image.data) for event, image in captures])
        except Exception:
            if len(captures) > 1:
                for capture in captures:
                    self._judge_all([capture], received, results)
                return
            log.exception("judging failed, it is tried again", **log_context(event), model=self._judge.model_in_charge)
            results.back.append(received.back(event, pause=PAUSE))
        else:
            results.judged += zip((event for event, _ in captures), judgements, strict=True)

    def _commit(self, results: Results, received: ReceivedMessage) -> Ended:
        verdicts = [verdict_of(event, judgement, received.received_at) for event, judgement in results.judged]
        # One that goes back stays requeued.
        requeued = None if results.back else received.requeued
        with self._metrics.stage("commit"):
            results.faults = self._writes.begin_checks(results.faults)
            return self._writes.end(verdicts, results.faults, requeued, results.checks.keys(), results.checks_again)

    def _answer(self, results: Results, ended: Ended, received: ReceivedMessage) -> None:
        """Send what was committed, now or before, to the stations; then log and count it."""
        answers = results.answers(ended, self._lives.of)
        with self._metrics.stage("notify"):
            if answers:
                send = partial(self._notifier.send, answers, partial(self._writes.holds_of, ended))
                retry_while_unavailable(send, REDIS, DATABASE)
        if received.requeued is not None:
            self._writes.note_answered(ended)
        for event, verdict in results.kept(ended):
            figures = {"outcome": verdict.outcome, "decision": verdict.decision, "seconds": verdict.seconds}
            log.info("judged", **log_context(event), model=verdict.model_id, **figures)
            taken = claimed(event.captured_at, received.received_at)
            self._metrics.judged(verdict.outcome, (datetime.now(UTC) - taken).total_seconds(), event.station)
        for event, verdict in results.again:
            log.info("judged before, told again", **log_context(event), model=verdict.model_id, outcome=verdict.outcome)
            self._metrics.answered_again()
        for fault in (*results.faults, *results.recorded):
            names = {"capture": _text(fault.capture_id), "check": _text(fault.check_id)}
            log.warning("fault", **names, model=self._judge.model_in_charge, reason=fault.reason, detail=fault.detail)
            self._metrics.fault(fault.reason)
        shadows = map(shadow_verdict_of, ended.verdicts, (judgement for _, judgement in results.judged))
        self._writes.note([shadow for shadow in shadows if shadow is not None])

    def _send_back(self, messages: Sequence[bytes]) -> None:
        retry_while_unavailable(partial(self._sender.send, messages), REDIS)


def _named(capture: Capture) -> str:
    """A capture by its id and by all that it is of."""
    return repr((capture.capture_id, *subject_of(capture)))


def _text(identifier: UUID | None) -> str | None:
    return None if identifier is None else str(identifier)

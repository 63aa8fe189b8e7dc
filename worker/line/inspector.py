"""A capture's one path through the worker: event → image → row → judgement → committed verdict → answer.

The order is commit, send, acknowledge (Celery acknowledges when `Inspector.inspect` returns), so a crash between any
two of them is repaired by redelivering the message.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple
from uuid import UUID

import structlog
from pydantic import ValidationError

from db.engine.database import Database
from db.line import captures, verdicts
from db.line.capture_order import claimed, clock_error
from db.line.captures import Arrival, Known
from db.line.verdicts import Verdict
from producer.contract.event import CaptureEvent
from producer.storage.store import ImageStore
from worker.line.answer_batcher import AnswerBatcher
from worker.line.faults import CaptureFault, crashed, invalid_event
from worker.line.image_fetch import AbsentImage, LoadedImage, RefusedImage, fetch
from worker.line.isolation import MAX_ATTEMPTS, Isolation
from worker.line.judging import Judge
from worker.line.mapping import capture_of, shadow_verdict_of, verdict_answer, verdict_of
from worker.line.notifier import Notifier
from worker.line.write_batcher import WriteBatcher
from worker.models.line_model import Judgement
from worker.monitoring.metrics import WorkerMetrics
from worker.runtime.failpoints import failpoint
from worker.runtime.waiting import retry_while_unavailable

log = structlog.get_logger()


class ImageNotYet(LookupError):
    """The image has not appeared in the store yet, or cannot be read yet."""


class Inspector:
    """Turns messages into verdicts; safe to use from several threads."""

    def __init__(
        self,
        database: Database,
        images: ImageStore,
        judge: Judge,
        notifier: Notifier,
        metrics: WorkerMetrics,
    ):
        self._database = database
        self._images = images
        self._judge = judge
        self._metrics = metrics
        self._writes = WriteBatcher(database)
        self._answers = AnswerBatcher(database, notifier)
        self._isolation = Isolation()

    def close(self) -> None:
        """Finish what is in hand."""
        self._writes.close()
        self._answers.close()

    def inspect(self, message: object, *, may_wait: bool = False, received_at: datetime | None = None) -> None:
        """Handle one message of the inspect queue, whatever it holds; on return it may be acknowledged.

        Args:
            message: what the queue held.
            may_wait: whether an image that is absent may still come.
            received_at: when it came first; default now.

        Raises:
            ImageNotYet: the image is absent and may still come: try again later.
            worker.runtime.waiting.ShuttingDown: the process ends while something that it needs is away.
        """
        received_at = received_at or datetime.now(UTC)
        structlog.contextvars.clear_contextvars()
        model = self._judge.model_in_charge
        try:
            event = CaptureEvent.from_message(message)
        except ValidationError as error:
            fault = invalid_event(message, error)
            bind_log_context(capture=_text(fault.capture_id), check=_text(fault.check_id), model=model)
            self._end_as_fault(fault)
            return
        # Not taken back where it fails: what Celery then logs in this thread is about this capture.
        bind_log_context(capture=str(event.capture_id), check=str(event.check_id), model=model)
        self._inspect(event, received_at, may_wait)
        failpoint("before-ack")
        structlog.contextvars.clear_contextvars()

    def _inspect(self, event: CaptureEvent, received_at: datetime, may_wait: bool) -> None:
        with self._metrics.stage("fetch"):
            image = fetch(self._images, event)
        if isinstance(image, AbsentImage):
            self._inspect_without_image(event, image, received_at, may_wait)
            return
        judged = None
        with self._isolation.together():
            known = self._arrive(event, received_at, tried=isinstance(image, LoadedImage))
            if known.verdict is None and (known.attempts == 0 or isinstance(image, RefusedImage)):
                judged = self._judge_and_commit(event, image, received_at)
        if judged is not None:
            self._answer(event, judged, received_at)
        elif known.verdict is not None:
            self._answer_again(event, known.verdict)
        else:
            self._inspect_alone(event, image, received_at)

    def _inspect_without_image(
        self, event: CaptureEvent, image: AbsentImage, received_at: datetime, may_wait: bool
    ) -> None:
        with self._isolation.together():
            known = self._arrive(event, received_at, tried=False)
        if known.verdict is not None:
            self._answer_again(event, known.verdict)
        elif image.may_come and may_wait:
            raise ImageNotYet(image.fault.detail)
        else:
            self._end_as_fault(image.fault)

    def _inspect_alone(self, event: CaptureEvent, image: LoadedImage | RefusedImage, received_at: datetime) -> None:
        """Judge with nothing else in hand what was tried before without coming to an end."""
        judged = None
        with self._isolation.alone():
            ended = retry_while_unavailable(partial(self._begin_another_attempt, event))
            if ended is None:
                judged = self._judge_and_commit(event, image, received_at)
        if judged is not None:
            self._answer(event, judged, received_at)
        elif isinstance(ended, Verdict):
            self._answer_again(event, ended)
        elif ended is not None:
            self._report_fault(ended)

    def _begin_another_attempt(self, event: CaptureEvent) -> Verdict | CaptureFault | None:
        """Count an attempt, unless the capture has come to its end: its verdict, or the fault of too many attempts."""
        with self._database.transaction() as session:
            # Another delivery of the same message may have come to its end while this one waited.
            verdict = verdicts.current(session, event.capture_id, hold=True)
            if verdict is not None:
                return verdict
            attempts = captures.attempts(session, event.capture_id)
            if attempts < MAX_ATTEMPTS:
                captures.count_attempt(session, event.capture_id)
                return None
            fault = crashed(event, attempts)
            fault.record(session)
            return fault

    def _arrive(self, event: CaptureEvent, received_at: datetime, *, tried: bool) -> Known:
        with self._metrics.stage("arrive"):
            known = self._writes.arrive(Arrival(capture_of(event), received_at, tried=tried))
        # A station's clock that was not believed is logged once for each capture.
        error = clock_error(event.captured_at, known.ordered_at) if known.ordered_at else None
        if error is not None:
            self._metrics.wrong_clock(error)
            log.warning(
                "a station's clock is wrong",
                station=event.station,
                captured_at=event.captured_at.isoformat(),
                ahead=str(error),
            )
        return known

    def _judge_and_commit(
        self, event: CaptureEvent, image: LoadedImage | RefusedImage, received_at: datetime
    ) -> _Judged:
        if isinstance(image, RefusedImage):
            judgement = Judgement("unusable", reason=image.reason)
        else:
            failpoint("judge", about=event.operation)
            judgement = self._judge.judge(image.data, event.region)
        failpoint("before-commit")
        with self._metrics.stage("commit"):
            verdict = self._writes.record(verdict_of(event, judgement, received_at))
        bind_log_context(model=verdict.model_id)
        log.info("judged", outcome=verdict.outcome, decision=verdict.decision, seconds=verdict.seconds)
        return _Judged(judgement, verdict)

    def _answer(self, event: CaptureEvent, judged: _Judged, received_at: datetime) -> None:
        self._send_verdict(event, judged.verdict)
        taken = claimed(event.captured_at, received_at)
        self._metrics.judged(judged.verdict.outcome, (datetime.now(UTC) - taken).total_seconds())
        shadow = shadow_verdict_of(judged.verdict, judged.judgement)
        if shadow is not None:
            self._writes.note(shadow)

    def _answer_again(self, event: CaptureEvent, verdict: Verdict) -> None:
        bind_log_context(model=verdict.model_id)
        log.info("judged before, told again", outcome=verdict.outcome)
        self._send_verdict(event, verdict)
        self._metrics.told_again.inc()

    def _send_verdict(self, event: CaptureEvent, verdict: Verdict) -> None:
        failpoint("before-notify")
        with self._metrics.stage("notify"):
            self._answers.send(event.station, event.check_id, verdict_answer(event, verdict))

    def _end_as_fault(self, fault: CaptureFault) -> None:
        retry_while_unavailable(partial(self._record_fault, fault))
        self._report_fault(fault)

    def _record_fault(self, fault: CaptureFault) -> None:
        with self._database.transaction() as session:
            fault.record(session)

    def _report_fault(self, fault: CaptureFault) -> None:
        """Log and count a fault that is recorded, and answer its station, where the message names one."""
        log.warning("fault", reason=fault.reason, detail=fault.detail)
        self._metrics.fault(fault.reason)
        if fault.station is not None:
            self._answers.send(fault.station, fault.check_id, fault.answer())


class _Judged(NamedTuple):
    """A judgement, and its verdict as it was committed."""

    judgement: Judgement
    verdict: Verdict


def bind_log_context(**names: str | None) -> None:
    """Add these names to whatever this thread logs from now on."""
    structlog.contextvars.bind_contextvars(**names)


def _text(identifier: UUID | None) -> str | None:
    return None if identifier is None else str(identifier)

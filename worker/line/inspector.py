"""A capture's one path through the worker: event → row → image → judgement → committed verdict → answer.

The order is commit, notify, acknowledge (Celery acknowledges when `Inspector.inspect` returns), so a crash between any
two of them is repaired by delivering the message again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, TypeVar
from uuid import UUID

import structlog
from pydantic import ValidationError
from sqlalchemy.orm import Session

from db.engine.database import Database, is_unavailable
from db.line import captures, checks, faults, verdicts
from db.line.capture_order import claimed, clock_error
from db.line.captures import Arrival, Known
from db.line.verdicts import Verdict
from producer.contract.answers import CheckAnswer, FaultAnswer, VerdictAnswer
from producer.contract.event import CaptureEvent
from producer.delivery.redis_refusals import is_away
from producer.storage.store import ImageStore
from worker.line import faults as obstacle
from worker.line.batching import Batcher
from worker.line.faults import Obstacle
from worker.line.image_fetch import ImageNotYet, fetch
from worker.line.isolation import Isolation
from worker.line.mapping import capture_of, check_answer, shadow_verdict_of, verdict_answer, verdict_of
from worker.line.notifier import Notifier
from worker.line.refusal import refusal
from worker.line.write_batcher import MAX_ROWS, WriteBatcher
from worker.models.line_model import Judgement
from worker.monitoring.metrics import WorkerMetrics
from worker.runtime.failpoints import failpoint
from worker.runtime.waiting import DATABASE, REDIS, retry_while_unavailable

log = structlog.get_logger()

T = TypeVar("T")

Judge = Callable[[bytes, tuple[int, int, int, int] | None], Judgement]
"""Image bytes and region to a judgement (`worker.models.line_model.judge` with its network and model filled in)."""

MAX_ATTEMPTS: Final = 3
"""How often judging a capture is tried; then it is a fault."""

MAX_EVENT_TEXT: Final = 20_000
"""Characters of an event that cannot be read which are kept with its fault."""


@dataclass(frozen=True)
class _Told:
    """What a station is to be told, and the check that may have ended by it."""

    station: str
    check_id: UUID | None
    answer: VerdictAnswer | FaultAnswer


class Inspector:
    """Turns messages into verdicts; safe to use from several threads."""

    def __init__(
        self,
        database: Database,
        images: ImageStore,
        judge: Judge,
        notifier: Notifier,
        metrics: WorkerMetrics | None = None,
        in_charge: Callable[[], str | None] = lambda: None,
    ):
        """`metrics` counts what comes through; `in_charge` names the model in charge, for the log."""
        self._metrics = metrics or WorkerMetrics()
        self._in_charge = in_charge
        self._database = database
        self._images = images
        self._judge = judge
        self._notifier = notifier
        self._writes = WriteBatcher(database)
        self._isolation = Isolation()
        self._telling: Batcher[_Told, None] = Batcher(
            self._tell_all, MAX_ROWS, name="telling", everybodys=_no_ones_fault
        )

    def close(self) -> None:
        """Finish what is in hand."""
        self._writes.close()
        self._telling.close()

    def inspect(self, message: object, *, may_wait: bool = False, received_at: datetime | None = None) -> None:
        """Handle one message of the inspect queue, whatever it holds; on return it may be acknowledged.

        `received_at` is when it came first, now unless something else is said.

        Raises:
            ImageNotYet: the image is not in the store, and `may_wait` says that it may still come: try again later.
        """
        received_at = received_at or datetime.now(UTC)
        structlog.contextvars.clear_contextvars()
        try:
            event = CaptureEvent.from_message(message)
        except ValidationError as error:
            self._refuse(message, error, datetime.now(UTC))
            return
        # Not taken back where it fails: what Celery then logs in this thread is about this capture.
        _about(capture=str(event.capture_id), check=str(event.check_id), model=self._in_charge())
        self._inspect(event, received_at, may_wait)
        failpoint("before-ack")
        structlog.contextvars.clear_contextvars()

    def take_up_requeued(self, limit: int = 20) -> int:
        """Handle the events of faults that a person has requeued; each ends in a verdict or in a new fault.

        Several workers may do so at once: what one has judged the other only confirms. Returns how many there were.
        """
        found = self._reading(lambda session: faults.search(session, state="requeued", limit=limit))
        for fault in found:
            try:
                message = json.loads(fault.event)
            except ValueError:  # it was cut, or never was JSON
                message = fault.event
            self.inspect(message, received_at=fault.first_at)
            self._transaction(lambda session, number=fault.id: faults.close(session, number))  # type: ignore[misc]
        return len(found)

    def _inspect(self, event: CaptureEvent, received_at: datetime, may_wait: bool) -> None:
        with self._metrics.stage("fetch"):
            image = fetch(self._images, event, may_wait)
        judgement = None
        with self._isolation.together():
            first_try = isinstance(image, bytes)
            with self._metrics.stage("arrive"):
                known = self._writes.arrive(Arrival(capture_of(event), received_at, tried=first_try))
            verdict = known.verdict
            self._watch_clock(event, known)
            if verdict is None and isinstance(image, Judgement):
                judgement = image
            elif verdict is None and known.attempts == 0 and isinstance(image, bytes):
                judgement = self._judge_image(event, image)
            if judgement is not None:
                verdict = self._record(event, judgement, received_at)
        if verdict is None:
            if isinstance(image, ImageNotYet):
                raise image
            if isinstance(image, bytes):
                verdict, judgement = self._once_more(event, image, received_at)
            elif isinstance(image, Obstacle):
                self._transaction(lambda session: obstacle.keep(session, event, image))
                self._tell_fault(event, image)
        if verdict is None:
            return
        if judgement is None:
            _about(model=verdict.model_id)
            log.info("judged before, told again", outcome=verdict.outcome)
        failpoint("before-notify")
        with self._metrics.stage("notify"):
            self._tell(event.station, event.check_id, verdict_answer(event, verdict))
        if judgement is None:
            self._metrics.told_again.inc()
        else:
            taken = claimed(event.captured_at, received_at)
            self._metrics.judged(verdict.outcome, (datetime.now(UTC) - taken).total_seconds())
        if judgement is not None and (shadow := shadow_verdict_of(verdict, judgement)) is not None:
            self._writes.note(shadow)

    def _watch_clock(self, event: CaptureEvent, known: Known) -> None:
        """Tell of a station's clock that was not believed, once for each capture."""
        error = clock_error(event.captured_at, known.ordered_at) if known.ordered_at else None
        if error is not None:
            self._metrics.wrong_clock(error)
            told = event.captured_at.isoformat()
            log.warning("a station's clock is wrong", station=event.station, captured_at=told, ahead=str(error))

    def _once_more(
        self, event: CaptureEvent, image: bytes, received_at: datetime
    ) -> tuple[Verdict | None, Judgement | None]:
        """Judge alone what was tried before without coming to an end; no verdict where it ends as a fault."""

        def begin(session: Session) -> Verdict | Obstacle | None:
            # Another delivery of the same message may have come to its end while this one waited.
            verdict = verdicts.current(session, event.capture_id, hold=True)
            if verdict is not None:
                return verdict
            attempts = captures.attempts(session, event.capture_id)
            if attempts < MAX_ATTEMPTS:
                captures.count_attempt(session, event.capture_id)
                return None
            fault = obstacle.gave_up(attempts)
            obstacle.keep(session, event, fault)
            return fault

        with self._isolation.alone():
            found = self._transaction(begin)
            if found is None:
                judgement = self._judge_image(event, image)
                return self._record(event, judgement, received_at), judgement
        if isinstance(found, Verdict):
            return found, None
        self._tell_fault(event, found)
        return None, None

    def _record(self, event: CaptureEvent, judgement: Judgement, received_at: datetime) -> Verdict:
        failpoint("before-commit")
        with self._metrics.stage("commit"):
            verdict = self._writes.record(verdict_of(event, judgement, received_at))
        _about(model=verdict.model_id)
        log.info("judged", outcome=verdict.outcome, decision=verdict.decision, seconds=verdict.seconds)
        return verdict

    def _judge_image(self, event: CaptureEvent, image: bytes) -> Judgement:
        failpoint("judge", about=event.operation)
        box = event.region
        return self._judge(image, (box.left, box.top, box.width, box.height) if box else None)

    def _tell(self, station: str, check_id: UUID | None, answer: VerdictAnswer | FaultAnswer) -> None:
        telling = partial(self._telling, _Told(station, check_id, answer))
        retry_while_unavailable(telling, REDIS, DATABASE)

    def _tell_all(self, told: list[_Told]) -> list[None]:
        # The checks are read after the commit: of several workers that finish one at once, the last to commit sees
        # all the others' verdicts, so at least one of them reports the check.
        station_of = {each.check_id: each.station for each in told if each.check_id is not None}
        answers: list[tuple[str, VerdictAnswer | FaultAnswer | CheckAnswer]]
        answers = [(each.station, each.answer) for each in told]
        if station_of:
            with self._database.reading() as session:
                finished = checks.finished(session, station_of.keys())
            answers += [(station_of[check.check_id], check_answer(check)) for check in finished]
        self._notifier.tell(answers)
        return [None] * len(told)

    def _tell_fault(self, event: CaptureEvent, fault: Obstacle) -> None:
        log.warning("fault", reason=fault.reason, detail=fault.detail)
        self._metrics.fault(fault.reason)
        self._tell(event.station, event.check_id, obstacle.answer(event, fault))

    def _refuse(self, message: object, error: ValidationError, at: datetime) -> None:
        """Keep an event that breaks the contract as a fault, and tell its station where it names one."""
        found = refusal(message, error)
        whose: Any = {"capture_id": found.capture_id, "check_id": found.check_id, "pocket": found.pocket}
        _about(capture=_text(found.capture_id), check=_text(found.check_id), model=self._in_charge())
        log.warning("fault", reason="invalid_event", detail=found.detail)
        text = json.dumps(message, default=str)[:MAX_EVENT_TEXT]
        self._transaction(
            lambda session: faults.record(
                session,
                **whose,
                station=found.station,
                reason="invalid_event",
                detail=found.detail,
                event=text,
                at=at,
            )
        )
        self._metrics.fault("invalid_event")
        if found.station is not None:
            answer = FaultAnswer(**whose, reason=f"invalid_event: {found.detail}", at=at)
            self._tell(found.station, found.check_id, answer)

    def _transaction(self, work: Callable[[Session], T]) -> T:
        def attempt() -> T:
            with self._database.transaction() as session:
                return work(session)

        return retry_while_unavailable(attempt)

    def _reading(self, work: Callable[[Session], T]) -> T:
        def attempt() -> T:
            with self._database.reading() as session:
                return work(session)

        return retry_while_unavailable(attempt)


def _about(**names: str | None) -> None:
    """What is logged in this thread from now on is about this."""
    structlog.contextvars.bind_contextvars(**names)


def _no_ones_fault(error: Exception) -> bool:
    return is_unavailable(error) or is_away(error)


def _text(capture: UUID | None) -> str | None:
    return None if capture is None else str(capture)

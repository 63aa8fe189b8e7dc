"""Mapping between the packages' classes: from event to row, from row to answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

from db.line.captures import Capture
from db.line.checks import Check
from db.line.rows import VerdictRow
from db.line.shadow_verdicts import ShadowVerdict
from db.line.untold_checks import LabelledCapture
from db.line.verdicts import Verdict
from producer.contract.answers import CheckAnswer, Remaining, VerdictAnswer
from producer.contract.event import CaptureEvent
from producer.contract.places import PocketPlace
from producer.contract.region import Edge
from producer.contract.vocabulary import DAMAGE_KINDS, OUTCOME_OF, CheckState
from worker.line.judging import ImageToJudge
from worker.line.stations import Origin
from worker.models.line_model import Judgement


def capture_of(event: CaptureEvent) -> Capture:
    """The row that keeps an event."""
    return Capture(**event.model_dump(exclude={"schema_version", "check_size_counted"}))


def image_to_judge(event: CaptureEvent, data: bytes) -> ImageToJudge:
    """The photograph to judge: the bytes of an event's image."""
    return ImageToJudge(data, event.region, Origin(event.station, PocketPlace(event.machine, event.head, event.pocket)))


def verdict_of(event: CaptureEvent, judgement: Judgement, received_at: datetime) -> Verdict:
    """The row that keeps a judgement made just now, of an event received at `received_at`."""
    now, seen, wear = datetime.now(UTC), judgement.seen, judgement.wear
    return Verdict(
        capture_id=event.capture_id,
        model_id=judgement.model_id,
        outcome=judgement.outcome,
        label=judgement.label,
        reason=judgement.reason,
        decision=judgement.decision,
        judged_at=now,
        seconds=max(0.0, (now - received_at).total_seconds()),  # a clock may have been set back
        probability=judgement.probability,
        evidence=judgement.evidence,
        sharpness=None if seen is None else seen.sharpness,
        brightness=None if seen is None else seen.brightness,
        frame=None if seen is None else seen.frame,
        sketch=None if seen is None else seen.sketch,
        wear_mean=None if wear is None else wear.mean,
        wear_p90=None if wear is None else wear.p90,
        wear_max=None if wear is None else wear.maximum,
        wear_length=None if wear is None else wear.length,
        pixels_per_mm=event.region.pixels_per_mm if wear is not None and isinstance(event.region, Edge) else None,
    )


def shadow_verdict_of(verdict: Verdict, judgement: Judgement) -> ShadowVerdict | None:
    """The row that keeps what the shadow says beside the verdict on the same judgement; None where no shadow judged."""
    shadow = judgement.shadow
    if shadow is None or shadow.model_id is None:
        return None
    return ShadowVerdict(
        capture_id=verdict.capture_id,
        model_id=shadow.model_id,
        outcome=shadow.outcome,
        decision=shadow.decision,
        probability=shadow.probability,
        judged_at=verdict.judged_at,
    )


def verdict_answer(
    event: CaptureEvent | VerdictRow, verdict: Verdict | VerdictRow, remaining: Remaining | None = None
) -> VerdictAnswer:
    """The answer that a station and the plant get about a verdict."""
    return VerdictAnswer(
        capture_id=event.capture_id,
        check_id=event.check_id,
        machine=event.machine,
        head=event.head,
        pocket=event.pocket,
        outcome=verdict.outcome,
        label=verdict.label,
        reason=verdict.reason,
        decision=verdict.decision,
        model=verdict.model_id,
        judged_at=verdict.judged_at,
        remaining=remaining,
    )


def label_answer(labelled: LabelledCapture) -> VerdictAnswer:
    """The answer that a station and the plant get about a label: the verdict of a person."""
    return VerdictAnswer(
        capture_id=labelled.capture_id,
        check_id=labelled.check_id,
        machine=labelled.machine,
        head=labelled.head,
        pocket=labelled.pocket,
        outcome=OUTCOME_OF[labelled.label],
        label=labelled.label if labelled.label in DAMAGE_KINDS else None,
        judged_at=labelled.at,
    )


def check_answer(check: Check) -> CheckAnswer:
    """The answer that a station gets about a finished check."""
    return CheckAnswer(
        check_id=check.check_id,
        machine=check.machine,
        head=check.head,
        operation=check.operation,
        size=check.size,
        state=cast(CheckState, check.state),
        replace=list(check.replace),
        review=list(check.review),
        missing=list(check.missing),
        reason=check.reason,
        revision=check.revision,
        begun_at=check.started_at,
    )

"""Training on request: from the labels as they are to a model that is evaluated and decided upon."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, TypeVar

from db.learning import model_registry
from producer.contract.reasons.refusals import ASKED_FOR
from worker.learning.context import Learning
from worker.learning.evaluate import DatedDecision, evaluate
from worker.learning.retrain import Retrained, retrain
from worker.runtime.progress import Progress, silent

T = TypeVar("T")

_WAIT: Final = 1.0
"""Seconds between two checks whether another process has finished."""

_SHOWN: Final = 3
"""Most reasons for unusable images in a refusal."""


def learn_now(
    learning: Learning, *, by: str, signed: str | None = None, progress: Progress = silent
) -> tuple[Retrained, DatedDecision]:
    """Fit a model to the labels as they are, evaluate it, and promote it, as `by`, where the rule says so.

    The audit names who is `signed`.

    Another process that is doing the same, such as the learner of a running line, is waited for. Beside what follows
    it raises what `retrain` and `evaluate` raise.

    Raises:
        ValueError: there is too little to learn from (`CandidateError` and `ClassifierError` are such).
    """
    trained = _in_turn(
        lambda: retrain(learning, force=True, progress=progress), lambda result: result.elsewhere, progress
    )
    if trained.model is None:
        reasons = "".join(f"; capture {capture}: {reason}" for capture, reason in trained.unusable[:_SHOWN])
        raise ValueError(f"{trained.summary}: label more, and train again{reasons}")
    name = trained.model.model_id
    decided = _in_turn(
        lambda: evaluate(learning, name, by=by, signed=signed, progress=progress),
        lambda result: result is None,
        progress,
    )
    assert decided is not None  # noqa: S101 - for the type checker: it was waited for
    return trained, decided


def settle(learning: Learning, decided: DatedDecision, *, by: str, promote: bool, signed: str | None = None) -> bool:
    """Return whether the model is champion now; `promote` makes it so whatever was decided."""
    with learning.database.transaction() as session:
        if promote:
            now, reason = datetime.now(UTC), f"{ASKED_FOR()}; {decided.summary()}"
            model_registry.promote(session, decided.model, by=by, signed=signed, reason=reason, at=now)
        champion = model_registry.champion(session)
    return champion is not None and champion.model_id == decided.model


def _in_turn(work: Callable[[], T], is_elsewhere: Callable[[T], bool], progress: Progress) -> T:
    """The result of `work` once no other process is doing the same."""
    while is_elsewhere(result := work()):
        progress("waiting for another process that learns", 0, 0)
        time.sleep(_WAIT)
    return result

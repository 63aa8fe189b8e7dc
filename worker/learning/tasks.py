"""The Celery tasks of learning: each calls its job; no logic."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

import structlog
from celery import Celery, Task
from kombu.exceptions import OperationalError

from db.learning import model_registry
from db.learning.model_registry import Model
from worker.learning.app import DRIFT_TASK, EVALUATE_TASK, EXTRACT_TASK, LIVES_TASK, REEXTRACT_TASK, RETRAIN_TASK
from worker.learning.context import Learning
from worker.learning.drift import measure_drift
from worker.learning.evaluate import evaluate
from worker.learning.extract import extract_captures, plan
from worker.learning.remaining_life import fit_lives
from worker.learning.retrain import retrain
from worker.runtime.waiting import Service, retry_while_unavailable

log = structlog.get_logger()


def register(app: Celery, learning: Learning, chunk_lifetime: float) -> None:
    """Register the tasks with `app`.

    A chunk that is not begun within `chunk_lifetime` seconds expires, since the next `reextract` sends it again.
    """

    @app.task(name=EXTRACT_TASK)  # type: ignore[untyped-decorator]
    def extract(captures: list[str]) -> None:
        result = extract_captures(learning, [UUID(capture) for capture in captures])
        for capture, reason in result.unusable if result else ():
            log.warning("no features", capture=str(capture), reason=reason)

    @app.task(name=REEXTRACT_TASK)  # type: ignore[untyped-decorator]
    def reextract_all() -> None:
        for chunk in plan(learning):
            ask(extract, [str(capture) for capture in chunk], expires=chunk_lifetime)

    @app.task(name=EVALUATE_TASK)  # type: ignore[untyped-decorator]
    def evaluate_newest() -> None:
        evaluate(learning)

    @app.task(name=LIVES_TASK)  # type: ignore[untyped-decorator]
    def fit_lives_now() -> None:
        fit = fit_lives(learning.database)
        if fit is not None:
            log.info("lives", followed=fit.followed, ended=fit.ended, missing=fit.missing)

    @app.task(name=RETRAIN_TASK)  # type: ignore[untyped-decorator]
    def retrain_now() -> None:
        done = retrain(learning)
        log.info("retrain", told=done.summary)
        if done.new:
            ask(evaluate_newest)

    @app.task(name=DRIFT_TASK)  # type: ignore[untyped-decorator]
    def measure_days() -> None:
        measure_drift(learning, datetime.now(UTC))


def train_where_none_can_judge(app: Celery, learning: Learning) -> None:
    """Ask for a training at once where the champion was made before networks were files, so that no worker can judge.

    Beat may have asked a moment ago, and the line would be unsure until its next turn.
    """

    def champion() -> Model | None:
        with learning.database.reading() as session:
            return model_registry.champion(session)

    model = retry_while_unavailable(champion)
    if model is not None and model.network_digest is None:
        log.warning("the model in charge cannot judge, another is trained", model=model.model_id)
        ask(app.tasks[RETRAIN_TASK])


def ask(task: Task, *arguments: Any, **options: Any) -> None:
    """Send a task, waiting while Redis is away or refuses.

    Raises:
        ShuttingDown: the process ends before that.
    """
    retry_while_unavailable(partial(task.apply_async, arguments, **options), _REDIS)


def _is_unsent(error: BaseException) -> bool:
    return isinstance(error, OperationalError)


_REDIS: Final = Service("Redis", _is_unsent)

"""Waiting for a database that is away, until it is back or the worker ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NoReturn, TypeVar

import structlog
from celery.exceptions import Reject
from tenacity import RetryCallState, Retrying, retry_if_exception, wait_exponential
from tenacity.nap import sleep_using_event
from tenacity.stop import stop_when_event_set

from db.session import is_unavailable

log = structlog.get_logger()

T = TypeVar("T")

# Of the whole process, because it is the process that ends: whoever waits in it learns of that here.
_stopping = threading.Event()


class Stopping(Reject):  # type: ignore[misc]
    """The worker ends and the database is still away.

    A `Reject` that asks for the message back into the queue: any other error Celery would acknowledge.
    """

    def __init__(self, reason: str):
        super().__init__(reason, requeue=True)


def patiently(attempt: Callable[[], T]) -> T:
    """Do ``attempt`` until the database lets it: one that is away is waited for, not counted against anybody.

    Raises:
        Stopping: the worker was told to stop (`stop_waiting`) while the database was away.
        Exception: what ``attempt`` raised for any other reason.
    """
    retrying = Retrying(
        retry=retry_if_exception(is_unavailable),
        wait=wait_exponential(0.2, max=5.0),
        stop=stop_when_event_set(_stopping),
        sleep=sleep_using_event(_stopping),
        before_sleep=_warn,
        retry_error_callback=_give_up,
    )
    return retrying(attempt)


def stop_waiting() -> None:
    """From now on nobody in this process waits for the database any more; each attempt is made once."""
    _stopping.set()


def _warn(state: RetryCallState) -> None:
    log.warning("the database is away, waiting", attempts=state.attempt_number, problem=str(_problem(state)))


def _give_up(state: RetryCallState) -> NoReturn:
    problem = _problem(state)
    raise Stopping(f"the worker ends and the database is away: {problem}") from problem


def _problem(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None

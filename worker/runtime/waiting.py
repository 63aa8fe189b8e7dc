"""Waiting for a database, an image store or a Redis that is away, until it is back or the worker ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache, partial
from typing import NoReturn, TypeVar

from celery.exceptions import Reject
from tenacity import RetryCallState, Retrying, retry_if_exception, wait_exponential
from tenacity.nap import sleep_using_event
from tenacity.stop import stop_when_event_set

from db.engine.database import is_unavailable
from producer.delivery.outage_log import OutageLog

T = TypeVar("T")

# Of the whole process, because it is the process that ends: whoever waits in it learns of that here.
_stopping = threading.Event()


class Stopping(Reject):  # type: ignore[misc]
    """The worker ends and what it waits for is still away.

    A `Reject` that asks for the message back into the queue: any other error Celery would acknowledge.
    """

    def __init__(self, reason: str):
        super().__init__(reason, requeue=True)


def patiently(
    attempt: Callable[[], T], what: str = "the database", is_away: Callable[[BaseException], bool] = is_unavailable
) -> T:
    """Do `attempt` until the database lets it: one that is away is waited for, not counted against anybody.

    Why is logged once for each reason, and once when it is over.

    Of anything else than the database, `what` says its name and `is_away` which errors mean that it is away.

    Raises:
        Stopping: the worker was told to stop (`stop_waiting`) while it was away.
        Exception: what `attempt` raised for any other reason.
    """
    retrying = Retrying(
        retry=retry_if_exception(is_away),
        wait=wait_exponential(0.2, max=5.0),
        stop=stop_when_event_set(_stopping),
        sleep=sleep_using_event(_stopping),
        before_sleep=partial(_warn, what),
        retry_error_callback=partial(_give_up, what),
    )
    done = retrying(attempt)
    _outage(what).ends()
    return done


@cache
def _outage(what: str) -> OutageLog:
    """One for each thing that is waited for: many threads wait for the same one, and each would say so."""
    return OutageLog(f"{what} is away, waiting", f"{what} is back")


def stop_waiting() -> None:
    """From now on nobody in this process waits for what is away any more; each attempt is made once."""
    _stopping.set()


def _warn(what: str, state: RetryCallState) -> None:
    _outage(what).begins(str(_problem(state)))


def _give_up(what: str, state: RetryCallState) -> NoReturn:
    problem = _problem(state)
    raise Stopping(f"the worker ends and {what} is away: {problem}") from problem


def _problem(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
